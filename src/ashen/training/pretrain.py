"""Pretraining: an agent cloned from recorded fights, as a start for training or fine-tuning."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ashen.agents.cloning import CloneConfig, Cloning, Samples
from ashen.core.errors import UserError
from ashen.core.fight import Outcome
from ashen.core.seeding import derive_seed
from ashen.env.recorded import Decisions, decisions_of
from ashen.evaluation.fights import as_recording, records_from
from ashen.evaluation.judge import judge
from ashen.evaluation.match import FightResult
from ashen.evaluation.policies import GreedyAgent
from ashen.runs.fights import FightRecord
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import MetricsLog, Row, clone_text, match_text
from ashen.training.checkpoints import save_best, save_checkpoint
from ashen.training.loop import Training
from ashen.training.recipe import Recipe, env_options

LEAST_FIGHTS = 5
_UNKNOWN = "an unknown fight"
HELD_OUT_EVERY = 5
"""One fight in so many is held out."""


class Pretraining:
    """An agent of a recipe, and the decisions of recorded fights that it is to make its own.

    Args:
        recipe: who learns, what it sees, which actions it has, how it is paid.
        config: how it is cloned.
        places: of the fights: runs, folders of fights or files, as :func:`~ashen.evaluation.fights.records_from` finds
            them.
        runs_dir: folder of all runs.
        only_wins: learn from fights that were won, and from no others.

    Raises:
        UserError: too few fights, fights of another boss than the recipe's, or actions that the recipe lacks.
    """

    def __init__(self, recipe: Recipe, config: CloneConfig, places: Sequence[str], runs_dir: Path, *, only_wins: bool):
        records, _ = records_from(places, runs_dir, recipe.boss)
        self._recipe, self._config = recipe, config
        wanted = (Outcome.WIN,) if only_wins else (Outcome.WIN, Outcome.LOSS, Outcome.TIMEOUT)
        kept = [(where, record) for where, record in records if record.outcome in wanted]
        if len(kept) < LEAST_FIGHTS:
            kind = "won " if only_wins else ""
            few = f"{len(kept)} {kind}fights of {len(records)} recorded ones are too few"
            raise UserError(f"{few}; give --from at least {LEAST_FIGHTS}")
        self.training = Training(recipe)
        fights = [self._decisions(where, record) for where, record in kept]
        held_out = fights[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]
        learned = [fight for number, fight in enumerate(fights, 1) if number % HELD_OUT_EVERY != 0]
        discount = recipe.config.discount
        self._learned, self._held_out = _samples(learned, discount), _samples(held_out, discount)
        if not ((self._learned.actions >= 0).any() and (self._held_out.actions >= 0).any()):
            raise UserError("no decision is left to learn from in these fights; give --from longer ones")
        self._running = np.concatenate([_running_returns(fight.rewards, discount) for fight in learned])
        kinds = Counter(str(record.meta.get("fight", _UNKNOWN)) for _, record in kept)
        self.fights = dict(kinds.most_common())
        """How many fights of which kind it clones, for example ``{"full": 20, "phase1": 5}``."""
        self.outcomes = dict(Counter(record.outcome.name for _, record in kept).most_common())
        """How many of them ended how."""

    @property
    def summary(self) -> str:
        """What is cloned, in a line."""
        kinds = ", ".join(f"{count:,} of {fight}" for fight, count in self.fights.items())
        ends = ", ".join(f"{count:,} {outcome}" for outcome, count in self.outcomes.items())
        counts = self._counts()
        decisions = f"{counts['decisions']:,} decisions, {counts['held_out_decisions']:,} more held out"
        return f"cloning {counts['cloned_fights']:,} fights for {self._recipe.fight}: {kinds} ({ends}); {decisions}"

    @property
    def doubts(self) -> list[str]:
        """Why the clone may come to little, one line each."""
        fights, wanted, doubts = sum(self.fights.values()), self._recipe.fight, []
        others = {kind: count for kind, count in self.fights.items() if kind not in (wanted, _UNKNOWN)}
        if others:
            told = ", ".join(f"{count:,} of {kind}" for kind, count in others.items())
            doubts.append(
                f"the clone is to fight {wanted}, but of {fights:,} fights {told}; --fight says which it is for"
            )
        lost, won = (self.outcomes.get(name, 0) for name in ("LOSS", "WIN"))
        if 2 * lost > fights:
            instead = f"; --only-wins takes the {won:,} won" if won >= LEAST_FIGHTS else ""
            doubts.append(f"of {fights:,} fights {lost:,} were lost: a clone does what it sees{instead}")
        return doubts

    def _decisions(self, where: str, record: FightRecord) -> Decisions:
        fight = as_recording(record, where)
        try:
            return decisions_of(
                self.training.env,
                self._recipe.skip_steps,
                fight.states,
                fight.actions[1:],
                fight.masks[:-1],
                record.outcome,
            )
        except UserError as error:
            raise UserError(f"{where} {error}") from None

    def _counts(self) -> dict[str, int]:
        return {
            "cloned_fights": sum(self.fights.values()),
            "decisions": int((self._learned.actions >= 0).sum()),
            "held_out_decisions": int((self._held_out.actions >= 0).sum()),
        }

    def run(self, run: RunFolder, should_stop: Callable[[], bool]) -> Iterator[Row]:
        """Clone until the fights held out say that it is enough, save, and play the final match.

        Args:
            run: where everything is written.
            should_stop: asked after every gradient step and every fight; what is cloned by then is saved.

        Yields:
            Rows of kind ``pretrain``, one a pass, and a ``final`` one unless it was stopped, all at step 0; see
            :mod:`ashen.runs.metrics`.
        """
        metrics, agent = MetricsLog(run), self.training.agent
        cloning = Cloning(agent, self._config, self._learned, self._running)
        begin_s = time.monotonic()
        counts = self._counts() | {"baseline_accuracy": most_frequent_accuracy(self._learned, self._held_out)}
        best: dict[str, float] = {"held_out_loss": float("inf")}
        for epoch in range(1, self._config.max_epochs + 1):
            row = {"epoch": epoch} | cloning.epoch(should_stop) | cloning.judge(self._held_out)
            yield metrics.write("pretrain", 0, 0, row | counts)
            if row["held_out_loss"] < best["held_out_loss"]:
                best = row
                cloning.keep()
            if should_stop() or epoch - best.get("epoch", 0) >= self._config.patience_epochs:
                break
        cloning.finish()
        run.log(f"cloned in {time.monotonic() - begin_s:.1f} s; {clone_text(best | counts)}")
        state = {"agent": agent.state_dict(), "episode": 0, "best": [-1.0, 0.0]}
        save_checkpoint(run, 0, state)
        save_best(run, 0, state)
        figures = self._match(run, should_stop)
        if figures is None:
            run.log("stopped before the end of its match")
            return
        run.log(f"final match: {match_text(figures)}")
        accuracy = {name: best[name] for name in ("epoch", "held_out_loss", "held_out_accuracy")}
        yield metrics.write("final", 0, 0, figures | accuracy | counts | {"checkpoint_step": 0})

    def _match(self, run: RunFolder, should_stop: Callable[[], bool]) -> Row | None:
        """The clone's final match; None if it was stopped."""

        def look(_: Sequence[FightResult]) -> None:
            if should_stop():
                raise KeyboardInterrupt

        recipe, agent = self._recipe, self.training.agent
        try:
            return judge(
                lambda env: GreedyAgent(agent, run.name),
                env_options(recipe),
                fights=recipe.final_fights,
                seed=derive_seed(recipe.seed, "final"),
                progress=look,
            )
        except KeyboardInterrupt:
            return None


def most_frequent_accuracy(learned: Samples, held_out: Samples) -> float:
    """How often the action is right that the demonstrator takes most often among those valid, 0..1."""
    counts = torch.bincount(learned.actions[learned.actions >= 0], minlength=learned.mask.shape[1])
    decided = held_out.at(held_out.actions >= 0)
    guesses = counts.expand(decided.mask.shape).masked_fill(~decided.mask, -1).argmax(-1)
    return float((guesses == decided.actions).float().mean())


def _samples(fights: Sequence[Decisions], discount: float) -> Samples:
    returns = [_running_returns(fight.rewards[::-1], discount)[::-1] for fight in fights]
    parts: list[NDArray[Any]] = [np.concatenate(part) for part in list(zip(*fights, strict=True))[:3]]
    return Samples(*(torch.from_numpy(part) for part in parts), torch.from_numpy(np.concatenate(returns)).float())


def _running_returns(rewards: NDArray[np.float32], discount: float) -> NDArray[np.float64]:
    """At each step its reward plus the discounted sum of those before it, [T]."""
    running, total = np.zeros(len(rewards)), 0.0
    for step, reward in enumerate(rewards.tolist()):
        total = discount * total + reward
        running[step] = total
    return running

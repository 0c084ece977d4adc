"""Which matches a training plays, and when: those on the way, by which the best agent is kept, and the final one.

In the simulator a match on the way is played at once, and anew if Ctrl-C has broken it off. On the game, where a fight
takes ten seconds or more, it is fought one fight at a time between fights of the training, none of which is cut off for
it, and takes no more than a share of the game's time.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from typing import Any

from ashen.core.errors import UserError
from ashen.core.protocols import Agent
from ashen.core.seeding import derive_seed
from ashen.core.signals import heed_stop
from ashen.evaluation.exploits import checks
from ashen.evaluation.judge import judge
from ashen.evaluation.match import FightResult
from ashen.evaluation.policies import GreedyAgent
from ashen.evaluation.sequential import Rival, SureWhen
from ashen.runs.fights import FightRecord
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import Row
from ashen.training.checkpoints import save_best
from ashen.training.gate import Progress, judge_best
from ashen.training.recipe import Recipe, env_options, recipe_of
from ashen.training.slow_match import SlowMatch


class Matches:
    """The matches of one training.

    Args:
        run: where the best agent and the fights are kept.
        recipe: how often, and how many fights.
        agent: who is trained.
        record: called with the record of every fight.
        timed: a context in which the seconds of matches are counted.
        game_steps: of matches that a fork's parent played on the game.
    """

    def __init__(
        self,
        run: RunFolder,
        recipe: Recipe,
        agent: Agent,
        record: Callable[[FightRecord], object],
        timed: Callable[[], AbstractContextManager[None]],
        game_steps: int = 0,
    ):
        self._run, self._recipe, self._agent, self._record, self._timed = run, recipe, agent, record, timed
        self._best, self._rival = (-1.0, 0.0), None
        self._judged_step = -1
        self._is_owed = False
        self._under_way: SlowMatch | None = None
        self._finals: dict[str, dict[str, Any]] = {}
        """Where the final matches on the game stand, by whose they are."""
        self._game_steps = game_steps

    def owe(self) -> None:
        """A match of the agent as it is now is due."""
        self._is_owed = True

    def is_turn(self, has_ended: bool, game_steps: int) -> bool:
        """Whether to play now: in the simulator what is owed, on the game one fight between two fights of the training.

        Args:
            has_ended: whether a fight of the training has just ended.
            game_steps: steps of 0.1 s of the training's fights so far.
        """
        if not self._recipe.is_on_game:
            return self._is_owed
        is_wanted = self._is_owed or self._under_way is not None
        return is_wanted and has_ended and 100.0 * self._share(game_steps) < self._recipe.evaluation_share_pct

    def play(self, env_step: int, game_steps: int) -> Iterator[Row]:
        """Play when it is the turn to; yields the figures of a match that is over by it, see :meth:`whole`."""
        if not self._recipe.is_on_game:
            yield self.whole(env_step)
            return
        match = self._begun(env_step)
        with self._timed():
            self._game_steps += match.fight()
        if match.is_over:
            yield self._ended(match) | {"evaluation_share": self._share(game_steps)}

    def whole(self, env_step: int) -> Row:
        """Play a match of the agent as it is now, at once; on the game until its answer is sure.

        Returns:
            The figures of :func:`ashen.evaluation.judge.judge`, and ``env_step``, the steps behind the agent.
        """
        if not self._recipe.is_on_game:
            self._is_owed = True  # until it is over
            with self._agent_kept():
                figures = self._match(self._recipe.evaluation_fights, "evaluation", env_step)
            self._is_owed = False
            return self._keep_best(figures, self._agent.state_dict(), env_step)
        match = self._begun(env_step)
        with self._timed():
            while not match.is_over:
                match.fight()
        return self._ended(match)

    def last(self, env_step: int) -> Iterator[Row]:
        """What a complete training still owes: what there is of the match under way, and one of the last agent.

        A match that could not be finished is told with its ``is_over`` false, and chooses no best agent.
        """
        match = self._under_way
        if match is not None and match.env_step != env_step:
            self._under_way = None
            if any(match.counts):
                yield match.figures() | {"env_step": match.env_step}
        if self._under_way is not None or self._judged_step != env_step:
            yield self.whole(env_step)

    def final(self) -> Row:
        """The final match, of the best agent, on fights of its own; a run with a parent plays it twice."""
        with self._agent_kept():
            return judge_best(self._run, self._final_match)

    def status(self, game_steps: int) -> Row:
        """Of the match under way, for rows on the training; empty in the simulator and between matches."""
        if self._under_way is None:
            return {}
        names = ("match/wins", "match/fights", "match/faults")
        counts = dict(zip(names, self._under_way.counts, strict=True))
        return {"match/env_step": self._under_way.env_step, **counts, "match/share": self._share(game_steps)}

    def state_dict(self) -> dict[str, Any]:
        """Where the matches stand: plain data. The agent of the match under way is apart, :attr:`agent_state`."""
        return {
            "best": list(self._best),
            "rival": None if self._rival is None else list(self._rival),
            "judged_step": self._judged_step,
            "is_owed": self._is_owed,
            "game_steps": self._game_steps,
            "under_way": None if self._under_way is None else self._under_way.state_dict(),
            "finals": self._finals,
        }

    @property
    def agent_state(self) -> dict[str, Any] | None:
        """The agent that plays the match under way; None without one."""
        return None if self._under_way is None else self._under_way.agent_state

    def load_state_dict(self, state: dict[str, Any], agent_state: dict[str, Any] | None) -> None:
        """Go on from there; a match under way goes on with its own agent."""
        self._best, self._judged_step = tuple(state["best"]), state["judged_step"]
        self._rival = None if state["rival"] is None else Rival(*state["rival"])
        self._is_owed, self._game_steps = state["is_owed"], state["game_steps"]
        self._finals = dict(state.get("finals", {}))
        kept = state["under_way"]
        if kept is not None:
            rival = None if kept["rival"] is None else Rival(*kept["rival"])
            self._under_way = self._new_match(agent_state, kept["env_step"], rival)
            self._under_way.load_state_dict(kept)

    def _share(self, game_steps: int) -> float:
        return self._game_steps / max(1, self._game_steps + game_steps)

    def _begun(self, env_step: int) -> SlowMatch:
        """The match under way, or one that begins now."""
        if self._under_way is None:
            self._under_way = self._new_match(self._agent.state_dict(), env_step, self._rival)
            self._judged_step, self._is_owed = env_step, False
        return self._under_way

    def _new_match(self, agent_state: dict[str, Any], env_step: int, rival: Rival | None) -> SlowMatch:
        fights, sure_when = self._recipe.evaluation_fights, SureWhen(rival=rival)
        return SlowMatch(self._run, self._recipe, agent_state, env_step, fights, sure_when, self._record)

    def _ended(self, match: SlowMatch) -> Row:
        self._under_way = None
        return self._keep_best(match.figures(), match.agent_state, match.env_step)

    def _keep_best(self, figures: Row, agent_state: dict[str, Any], env_step: int) -> Row:
        self._judged_step = env_step
        score = (figures["win_rate"], figures["return_mean"])
        if score >= self._best or self._recipe.keep == "last":
            self._best = score
            self._rival = Rival(
                f"the agent of step {env_step:,}", figures["wins"], figures["fights"] - figures["faults"]
            )
            save_best(self._run, env_step, {"agent": agent_state})
        return figures | {"env_step": env_step}

    def _final_match(
        self, checkpoint: dict[str, Any], progress: Progress | None = None, as_parent: bool = False
    ) -> dict[str, Any]:
        is_refitted = self._run.calibrated_file.is_file()
        recipe = recipe_of(self._run) if as_parent and is_refitted else self._recipe  # with the table it came with
        if self._recipe.is_on_game:
            figures = self._slow_final(checkpoint, recipe, progress, "parent" if as_parent else "own")
        else:
            self._agent.load_state_dict(checkpoint["agent"])
            figures = self._match(self._recipe.final_fights, "final", checkpoint["env_step"], progress, recipe)
        found = [str(check) for check in checks(figures) if check.passed is False]
        return figures | {"checkpoint_step": checkpoint["env_step"], "exploits": found}

    @contextmanager
    def _agent_kept(self) -> Iterator[None]:
        """Where Ctrl-C breaks a match off, the agent is as before it."""
        before = deepcopy(self._agent.state_dict(with_replay=True))
        try:
            yield
        except UserError:
            self._agent.load_state_dict(before)
            raise

    def _slow_final(
        self, checkpoint: dict[str, Any], recipe: Recipe, progress: Progress | None, whose: str
    ) -> dict[str, Any]:
        """The final match on the game, from where it stands; what is trained stays as it is, for a stop in it."""
        fights, agent, env_step = recipe.final_fights, checkpoint["agent"], checkpoint["env_step"]
        how = (SureWhen(), self._record, "final") if progress is None else (None, self._record, "gate")
        match = SlowMatch(self._run, recipe, agent, env_step, fights, *how)
        if whose in self._finals:
            match.load_state_dict(self._finals[whose])
        with self._timed():
            while not match.is_over:
                match.fight()
                self._finals[whose] = match.state_dict()
        if progress is not None:
            progress(match.results)
        return match.figures()

    def _match(
        self, fights: int, kind: str, agent_step: int, progress: Progress | None = None, recipe: Recipe | None = None
    ) -> dict[str, Any]:
        is_gate = progress is not None

        def heed(results: Sequence[FightResult]) -> None:
            heed_stop()
            if progress is not None:
                progress(results)

        with self._timed():
            return judge(
                lambda env: GreedyAgent(self._agent, self._run.name),
                env_options(recipe or self._recipe),
                fights=fights,
                seed=derive_seed(self._recipe.seed, kind),
                # Where two agents play the final match, their fights are not to be mixed with those of the one chosen.
                record=None if is_gate else self._record,
                facts={"kind": "gate" if is_gate else kind, "env_step": agent_step},
                progress=heed,
            )

"""The training loop: act, step, observe, update; one loop for every agent. It yields rows and knows of no display."""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ashen.agents.runtime import tune_process
from ashen.agents.tensors import to_arrays, to_tensors
from ashen.core.errors import UserError
from ashen.evaluation.policies import GreedyAgent
from ashen.runs.fights import save_fight, save_new_fight
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import MetricsLog, Row, read_metrics, trim_metrics
from ashen.training.checkpoints import has_parent, save_checkpoint
from ashen.training.fleet.plan import ALONE
from ashen.training.matches import Matches
from ashen.training.monitors.monitors import Monitors
from ashen.training.pace import Pace
from ashen.training.player import Player
from ashen.training.recipe import Recipe, make_agent_for, view_of
from ashen.training.replay_files import drop_later, load_replay, save_replay
from ashen.training.scalars import ScalarsLog


class Training:
    """An agent and the fights it learns in.

    Args:
        recipe: how to train.

    Raises:
        UserError: the recipe names something that does not exist.
    """

    plan = ALONE
    """Who else plays: nobody."""

    def __init__(self, recipe: Recipe):
        tune_process()
        self.recipe = recipe
        # Before the world, so that what does not fit is said before the game is asked for.
        self.agent = make_agent_for(recipe, view_of(recipe, recipe.boss))
        self._player = Player(recipe)
        self.env, self._tally = self._player.env, self._player.tally
        self.env_step = self._step_before = self._match_game_steps = 0
        self._run: RunFolder | None = None
        self._has_ended = False
        self._pace = Pace(recipe.world_steps_per_s)
        self._monitors = Monitors(recipe, self.env, self.agent)

    def run(self, run: RunFolder, should_stop: Callable[[], bool]) -> Iterator[Row]:
        """Train until ``total_steps`` or until told to stop, then save. Begins if it has not begun or been resumed.

        Args:
            run: where everything is written.
            should_stop: asked after every step.

        Yields:
            The rows of :mod:`ashen.runs.metrics`, as they are written.

        Raises:
            OSError: the disk is full.
        """
        if self._run is None:
            self.begin(run)
        try:
            if self.env_step == 0 and has_parent(run):
                yield self._write("evaluation", self._matches.whole(0))  # the parent's, by which tuned ones are chosen
            if self.env_step == 0:
                yield from self._warnings()
            if not self._player.has_begun:
                with self._tally.time("world"):
                    self._player.start(self.env_step)
            yield from self._owed_matches()  # one that was broken off
            while self.env_step < self.recipe.total_steps and not should_stop():
                self._step()
                yield from self._periodic_work()
            yield from self._last_work()
            end = "ended" if self.env_step >= self.recipe.total_steps else "stopped"
        except UserError as error:  # of the game: only the user can mend it, or he pressed Ctrl-C in a match
            self._save()
            end = "stopped"
            if not should_stop():
                raise UserError(f"{error}; saved, then go on with: ashen resume {run.word}") from None
            run.log(str(error))
        finally:
            self._player.give_up()
        run.log(f"{end} at step {self.env_step}")
        self._scalars.close()

    def begin(self, run: RunFolder) -> None:
        """Open the run's files and save the first step, from which on the training can be resumed."""
        self._open(run)
        run.log(self.agent.tune())
        if self._player.can_be_saved:
            self._player.start(self.env_step)
        self._save()

    def _open(self, run: RunFolder) -> None:
        self._run, self._metrics, self._scalars = run, MetricsLog(run), ScalarsLog(run)
        self._save_fight = partial(save_new_fight if self.recipe.is_on_game else save_fight, folder=run.fights)
        self._player.record(GreedyAgent(self.agent, run.name), self._save_fight, run)
        timed = partial(self._tally.time, "evaluation")
        self._matches = Matches(run, self.recipe, self.agent, self._save_fight, timed, self._match_game_steps)

    def resume(self, run: RunFolder, checkpoint: dict[str, Any]) -> None:
        """Go on from a checkpoint as if the training had never stopped; on the game with a new fight.

        Raises:
            UserError: the checkpoint does not fit, or cannot be gone on from.
        """
        self._load_agent(run, checkpoint)
        if "match_agent" not in checkpoint:
            raise UserError(f"an older ashen saved it; go on with that one, or: ashen train --parent {run.name}")
        drop_later(run, self.agent.replay)
        trim_metrics(run, checkpoint["training"]["metrics_rows"])
        self._open(run)
        self._load_own(to_arrays(checkpoint["training"]), checkpoint["match_agent"])
        self._monitors.add_rows(read_metrics(run))

    def fork(self, run: RunFolder, checkpoint: dict[str, Any]) -> None:
        """Start where another run's checkpoint stands: its learner, replay and counters, but new fights and schedules.

        Raises:
            UserError: they do not fit, or the checkpoint cannot be gone on from.
        """
        self._load_agent(run, checkpoint)
        self._tally.begin_after(checkpoint["training"]["tally"])
        self._match_game_steps = checkpoint["training"]["matches"]["game_steps"]
        self.agent.cut_fights()
        self.agent.begin_schedules()

    def _load_agent(self, run: RunFolder, checkpoint: dict[str, Any]) -> None:
        if "training" not in checkpoint:
            raise UserError(f"it holds an agent alone; start a new run from it: ashen train --parent {run.name}")
        self.agent.load_state_dict(checkpoint["agent"])
        load_replay(run, self.agent.replay, checkpoint["replay"])
        self.env_step = checkpoint["env_step"]

    def _step(self) -> None:
        env_step = self.env_step + self.recipe.num_envs
        played = self._player.step(self.agent, env_step)
        self._step_before, self.env_step, self._has_ended = self.env_step, env_step, played.has_ended
        with self._tally.time("learning"), self._pace.beside(played.passed_steps):
            self.agent.observe(played.step)
            self._tally.add_update(self.agent.update(self._pace.is_over))
        self._monitors.add_step(played.step, self.env.states)

    def _periodic_work(self) -> Iterator[Row]:
        if self._is_due(self.recipe.record_every):
            self._player.recorder.ask()
        if self._is_due(self.recipe.log_every):
            yield self._write("train", self._train_row())
            yield from self._warnings()
        if self._is_due(self.recipe.evaluate_every):
            self._matches.owe()
        yield from self._owed_matches()
        if self._is_due(self.recipe.checkpoint_every):
            self._save()

    def _owed_matches(self) -> Iterator[Row]:
        if self._matches.is_turn(self._has_ended, self._tally.game_steps):
            for figures in self._matches.play(self.env_step, self._tally.game_steps):
                yield self._write("evaluation", figures)
            if self.recipe.is_on_game:
                self._player.start(self.env_step)

    def _last_work(self) -> Iterator[Row]:
        """What a training still owes: one that was stopped a checkpoint, one that is complete all of it."""
        self._player.recorder.give_up()  # before a match, which ends the fight under way on the game
        is_complete = self.env_step >= self.recipe.total_steps
        if is_complete and self._tally.steps > 0:
            yield self._write("train", self._train_row())
            yield from self._warnings()
        if is_complete:
            for figures in self._matches.last(self.env_step):
                yield self._write("evaluation", figures)
        self._save()
        if is_complete:
            yield self._write("final", self._matches.final())

    def _train_row(self) -> Row:
        return self._tally.take_row() | self.agent.status() | self._matches.status(self._tally.game_steps)

    def _is_due(self, every: int) -> bool:
        """Whether the last step crossed a multiple of ``every``."""
        return self.env_step // every > self._step_before // every

    def _warnings(self) -> Iterator[Row]:
        yield from (self._write("warning", warning) for warning in self._monitors.warnings())

    def _write(self, kind: str, values: Row) -> Row:
        values = values | {"game_steps": self._tally.game_steps}
        row = self._metrics.write(kind, self.env_step, self._tally.episodes, values)
        self._scalars.write(row)
        self._monitors.add_rows([row | values])  # what is not finite is null in the row
        if kind != "train":
            said = f"win rate {row['win_rate']:.2f}" if "win_rate" in row else row.get("message", "")
            level = logging.WARNING if kind == "warning" else logging.INFO
            self._run.log(f"{kind} at step {row['env_step']}: {said}".rstrip(": "), level)
        return row

    def _save(self) -> None:
        state = {
            "agent": self.agent.state_dict(with_replay=True),
            "replay": save_replay(self._run, self.agent.replay),
            "training": to_tensors(self._own()),
            "match_agent": self._matches.agent_state,
        }
        self._run.log(f"saved {save_checkpoint(self._run, self.env_step, state).name}")

    def _own(self) -> dict[str, Any]:
        """Where the training stands, besides its agent."""
        own = {
            "matches": self._matches.state_dict(),
            "metrics_rows": self._metrics.sync(),
            "pace_left_s": self._pace.left_s,
            "monitors": self._monitors.state_dict(),
        }
        return own | self._player.state_dict()

    def _load_own(self, own: dict[str, Any], match_agent: dict[str, Any] | None) -> None:
        self._matches.load_state_dict(own["matches"], match_agent)
        self._pace.left_s = own["pace_left_s"]
        self._monitors.load_state_dict(own["monitors"])
        self._player.load_state_dict(own)
        if not self._player.has_begun:
            self.agent.cut_fights()

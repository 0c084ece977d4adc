"""The training loop: act, step, observe, update; one loop for every agent. It yields rows and knows of no display."""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.agents.runtime import tune_process
from ashen.agents.tensors import to_arrays, to_tensors
from ashen.core.errors import UserError
from ashen.core.fight import Outcome
from ashen.core.protocols import Transitions
from ashen.core.seeding import derive_seed
from ashen.env import make_vec
from ashen.env.worlds import fought_boss
from ashen.evaluation.incidents import Incidents
from ashen.evaluation.match import match_facts
from ashen.evaluation.policies import GreedyAgent
from ashen.runs.fight_journal import FightJournal, keep_interrupted
from ashen.runs.fights import save_fight, save_new_fight
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import MetricsLog, Row, read_metrics, trim_metrics
from ashen.training.checkpoints import has_parent, save_checkpoint
from ashen.training.game_account import game_account
from ashen.training.matches import Matches
from ashen.training.monitors.monitors import Monitors
from ashen.training.pace import Pace
from ashen.training.recipe import Recipe, env_options, make_agent_for
from ashen.training.recorder import FightRecorder
from ashen.training.replay_files import drop_later, load_replay, save_replay
from ashen.training.scalars import ScalarsLog
from ashen.training.tally import Tally


class Training:
    """An agent and the fights it learns in.

    Args:
        recipe: how to train.

    Raises:
        UserError: the recipe names something that does not exist.
    """

    def __init__(self, recipe: Recipe):
        tune_process()
        self.recipe = recipe
        self._varied = {
            "randomise": recipe.randomise,
            "randomise_seed": derive_seed(recipe.seed, "randomise"),
            "randomise_share": recipe.randomise_share,
        }
        self.env = make_vec(
            **env_options(recipe),
            num_envs=recipe.num_envs,
            random_start=recipe.random_start,
            phase2_starts=recipe.phase2_starts,
            **self._varied,
        )
        self.agent = make_agent_for(recipe, self.env)
        self.env_step = 0
        self._run: RunFolder | None = None
        self._obs: Any = None  # until the fights have begun
        self._tally = Tally(recipe.num_envs, self.env.reward.names, recipe.fight == "full")
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
            if self._obs is None:
                self._start_fights()
            while self.env_step < self.recipe.total_steps and not should_stop():
                self._step()
                yield from self._periodic_work()
            yield from self._last_work()
        except UserError as error:  # of the game: only the user can mend it
            self._save()
            if not should_stop():
                raise UserError(f"{error}; saved, then go on with: ashen resume {run.name}") from None
            run.log(str(error))
        finally:
            self._recorder.give_up()
            if self._account:
                self._account.write()
        run.log(f"{'ended' if self.env_step >= self.recipe.total_steps else 'stopped'} at step {self.env_step}")
        self._scalars.close()

    def begin(self, run: RunFolder) -> None:
        """Open the run's files and save the first step, from which on the training can be resumed."""
        self._open(run)
        run.log(self.agent.tune())
        if not self.recipe.is_on_game:
            self._start_fights()
        self._save()

    def _open(self, run: RunFolder) -> None:
        self._run, self._metrics, self._scalars = run, MetricsLog(run), ScalarsLog(run)
        on_game = self.recipe.is_on_game
        for kept in keep_interrupted(run.fights):
            run.log(f"a fight was cut off when the program ended; kept as {kept.name}")
        self._save_fight = partial(save_new_fight if on_game else save_fight, folder=run.fights)
        journal, incidents = FightJournal(run.fights) if on_game else None, Incidents(self.env.backend)
        self._recorder = FightRecorder(self._save_fight, self._training_facts(), incidents, journal)
        self._account = game_account(run, self.env.backend, self.recipe)
        timed = partial(self._tally.time, "evaluation")
        self._matches = Matches(run, self.recipe, self.agent, self._save_fight, timed)

    def load_parent(self, checkpoint: dict[str, Any]) -> None:
        """Start from another run's agent; counters and schedules begin anew.

        Raises:
            UserError: the agent's shapes do not fit.
        """
        self.agent.load_parent(checkpoint["agent"])

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
        """Start where another run's checkpoint stands, with its learner and replay but with new fights.

        Raises:
            UserError: they do not fit, or the checkpoint cannot be gone on from.
        """
        self._load_agent(run, checkpoint)
        self.agent.cut_fights()

    def _load_agent(self, run: RunFolder, checkpoint: dict[str, Any]) -> None:
        if "training" not in checkpoint:
            raise UserError(f"it holds an agent alone; start a new run from it: ashen train --parent {run.name}")
        self.agent.load_state_dict(checkpoint["agent"])
        load_replay(run, self.agent.replay, checkpoint["replay"])
        self.env_step = checkpoint["env_step"]

    def _training_facts(self) -> dict[str, Any]:
        recipe, policy = self.recipe, GreedyAgent(self.agent, self._run.name)
        world = {key: value for key, value in env_options(recipe).items() if key in ("fight", "encoder", "reward")}
        world["boss"] = fought_boss(env_options(recipe))
        start = "random" if recipe.random_start else "fixed"
        return {"kind": "training", "start": start} | self._varied | world | match_facts(self.env, policy)

    def _start_fights(self) -> None:
        """Start all fights anew, on seeds that depend on the step alone."""
        seed = derive_seed(self.recipe.seed, "world", self.env_step)
        self._obs, self._info = self.env.reset(seed=seed)
        self._tally.start_anew(np.ones(self.recipe.num_envs, np.bool_))
        self._whole = self.env.states["step"] == 0
        self._recorder.stream_starts(seed, self.env_step)  # the environment counts upwards from it: it is slot 0's own

    def _step(self) -> None:
        tally, mask, first_state = self._tally, self._info["action_mask"], self.env.states[:1].copy()
        before = self.env.states["step"].copy()
        self.env.keep_waits(self._recorder.is_taping)
        with tally.time("acting"):
            decision = self.agent.act(self._obs, mask, explore=True)
        try:
            with tally.time("world"):
                next_obs, rewards, terminated, truncated, info = self.env.step(decision.actions)
        except UserError:
            self._forget_fights(decision.actions)
            raise
        self.env_step += self.recipe.num_envs
        ended = terminated | truncated
        self._has_ended = bool(ended[0])
        step = Transitions(
            obs=self._obs,
            mask=mask,
            actions=decision.actions,
            rewards=rewards,
            next_obs=info["final_obs"],
            next_mask=self.env.final_mask,
            terminated=terminated,
            truncated=truncated,
            faulted=info["outcome"] == Outcome.FAULT,
        )
        passed = self.env.final_states["step"] - before
        with tally.time("learning"), self._pace.beside(float(passed.mean())):
            self.agent.observe(step)
            tally.add_update(self.agent.update(self._pace.is_over))
        tally.add_step(rewards, info, ended, self._whole, self.env.final_states, passed)
        self._monitors.add_step(step, self.env.states)
        after = self.env.final_states[:1]
        self._recorder.add(first_state, step, info["reward_terms"], decision.scores, self.env.waits, after)
        self._whole[ended] = self.env.states["step"][ended] == 0
        if ended[0]:
            outcome = Outcome(int(info["outcome"][0]))
            self._recorder.fight_ends(self.env.final_states[0], outcome, self.env_step, next_is_whole=self._whole[0])
        self._obs, self._info = next_obs, info
        if self._account:
            self._account.note()

    def _forget_fights(self, actions: NDArray[np.int64]) -> None:
        """Keep the fights under way out of learning: nobody has seen how this step of theirs ended."""
        mask, nobody = self._info["action_mask"], np.zeros(len(actions), np.bool_)
        rewards = np.zeros(len(actions), np.float32)
        self.agent.observe(
            Transitions(self._obs, mask, actions, rewards, self._obs, mask, nobody, nobody, faulted=~nobody)
        )
        self.agent.update()

    def _periodic_work(self) -> Iterator[Row]:
        if self._is_due(self.recipe.record_every):
            self._recorder.ask()
        if self._is_due(self.recipe.log_every):
            yield self._write("train", self._train_row())
            yield from self._warnings()
        if self._is_due(self.recipe.evaluate_every):
            self._matches.owe()
        if self._matches.is_turn(self._has_ended, self._tally.game_steps):
            for figures in self._matches.play(self.env_step, self._tally.game_steps):
                yield self._write("evaluation", figures)
            if self.recipe.is_on_game:
                self._start_fights()
        if self._is_due(self.recipe.checkpoint_every):
            self._save()

    def _last_work(self) -> Iterator[Row]:
        """What a training still owes: one that was stopped a checkpoint, one that is complete all of it."""
        self._recorder.give_up()  # before a match, which ends the fight under way on the game
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
        return self.env_step // every > (self.env_step - self.recipe.num_envs) // every

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
        """Where the training stands, besides its agent; without the world, where that is the game."""
        own = {
            "matches": self._matches.state_dict(),
            "metrics_rows": self._metrics.sync(),
            "pace_left_s": self._pace.left_s,
            "tally": self._tally.state_dict(),
            "monitors": self._monitors.state_dict(),
        }
        if self.recipe.is_on_game:
            return own
        fights = {"obs": self._obs, "mask": self._info["action_mask"], "whole": self._whole}
        return own | {"fights": fights, "world": self.env.state_dict(), "recorder": self._recorder.state_dict()}

    def _load_own(self, own: dict[str, Any], match_agent: dict[str, Any] | None) -> None:
        self._matches.load_state_dict(own["matches"], match_agent)
        self._pace.left_s = own["pace_left_s"]
        self._tally.load_state_dict(own["tally"])
        self._monitors.load_state_dict(own["monitors"])
        if "world" not in own:
            self.agent.cut_fights()
            return
        self.env.load_state_dict(own["world"])
        self._recorder.load_state_dict(own["recorder"])
        fights = own["fights"]
        self._obs, self._info, self._whole = fights["obs"], {"action_mask": fights["mask"]}, fights["whole"]

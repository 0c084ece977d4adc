"""The fights an agent learns in: plays, counts and records them, and knows where they stand. Learning is elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.fight import Outcome
from ashen.core.protocols import Agent, Transitions
from ashen.core.seeding import derive_seed
from ashen.env import make_vec
from ashen.env.worlds import fought_boss
from ashen.evaluation.incidents import Incidents
from ashen.evaluation.match import match_facts
from ashen.evaluation.policies import GreedyAgent
from ashen.runs.fight_journal import FightJournal, keep_interrupted
from ashen.runs.fights import FightRecord
from ashen.runs.folder import RunFolder
from ashen.training.game_account import game_account
from ashen.training.recipe import Recipe, env_options
from ashen.training.recorder import FightRecorder
from ashen.training.tally import Tally


class Played(NamedTuple):
    """One step of all fights."""

    step: Transitions
    passed_steps: float
    """Steps of 0.1 s that went by in a fight, in the mean; waits among them."""
    has_ended: bool
    """Whether the first fight is over."""


class Player:
    """Plays the fights of a recipe, N at a time.

    Args:
        recipe: how to train.

    Raises:
        UserError: the recipe names something that does not exist.
    """

    def __init__(self, recipe: Recipe):
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
        self.tally = Tally(recipe.num_envs, self.env.reward.names, recipe.fight == "full")
        self._obs: Any = None

    def record(
        self, policy: GreedyAgent, save: Callable[[FightRecord], object], run: RunFolder | None = None
    ) -> list[Path]:
        """Record fights from here on.

        Args:
            policy: who fights them, when it does not explore.
            save: called with each.
            run: whose folder keeps the fights under way and an account of the game, if that is what is fought.

        Returns:
            Records of fights in whose middle the program ended before.
        """
        on_game = run is not None and self.recipe.is_on_game
        cut_off = keep_interrupted(run.fights) if run else []
        for kept in cut_off:
            run.log(f"a fight was cut off when the program ended; kept as {kept.name}")
        journal = FightJournal(run.fights) if on_game else None
        self.recorder = FightRecorder(save, self._facts(policy), Incidents(self.env.backend), journal)
        self._account = game_account(run, self.env.backend, self.recipe) if run else None
        return cut_off

    def _facts(self, policy: GreedyAgent) -> dict[str, Any]:
        world = {key: value for key, value in env_options(self.recipe).items() if key in ("fight", "encoder", "reward")}
        world["boss"] = fought_boss(env_options(self.recipe))
        start = "random" if self.recipe.random_start else "fixed"
        return {"kind": "training", "start": start} | self._varied | world | match_facts(self.env, policy)

    @property
    def can_be_saved(self) -> bool:
        """Whether the fights can be gone on with after another start of the program."""
        return not self.recipe.is_on_game

    @property
    def has_begun(self) -> bool:
        """Whether there are fights under way."""
        return self._obs is not None

    def start(self, env_step: int) -> None:
        """Start all fights anew, on seeds that depend on the step alone."""
        seed = derive_seed(self.recipe.seed, "world", env_step)
        self._obs, self._info = self.env.reset(seed=seed)
        self.tally.start_anew(np.ones(self.recipe.num_envs, np.bool_))
        self._whole = self.env.states["step"] == 0
        self.recorder.stream_starts(seed, env_step)  # the environment counts upwards from it: it is slot 0's own

    def step(self, agent: Agent, env_step: int) -> Played:
        """Have the agent decide once in every fight; ``env_step`` is the training's after this.

        Raises:
            UserError: the game cannot go on until the user mends it; the agent has been told to forget its fight.
        """
        obs, mask, first_state = self._obs, self._info["action_mask"], self.env.states[:1].copy()
        before = self.env.states["step"].copy()
        self.env.keep_waits(self.recorder.is_taping)
        with self.tally.time("acting"):
            decision = agent.act(obs, mask, explore=True)
        try:
            with self.tally.time("world"):
                self._obs, rewards, terminated, truncated, info = self.env.step(decision.actions)
        except UserError:
            self._forget(agent, decision.actions)
            raise
        ended = terminated | truncated
        step = Transitions(
            obs=obs,
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
        self.tally.add_step(rewards, info, ended, self._whole, self.env.final_states, passed)
        after = self.env.final_states[:1]
        self.recorder.add(first_state, step, info["reward_terms"], decision.scores, self.env.waits, after)
        self._whole[ended] = self.env.states["step"][ended] == 0
        if ended[0]:
            outcome = Outcome(int(info["outcome"][0]))
            self.recorder.fight_ends(self.env.final_states[0], outcome, env_step, next_is_whole=bool(self._whole[0]))
        self._info = info
        if self._account:
            self._account.note()
        return Played(step, float(passed.mean()), bool(ended[0]))

    def _forget(self, agent: Agent, actions: NDArray[np.int64]) -> None:
        """Keep the fights under way out of learning: nobody has seen how this step of theirs ended."""
        obs, mask, nobody = self._obs, self._info["action_mask"], np.zeros(len(actions), np.bool_)
        rewards = np.zeros(len(actions), np.float32)
        agent.observe(Transitions(obs, mask, actions, rewards, obs, mask, nobody, nobody, faulted=~nobody))
        agent.update()

    def give_up(self) -> Path | None:
        """The fights under way do not go on; what is known of them on the game is written.

        Returns:
            The record of the one that the game was in the middle of.
        """
        kept = self.recorder.give_up()
        if self._account:
            self._account.write()
        return kept

    def state_dict(self) -> dict[str, Any]:
        """Where the fights stand, and what was counted; on the game the latter alone. The arrays are live."""
        state = {"tally": self.tally.state_dict()}
        if not self.can_be_saved:
            return state
        fights = {"obs": self._obs, "mask": self._info["action_mask"], "whole": self._whole}
        return state | {"fights": fights, "world": self.env.state_dict(), "recorder": self.recorder.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there; on the game fights have to be started."""
        self.tally.load_state_dict(state["tally"])
        if "world" not in state:
            return
        self.env.load_state_dict(state["world"])
        self.recorder.load_state_dict(state["recorder"])
        fights = state["fights"]
        self._obs, self._info, self._whole = fights["obs"], {"action_mask": fights["mask"]}, fights["whole"]

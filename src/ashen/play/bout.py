"""One fight of a human: actions in, states out, and its record."""

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from ashen.core.fight import NO_ACTION, Outcome
from ashen.core.tables import full_name
from ashen.draw import HP_MEMORY_STEPS, Overlay, between
from ashen.env import FightEnv
from ashen.runs.fights import FightRecord, Tape
from ashen.runs.folder import HUMAN

_WORTH: Final = {"encoder": "ashen", "reward": "soulsgym"}
"""How a record is paid, though nobody learns from it."""


@dataclass(frozen=True)
class Setting:
    """What is fought."""

    boss: str = "iudex"
    """Name or table of the boss."""
    fight: str = "full"
    """``phase1``, ``phase2`` or ``full``."""
    start: str = "fixed"
    """``fixed`` or ``random``."""
    randomise: str = "none"
    """``none``, ``facts`` or ``wide``."""
    randomise_seed: int = 0
    """Which varied bosses."""

    def make_env(self) -> FightEnv:
        """The environment, with everything compiled that a step needs.

        Raises:
            UserError: an unknown name.
        """
        varied = {"randomise": self.randomise, "randomise_seed": self.randomise_seed}
        env = FightEnv(self.boss, fight=self.fight, random_start=self.start == "random", **varied, **_WORTH)
        env.reset(seed=0)
        env.step(0)
        return env


class Bout:
    """One fight.

    Args:
        env: made by ``setting``; used by one bout at a time.
        setting: what is fought.
        seed: of this fight.
    """

    def __init__(self, env: FightEnv, setting: Setting, seed: int) -> None:
        self._env, self._setting, self._seed = env, setting, seed
        _, info = env.reset(seed=seed)
        self._mask = info["action_mask"]
        self._state = self._before = env.states[0].copy()
        self._hits: deque[tuple[float, float]] = deque(maxlen=HP_MEMORY_STEPS)
        self._tape = Tape()
        self._action = NO_ACTION
        self._overlays: dict[bool, Overlay] = {}
        self.num_steps = 0
        self.outcome = Outcome.RUNNING

    def step(self, action: int) -> None:
        """Do one of the 20 actions and let 0.1 s pass."""
        before, mask = self._env.states.copy(), self._mask
        self._before = before[0]
        self._hits.append((float(self._before["player_hp"]), float(self._before["boss_hp"])))
        _, reward, _, _, info = self._env.step(action)
        self._mask, self._action = info["action_mask"], action
        self._state = self._env.states[0].copy()
        choice = np.eye(len(mask), dtype=np.float32)[[action]]
        terms, rewards = info["reward_terms"][None], np.array([reward], np.float32)
        self._tape.add(before, np.array([action]), mask[None], terms, rewards, choice)
        self._overlays.clear()
        self.num_steps += 1
        self.outcome = Outcome(int(info["outcome"]))

    def state(self, share: float) -> np.void:
        """FIGHT_STATE when a ``share`` 0..1 of the step just made has passed; start and end stand still."""
        is_moving = self.num_steps > 0 and self.outcome is Outcome.RUNNING
        return between(self._before, self._state, share) if is_moving else self._state

    def overlay(self, with_actions: bool) -> Overlay:
        """What is drawn over it; ``with_actions`` shows the action just done and which are accepted next."""
        if with_actions not in self._overlays:  # one a step, since the panel is drawn once for each
            actions = {"action": self._action, "mask": self._mask, "title": HUMAN} if with_actions else {}
            hp_before = self._hits[0] if self._hits else (0.0, 0.0)
            self._overlays[with_actions] = Overlay(outcome=self.outcome, hp_before=hp_before, **actions)
        return self._overlays[with_actions]

    def record(self) -> FightRecord:
        """The fight so far, at least one step; all that is needed to fight it again stands in it."""
        env, setting = self._env, self._setting
        meta: dict[str, Any] = {"kind": HUMAN, "policy": HUMAN, "env_step": 0, "fight_number": 0}
        meta |= asdict(setting) | {"boss": full_name(setting.boss), "seed": self._seed} | _WORTH
        meta |= {"outcome": self.outcome.name, "table_hash": env.backend.table_hash, "score_kind": "probabilities"}
        meta |= {"action_names": list(env.action_names), "term_names": list(env.reward.names)}
        return self._tape.cut(0, self._state, meta)

"""What the fights of a stretch of training showed: a sample of their steps, added up for the guards to judge."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import LIGHT_ATTACK, STEP_S
from ashen.core.protocols import Transitions

LOOK_EVERY = 32
"""Steps of each environment from one look to the next: what fails silently lasts, and looking should cost nothing."""
WINDOW_STEPS = 40_000
WINDOW_LOOKS = 10
"""A window is full after so many steps and looks: some 100 fights, or half a minute of each of thousands."""
STUCK_S = 10.0
STUCK_M = 1.0
"""A player who was sent to walk or roll, and was nowhere farther away than this for so long, runs against something."""
STUCK_SENDS = 2
"""At how many looks one of his last actions must have been a walk or a roll: once may be a stray random action."""


class Window:
    """Sums over the looks of one stretch of training.

    Attributes:
        steps: steps of all N environments that the stretch spans.
        looks: how often it was looked.
        low, high: least and greatest value of each number of the observations, [D]; NaN if one was NaN.
        chosen: how often each action was chosen where there was a choice, and was valid, [A].
        by_chance: how often chance would have chosen each of them then, [A].
        seen: fights looked at, one count a look.
        stuck: those of them whose player was stuck.
        stuck_at_m: where one was last, x and y.
        hits: steps seen on which the boss lost hit points.
        hit_points: how many he lost on them.
    """

    def __init__(self, num_numbers: int, num_actions: int):
        self.steps = self.looks = self.seen = self.stuck = self.hits = 0
        self.hit_points = 0.0
        self.low, self.high = np.full(num_numbers, np.inf, np.float32), np.full(num_numbers, -np.inf, np.float32)
        self.chosen, self.by_chance = np.zeros(num_actions), np.zeros(num_actions)
        self.stuck_at_m = (np.nan, np.nan)

    @classmethod
    def of(cls, attributes: dict[str, Any]) -> "Window":
        """One with these attributes."""
        window = cls(0, 0)
        vars(window).update(attributes)
        return window

    @property
    def is_full(self) -> bool:
        """Whether there is enough to judge."""
        return self.steps >= WINDOW_STEPS and self.looks >= WINDOW_LOOKS

    @property
    def points_per_hit(self) -> float:
        """Hit points the boss lost on a step that hurt him; NaN if none did."""
        return self.hit_points / self.hits if self.hits else np.nan


class Watch:
    """Looks at the fights now and then and fills one window after the other.

    Args:
        num_envs: N.
        num_numbers: D.
        num_actions: A.
    """

    def __init__(self, num_envs: int, num_numbers: int, num_actions: int):
        self._sizes = num_numbers, num_actions
        self._calls = 0
        self._slots = np.arange(num_envs)
        # Where each player was when he was last seen to have moved, at which step, and how often he was sent since.
        self._x_m, self._y_m, self._since = np.zeros(num_envs), np.zeros(num_envs), np.zeros(num_envs, np.int64)
        self._sends = np.zeros(num_envs, np.int64)
        self._last_step = np.full(num_envs, np.iinfo(np.int64).max)
        self._boss_hp = np.zeros(num_envs)
        self._window = Window(*self._sizes)

    def add_step(self, step: Transitions, states: NDArray[Any]) -> None:
        """Take in one step of N fights; ``states`` are FIGHT_STATE [N] after it, resets included."""
        self._calls += 1
        turn = self._calls % LOOK_EVERY
        if turn == 0:
            self._look(step, states)
        elif turn == 1:
            self._weigh_hits(states)

    def state_dict(self) -> dict[str, Any]:
        """The window that is being filled and where the players were last seen. The arrays are live."""
        own = {name: value for name, value in vars(self).items() if name not in ("_sizes", "_slots", "_window")}
        return own | {"window": vars(self._window)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there, over as many environments."""
        vars(self).update({name: value for name, value in state.items() if name != "window"})
        vars(self._window).update(state["window"])

    def take(self) -> Window | None:
        """The window, if it is full; the next one is begun."""
        if not self._window.is_full:
            return None
        full, self._window = self._window, Window(*self._sizes)
        return full

    def _look(self, step: Transitions, states: NDArray[Any]) -> None:
        window = self._window
        window.looks += 1
        window.steps += LOOK_EVERY * len(states)
        np.minimum(window.low, step.obs.min(0), out=window.low)
        np.maximum(window.high, step.obs.max(0), out=window.high)
        self._count_choices(step)
        self._follow(states)

    def _count_choices(self, step: Transitions) -> None:
        window, valid = self._window, step.mask.sum(1)
        free = (valid > 1) & step.mask[self._slots, step.actions]
        window.chosen += np.bincount(step.actions[free], minlength=len(window.chosen))
        window.by_chance += (free / valid) @ step.mask

    def _follow(self, states: NDArray[Any]) -> None:
        """Whether the players come from the spot."""
        window, x_m, y_m, now = self._window, states["player_x_m"], states["player_y_m"], states["step"]
        moved = (x_m - self._x_m) ** 2 + (y_m - self._y_m) ** 2 > STUCK_M**2
        moved |= now <= self._last_step  # a new fight
        np.copyto(self._x_m, x_m, where=moved)
        np.copyto(self._y_m, y_m, where=moved)
        np.copyto(self._since, now, where=moved)
        self._sends[moved] = 0
        # Walks and rolls come first of all actions; unsigned, the -1 of no action comes last.
        self._sends += (states["last_actions"].astype(np.uint32) < LIGHT_ATTACK).any(1)
        stuck = (now - self._since >= STUCK_S / STEP_S) & (self._sends >= STUCK_SENDS)
        self._last_step[:], self._boss_hp[:] = now, states["boss_hp"]
        window.seen += len(states)
        if stuck.any():
            window.stuck += int(stuck.sum())
            slot = int(stuck.argmax())
            window.stuck_at_m = float(x_m[slot]), float(y_m[slot])

    def _weigh_hits(self, states: NDArray[Any]) -> None:
        """What the bosses lost since the look just before; fights that have ended meanwhile do not count."""
        lost = (self._boss_hp - states["boss_hp"]) * (states["step"] > self._last_step)
        hits = lost > 0.0
        self._window.hits += int(hits.sum())
        self._window.hit_points += float(lost[hits].sum())

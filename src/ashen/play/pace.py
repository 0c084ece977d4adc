"""When a step is due and when a picture: steps by the game's clock, pictures as often as the machine can."""

import time
from collections import deque
from typing import Final

from ashen.core.fight import STEP_S

FRAMES_PER_S: Final = 60
SLOW_PER_S: Final = 50
"""Fewer pictures a second than this are told on the screen."""
MAX_LATE_S: Final = 0.5
"""When the machine stood still for longer, the fight stood still too: nobody fights while a window is dragged."""


class Pace:
    """Real time in, steps out.

    Args:
        speed: 1 is the game's.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._step_s = STEP_S / speed
        self._left_s = 0.0

    def pass_time(self, elapsed_s: float) -> int:
        """Let real time pass in the fight; returns how many steps have come due, the first at once."""
        self._left_s -= min(elapsed_s, MAX_LATE_S)
        due = 0
        while self._left_s <= 0.0:
            self._left_s += self._step_s
            due += 1
        return due

    @property
    def share(self) -> float:
        """How much of the present step has passed, 0..1."""
        return 1.0 - self._left_s / self._step_s


class Frames:
    """Sixty pictures a second; those the machine is too late for are left out."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self._shown_s: deque[float] = deque(maxlen=FRAMES_PER_S)

    def rest_s(self, now_s: float) -> float:
        """How long to rest after the picture just shown."""
        self._shown_s.append(now_s)
        self._next_s = max(self._next_s + 1.0 / FRAMES_PER_S, now_s)
        return self._next_s - now_s

    @property
    def per_s(self) -> float:
        """Pictures a second of late, as many as wanted until they can be told."""
        if len(self._shown_s) < FRAMES_PER_S:
            return FRAMES_PER_S
        return (FRAMES_PER_S - 1) / (self._shown_s[-1] - self._shown_s[0])


class WallClock:
    """Real time."""

    def now_s(self) -> float:
        """Seconds since some moment."""
        return time.perf_counter()

    def rest(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

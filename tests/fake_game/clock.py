"""Time: how wall time, the game's ticks and the cost of a call hang together.

``poll``: reading the play time lets a quarter tick pass, sleeping its argument, all else nothing that the game notices:
equal runs are equal. ``fuzz``: every call takes a random time, so that a tick may fall between any two. ``real``: the
machine's own clock.
"""

import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

MODES = ("poll", "fuzz", "real")
TICKS_PER_S = 60
"""The game draws, reads keys and counts its play time this often; the fight's frames are every second one."""
_POLL_TICKS = 0.25
_CALL_S = 20e-6
_WAITING_S = 0.02
"""A call takes so long in poll mode where others would wait by their own clock, of which the fake knows nothing."""
_FUZZ_S = (0.05e-3, 2e-3)
_IDLE_S = 1.0
_START_S = 1_000_000.0


class FakeHang(Exception):
    """More time passed without a fight going on than any honest wait takes: the caller would never return."""


class Clock:
    """One machine's time and the game's ticks in it.

    Args:
        mode: one of :data:`MODES`.
        tick: what the game does every 1/60 s of its own time.
        rng: of the random costs.
        budget_s: wall seconds without progress after which a call raises FakeHang.
    """

    def __init__(self, mode: str, tick: Callable[[], None], rng: np.random.Generator, budget_s: float) -> None:
        self.mode, self._tick, self._rng, self.budget_s = mode, tick, rng, budget_s
        self.speed, self.most_speed = 1.0, float("inf")
        self.wall_s, self.ticks = _START_S, 0.0
        self._progress_s = self.wall_s
        self._is_first_read = False
        self._origin_s = time.perf_counter() - self.wall_s

    def module(self) -> SimpleNamespace:
        """What stands in for the module ``time``."""
        now_s = lambda: self.wall_s  # noqa: E731
        return SimpleNamespace(sleep=self.sleep, time=now_s, perf_counter=now_s, monotonic=now_s)

    def set_speed(self, speed: float) -> None:
        """The speed hack's message; a game that was stopped begins a new tick."""
        if self.speed == 0 < speed:
            self.ticks = float(int(self.ticks))
            self._is_first_read = True
        self.speed = speed

    def progress(self) -> None:
        """A fight goes on: whoever waits does not wait in vain."""
        self._progress_s = self.wall_s

    def call(self, is_waiting: bool = False) -> None:
        """One call of the operating system; ``is_waiting``: while there is nothing to do but wait for the game."""
        if self.mode == "real":
            seconds = time.perf_counter() - self._origin_s - self.wall_s
            self._progress_s += max(0.0, seconds - _IDLE_S)  # nobody waited for the game meanwhile
            self._pass(seconds)
        elif self.mode == "fuzz":
            self._pass(float(self._rng.uniform(*_FUZZ_S)))
        elif is_waiting:
            self._pass(_WAITING_S)
        else:
            self._spend(_CALL_S)

    def polled(self) -> None:
        """The play time has been read."""
        if self.mode != "poll":
            return
        if self.speed == 0:
            self._spend(_POLL_TICKS / TICKS_PER_S)
        elif self._is_first_read:
            self._is_first_read = False
        else:
            self._spend(_POLL_TICKS / TICKS_PER_S / self.speed)
            self._run(_POLL_TICKS)

    def sleep(self, seconds: float) -> None:
        """``time.sleep``."""
        if self.mode == "real":
            time.sleep(seconds)
            self.call()
        else:
            self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        self._spend(seconds)
        self._run(seconds * TICKS_PER_S * min(self.speed, self.most_speed))

    def _spend(self, seconds: float) -> None:
        self.wall_s += seconds
        if self.wall_s - self._progress_s > self.budget_s:
            self.progress()
            raise FakeHang(f"{self.budget_s:g} s went by and nothing that is waited for can come")

    def _run(self, ticks: float) -> None:
        until = self.ticks + ticks
        while int(self.ticks) + 1 <= until:
            self.ticks = float(int(self.ticks) + 1)
            self._tick()
        self.ticks = until

"""The game's real speed: its play time against the clock on the wall, while soulsgym lets it run."""

import sys
import time
from collections import deque
from statistics import median
from typing import Any, Final

from ashen.core.fight import REPORTED_STEP_S, STEP_S
from ashen.game.monitors.glance import Glance

SPEED_STEPS: Final = 50
SPEED_TOLERANCE: Final = 0.2
_NEEDED: Final = ("time", "game_speed")


class Stopwatch:
    """Measures how fast play time runs within a step, by the readings that soulsgym makes of it anyway.

    Between steps the game stands still, so only what lies between the first and the last reading of a step that runs
    counts. The wall's clock is that of soulsgym's own module ``time``, by which it sleeps.

    Args:
        game: soulsgym's access to the game; from now on it tells what it reads. A build that has its times elsewhere is
            left alone, and no speed is known.
    """

    def __init__(self, game: Any) -> None:
        base = type(game)
        self._clock = getattr(sys.modules[base.__module__], "time", time)
        self.begin()
        if not all(isinstance(getattr(base, name, None), property) for name in _NEEDED):
            return
        read, write = base.time, base.game_speed

        def get_time(game: Any) -> int:
            play_ms = read.fget(game)
            self._saw(play_ms)
            return play_ms

        def set_speed(game: Any, speed: float) -> None:
            write.fset(game, speed)
            self._told(speed)

        members = {"time": property(get_time, read.fset), "game_speed": property(write.fget, set_speed)}
        game.__class__ = type(base.__name__, (base,), members | {"__module__": base.__module__})

    def begin(self) -> None:
        """A step begins."""
        self.set_speed = float("nan")
        """What soulsgym told the game when it let it run."""
        self._first: tuple[float, int] | None = None
        self._last: tuple[float, int] | None = None
        self._is_over = False

    @property
    def speed(self) -> float:
        """Seconds of the game a second in the step; NaN if it is not known."""
        if self._first is None or self._last is None:
            return float("nan")
        wall_s, play_s = self._last[0] - self._first[0], (self._last[1] - self._first[1]) / 1000.0
        passed_s = play_s * STEP_S / REPORTED_STEP_S
        return passed_s / wall_s if wall_s > 0.0 and play_s > 0.0 else float("nan")

    def _told(self, speed: float) -> None:
        is_first = self.set_speed != self.set_speed
        if speed > 0.0 and is_first:
            self.set_speed = speed
        self._is_over |= speed == 0.0 and not is_first

    def _saw(self, play_ms: int) -> None:
        if self._is_over or self.set_speed != self.set_speed:
            return
        seen = self._clock.perf_counter(), play_ms
        if self._first is None:
            self._first = seen
        else:
            self._last = seen


class WrongSpeed:
    """The game runs at another speed than it should; a slow step now and then is none.

    Args:
        game_speed: what it should be.
    """

    def __init__(self, game_speed: float) -> None:
        self._wanted = game_speed
        self._speeds: deque[float] = deque(maxlen=SPEED_STEPS)

    def begin(self) -> None:
        """Speeds count over fights."""

    def look(self, glance: Glance) -> str | None:
        """See :class:`ashen.game.monitors.glance.Monitor`."""
        told = glance.set_speed
        if told == told and told != self._wanted:
            return f"soulsgym lets the game run at {told:g}, not {self._wanted:g}"
        if glance.speed == glance.speed:
            self._speeds.append(glance.speed)
        if len(self._speeds) < SPEED_STEPS:
            return None
        measured = median(self._speeds)
        is_off = abs(measured / self._wanted - 1.0) > SPEED_TOLERANCE
        return f"the game runs at {measured:.1f} times its speed, not {self._wanted:g}" if is_off else None

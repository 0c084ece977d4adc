"""An end to every wait of soulsgym: all its loops read the game's memory, so the memory says when time is up."""

import time
import traceback
from typing import Any


class HungError(Exception):
    """Time is up. None of the exceptions that soulsgym catches, so that it comes through."""


class Watchdog:
    """A deadline that can be asked for."""

    def __init__(self) -> None:
        self._ends_s = float("inf")

    def allow(self, seconds: float) -> None:
        """Let what follows take so long."""
        self._ends_s = time.monotonic() + seconds

    def check(self) -> None:
        """Raise HungError if time is up."""
        if time.monotonic() > self._ends_s:
            self._ends_s = float("inf")  # what follows is the way out
            raise HungError(f"soulsgym was in {_where()}")


class WatchedMemory:
    """pymem's access to the game's memory; each use of it looks at the clock."""

    def __init__(self, memory: Any, watchdog: Watchdog):
        self._memory, self._watchdog = memory, watchdog

    def __getattr__(self, name: str) -> Any:
        self._watchdog.check()
        return getattr(self._memory, name)


def watch(env: Any, watchdog: Watchdog) -> None:
    """From now on every memory access of an environment of soulsgym looks at the watchdog's clock."""
    mem = env.game.mem
    memory = mem.pymem._memory if isinstance(mem.pymem, WatchedMemory) else mem.pymem
    mem.pymem = WatchedMemory(memory, watchdog)


def _where() -> str:
    """The functions of soulsgym that are under way, outermost first."""
    frames = [frame.name for frame in traceback.extract_stack() if "soulsgym" in frame.filename.replace("\\", "/")]
    own = ("_where", "check", "__getattr__")
    return " > ".join(name for name in frames if name not in own) or "nothing"

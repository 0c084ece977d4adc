"""The game's process as the operating system sees it: an id, memory, and whether the speed hack's dll is inside."""

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from fake_game.layout import Layout
from fake_game.memory import AddressSpace

_PIDS = count(4242)


class Process:
    """One start of the game after another.

    Args:
        static: the module ``soulsgym.core.static``.
        rng: where memory comes to lie.
    """

    def __init__(self, static: Any, rng: np.random.Generator) -> None:
        self._static, self._rng = static, rng
        self.on_written: Callable[[], None] = lambda: None
        self.on_speed: Callable[[float], None] = lambda _speed: None
        self.start()

    def start(self) -> None:
        """A new process with a new id, fresh memory and no dll."""
        self.pid, self.has_dll = next(_PIDS), False
        self.is_waited_for = False
        self.layout = Layout(AddressSpace(), self._static, self._rng)

    def exit(self) -> None:
        """The process is gone; whoever holds a handle finds nothing behind it."""
        self.pid, self.has_dll = 0, False
        self.is_waited_for = True
        self.on_speed(1.0)

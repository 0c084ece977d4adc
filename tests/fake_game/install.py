"""Put a fake game under soulsgym and pymem in this process, and take it away again."""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from fake_game.clock import MODES, Clock
from fake_game.game import Game
from fake_game.kernel import Kernel, error
from fake_game.keyboard import LAYOUTS, Keyboard
from fake_game.process import Process
from fake_game.random_faults import RandomFaults
from fake_game.schedule import Faults
from fake_game.window import Window

OPTIONS_VARIABLE = "ASHEN_FAKE_GAME"
BUDGET_S = 120.0
_CORE = (
    "pymem", "soulsgym.core.utils", "soulsgym.core.memory_manipulator", "soulsgym.core.speedhack.speedhack",
    "soulsgym.core.game_input", "soulsgym.core.game_window.game_window", "soulsgym.core.game_window.window_capture",
    "soulsgym.games.darksouls3",
)  # fmt: skip
_MISSING = object()


class FakeGame:
    """A game that runs on this machine, as far as soulsgym can tell.

    Args:
        seed: of everything random: the fights' streams, where memory lies, the costs of calls.
        clock: ``"poll"``, ``"fuzz"`` or ``"real"``, see :mod:`fake_game.clock`.
        layout: the keyboard's: ``"qwerty"``, ``"azerty"`` or ``"qwertz"``.
        budget_s: wall seconds of waiting without a fight going on until a call raises FakeHang.
        table: of the boss in it, by name or file.
    """

    def __init__(
        self,
        seed: int = 0,
        clock: str = "poll",
        layout: str = "qwerty",
        budget_s: float = BUDGET_S,
        table: str = "iudex",
    ) -> None:
        if clock not in MODES or layout not in LAYOUTS:
            raise ValueError(f"clock {clock!r} must be one of {MODES}, layout {layout!r} one of {tuple(LAYOUTS)}")
        static = importlib.import_module("soulsgym.core.static")
        if not hasattr(static, "address_offsets"):
            raise NotImplementedError("this build of soulsgym keeps its addresses elsewhere; only 1.1.0 can be faked")
        rng = np.random.default_rng(seed)
        self.clock = Clock(clock, lambda: self.game.tick(), rng, budget_s)
        self.process = Process(static, rng)
        self.window = Window(error)
        self.keyboard = Keyboard(layout, static, lambda: self.window.is_focused)
        self.kernel = Kernel(self.process, self.clock)
        self.game = Game(self.process, self.keyboard, self.clock, static, seed, table)
        self.process.on_written, self.process.on_speed = self.game.absorb, self.clock.set_speed
        self._faults = Faults(self)
        self._kept: list[tuple[Any, str, Any]] = []

    def fault(
        self, fault: str, /, after_ticks: int = 0, for_ticks: int = 0, in_fight: bool = False, **details: Any
    ) -> None:
        """Provoke a fault of :mod:`fake_game.faults`.

        Args:
            fault: its name.
            after_ticks: of 1/60 s of game time; 0: now.
            for_ticks: how long it lasts; 0: until it is mended, if it lasts at all.
            in_fight: wait for a step of a fight before it begins.
            details: what else the fault can be told.
        """
        self._faults.provoke(fault, after_ticks, for_ticks, in_fight, details)

    def mend(self, name: str) -> None:
        """End a fault that lasts."""
        self._faults.mend(name)

    def restart(self) -> None:
        """The player starts the game again: a new process without the dll, a new window, the save loaded."""
        self.process.start()
        self.window.exists, self.clock.speed, self.game.is_hung = True, 1.0, False
        self.game.arrive()

    def patch(self) -> None:
        """Set the names that Windows would give, in all modules that need them and are loaded by now."""
        kernel, time = self.kernel, self.clock.module()
        names = {
            "pymem.ressources.kernel32": kernel.kernel32(),
            "pymem.ressources.psapi": kernel.psapi(),
            "pymem.ressources.advapi32": kernel.advapi32(),
            "pymem.memory": {"ctypes": kernel.ctypes()},
            "pymem.process": {"ctypes": kernel.ctypes()},
            "soulsgym.core.utils": {"psutil": self._psutil()},
            "soulsgym.core.memory_manipulator": {
                "win32api": kernel.win32api(),
                "win32con": SimpleNamespace(PROCESS_ALL_ACCESS=0x1F0FFF),
                "win32process": kernel.win32process(),
            },
            "soulsgym.core.speedhack.speedhack": {
                "pywintypes": SimpleNamespace(error=error),
                "win32api": kernel.win32api(),
                "win32event": SimpleNamespace(WaitForSingleObject=lambda *_: 0),
                "win32file": kernel.win32file(),
                "win32process": kernel.win32process(),
                "time": time,
            },
            "soulsgym.core.game_input": {"USER32": self.keyboard.user32(), "time": time},
            "soulsgym.core.game_window.game_window": {
                "win32gui": self.window.win32gui(),
                "win32api": kernel.win32api(),
                "win32con": SimpleNamespace(MOUSEEVENTF_LEFTDOWN=2),
                "time": time,
            },
            "soulsgym.core.game_window.window_capture": {"_WindowCapture": self.window.capture()},
            "soulsgym.games.darksouls3": {"time": time},
            "soulsgym.envs.darksouls3.iudex": {"time": time},
        }
        done = {id(module) for module, _, _ in self._kept}
        for module_name, values in names.items():
            module = sys.modules.get(module_name)
            if module is None or id(module) in done:
                continue
            for name, value in values.items():
                self._kept.append((module, name, getattr(module, name, _MISSING)))
                setattr(module, name, value)

    def _psutil(self) -> SimpleNamespace:
        """The environments are imported after :meth:`patch`; the first thing one of them does is to list processes."""

        def process_iter() -> list[Any]:
            self.patch()
            return self.kernel.psutil().process_iter()

        return SimpleNamespace(process_iter=process_iter)

    def remove(self) -> None:
        """Give every module back what it had. An environment that is still held finds no game any more."""
        singletons = importlib.import_module("soulsgym.core.utils").Singleton._instances
        for singleton in list(singletons.values()):
            if hasattr(singleton, "pipe"):
                singleton.pipe = None
        singletons.clear()
        for module, name, value in reversed(self._kept):
            delattr(module, name) if value is _MISSING else setattr(module, name, value)
        self._kept.clear()


@contextmanager
def install(**options: Any) -> Iterator[FakeGame]:
    """A fake game for the time of a ``with`` block; options as :class:`FakeGame`. One at a time in a process."""
    fake = start(**options)
    try:
        yield fake
    finally:
        fake.remove()


def start(
    faults: list[dict[str, Any]] | None = None, random_faults: dict[str, Any] | None = None, **options: Any
) -> FakeGame:
    """A fake game for the rest of the process.

    Args:
        faults: to provoke, each the arguments of :meth:`FakeGame.fault` with its name under ``fault``.
        random_faults: the arguments of :class:`~fake_game.random_faults.RandomFaults`; None provokes none.
        options: as :class:`FakeGame`.
    """
    for name in _CORE:
        importlib.import_module(name)
    fake = FakeGame(**options)
    fake.patch()
    for planned in faults or ():
        details = dict(planned)
        fake.fault(details.pop("fault"), **details)
    if random_faults:
        RandomFaults(fake, **random_faults)
    return fake


def install_from_environment() -> FakeGame:
    """For a process that others start: the options stand as JSON in the variable ``ASHEN_FAKE_GAME``."""
    return start(**json.loads(os.environ.get(OPTIONS_VARIABLE) or "{}"))

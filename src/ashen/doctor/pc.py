"""What the checks may ask the computer: a protocol, so that each of them can be tested on a computer that is not there.

:class:`AnyPc` answers what can be told on every system; :mod:`ashen.doctor.windows` adds what only Windows can tell.
"""

import os
import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from ashen.core.errors import UserError

GAME_PROCESS: Final = "DarkSoulsIII.exe"
GAME_WINDOW: Final = "DARK SOULS III"
PIPE: Final = r"\\.\pipe\SoulsGymSpeedHackPipe"


class Layout(NamedTuple):
    """A keyboard layout."""

    name: str
    places: dict[int, int]
    """Virtual key to scan code."""


class GameProcess(NamedTuple):
    """The running game."""

    pid: int
    path: Path | None
    """Its program; None if Windows does not tell."""
    may_open: bool
    """Whether this program may read and write its memory."""
    connections: int
    """Open network connections to other computers."""


class Window(NamedTuple):
    """The game's window."""

    width: int
    height: int
    """Of what is drawn, without title and border, in pixels."""
    has_title_bar: bool
    is_minimised: bool
    answers: bool
    """Whether it takes messages, or hangs."""
    layout: Layout
    """Keyboard layout of its thread."""


class Glimpse(NamedTuple):
    """What the game's memory says without changing it."""

    player_hp: int
    stats: tuple[int, ...]
    """Soul level, vigour, attunement, endurance, vitality, strength, dexterity, intelligence, faith, luck."""


class Answer(NamedTuple):
    """What a program said."""

    code: int
    """Its exit code; -1 if it did not end in time."""
    text: str
    """Both outputs."""


class Pc(Protocol):
    """A computer."""

    is_windows: bool

    def python(self) -> tuple[str, tuple[int, int, int], int]:
        """The running Python: implementation, version, bits."""

    def run_python(self, code: str, seconds: float = 120.0) -> Answer:
        """Run code in a Python of its own, so that a broken library cannot end the doctor."""

    def package_folder(self, name: str) -> Path | None:
        """Where a package is installed, without importing it."""

    def threads(self) -> int:
        """Threads of the processor."""

    def free_disk_bytes(self) -> int:
        """Room on the disk of the current folder."""

    def saves(self) -> Path:
        """The game's folder of saves; raises UserError if this system has none."""

    def layouts(self) -> list[Layout]:
        """All installed keyboard layouts. Windows only, as all that follow."""

    def game(self) -> GameProcess | None:
        """The running game."""

    def file_version(self, path: Path) -> str:
        """Version of a program as its file tells it, such as "1.15.2.0"; empty if it has none."""

    def window(self) -> Window | None:
        """The game's window, found by its title."""

    def pipe(self) -> str:
        """The speed hack's pipe: "absent", "free" or "busy"."""

    def steam_is_offline(self) -> bool | None:
        """Whether Steam starts in offline mode; None if it does not tell."""

    def glimpse(self) -> Glimpse:
        """What the game's memory says. Raises soulsgym's and pymem's exceptions."""


class AnyPc:
    """What every system can tell; the rest of :class:`Pc` is asked on Windows only."""

    is_windows = False

    def python(self) -> tuple[str, tuple[int, int, int], int]:
        """The running Python: implementation, version, bits."""
        return platform.python_implementation(), sys.version_info[:3], 64 if sys.maxsize > 2**32 else 32

    def run_python(self, code: str, seconds: float = 120.0) -> Answer:
        """Run code in a Python of its own."""
        command = [sys.executable, "-c", code]
        settings = os.environ | {"PYTHONIOENCODING": "utf-8"}
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL, "env": settings}
        try:
            ended = subprocess.run(command, **how, timeout=seconds, encoding="utf-8", errors="replace", check=False)
        except subprocess.TimeoutExpired as late:
            return Answer(-1, late.stdout.decode("utf-8", "replace") if isinstance(late.stdout, bytes) else "")
        return Answer(ended.returncode, ended.stdout)

    def package_folder(self, name: str) -> Path | None:
        """Where a package is installed, without importing it."""
        spec = find_spec(name)
        return Path(spec.origin).parent if spec and spec.origin else None

    def threads(self) -> int:
        """Threads of the processor."""
        return os.cpu_count() or 1

    def free_disk_bytes(self) -> int:
        """Room on the disk of the current folder."""
        return shutil.disk_usage(Path.cwd()).free

    def saves(self) -> Path:
        """There is no folder of saves."""
        raise UserError("the game's saves are on the Windows PC; run this there")


def this_pc() -> Pc:
    """The computer that this runs on."""
    if os.name == "nt":
        from ashen.doctor.windows import WindowsPc

        return WindowsPc()
    return AnyPc()

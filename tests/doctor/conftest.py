"""A Windows PC that is not there: all is well on it unless a test says otherwise."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ashen.doctor.pc import Answer, GameProcess, Glimpse, Layout, Window
from ashen.game.keys import US_SCAN_CODES

KNIGHT = (9, 12, 10, 11, 15, 13, 12, 9, 9, 7)
AZERTY = {"A": 0x10, "Q": 0x1E, "Z": 0x11, "W": 0x2C, "M": 0x27}
QWERTZ = {"Y": 0x2C, "Z": 0x15}


def layout(name: str, moved: dict[str, int]) -> Layout:
    """A keyboard layout that has some keys elsewhere than a US keyboard."""
    return Layout(name, US_SCAN_CODES | {ord(key): place for key, place in moved.items()})


US = layout("US", {})
WINDOW = Window(800, 450, has_title_bar=True, is_minimised=False, answers=True, layout=US)
GAME = GameProcess(4242, Path("C:/Games/DarkSoulsIII.exe"), may_open=True, connections=0)


@dataclass
class FakePc:
    """See :class:`ashen.doctor.pc.Pc`; ``said`` holds the answers of programs, by a word of their code."""

    root: Path
    is_windows: bool = True
    version: tuple = ("CPython", (3, 11, 9), 64)
    said: dict[str, Answer] = field(default_factory=dict)
    installed: Path | None = None
    thread_count: int = 16
    free: int = 100 * 2**30
    all_layouts: tuple[Layout, ...] = (US,)
    process: GameProcess | None = GAME
    game_file_version: str = "1.15.2.0"
    game_window: Window | None = WINDOW
    pipe_state: str = "absent"
    steam_offline: bool | None = True
    seen: Glimpse | Exception = field(default_factory=lambda: Glimpse(454, KNIGHT))

    def __post_init__(self) -> None:
        speedhack = self.root / "soulsgym" / "core" / "speedhack" / "_C"
        speedhack.mkdir(parents=True)
        (speedhack / "SpeedHackDLL.dll").touch()
        self.installed = self.root / "soulsgym"
        numpy = Answer(0, json.dumps(["2.4.6", "2.13.0", 6.0]))
        build = Answer(0, json.dumps({"build": "PyPI's 1.1.0", "bosses": ["iudex"]}))
        self.said = {"torch": numpy, "wrong": Answer(0, "{}"), "soulsgym_builds": build}

    def change(self, **changes):
        """The same PC, with some fields changed."""
        for name, value in changes.items():
            setattr(self, name, value)
        return self

    def python(self):
        return self.version

    def run_python(self, code, seconds=120.0):
        return next(answer for word, answer in self.said.items() if word in code)

    def package_folder(self, name):
        return self.installed

    def threads(self):
        return self.thread_count

    def free_disk_bytes(self):
        return self.free

    def saves(self):
        return self.root / "Roaming" / "DarkSoulsIII"

    def layouts(self):
        return list(self.all_layouts)

    def game(self):
        return self.process

    def file_version(self, path):
        assert path == GAME.path
        return self.game_file_version

    def window(self):
        return self.game_window

    def pipe(self):
        return self.pipe_state

    def steam_is_offline(self):
        return self.steam_offline

    def glimpse(self):
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen


@pytest.fixture
def pc(tmp_path) -> FakePc:
    """A PC on which all is well but that no save was copied."""
    (tmp_path / "Roaming" / "DarkSoulsIII" / "0110").mkdir(parents=True)
    (tmp_path / "Roaming" / "DarkSoulsIII" / "0110" / "DS30000.sl2").write_bytes(b"a knight")
    return FakePc(tmp_path)


@pytest.fixture
def azerty() -> Layout:
    """The keyboard that cost a month."""
    return layout("French", AZERTY)


@pytest.fixture
def qwertz() -> Layout:
    """A keyboard that moves none of SoulsGym's keys."""
    return layout("German", QWERTZ)

"""Every check, on a PC that is not there: well, and with what it looks for wrong."""

from pathlib import Path

import pytest

from ashen.doctor.checks import CHECKS, check_list, check_table, examine
from ashen.doctor.findings import State
from ashen.doctor.live import LIVE
from ashen.doctor.pc import Answer, AnyPc, Glimpse
from ashen.doctor.report import passed
from ashen.doctor.running import AGAINST_VORDT
from ashen.doctor.saves import back_up
from ashen.doctor.screen import plain, verdict

pytestmark = [pytest.mark.game, pytest.mark.usefixtures("no_owner")]
OTHER_NUMPY = "UserWarning: Failed to initialize NumPy: _ARRAY_API not found"
DIARY_NUMPY = "RuntimeError: module compiled against API version 0x10 but this version of numpy is 0xf"
SOFTWARE = ("Python", "NumPy and torch", "SoulsGym's packages", "SoulsGym")
NO_PATTERN = RuntimeError("Pattern for 'WorldChrMan' could not be resolved!")


@pytest.fixture
def no_owner(tmp_path, monkeypatch):
    """Nobody plays on the machine that runs the tests."""
    pytest.importorskip("psutil", reason="the game's packages are not installed")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_all_is_well_on_a_good_pc(pc):
    """Breaks if a check complains of nothing, or if a copy of the saves is not seen."""
    back_up(pc.change(process=None), pc.root / "copy")
    pc.process = type(pc)(pc.root / "other").process
    found = examine(pc)
    assert {name: finding for name, finding in found.items() if finding.state != State.OK} == {}
    assert list(found) == [check.name for check in CHECKS]
    assert all(finding.found and not finding.fix for finding in found.values())


def window(**changes):
    """The window of the game, changed."""
    return lambda pc: {"game_window": pc.game_window._replace(**changes)}


def game(**changes):
    """The game's process, changed."""
    return lambda pc: {"process": pc.process._replace(**changes)}


def says(word: str, code: int, text: str):
    """A program that gives another answer."""
    return lambda pc: {"said": pc.said | {word: Answer(code, text)}}


def azerty_too(pc):
    """A second layout is installed."""
    return {"all_layouts": (*pc.all_layouts, pc.azerty)}


def game_on_azerty(pc):
    """The game's thread has it."""
    return {"game_window": pc.game_window._replace(layout=pc.azerty)}


WRONG = [
    ("Python", lambda _: {"version": ("CPython", (3, 12, 1), 64)}, State.FAILED, "3.12.1", "py -3.11"),
    ("Python", lambda _: {"version": ("CPython", (3, 11, 1), 64)}, State.FAILED, "3.11.1", "winget"),
    ("Python", lambda _: {"version": ("CPython", (3, 11, 9), 32)}, State.FAILED, "32 bits", "64-bit"),
    ("NumPy and torch", says("torch", 0, f"{OTHER_NUMPY}\n[1, 2, 6.0]"), State.FAILED, "another NumPy", ".venv"),
    ("NumPy and torch", says("torch", 1, DIARY_NUMPY), State.FAILED, "0x10", ".venv"),
    ("NumPy and torch", says("torch", -1, ""), State.FAILED, "no answer in time", ".venv"),
    ("NumPy and torch", says("torch", -11, ""), State.FAILED, "exit code -11", ".venv"),
    ("SoulsGym's packages", says("wrong", 0, '{"win32api": "ImportError: DLL"}'), State.FAILED, "pywin32", "--game"),
    ("SoulsGym's packages", says("wrong", -11, ""), State.FAILED, "ends Python", ".venv"),
    ("SoulsGym", lambda _: {"installed": None}, State.FAILED, "not installed", "bootstrap.py --game"),
    ("SoulsGym", says("soulsgym_builds", 0, '{"error": "window_capture"}'), State.FAILED, "window_capture", "--game"),
    ("speed hack dll", lambda pc: {"installed": pc.root / "nowhere"}, State.FAILED, "gone", "virus scanner"),
    ("keyboard layouts", azerty_too, State.WARNING, "azerty, moves A M Q W", "leave English"),
    ("game running", lambda _: {"process": None}, State.FAILED, "no DarkSoulsIII.exe", "load the save"),
    ("game running", game(may_open=False), State.FAILED, "more rights", "administrator"),
    ("game version", lambda _: {"game_file_version": "1.15.0.0"}, State.FAILED, "1.15.0.0", "Steam"),
    ("game version", lambda _: {"game_file_version": "1.15.20.0"}, State.FAILED, "1.15.20", "Steam"),
    ("game version", lambda _: {"game_file_version": ""}, State.FAILED, "no version", "Steam"),
    ("game version", game(path=None), State.ELSEWHERE, "does not tell", ""),
    ("game's layout", game_on_azerty, State.FAILED, "French (azerty", "Windows + Space"),
    ("window", lambda _: {"game_window": None}, State.FAILED, "DARK SOULS III", "start it again"),
    ("window", window(width=1280, height=720), State.FAILED, "1280x720", "800x450"),
    ("window", window(has_title_bar=False), State.FAILED, "full screen", "windowed"),
    ("window", window(is_minimised=True), State.FAILED, "minimised", "task bar"),
    ("keys can reach it", window(answers=False), State.FAILED, "hangs", "task manager"),
    ("keys can reach it", game(may_open=False), State.FAILED, "more rights", "row on the game"),
    ("player in game", lambda _: {"seen": NO_PATTERN}, State.FAILED, "Pattern for", "load the save"),
    ("player in game", lambda _: {"seen": Glimpse(0, (9,))}, State.FAILED, "dead", "bonfire"),
    ("player in game", lambda _: {"seen": AttributeError("address_offsets")}, State.ELSEWHERE, "another way", ""),
    ("Knight", lambda _: {"seen": Glimpse(454, (120, *range(9)))}, State.WARNING, "level 120", "new Knight"),
    ("Knight", lambda _: {"seen": NO_PATTERN}, State.ELSEWHERE, "needs the player", ""),
    ("offline", game(connections=3), State.FAILED, "3 connections", "Play Offline"),
    ("offline", lambda _: {"steam_offline": False}, State.WARNING, "Steam starts online", "Go Offline"),
    ("speed hack pipe", lambda _: {"pipe_state": "busy"}, State.FAILED, "another program", "task manager"),
    ("save copied", lambda _: {}, State.WARNING, "no copy", "--back-up-save"),
    ("disk", lambda _: {"free": 2**29}, State.FAILED, "0.5 GiB", "make room"),
    ("disk", lambda _: {"free": 2**31}, State.WARNING, "2.0 GiB", "make room"),
    ("processor", lambda _: {"thread_count": 2}, State.WARNING, "2 threads", "--game-speed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes", "state", "found", "fix"), WRONG, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_wrong_is_found_and_its_cure_told(pc, azerty, name, changes, state, found, fix):
    """Breaks if a check does not see what it is for, or does not say how to mend it."""
    pc.azerty = azerty
    finding = examine(pc.change(**changes(pc)))[name]
    assert (finding.state, found in finding.found, fix in finding.fix) == (state, True, True), finding


def test_every_check_can_find_something_wrong(pc):
    """Breaks if a check was added that no test ever saw fail."""
    assert {check.name for check in CHECKS} - {row[0] for row in WRONG} == {"owner"}


def test_a_layout_that_moves_none_of_the_keys_is_well(pc, qwertz):
    """Breaks if every layout but English is complained of, although it presses the same keys."""
    found = examine(pc.change(all_layouts=(qwertz,), game_window=pc.game_window._replace(layout=qwertz)))
    assert found["keyboard layouts"] == found["game's layout"] == (State.OK, "German", "")


def test_the_knight_that_soulsgym_makes_for_vordt_is_well(pc):
    """Breaks if who fought Vordt is told to make a new character."""
    finding = examine(pc.change(seen=Glimpse(483, AGAINST_VORDT)))["Knight"]
    assert finding.state == State.OK and "against Vordt" in finding.found


@pytest.mark.parametrize("folder", ["Zoë", "x" * 260])
def test_a_path_the_game_cannot_load_from_is_found(pc, folder):
    """Breaks if a user's name with an accent, or a deep folder, is found out only when the injection fails."""
    finding = examine(pc.change(installed=_DllIn(folder)))["speed hack dll"]
    assert finding.state == State.FAILED
    assert "C:\\ashen" in finding.fix


class _DllIn:
    """Stands for a folder of any name, which not every file system could have."""

    def __init__(self, folder: str):
        self.folder = folder

    def __truediv__(self, _name: str) -> "_DllIn":
        return self

    def rglob(self, _pattern: str) -> list[Path]:
        return [Path("C:/Games") / self.folder / "SpeedHackDLL.dll"]


def test_another_owner_is_named(pc):
    """Breaks if a second ashen on the game is not seen, or if looking takes the game from its owner."""
    from ashen.game.owner import Ownership

    owned = Ownership()
    try:
        assert examine(pc)["owner"].state == State.FAILED
        assert examine(pc)["owner"].state == State.FAILED
    finally:
        owned.release()
    assert examine(pc)["owner"].state == State.OK


def test_without_the_game_only_that_is_to_be_mended(pc):
    """Breaks if a game that is not started is told ten times over, or if checks stumble over it."""
    found = examine(pc.change(process=None, game_window=None))
    assert [name for name, finding in found.items() if finding.state == State.FAILED] == ["game running"]
    assert not passed(found)


def test_one_check_that_stumbles_does_not_end_the_others(pc, monkeypatch):
    """Breaks if a bug in a check costs the user all the others."""
    monkeypatch.setattr(pc, "threads", lambda: 1 / 0)
    found = examine(pc)
    assert "ZeroDivisionError" in found["processor"].found
    assert found["processor"].state == State.WARNING
    assert found["disk"].state == State.OK


def test_elsewhere_it_says_so(pc, monkeypatch):
    """Breaks if Linux or macOS cannot run it, or are told of failures that only the Windows PC can have."""
    monkeypatch.setattr(AnyPc, "run_python", lambda _, code: pc.run_python(code))
    found = examine(AnyPc(), live=True)
    assert passed(found)
    assert [name for name, finding in found.items() if finding.found == "needs the Windows PC"] == [
        "speed hack dll", "keyboard layouts", "game running", "game version", "game's layout", "window",
        "keys can reach it", "player in game", "Knight", "offline", "speed hack pipe", "owner", "save copied",
        *(line.name for line in LIVE),
    ]  # fmt: skip
    assert {found[name].state for name in ("Python", "NumPy and torch", "disk")} <= {State.OK, State.WARNING}


@pytest.mark.slow
def test_this_computer_can_train():
    """Breaks if the programs that look at NumPy, torch and SoulsGym do not run, or their answers are not understood."""
    pytest.importorskip("soulsgym", reason="the game's packages are not installed")
    found = examine(AnyPc())
    assert {name: found[name].state for name in SOFTWARE} == dict.fromkeys(SOFTWARE, State.OK)
    assert "torch 2" in found["NumPy and torch"].found
    assert "PyPI's 1.1.0, fights iudex (for vordt see docs/windows.md)" in found["SoulsGym"].found


def test_a_program_that_hangs_or_dies_is_left_behind():
    """Breaks if a library that hangs hangs the doctor, or if one that ends Python ends it too."""
    assert AnyPc().run_python("import threading\nthreading.Event().wait()", 1.0).code == -1
    assert AnyPc().run_python("import os\nos._exit(3)").code == 3


def test_help_page_and_screen_tell_every_check(pc):
    """Breaks if a check is missing from help, the documentation or the screen."""
    names = [line.name for line in (*CHECKS, *LIVE)]
    assert len(set(names)) == len(names)
    found = examine(pc)
    for name in names:
        assert f"  {name} " in check_list()
        assert f"| {name} " in check_table()
    assert all(f"{finding.state:18} {name}" in plain(found) for name, finding in found.items())
    assert verdict(found) == "18 ok, 1 to look at"

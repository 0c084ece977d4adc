"""What Windows is asked, over libraries that stand in for its own."""

import ctypes
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ashen.core.errors import UserError
from ashen.doctor import windows
from ashen.doctor.keyboard import describe
from ashen.doctor.pc import PIPE
from ashen.game.keys import US_SCAN_CODES

pytestmark = pytest.mark.game
FRENCH, US = 0x040C040C, 0x04090409
DVORAK = 0xF0020409


class Function:
    """One function of a library; takes types as ctypes' own do."""

    def __init__(self, call):
        self._call = call

    def __call__(self, *arguments):
        return self._call(*arguments)


class Library:
    """A library whose functions are given; any other does nothing."""

    def __init__(self, **functions):
        self.functions = {name: Function(call) for name, call in functions.items()}

    def __getattr__(self, name: str) -> Function:
        return self.functions.setdefault(name, Function(lambda *_: 0))


def _layouts(_count, into) -> int:
    if into is not None:
        into[:] = [US, FRENCH]
    return 2


def _client(_window, rectangle) -> int:
    rectangle._obj.right, rectangle._obj.bottom = 800, 450
    return 1


def _place(key: int, _kind: int, layout: int) -> int:
    moved = {ord("A"): 0x10, ord("Q"): 0x1E, ord("W"): 0x2C} if layout == FRENCH else {}
    return (US_SCAN_CODES | moved)[key]


@pytest.fixture
def libraries(monkeypatch):
    """Libraries by name; the game's window is on the French layout, and the pipe is busy."""
    made = {
        "user32": Library(
            GetKeyboardLayoutList=_layouts,
            MapVirtualKeyExW=_place,
            FindWindowW=lambda _, title: 77 if title == "DARK SOULS III" else 0,
            GetClientRect=_client,
            GetWindowLongW=lambda _window, _index: 0x14CA0000,
            GetWindowThreadProcessId=lambda window, _: window + 1,
            GetKeyboardLayout=lambda thread: FRENCH if thread == 78 else US,
        ),
        "kernel32": Library(WaitNamedPipeW=lambda name, _: int(name != PIPE)),
        "version": Library(
            GetFileVersionInfoSizeW=lambda path, _: 0 if "none" in path else 64,
            GetFileVersionInfoW=lambda *_: 1,
            VerQueryValueW=_version,
        ),
    }
    monkeypatch.setattr(ctypes, "WinDLL", lambda name, **_: made[name], raising=False)
    monkeypatch.setattr(windows, "_layout_name", {US: "US", FRENCH: "French"}.get)
    return made


_FIXED = (ctypes.wintypes.DWORD * 4)(0xFEEF04BD, 0x10000, (1 << 16) | 15, 2 << 16)


def _version(_block, _what, fixed, _length) -> int:
    fixed._obj.contents = _FIXED
    ctypes.memmove(ctypes.addressof(fixed._obj), ctypes.byref(ctypes.c_void_p(ctypes.addressof(_FIXED))), 8)
    return 1


def test_layouts_and_the_games_own_are_told(libraries):
    """Breaks if the layout of the game's thread is taken for ours, or if azerty is not known for what it is."""
    pc = windows.WindowsPc()
    assert [describe(layout) for layout in pc.layouts()] == ["US", "French (azerty, moves A Q W)"]
    window = pc.window()
    assert (window.width, window.height, window.has_title_bar, window.answers) == (800, 450, True, True)
    assert window.layout.name == "French"
    libraries["user32"].functions["GetWindowLongW"] = Function(lambda *_: 0x14000000)
    assert not pc.window().has_title_bar
    libraries["user32"].functions["FindWindowW"] = Function(lambda *_: None)
    assert pc.window() is None


def test_the_pipe_is_free_busy_or_absent(libraries, monkeypatch):
    """Breaks if a pipe that nobody has made counts as held, or one that is held as free."""
    pc, error = windows.WindowsPc(), SimpleNamespace(code=121)
    monkeypatch.setattr(ctypes, "get_last_error", lambda: error.code, raising=False)
    assert pc.pipe() == "busy"
    error.code = 2
    assert pc.pipe() == "absent"
    libraries["kernel32"].functions["WaitNamedPipeW"] = Function(lambda *_: 1)
    assert pc.pipe() == "free"


@pytest.mark.usefixtures("libraries")
def test_the_version_of_a_program(tmp_path):
    """Breaks if the four numbers are taken from the wrong places, or a program without them is a traceback."""
    assert windows.WindowsPc().file_version(tmp_path / "DarkSoulsIII.exe") == "1.15.2.0"
    assert windows.WindowsPc().file_version(tmp_path / "none.exe") == ""


class Process:
    """A process as psutil shows it."""

    def __init__(self, name: str):
        self.info, self.pid = {"name": name}, 4242

    def exe(self) -> str:
        return "C:/Games/DarkSoulsIII.exe"

    def net_connections(self, _kind: str) -> list[SimpleNamespace]:
        to = [("127.0.0.1", "ESTABLISHED"), ("203.0.113.7", "ESTABLISHED"), ("203.0.113.8", "CLOSE_WAIT")]
        return [SimpleNamespace(raddr=SimpleNamespace(ip=ip), status=state) for ip, state in to]


def test_the_game_is_found_among_processes(libraries, monkeypatch):
    """Breaks if the game is not found, if its rights are not told, or if the PC's own connections count as online."""
    psutil = pytest.importorskip("psutil", reason="the game's packages are not installed")
    monkeypatch.setattr(psutil, "process_iter", lambda _: [Process("steam.exe"), Process("darksoulsiii.exe")])
    pc = windows.WindowsPc()
    assert pc.game() == (4242, Path("C:/Games/DarkSoulsIII.exe"), False, 1)
    libraries["kernel32"].functions["OpenProcess"] = Function(lambda *_: 5)
    assert pc.game().may_open
    monkeypatch.setattr(psutil, "process_iter", lambda _: [Process("steam.exe")])
    assert pc.game() is None
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(UserError, match=r"bootstrap\.py --game"):
        pc.game()


def test_steam_tells_of_the_newest_account():
    """Breaks if another account of the PC decides whether the game is online."""
    other = '"1" { "AccountName" "a" "WantsOfflineMode" "1" "MostRecent" "0" }'
    text = '"users" {\n %s\n "2" {\n "MostRecent"\t\t"1"\n "WantsOfflineMode"\t\t"%s"\n } }'
    assert windows.wants_offline(text % (other, 0)) is False
    assert windows.wants_offline(text % (other, 1)) is True
    assert windows.wants_offline(other) is None


@pytest.mark.parametrize(("handle", "place"), [(FRENCH, ("0000040c", "")), (DVORAK, ("", "0002"))])
def test_a_layouts_name_in_the_registry(handle, place):
    """Breaks if layouts are looked up by language instead of by layout: US keys under a French language."""
    assert windows.layout_id(handle) == place

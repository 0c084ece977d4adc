"""What only Windows can tell: everything that belongs to one system stands here, each thing in one small function."""

import ctypes
import os
import re
from ctypes import wintypes
from pathlib import Path
from typing import Any, Final

from ashen.doctor.findings import CannotTell
from ashen.doctor.glimpse import glimpse
from ashen.doctor.pc import GAME_PROCESS, GAME_WINDOW, PIPE, AnyPc, GameProcess, Glimpse, Layout, Window
from ashen.game.keys import US_SCAN_CODES

_ALL_ACCESS: Final = 0x1F0FFF
_STYLE: Final = -16
_CAPTION: Final = 0x00C00000
_PER_MONITOR_DPI: Final = -4
_NOT_FOUND: Final = 2
_LAYOUTS_KEY: Final = r"SYSTEM\CurrentControlSet\Control\Keyboard Layouts"


class WindowsPc(AnyPc):
    """A computer with Windows; see :class:`ashen.doctor.pc.Pc`."""

    is_windows = True

    def __init__(self) -> None:
        load = ctypes.WinDLL
        self._user32, self._kernel32 = load("user32", use_last_error=True), load("kernel32", use_last_error=True)
        self._version = load("version")
        handle = wintypes.HANDLE
        for function, result, arguments in (
            (self._user32.GetKeyboardLayoutList, ctypes.c_int, (ctypes.c_int, ctypes.POINTER(handle))),
            (self._user32.GetKeyboardLayout, handle, (wintypes.DWORD,)),
            (self._user32.MapVirtualKeyExW, wintypes.UINT, (wintypes.UINT, wintypes.UINT, handle)),
            (self._user32.FindWindowW, handle, (wintypes.LPCWSTR, wintypes.LPCWSTR)),
            (self._user32.GetClientRect, wintypes.BOOL, (handle, ctypes.POINTER(wintypes.RECT))),
            (self._user32.GetWindowLongW, wintypes.LONG, (handle, ctypes.c_int)),
            (self._user32.IsIconic, wintypes.BOOL, (handle,)),
            (self._user32.IsHungAppWindow, wintypes.BOOL, (handle,)),
            (self._user32.GetWindowThreadProcessId, wintypes.DWORD, (handle, ctypes.c_void_p)),
            (self._user32.SetThreadDpiAwarenessContext, handle, (handle,)),
            (self._kernel32.OpenProcess, handle, (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)),
            (self._kernel32.CloseHandle, wintypes.BOOL, (handle,)),
            (self._kernel32.WaitNamedPipeW, wintypes.BOOL, (wintypes.LPCWSTR, wintypes.DWORD)),
        ):
            function.restype, function.argtypes = result, arguments

    def saves(self) -> Path:
        """The game's folder of saves."""
        return Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming")) / "DarkSoulsIII"

    def layouts(self) -> list[Layout]:
        """All installed keyboard layouts."""
        count = self._user32.GetKeyboardLayoutList(0, None)
        handles = (wintypes.HANDLE * count)()
        self._user32.GetKeyboardLayoutList(count, handles)
        return [self._layout(handle) for handle in handles]

    def game(self) -> GameProcess | None:
        """The running game."""
        try:
            import psutil
        except ImportError:
            raise CannotTell("needs psutil, which python bootstrap.py --game installs") from None
        for process in psutil.process_iter(["name"]):
            if (process.info["name"] or "").lower() != GAME_PROCESS.lower():
                continue
            handle = self._kernel32.OpenProcess(_ALL_ACCESS, False, process.pid)
            if handle:
                self._kernel32.CloseHandle(handle)
            return GameProcess(process.pid, _program(process), bool(handle), _connections(process))
        return None

    def file_version(self, path: Path) -> str:
        """Version of a program as its file tells it; empty if it has none."""
        size = self._version.GetFileVersionInfoSizeW(str(path), None)
        block = ctypes.create_string_buffer(max(size, 1))
        fixed, length = ctypes.POINTER(wintypes.DWORD)(), wintypes.UINT()
        if not size or not self._version.GetFileVersionInfoW(str(path), 0, size, block):
            return ""
        if not self._version.VerQueryValueW(block, "\\", ctypes.byref(fixed), ctypes.byref(length)):
            return ""
        high, low = fixed[2], fixed[3]  # after a signature and a version of the structure itself
        return f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}"

    def window(self) -> Window | None:
        """The game's window, found by its title."""
        user32 = self._user32
        user32.SetThreadDpiAwarenessContext(_PER_MONITOR_DPI)  # else Windows tells scaled pixels
        window = user32.FindWindowW(None, GAME_WINDOW)
        if not window:
            return None
        inside = wintypes.RECT()
        user32.GetClientRect(window, ctypes.byref(inside))
        return Window(
            width=inside.right,
            height=inside.bottom,
            has_title_bar=user32.GetWindowLongW(window, _STYLE) & _CAPTION == _CAPTION,
            is_minimised=bool(user32.IsIconic(window)),
            answers=not user32.IsHungAppWindow(window),
            layout=self._layout(user32.GetKeyboardLayout(user32.GetWindowThreadProcessId(window, None))),
        )

    def pipe(self) -> str:
        """The speed hack's pipe."""
        if self._kernel32.WaitNamedPipeW(PIPE, 1):
            return "free"
        return "absent" if ctypes.get_last_error() == _NOT_FOUND else "busy"

    def steam_is_offline(self) -> bool | None:
        """Whether Steam starts in offline mode; None if it does not tell."""
        steam = _registry("HKEY_CURRENT_USER", r"Software\Valve\Steam", "SteamPath")
        try:
            text = (Path(steam) / "config" / "loginusers.vdf").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        return wants_offline(text)

    def glimpse(self) -> Glimpse:
        """What the game's memory says."""
        return glimpse()

    def _layout(self, handle: int | None) -> Layout:
        places = {key: self._user32.MapVirtualKeyExW(key, 0, handle) for key in US_SCAN_CODES}
        return Layout(_layout_name(handle or 0), places)


def wants_offline(login_users: str) -> bool | None:
    """What Steam's file of accounts says of the newest one; None if it says nothing."""
    for account in re.findall(r"\{([^{}]*)\}", login_users):
        values = {name.lower(): value for name, value in re.findall(r'"(\w+)"\s+"([^"]*)"', account)}
        if values.get("mostrecent") == "1":
            return values.get("wantsofflinemode") == "1"
    return None


def layout_id(handle: int) -> tuple[str, str]:
    """The registry's name of a layout, or else the "Layout Id" under which it is found there; the other one is ""."""
    device = (handle >> 16) & 0xFFFF
    return ("", f"{device & 0x0FFF:04x}") if device >> 12 == 0xF else (f"{device:08x}", "")


def _layout_name(handle: int) -> str:
    import winreg

    key, special = layout_id(handle)
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _LAYOUTS_KEY) as layouts:
        names = [winreg.EnumKey(layouts, number) for number in range(winreg.QueryInfoKey(layouts)[0])]
    for name in names:
        place = f"{_LAYOUTS_KEY}\\{name}"
        if name == key or (special and _registry("HKEY_LOCAL_MACHINE", place, "Layout Id").lower() == special):
            return _registry("HKEY_LOCAL_MACHINE", place, "Layout Text") or name
    return f"layout {handle & 0xFFFFFFFF:08x}"


def _registry(root: str, key: str, name: str) -> str:
    """A text of the registry, "" if it is not there."""
    import winreg

    try:
        with winreg.OpenKey(getattr(winreg, root), key) as opened:
            return str(winreg.QueryValueEx(opened, name)[0])
    except OSError:
        return ""


def _program(process: Any) -> Path | None:
    import psutil

    try:
        return Path(process.exe())
    except psutil.Error:
        return None


def _connections(process: Any) -> int:
    """Open connections to other computers; none can be seen of a process with more rights."""
    import psutil

    try:
        connections = process.net_connections("inet") if hasattr(process, "net_connections") else process.connections()
    except psutil.Error:
        return 0
    others = [one.raddr.ip for one in connections if one.raddr and one.status == psutil.CONN_ESTABLISHED]
    return sum(not ip.startswith("127.") and ip != "::1" for ip in others)

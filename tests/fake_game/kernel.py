"""The part of Windows that pymem, psutil and pywin32 call: processes, their memory, and a dll injected into one."""

import ctypes
import struct
from types import ModuleType, SimpleNamespace
from typing import Any

from fake_game.clock import Clock
from fake_game.layout import IMAGE_SIZE, MODULE
from fake_game.process import Process

EXECUTABLE = "DarkSoulsIII.exe"
PIPE = r"\\.\pipe\SoulsGymSpeedHackPipe"
_NO_FILE, _INVALID_HANDLE, _PARTIAL_COPY, _PIPE_BUSY, _NO_DATA = 2, 6, 299, 231, 232
_COMMITTED, _RESERVED, _READ_WRITE, _NO_ACCESS = 0x1000, 0x2000, 0x04, 0x01


class error(Exception):  # noqa: N801 (the name of pywintypes.error)
    """``pywintypes.error``: number, function, words."""

    __module__ = "pywintypes"

    @property
    def winerror(self) -> int:
        return self.args[0]


class Kernel:
    """The calls, by what they do to the one process that matters.

    Args:
        process: the game's process.
        clock: every call takes its time.
    """

    def __init__(self, process: Process, clock: Clock) -> None:
        self._process, self._clock = process, clock
        self._handles: dict[int, int] = {}  # handle -> which start of the process it was opened for
        self._last_error = 0
        self._pipe_client = 0
        self.read_errors: dict[str, int] = {}  # record -> how many reads of it fail
        self.write_errors: dict[str, int] = {}
        self.is_allocation_refused = self.is_pipe_missing = self.is_pipe_busy = False

    # what pymem calls through ctypes

    def kernel32(self) -> dict[str, Any]:
        return {
            "OpenProcess": lambda _access, _inherit, pid: self._open(pid),
            "CloseHandle": self._close,
            "ReadProcessMemory": self._read,
            "WriteProcessMemory": self._write,
            "VirtualQueryEx": self._query,
            "IsWow64Process": lambda _handle, answer: setattr(answer._obj, "value", 0),
            "GetLastError": lambda: self._last_error,
            "SetLastError": self._set_last_error,
        }

    def psapi(self) -> dict[str, Any]:
        return {
            "EnumProcessModulesEx": self._list_modules,
            "GetModuleInformation": _describe_module,
            "GetModuleBaseNameA": _name_module,
        }

    def advapi32(self) -> dict[str, Any]:
        return dict.fromkeys(("LookupPrivilegeValue", "OpenProcessToken", "AdjustTokenPrivileges"), lambda *_: 1)

    def ctypes(self) -> ModuleType:
        """Ctypes as it is on Windows: with windll, and a long of 32 bits."""
        module = ModuleType("ctypes")
        module.__dict__.update(ctypes.__dict__)
        module.c_long, module.c_ulong = ctypes.c_int32, ctypes.c_uint32
        module.GetLastError = lambda: self._last_error
        calls = {"GetLastError": module.GetLastError, "GetCurrentProcess": lambda: -1}
        module.windll = SimpleNamespace(kernel32=SimpleNamespace(**calls))
        return module

    def _set_last_error(self, number: int) -> None:
        self._last_error = number

    def _open(self, pid: int) -> int:
        if pid != self._process.pid:
            return 0
        handle = 0x100 + 4 * len(self._handles)
        self._handles[handle] = pid
        return handle

    def _close(self, handle: int) -> int:
        if handle == self._pipe_client:
            self._pipe_client = 0
        return 1

    def _is_open(self, handle: int) -> bool:
        return self._handles.get(handle) == self._process.pid != 0

    def _read(self, handle: int, address: Any, buffer: Any, size: int, _done: Any) -> int:
        process, place = self._process, address.value or 0
        self._clock.call(process.is_waited_for)
        content = None
        if self._is_open(handle) and not _fails(self.read_errors, process, place, size):
            content = process.layout.space.read(place, size)
        if content is None:
            self._last_error = _PARTIAL_COPY
            return 0
        ctypes.memmove(buffer, content, size)
        if process.layout.covers("Time", place, size):
            self._clock.polled()
        return 1

    def _write(self, handle: int, address: Any, buffer: Any, size: int, _done: Any) -> int:
        process, place = self._process, address.value or 0
        self._clock.call(process.is_waited_for)
        is_refused = not self._is_open(handle) or _fails(self.write_errors, process, place, size)
        if is_refused or not process.layout.space.write(place, ctypes.string_at(buffer, size)):
            self._last_error = _PARTIAL_COPY
            return 0
        process.on_written()
        return 1

    def _query(self, handle: int, address: int, answer: Any, _size: int) -> int:
        if not self._is_open(handle):
            self._last_error = _INVALID_HANDLE
            return 0
        start, size, is_committed = self._process.layout.space.region(address)
        information = answer._obj
        information.BaseAddress, information.RegionSize = start, size
        information.State = _COMMITTED if is_committed else _RESERVED
        information.Protect = _READ_WRITE if is_committed else _NO_ACCESS
        return 1

    def _list_modules(self, handle: int, modules: Any, *_: Any) -> bool:
        modules._obj[0] = MODULE
        return self._is_open(handle)

    # what soulsgym calls through psutil and pywin32

    def psutil(self) -> SimpleNamespace:
        others = [SimpleNamespace(pid=4, name=lambda: "System")]
        game = SimpleNamespace(pid=self._process.pid, name=lambda: EXECUTABLE)
        return SimpleNamespace(process_iter=lambda: others + [game][: bool(self._process.pid)])

    def win32api(self) -> SimpleNamespace:
        return SimpleNamespace(
            OpenProcess=self._open_or_raise,
            CloseHandle=self._close,
            GetModuleHandle=lambda _name: 0x7FFF_0000,
            GetProcAddress=lambda _module, _name: 0x7FFF_1000,
            SetCursorPos=lambda _place: None,
            mouse_event=lambda *_: None,
        )

    def win32process(self) -> SimpleNamespace:
        return SimpleNamespace(
            EnumProcessModules=lambda _handle: (MODULE,),
            VirtualAllocEx=lambda *_: 0 if self.is_allocation_refused else 0x5000_0000,
            WriteProcessMemory=lambda _handle, _address, content: len(content),
            CreateRemoteThread=self._load_library,
            VirtualFreeEx=lambda *_: True,
        )

    def win32file(self) -> SimpleNamespace:
        return SimpleNamespace(
            CreateFile=self._open_pipe,
            WriteFile=self._write_pipe,
            CloseHandle=self._close,
            GENERIC_WRITE=0x4000_0000,
            OPEN_EXISTING=3,
        )

    def _open_or_raise(self, _access: int, _inherit: bool, pid: int) -> int:
        handle = self._open(pid)
        if not handle:
            raise error(87, "OpenProcess", "The parameter is incorrect.")
        return handle

    def _load_library(self, *_: Any) -> tuple[int, int]:
        self._process.has_dll = True
        return 0x900, 0x901

    def _open_pipe(self, name: str, *_: Any) -> int:
        if not self._process.has_dll or self.is_pipe_missing or name != PIPE:
            raise error(_NO_FILE, "CreateFile", "The system cannot find the file specified.")
        if self._pipe_client or self.is_pipe_busy:
            raise error(_PIPE_BUSY, "CreateFile", "All pipe instances are busy.")
        self._pipe_client = self._open(self._process.pid)
        return self._pipe_client

    def _write_pipe(self, handle: int, content: bytes) -> None:
        self._clock.call()
        if not self._is_open(handle):
            raise error(_NO_DATA, "WriteFile", "The pipe is being closed.")
        self._process.on_speed(struct.unpack("<f", content)[0])


def _fails(errors: dict[str, int], process: Process, address: int, size: int) -> bool:
    for name in errors:
        if errors[name] > 0 and process.layout.covers(name, address, size):
            errors[name] -= 1
            return True
    return False


def _describe_module(_handle: int, module: Any, answer: Any, _size: int) -> bool:
    information = answer._obj
    information.lpBaseOfDll, information.SizeOfImage = module.value, IMAGE_SIZE
    return True


def _name_module(_handle: int, _module: Any, buffer: Any, _size: int) -> int:
    buffer.value = EXECUTABLE.encode("ascii")
    return len(EXECUTABLE)

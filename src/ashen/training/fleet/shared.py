"""Memory that processes of one machine share: what is sent through it is copied twice, and asks nobody's leave.

Windows takes a block away with the last process that maps it. Elsewhere it has a name that must be taken away: what one
reads alone loses it as soon as the reader has it mapped, or when he ends; what many read when its writer ends, and if
that is killed Python's own tracker of shared memory does it, a process beside it.
"""

import os
import secrets
import struct
import time
import zlib
from collections.abc import Collection
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_ALIGN: Final = 64
"""Arrays begin at multiples of it, as processors like them."""
_SPARE: Final = 1.25
"""How much larger a block is than what it is made for: the next may be a little longer."""
_HEAD: Final = struct.Struct("<QI")
"""Of a message: its length and its CRC-32."""
_MOST_TRIES, _TRY_S = 1_000, 0.001
"""To read a message while its writer replaces it, which takes less than one."""


class Place(NamedTuple):
    """Where an array lies."""

    block: str
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Writer:
    """A block of memory, made anew when it is too small.

    Args:
        name: of its blocks, that of its only :class:`Reader`, who takes them away; None if many read them.
    """

    def __init__(self, name: str | None = None):
        self._name, self._made = name, 0
        self._memory: SharedMemory | None = None

    def put(self, arrays: dict[str, NDArray[Any]]) -> dict[str, Place]:
        """Copy arrays there, over those of the last call; returns where they lie.

        Raises:
            OSError: the machine has no memory left that could be shared.
        """
        size = sum(values.nbytes + _ALIGN for values in arrays.values())
        memory, places, offset = self._of_size(size), {}, 0
        for name, values in arrays.items():
            places[name] = Place(memory.name, offset, values.shape, values.dtype)
            np.ndarray(values.shape, values.dtype, memory.buf, offset)[...] = values
            offset += -(-values.nbytes // _ALIGN) * _ALIGN
        return places

    def say(self, message: bytes) -> str:
        """Replace the message there; returns the block's name.

        Raises:
            OSError: the machine has no memory left that could be shared.
        """
        memory = self._of_size(_HEAD.size + len(message))
        memory.buf[: _HEAD.size] = _HEAD.pack(len(message), zlib.crc32(message))
        memory.buf[_HEAD.size : _HEAD.size + len(message)] = message
        return memory.name

    def _of_size(self, size: int) -> SharedMemory:
        if self._memory is None or self._memory.size < size:
            self.close()
            name = None if self._name is None else f"{self._name}-{self._made}"
            self._memory = SharedMemory(name, create=True, size=int(_SPARE * size) + _ALIGN)
            try:
                _fill(self._memory)
            except OSError:
                self._memory.unlink()
                self._memory.close()
                self._memory = None
                raise
            self._made += 1
            if self._name is not None:
                _leave(self._memory)
        return self._memory

    def close(self) -> None:
        """Give it back."""
        if self._memory is not None:
            self._memory.close()
            if self._name is None:
                self._memory.unlink()
        self._memory = None


class Reader:
    """Looks into the blocks of one writer, one at a time.

    Attributes:
        name: for a writer who writes for this reader alone.
    """

    def __init__(self) -> None:
        self.name = f"ashen-{secrets.token_hex(6)}"
        self._memory: SharedMemory | None = None
        self._taken = 0

    def get(self, places: dict[str, Place]) -> dict[str, NDArray[Any]]:
        """Copies of the arrays there; nobody else can look for their block from now on."""
        return {
            name: np.ndarray(place.shape, place.dtype, self._named(place.block, True).buf, place.offset).copy()
            for name, place in places.items()
        }

    def hear(self, block: str) -> bytes:
        """The latest message there.

        Raises:
            OSError: there is none in whole.
        """
        memory = self._named(block, False)
        for _ in range(_MOST_TRIES):
            length, digest = _HEAD.unpack(memory.buf[: _HEAD.size])
            message = bytes(memory.buf[_HEAD.size : _HEAD.size + length])
            if len(message) == length and zlib.crc32(message) == digest:
                return message
            time.sleep(_TRY_S)
        raise OSError(f"no whole message in {block}")

    def _named(self, block: str, is_only_ours: bool) -> SharedMemory:
        if self._memory is None or self._memory.name != block:
            self.close()
            self._memory = SharedMemory(block)
            if is_only_ours:
                self._memory.unlink()
                self._taken += 1
            else:
                _leave(self._memory)
        return self._memory

    def close(self) -> None:
        """Look no more."""
        if self._memory is not None:
            self._memory.close()
        self._memory = None

    def clear(self) -> None:
        """As :meth:`close`, when the only writer has ended; what he wrote last and was not read is taken away."""
        self.close()
        with suppress(FileNotFoundError):
            self._named(f"{self.name}-{self._taken}", True)
        self.close()


class Readers:
    """Of one player's batches: one for each that is on the way."""

    def __init__(self) -> None:
        self._all: list[Reader] = []

    def free(self, busy: Collection[Reader]) -> Reader:
        """One that is not among the busy ones."""
        for reader in self._all:
            if reader not in busy:
                return reader
        self._all.append(Reader())
        return self._all[-1]

    def clear(self) -> None:
        """Give all up, when the player has ended."""
        for reader in self._all:
            reader.clear()
        self._all.clear()


def _leave(memory: SharedMemory) -> None:
    """Have this process' tracker leave a name to others, which Python before 3.13 has no option for."""
    if os.name == "posix":
        resource_tracker.unregister(memory._name, "shared_memory")


def _fill(memory: SharedMemory) -> None:
    """Take all pages now: where they run out later, as in a container that has little, a write ends the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(memory._fd, 0, memory.size)

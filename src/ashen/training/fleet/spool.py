"""Batches on disk, oldest first, until the learner has them: what a player does while the head is away is not lost."""

import threading
from pathlib import Path
from typing import Final

from ashen.runs.files import write_bytes

MAX_FILES: Final = 4_000
"""Some half an hour of a game; then the oldest go."""
MAX_BYTES: Final = 2 * 2**30
"""On disk; then too."""


class Spool:
    """A folder of batches, for who brings them and who takes them away.

    Args:
        folder: made if missing; what lies there from before is sent first.
    """

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._lock = folder, threading.Lock()
        self._bytes = {path: path.stat().st_size for path in sorted(folder.glob("*.batch"))}
        self._next = 1 + max((int(path.stem) for path in self._bytes), default=-1)
        self.dropped = 0

    def waiting(self) -> list[Path]:
        """The files, oldest first."""
        with self._lock:
            return list(self._bytes)

    def read(self, path: Path) -> bytes | None:
        """What is in one of them; None if it was dropped meanwhile for want of room."""
        with self._lock:
            return path.read_bytes() if path in self._bytes else None

    def add(self, data: bytes) -> None:
        """Keep a batch, in place of the oldest if there is no room.

        Raises:
            OSError: the disk is full.
        """
        with self._lock:
            while len(self._bytes) >= MAX_FILES or (self._bytes and sum(self._bytes.values()) + len(data) > MAX_BYTES):
                self._remove(next(iter(self._bytes)))
                self.dropped += 1
            path = self._folder / f"{self._next:09d}.batch"
            write_bytes(path, data)
            self._bytes[path] = len(data)
            self._next += 1

    def remove(self, path: Path) -> None:
        """Forget a file, if it is still there."""
        with self._lock:
            self._remove(path)

    def clear(self) -> None:
        """Forget all of them."""
        for path in self.waiting():
            self.remove(path)

    def _remove(self, path: Path) -> None:
        if path in self._bytes:
            del self._bytes[path]
            path.unlink()

"""Batches on disk, oldest first, until the learner has them: what a player does while the head is away is not lost."""

from pathlib import Path
from typing import Final

from ashen.runs.files import write_bytes

MAX_FILES: Final = 4_000
"""Some half an hour of a game; then the oldest go."""


class Spool:
    """A folder of batches.

    Args:
        folder: made if missing; what lies there from before is sent first.
    """

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self.dropped = folder, 0
        self._next = 1 + max((int(path.stem) for path in self.waiting()), default=-1)

    def waiting(self) -> list[Path]:
        """The files, oldest first."""
        return sorted(self._folder.glob("*.batch"))

    def add(self, data: bytes) -> None:
        """Keep a batch.

        Raises:
            OSError: the disk is full.
        """
        for path in self.waiting()[: -MAX_FILES + 1]:
            path.unlink(missing_ok=True)  # it may have been sent just now
            self.dropped += 1
        write_bytes(self._folder / f"{self._next:09d}.batch", data)
        self._next += 1

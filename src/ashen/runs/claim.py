"""Who is at work on a run: a lock that the system takes away with the process, however that ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Final

from ashen.core.errors import UserError
from ashen.runs.folder import RunFolder

_HELD: Final = (BlockingIOError, PermissionError)
"""What a lock that another holds is refused with: the first on POSIX, the second on Windows."""


@contextmanager
def claimed(run: RunFolder) -> Iterator[None]:
    """Be the only one at work on a run.

    Raises:
        UserError: another process is.
    """
    with run.lock_file.open("a+b") as file:
        try:
            _lock(file)
        except _HELD:
            raise UserError(f"{run.name} is being trained right now; wait until that has ended, or end it") from None
        except OSError:
            pass  # a file system without locks
        yield


def is_claimed(run: RunFolder) -> bool:
    """Whether somebody is at work on a run."""
    with suppress(OSError), run.lock_file.open("rb") as file:
        try:
            _lock(file)
        except _HELD:
            return True
    return False


def _lock(file: BinaryIO) -> None:
    """Lock a file until it is closed."""
    if os.name == "nt":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

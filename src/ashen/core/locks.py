"""A lock on an open file, which the system takes away with the process, however that ends."""

import sys
from contextlib import suppress
from typing import BinaryIO, Final

_HELD: Final = (BlockingIOError, PermissionError)
"""What a lock that another holds is refused with: the first on POSIX, the second on Windows."""
_PLACE_BYTES: Final = 2**30
"""On Windows nobody reads what is locked, so it is a byte behind everything that is written."""


def lock(file: BinaryIO) -> bool:
    """Lock a file until it is unlocked or closed; False if it is locked already. Where it is read and written stays.

    A file system without locks refuses nobody.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            place = file.tell()
            file.seek(_PLACE_BYTES)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            finally:
                file.seek(place)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except _HELD:
        return False
    except OSError:
        pass
    return True


def unlock(file: BinaryIO) -> None:
    """Unlock a file at once, where closing it would leave it to the system when."""
    with suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            file.seek(_PLACE_BYTES)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_UN)

"""One owner at a time: two programs that press keys in one game would both learn nonsense."""

import os
import tempfile
from pathlib import Path

from ashen.core.errors import UserError
from ashen.core.locks import lock, unlock


def lock_file() -> Path:
    """The file that is locked by who owns the game on this machine, and holds his process id. It stays there."""
    return Path(tempfile.gettempdir()) / "ashen-game.pid"


class Ownership:
    """The game is this process's, until released. One that died without a word owns nothing any more.

    Raises:
        UserError: a living process owns it.
    """

    def __init__(self) -> None:
        self._file = lock_file().open("a+b")
        if not lock(self._file):
            self._file.seek(0)
            pid = self._file.read().decode("ascii", "replace")
            self._file.close()
            holder = f"process {pid}" if pid.isdigit() else "another process"  # which has only just got it
            raise UserError(f"{holder} owns the game already; let it end, or end it, and start again")
        self._file.truncate(0)
        self._file.write(str(os.getpid()).encode("ascii"))
        self._file.flush()

    def release(self) -> None:
        """Let others own the game."""
        self._file.truncate(0)
        unlock(self._file)
        self._file.close()

"""One owner at a time: two programs that press keys in one game would both learn nonsense."""

import json
import os
import tempfile
from pathlib import Path

from ashen.core.errors import UserError

_TOLERANCE_S = 1.0


def lock_file() -> Path:
    """The file that says who owns the game on this machine."""
    return Path(tempfile.gettempdir()) / "ashen-game.json"


class Ownership:
    """The game is this process's, until released. One that died without a word owns nothing any more.

    Raises:
        UserError: a living process owns it.
    """

    def __init__(self) -> None:
        self._file = lock_file()
        own = {"pid": os.getpid(), "started_s": _start_of(os.getpid())}
        while not self._take(own):
            holder = self._holder()
            if holder is not None:
                raise UserError(f"process {holder} owns the game already; let it end, or end it, and start again")
            self._file.unlink(missing_ok=True)

    def release(self) -> None:
        """Let others own the game."""
        self._file.unlink(missing_ok=True)

    def _take(self, own: dict[str, float | None]) -> bool:
        try:
            with self._file.open("x", encoding="utf-8") as file:
                json.dump(own, file)
        except FileExistsError:
            return False
        return True

    def _holder(self) -> int | None:
        """The living process that owns the game; None if it is gone."""
        try:
            held = json.loads(self._file.read_text(encoding="utf-8"))
            pid, started_s = int(held["pid"]), float(held["started_s"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        now_s = _start_of(pid)
        is_alive = now_s is not None and abs(now_s - started_s) < _TOLERANCE_S
        return pid if is_alive else None


def _start_of(pid: int) -> float | None:
    """When a process started, so that another one with its number is not taken for it; None if there is none."""
    try:
        import psutil
    except ImportError as problem:
        advice = "on the Windows PC that has the game, set it up with: python bootstrap.py --game"
        raise UserError(f"the game backend needs {problem.name}; {advice}") from None
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None

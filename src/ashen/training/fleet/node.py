"""A machine's share in a cluster: ``ray start`` as a child, which never outlives us, nor leaves anything behind."""

import ctypes
import os
import signal
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, NamedTuple

from ashen.core.errors import UserError

NO_RAY: Final = "a fleet needs Ray, which is not installed; install it with: python bootstrap.py fleet"
OF_DRIVERS: Final = {
    "RAY_RAYLET_PID": str(os.getpid()),
    "RAY_gcs_rpc_server_reconnect_timeout_s": "3600",
}
"""By these Ray lets a process live that talks with it. Else it would end it without a word: at once when a machine's
Ray has gone and the process has lost its parent (for want of another to watch), or a minute after the head went."""
_END_S: Final = 3.0
"""For Ray to end its processes by itself, which may take it twenty seconds."""
_STARTED: Final = "Ray runtime started"
"""What Ray says when all of it is there; its ports answer before."""
_PR_SET_PDEATHSIG: Final = 1
"""Source: prctl(2), linux/prctl.h."""


class Node(NamedTuple):
    """What was started."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]

    @property
    def is_over(self) -> bool:
        """Whether it has ended by itself."""
        return self.process.poll() is not None

    @property
    def has_started(self) -> bool:
        """Whether it is there in whole."""
        return _STARTED in self._log_text()

    def _log_text(self) -> str:
        file = self.log.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")  # where it writes on stays as it is

    def last_words(self) -> str:
        """What it said last."""
        lines = [line for line in self._log_text().splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"exit code {self.process.returncode}"

    def end(self) -> None:
        """End it, and whatever it has started and not ended by itself."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_END_S)
        for _ in range(2):  # what was started while the others were killed
            _kill_session(self.process.pid)
        self.process.wait()


@contextmanager
def node_running(words: list[str]) -> Iterator[Node]:
    """A node that ends with the block, or with this process if that is killed.

    Args:
        words: options of ``ray start``.

    Raises:
        UserError: Ray is not installed.
    """
    program = Path(sysconfig.get_path("scripts")) / "ray"
    if not program.exists():
        raise UserError(NO_RAY)
    words = [str(program), "start", "--block", "--disable-usage-stats", *words]
    environment = {name: value for name, value in os.environ.items() if name not in OF_DRIVERS}
    prctl = ctypes.CDLL(None).prctl
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            words,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,  # Ctrl-C is ours to hear
            preexec_fn=lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),
        )
        node = Node(child, log)
        try:
            yield node
        finally:
            node.end()


def _kill_session(leader: int) -> None:
    """Kill all processes of a session."""
    for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()):
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)

"""Where the trials of a sweep train: on this machine, a process each. A fleet's machines are another place."""

import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

from ashen.training.sweep.worker import train_trial


class Line(Protocol):
    """To the process of a trial."""

    def recv(self) -> Any:
        """What it says next, see :func:`~ashen.training.sweep.worker.train_trial`.

        Raises:
            EOFError, ConnectionError: it has ended.
        """

    def send(self, goes_on: bool) -> None:
        """Answer; raises ConnectionError if it has ended."""

    def end(self) -> int | None:
        """The exit code of a process that has ended; None if it was lost with its machine."""

    def cut(self) -> None:
        """End the process as it stands."""


class Places(Protocol):
    """Where trials train."""

    is_over: bool
    """Whether :meth:`stop` was called."""

    def start(self, trial: dict[str, Any], run: str) -> Line:
        """Train as :meth:`~ashen.training.sweep.plan.Plan.trial` says, or go on with the run of that name."""

    def wait(self, lines: Sequence[Line], timeout_s: float) -> list[Line]:
        """Those that have something to say, after waiting so long at most for the first."""

    def stop(self) -> None:
        """Have all trials save what they have, and end."""


class Here:
    """This machine.

    Args:
        runs_dir: folder of all runs.
    """

    def __init__(self, runs_dir: Path):
        self._runs_dir, self._context = runs_dir, multiprocessing.get_context("spawn")
        self._stop = self._context.Event()

    @property
    def is_over(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Have all trials save what they have, and end."""
        self._stop.set()

    def start(self, trial: dict[str, Any], run: str) -> "ProcessLine":
        """A process for a trial."""
        connection, theirs = self._context.Pipe()
        words = (theirs, self._stop, trial, self._runs_dir, run)
        process = self._context.Process(target=train_trial, args=words, name=run, daemon=True)
        process.start()
        theirs.close()  # theirs alone then, so that the end of the process is heard here
        return ProcessLine(connection, process)

    def wait(self, lines: Sequence["ProcessLine"], timeout_s: float) -> list["ProcessLine"]:
        """Those that have something to say, after waiting so long at most for the first."""
        heard = wait([line.connection for line in lines], timeout_s)
        return [line for line in lines if line.connection in heard]


class ProcessLine:
    """To a process of this machine.

    Args:
        connection: to it.
        process: itself.
    """

    def __init__(self, connection: Connection, process: BaseProcess):
        self.connection, self._process = connection, process
        self.recv, self.send, self.cut = connection.recv, connection.send, process.terminate

    def end(self) -> int | None:
        """The exit code of the process, which has ended."""
        self._process.join()
        self.connection.close()
        return self._process.exitcode

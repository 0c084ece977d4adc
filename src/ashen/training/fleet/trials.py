"""Trials of a sweep on a fleet's machines: an actor of Ray's each, beside which the trial's own process trains.

Their runs are made in the folder of all runs, which the machine shares with the sweep or is the same; elsewhere in one
of the actor's, which is handed over when the trial ends.
"""

import io
import secrets
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ashen.training.fleet.desk import TRIAL
from ashen.training.fleet.engine import RayError, last_line, ray
from ashen.training.sweep.places import Here

_LOOK_EVERY_S: Final = 0.5
"""How soon a trial that says nothing hears that it is to stop."""


class Elsewhere:
    """A fleet's machines, as :class:`ashen.training.sweep.places.Places`; needs Ray to run.

    Args:
        runs_dir: folder of all runs.
    """

    is_over = False

    def __init__(self, runs_dir: Path):
        self._runs_dir = runs_dir.resolve()
        self._runs_dir.mkdir(parents=True, exist_ok=True)
        self._lines: list[RayLine] = []

    def stop(self) -> None:
        """Have all trials save what they have, and end."""
        if not self.is_over:
            self.is_over = True
            for line in self._lines:
                line.stop()

    def start(self, trial: dict[str, Any], run: str) -> "RayLine":
        """An actor for a trial, as soon as a machine has a core for it."""
        mark = self._runs_dir / f".{secrets.token_hex(8)}"
        mark.touch()
        named = _Trial.options(name=f"{TRIAL}{run} {mark.name}")
        actor = named.remote(trial, self._runs_dir, run, mark.name, _packed(self._runs_dir / run))
        line = RayLine(actor, self._runs_dir / run, mark)
        self._lines = [other for other in self._lines if not other.has_ended] + [line]
        return line

    def wait(self, lines: Sequence["RayLine"], timeout_s: float) -> list["RayLine"]:
        """Those that have something to say, after waiting so long at most for the first."""
        ready, _ = ray.wait([line.call for line in lines], num_returns=1, timeout=timeout_s)
        return [line for line in lines if line.call in ready]


class RayLine:
    """To the actor of a trial.

    Args:
        actor: :class:`_Trial`.
        run: the run's folder here.
        mark: a file by which the actor knows that it sees the same folder.
    """

    def __init__(self, actor: Any, run: Path, mark: Path):
        self._actor, self._run, self._mark = actor, run, mark
        self._exitcode: int | None = None
        self.has_ended = False
        self.call = actor.listen.remote()

    def recv(self) -> Any:
        """What it says next; raises EOFError if it has ended."""
        try:
            kind, said = ray.get(self.call)
        except RayError as error:
            raise EOFError(last_line(error)) from None
        if kind == "ended":
            self._exitcode, packed = said
            _unpack(packed, self._run)
            raise EOFError
        self.call = self._actor.listen.remote()
        return said

    def send(self, goes_on: bool) -> None:
        """Answer."""
        self._actor.answer.remote(goes_on)

    def stop(self) -> None:
        """Have it save and end."""
        self._actor.stop.remote()

    def end(self) -> int | None:
        """The exit code of a process that has ended; None if it was lost with its machine."""
        self.cut()
        return self._exitcode

    def cut(self) -> None:
        """End the process as it stands."""
        self.has_ended = True
        self._mark.unlink(missing_ok=True)
        ray.kill(self._actor)


@ray.remote(num_cpus=1, max_concurrency=3)
class _Trial:
    """Keeps a trial's process on its machine, and hands on what it says."""

    def __init__(self, trial: dict[str, Any], runs_dir: Path, run: str, mark: str, packed: bytes):
        self._is_shared = (runs_dir / mark).is_file()
        if not self._is_shared:
            self._folder = tempfile.TemporaryDirectory(prefix="ashen-trial-")
            runs_dir = Path(self._folder.name)
            _unpack(packed, runs_dir / run)
        self._run, self._place = runs_dir / run, Here(runs_dir)
        self._line = self._place.start(trial, run)

    def listen(self) -> tuple[str, Any]:
        try:
            while not self._place.wait([self._line], _LOOK_EVERY_S):
                pass
            return "said", self._line.recv()
        except (EOFError, ConnectionError):
            return "ended", (self._line.end(), self._handed_over())

    def _handed_over(self) -> bytes:
        if self._is_shared:
            return b""
        with self._folder:
            return _packed(self._run)

    def answer(self, goes_on: bool) -> None:
        self._line.send(goes_on)

    def stop(self) -> None:
        self._place.stop()


def _packed(folder: Path) -> bytes:
    """A folder as an archive; empty if there is none."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(folder))
    return data.getvalue() if folder.is_dir() else b""


def _unpack(packed: bytes, folder: Path) -> None:
    if packed:
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            archive.extractall(folder)

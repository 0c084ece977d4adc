"""Trainings side by side of which one goes at a time, a few seconds each: what else a machine does meanwhile, and how
fast it is just then, falls on all of them alike.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil

from ashen.runs.folder import RunFolder
from ashen.runs.metrics import Row, read_metrics

_WARM_UP_ROWS: Final = 30
_ENDS_S: Final = 60.0


class Taker:
    """A training that stands still, with all of its processes, but in its turns.

    Args:
        folder: for its run.
        name: of the run.
        words: what follows ``ashen train``.

    Raises:
        SystemExit: it does not train.
    """

    def __init__(self, folder: Path, name: str, words: Sequence[str]):
        self._run, self._turns = RunFolder(folder / name), list[tuple[float, float]]()
        command = [sys.executable, "-m", "ashen", "train", *words, "--runs-dir", str(folder), "--name", name]
        with (folder / f"{name}.txt").open("wb") as said:
            self._training = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        while len(self._rows()) < _WARM_UP_ROWS:
            time.sleep(0.2)
            if self._training.poll() is not None:
                raise SystemExit((folder / f"{name}.txt").read_text())
        self._stop()

    def go(self, seconds: float) -> None:
        """Have its turn."""
        for process in reversed(self._processes()):  # the learner last, so that it waits for nobody
            process.resume()
        begins_s = time.time()
        time.sleep(seconds)
        self._turns.append((begins_s, time.time()))
        self._stop()

    def end(self) -> None:
        """Be gone."""
        for process in reversed(self._processes()):
            with suppress(psutil.NoSuchProcess):
                process.resume()
        self._training.send_signal(signal.SIGINT)
        try:
            self._training.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            self._training.kill()

    def speeds(self) -> list[float]:
        """Steps/s of each turn, from the first row in it to the last.

        Raises:
            SystemExit: a turn is too short for two rows.
        """
        rows = [(datetime.fromisoformat(row["time"]).timestamp(), row["env_step"]) for row in self._rows()]
        speeds = []
        for begins_s, ends_s in self._turns:
            within = [row for row in rows if begins_s <= row[0] <= ends_s]
            if len(within) < 2:
                raise SystemExit(f"{self._run.name}: {len(within)} rows in a turn; give longer ones by --turn-s")
            (first_s, first), (last_s, last) = within[0], within[-1]
            speeds.append((last - first) / (last_s - first_s))
        return speeds

    def _rows(self) -> list[Row]:
        return read_metrics(self._run, "train")

    def _processes(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            learner = psutil.Process(self._training.pid)
            return [learner, *learner.children(recursive=True)]
        return []

    def _stop(self) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.suspend()

"""One trial of a sweep, as a process of its own: an ordinary training on one thread, which asks after every match."""

import os
import signal
import threading
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

from ashen.core.errors import LoggedError
from ashen.runs.folder import RunFolder, create_run
from ashen.runs.log import STARTED

_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


def train_trial(connection: Connection, stop: Event, trial: dict[str, Any], runs_dir: Path, name: str) -> None:
    """Train as a trial says, or go on with the run of that name if there is one.

    Sends every row of metrics. After a row of kind ``evaluation`` it waits for a boolean: whether to go on. What goes
    wrong is sent as the error.

    Args:
        connection: to the sweep.
        stop: set when the sweep is to end; the training is saved then.
        trial: its ``recipe`` as a table, and ``recipe_name``.
        runs_dir: folder of all runs.
        name: of the run.
    """
    # Ctrl-C reaches every process of a terminal; the sweep answers it for all.
    for number in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, number):
            signal.signal(getattr(signal, number), signal.SIG_IGN)
    os.environ.update(_ONE_THREAD)
    run = RunFolder(runs_dir / name)
    with connection:
        try:
            _train(connection, stop, trial, run)
        except Exception as error:
            error = error.__cause__ if isinstance(error, LoggedError) else error
            if not isinstance(error, ConnectionError | EOFError):  # else the sweep is gone
                connection.send(error if isinstance(error, OSError) else f"{type(error).__name__}: {error}")


def _train(connection: Connection, stop: Event, trial: dict[str, Any], run: RunFolder) -> None:
    # Torch and numba read their number of threads when they are loaded.
    from ashen.training.code_version import code_text
    from ashen.training.journal import write_journal
    from ashen.training.lineage import with_lineage
    from ashen.training.loop import Training
    from ashen.training.recipe import Recipe
    from ashen.training.session import session
    from ashen.training.start import resumed, run_config
    from ashen.training.tables import from_table

    if stop.is_set():
        return
    training = None
    if not run.config_file.is_file():
        training = Training(from_table(Recipe, trial["recipe"], run.name))
        create_run(run.path.parent, run.name, run.name)
    with session(run):
        if training is None:
            training = resumed(run)
        else:
            run.log(f"{STARTED} as a trial of a sweep by {code_text()}")
            training.begin(run)
            run.write_config(with_lineage(run, run_config(training) | {"recipe_name": trial["recipe_name"]}))
            write_journal(run)
        pruned = threading.Event()
        for row in training.run(run, lambda: pruned.is_set() or stop.is_set()):
            connection.send(row)
            if row["kind"] == "evaluation" and not connection.recv():
                pruned.set()

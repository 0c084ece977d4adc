"""One trial of a sweep, as a process of its own: an ordinary training on one thread, which asks after every match."""

import os
import signal
import threading
import traceback
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

from ashen.runs.folder import RunFolder, create_run

_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


def train_trial(connection: Connection, stop: Event, recipe: dict[str, Any], runs_dir: Path, name: str) -> None:
    """Train by a recipe, or go on with the run of that name if there is one.

    Sends every row of metrics. After a row of kind ``evaluation`` it waits for a boolean: whether to go on. What goes
    wrong is sent as the error.

    Args:
        connection: to the sweep.
        stop: set when the sweep is to end; the training is saved then.
        recipe: as a table.
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
            _train(connection, stop, recipe, run)
        except (ConnectionError, EOFError):
            return  # the sweep is gone
        except Exception as error:
            if run.path.is_dir():
                run.log(traceback.format_exc())
            connection.send(error if isinstance(error, OSError) else f"{type(error).__name__}: {error}")


def _train(connection: Connection, stop: Event, table: dict[str, Any], run: RunFolder) -> None:
    # Torch and numba read their number of threads when they are loaded.
    from ashen.training.loop import Training
    from ashen.training.recipe import Recipe
    from ashen.training.start import resumed, run_config
    from ashen.training.tables import from_table

    if stop.is_set():
        return
    if run.config_file.is_file():
        training = resumed(run)
    else:
        training = Training(from_table(Recipe, table, run.name))
        create_run(run.path.parent, run.name, run.name)
        training.begin(run)
        run.write_config(run_config(training))
    run.log("started as a trial of a sweep")
    pruned = threading.Event()
    for row in training.run(run, lambda: pruned.is_set() or stop.is_set()):
        connection.send(row)
        if row["kind"] == "evaluation" and not connection.recv():
            pruned.set()

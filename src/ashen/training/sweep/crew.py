"""Keeps the workers of a sweep busy: one process a trial, so many at a time, until enough trials have ended."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final, Literal

from ashen.core.errors import UserError
from ashen.runs.metrics import Row
from ashen.training.sweep.study import Study, Trial, told_in_one_line
from ashen.training.sweep.worker import train_trial
from ashen.training.tables import to_table

_LOOK_EVERY_S: Final = 0.5
"""How soon a request to stop is noticed while all trials are silent."""


@dataclass(frozen=True)
class News:
    """What happened to a trial."""

    run: str
    """The name of its run."""
    trial: Trial
    """Its number and values."""
    state: Literal["started", "matched", "completed", "pruned", "failed", "stopped"]
    """``matched``: a match on the way was played. ``stopped``: it stays to go on with."""
    env_step: int = 0
    """How far it is."""
    score: float | None = None
    """Its figure in the match, of ``matched`` and ``completed`` trials."""
    reason: str = ""
    """Why it failed."""


def run_trials(
    study: Study, runs_dir: Path, trials: int, workers: int, should_stop: Callable[[], bool]
) -> Iterator[News]:
    """Train trials side by side; those that an earlier sweep was ended in come first.

    Args:
        study: draws trials and judges them.
        runs_dir: folder of all runs.
        trials: how many the study is to have in all.
        workers: processes, each with one thread.
        should_stop: asked twice a second; the trials under way are saved then and stay to go on with.

    Yields:
        What happened to which trial.

    Raises:
        UserError: a trial's process was ended from outside, or the study's file cannot be written.
        OSError: the disk is full; trials under way were saved as far as there was room.
    """
    context = multiprocessing.get_context("spawn")
    stop, waiting, jobs = context.Event(), study.take_up(), []
    trouble: Exception | None = None
    try:
        with told_in_one_line(study.file):
            while True:
                if should_stop() or trouble:
                    stop.set()
                while not stop.is_set() and len(jobs) < workers and (waiting or study.ended + len(jobs) < trials):
                    job = _Job(context, stop, study, waiting.pop(0) if waiting else study.ask(), runs_dir)
                    jobs.append(job)
                    yield News(job.run, job.trial, "started")
                if not jobs:
                    break
                heard = wait([job.connection for job in jobs], _LOOK_EVERY_S)
                for job in [job for job in jobs if job.connection in heard]:
                    if news := job.listen():
                        yield news
                    if job.has_ended:
                        jobs.remove(job)
                        trouble = trouble or job.trouble
    finally:
        for job in jobs:
            job.process.terminate()
    if trouble:
        raise trouble


class _Job:
    """A trial under way and what was heard of it."""

    def __init__(self, context: SpawnContext, stop: Event, study: Study, trial: Trial, runs_dir: Path):
        self.trial, self.run = trial, study.run_name(trial)
        self.has_ended, self.trouble = False, None
        self._study, self._stop = study, stop
        self._final: float | None = None
        self._is_pruned, self._failure, self._env_step = False, "", 0
        recipe = to_table(study.plan.trial_recipe(trial.number, trial.values))
        self.connection, theirs = context.Pipe()
        words = (theirs, stop, recipe, runs_dir, self.run)
        self.process = context.Process(target=train_trial, args=words, name=self.run, daemon=True)
        self.process.start()
        theirs.close()  # theirs alone then, so that the end of the process is heard here

    def listen(self) -> News | None:
        """Take in what the trial says, and answer."""
        try:
            said = self.connection.recv()
        except (EOFError, ConnectionError):
            return self._end()
        if isinstance(said, OSError):
            self.trouble = said
        elif isinstance(said, str):
            self._failure = said
        else:
            return self._take_row(said)
        return None

    def _take_row(self, row: Row) -> News | None:
        plan, self._env_step = self._study.plan, row["env_step"]
        score = row.get(plan.metric)
        if row["kind"] == "final":
            self._final, self._failure = score, f"its final match has no {plan.metric}"
        if row["kind"] != "evaluation":
            return None
        is_last = self._env_step >= plan.recipe.total_steps
        match = self._env_step // plan.recipe.evaluate_every
        goes_on = is_last or self._study.report(self.trial.number, match, score)
        self._is_pruned = not goes_on
        with suppress(ConnectionError):  # a process that has died is noticed at the next word
            self.connection.send(goes_on)
        return self._news("matched", score)

    def _end(self) -> News:
        """The process has ended: settle what becomes of the trial."""
        self.process.join()
        self.connection.close()
        self.has_ended = True
        if self._final is not None:
            self._study.complete(self.trial.number, self._final)
            return self._news("completed", self._final)
        if self._is_pruned:
            self._study.prune(self.trial.number)
            return self._news("pruned")
        if self._failure:
            self._study.fail(self.trial.number)
            return self._news("failed", reason=self._failure)
        if not self.trouble and not self._stop.is_set():
            self.trouble = UserError(
                f"the process of {self.run} was ended from outside (exit code {self.process.exitcode}), perhaps for "
                "want of memory; go on with --resume and fewer --workers"
            )
        return self._news("stopped")

    def _news(self, state: str, score: float | None = None, reason: str = "") -> News:
        return News(self.run, self.trial, state, self._env_step, score, reason)

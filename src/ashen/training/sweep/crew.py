"""Keeps the workers of a sweep busy: one process a trial, so many at a time, until enough trials have ended."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ashen.core.errors import UserError
from ashen.runs.folder import RunFolder, step_of
from ashen.runs.metrics import Row
from ashen.training.sweep.places import Here, Line, Places
from ashen.training.sweep.study import Study, Trial, told_in_one_line

_LOOK_EVERY_S: Final = 0.5
"""How soon a request to stop is noticed while all trials are silent."""
_TRIES: Final = 3
"""Of a trial whose machine has gone."""


@dataclass(frozen=True)
class News:
    """What happened to a trial."""

    run: str
    """The name of its run."""
    trial: Trial
    """Its number and values."""
    state: Literal["started", "matched", "completed", "pruned", "failed", "stopped", "lost"]
    """``matched``: a match on the way was played. ``stopped``: it stays to go on with. ``lost``: its machine has gone;
    it is taken up again."""
    env_step: int = 0
    """How far it is; of one that was stopped or lost, where it goes on."""
    score: float | None = None
    """Its figure in the match, of ``matched`` and ``completed`` trials."""
    reason: str = ""
    """Why it failed or was lost."""


def run_trials(
    study: Study,
    runs_dir: Path,
    trials: int,
    workers: int,
    should_stop: Callable[[], bool],
    places: Places | None = None,
) -> Iterator[News]:
    """Train trials side by side; those that an earlier sweep was ended in come first.

    Args:
        study: draws trials and judges them.
        runs_dir: folder of all runs.
        trials: how many the study is to have in all.
        workers: processes, each with one thread.
        should_stop: asked twice a second; the trials under way are saved then and stay to go on with.
        places: where they train; this machine if not given.

    Yields:
        What happened to which trial.

    Raises:
        UserError: a trial's process was ended from outside, or the study's file cannot be written.
        OSError: the disk is full; trials under way were saved as far as there was room.
    """
    places, waiting, jobs = places or Here(runs_dir), study.take_up(), []
    lost: Counter[int] = Counter()
    trouble: Exception | None = None
    try:
        with told_in_one_line(study.file):
            while True:
                if should_stop() or trouble:
                    places.stop()
                while not places.is_over and len(jobs) < workers and (waiting or study.ended + len(jobs) < trials):
                    job = _Job(places, study, waiting.pop(0) if waiting else study.ask(), runs_dir)
                    jobs.append(job)
                    yield News(job.run, job.trial, "started")
                if not jobs:
                    break
                heard = places.wait([job.line for job in jobs], _LOOK_EVERY_S)
                for job in [job for job in jobs if job.line in heard]:
                    if news := job.listen():
                        yield news
                    if job.has_ended:
                        jobs.remove(job)
                        trouble = trouble or job.trouble
                    if job.is_lost:
                        waiting.append(job.trial)
                        lost[job.trial.number] += 1
                        if lost[job.trial.number] == _TRIES:
                            trouble = trouble or UserError(f"{job.run} was lost {_TRIES} times: {news.reason}")
    finally:
        for job in jobs:
            job.line.cut()
    if trouble:
        raise trouble


class _Job:
    """A trial under way and what was heard of it."""

    def __init__(self, places: Places, study: Study, trial: Trial, runs_dir: Path):
        self.trial, self.run = trial, study.run_name(trial)
        self.has_ended = self.is_lost = False
        self.trouble: Exception | None = None
        self._study, self._places, self._folder = study, places, RunFolder(runs_dir / self.run)
        self._final: float | None = None
        self._is_pruned, self._failure, self._env_step = False, "", 0
        self.line: Line = places.start(study.plan.trial(trial.number, trial.values), self.run)

    def listen(self) -> News | None:
        """Take in what the trial says, and answer."""
        try:
            said = self.line.recv()
        except (EOFError, ConnectionError) as error:
            return self._end(str(error))
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
            self.line.send(goes_on)
        return self._news("matched", score)

    def _end(self, how: str) -> News:
        """The process has ended: settle what becomes of the trial; ``how`` is told of one whose machine has gone."""
        exitcode = self.line.end()
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
        self._env_step = max(map(step_of, self._folder.numbered_checkpoints), default=0)
        if self.trouble or self._places.is_over:
            return self._news("stopped")
        if exitcode is None:
            self.is_lost = True
            return self._news("lost", reason=how)
        self.trouble = UserError(
            f"the process of {self.run} was ended from outside (exit code {exitcode}), perhaps for "
            "want of memory; go on with --resume and fewer --workers"
        )
        return self._news("stopped")

    def _news(self, state: str, score: float | None = None, reason: str = "") -> News:
        return News(self.run, self.trial, state, self._env_step, score, reason)

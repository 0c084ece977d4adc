"""The memory of a sweep: an Optuna study in a SQLite file, which draws trials, prunes and ranks them.

Only the process that leads the sweep opens it, so trials need neither Optuna nor the file.
"""

import sqlite3
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.core.seeding import derive_seed
from ashen.training.sweep.plan import Plan
from ashen.training.sweep.space import Search

try:
    import optuna
    import sqlalchemy
except ModuleNotFoundError:
    raise UserError(
        "ashen sweep needs Optuna, not installed here; install with: python bootstrap.py sweep, or: pip install optuna"
    ) from None
from optuna.trial import TrialState

_PLAN: Final = "ashen"
_RANDOM_TRIALS: Final = 10
"""Trials drawn at random before the sampler trusts what it has seen."""
_UNPRUNED_TRIALS: Final = 5
"""Trials that must be completed before any is pruned."""
_UNPRUNED_SHARE: Final = 1 / 3
"""Share of a trial's matches in which it is not pruned yet: who learns fast early need not win."""
MIN_FOR_IMPORTANCE: Final = 10
"""Completed trials below which importances would be a guess."""
_DIGITS: Final = 4
"""Significant ones of a drawn number."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass(frozen=True)
class Trial:
    """One training of a sweep."""

    number: int
    """Counted from 0."""
    values: dict[str, Any]
    """Of the searched fields, by dotted field."""
    score: float | None = None
    """Its figure in the final match, once it has one."""


class Study:
    """A sweep's trials.

    Args:
        file: of SQLite.
        plan: of a new study, whose file is made; None opens the one that is there.

    Raises:
        UserError: the file is there already, or cannot be made; or is to be opened and is missing, or is no study of
            ashen's, or another sweep is at work on it.
    """

    def __init__(self, file: Path, plan: Plan | None = None):
        if file.suffix != ".db":
            raise UserError(f"cannot keep a study in {file}; end its name in .db")
        if plan is None:
            _check_study(file)
        else:
            _make_file(file)
        self.file, self._lock = file, _locked(file)
        with told_in_one_line(file):
            self._storage = optuna.storages.RDBStorage(f"sqlite:///{file.resolve().as_posix()}")
            self._study = self._open() if plan is None else self._make(plan)
        self.plan = Plan.from_json(self._study.user_attrs[_PLAN], str(file))
        self._study.sampler, self._study.pruner = self._sampler(), self._pruner()
        self._running: dict[int, optuna.Trial] = {}

    def _open(self) -> optuna.Study:
        return optuna.load_study(study_name=None, storage=self._storage)

    def _make(self, plan: Plan) -> optuna.Study:
        direction = "maximize" if plan.measure.is_gain else "minimize"
        study = optuna.create_study(study_name=self.file.stem, storage=self._storage, direction=direction)
        study.set_user_attr(_PLAN, plan.as_json())
        return study

    def _sampler(self) -> optuna.samplers.BaseSampler:
        # One that starts anew with the same seed would draw again the trials that are there.
        seed = derive_seed(self.plan.recipe.seed, "sampler", len(self._trials())) % 2**32
        return optuna.samplers.TPESampler(
            n_startup_trials=_RANDOM_TRIALS, multivariate=True, constant_liar=True, seed=seed
        )

    def _pruner(self) -> optuna.pruners.BasePruner:
        matches = self.plan.recipe.total_steps / self.plan.recipe.evaluate_every
        return optuna.pruners.MedianPruner(_UNPRUNED_TRIALS, n_warmup_steps=int(matches * _UNPRUNED_SHARE))

    def close(self) -> None:
        """Let go of the file."""
        self._storage.remove_session()
        self._storage.engine.dispose()
        self._lock.close()

    @property
    def name(self) -> str:
        """What the names of its trials' runs begin with."""
        return self._study.study_name

    def run_name(self, trial: Trial) -> str:
        """The name of a trial's run."""
        return f"{self.name}-{trial.number:03d}"

    @property
    def ended(self) -> int:
        """How many trials were completed, pruned or failed."""
        return len(self._trials(TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL))

    def ask(self) -> Trial:
        """Draw a trial."""
        trial = self._study.ask()
        self._running[trial.number] = trial
        return Trial(trial.number, self._values(trial))

    def take_up(self) -> list[Trial]:
        """The trials in which an earlier sweep was ended, to go on with."""
        trials = [optuna.Trial(self._study, frozen._trial_id) for frozen in self._trials(TrialState.RUNNING)]
        self._running |= {trial.number: trial for trial in trials}
        return [Trial(trial.number, self._values(trial)) for trial in trials]

    def report(self, number: int, match: int, score: float | None) -> bool:
        """Take in a match on the way; whether the trial is worth going on with.

        Args:
            number: of the trial.
            match: counted from 1.
            score: the figure; None is not taken in.
        """
        trial = self._running[number]
        if score is None or match in self._trials()[number].intermediate_values:
            return True
        trial.report(score, match)
        return not trial.should_prune()

    def complete(self, number: int, score: float) -> None:
        """End a trial with its figure in the final match."""
        self._study.tell(self._running.pop(number), score)

    def prune(self, number: int) -> None:
        """End a trial that is not worth going on with."""
        self._study.tell(self._running.pop(number), state=TrialState.PRUNED)

    def fail(self, number: int) -> None:
        """End a trial that broke down."""
        self._study.tell(self._running.pop(number), state=TrialState.FAIL)

    def best(self, count: int) -> list[Trial]:
        """The best of the completed trials, best first."""
        done = self._trials(TrialState.COMPLETE)
        ranked = sorted(done, key=lambda trial: trial.value, reverse=self.plan.measure.is_gain)
        return [
            Trial(trial.number, self._values(optuna.trial.FixedTrial(trial.params)), trial.value)
            for trial in ranked[:count]
        ]

    def importances(self) -> dict[str, float]:
        """How much each searched field matters for coming out in the best tenth, in shares; empty if that is not known.

        Source:
            Watanabe, Bansal and Hutter 2023, PED-ANOVA (arXiv:2304.10255).
        """
        done = self._trials(TrialState.COMPLETE)
        if len(done) < MIN_FOR_IMPORTANCE:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            try:
                return optuna.importance.get_param_importances(self._study)
            except UserWarning:  # the best tenth is as good as all: nothing tells them apart
                return {}

    def _values(self, trial: Any) -> dict[str, Any]:
        return {field: _draw(trial, field, search) for field, search in self.plan.space.items()}

    def _trials(self, *states: TrialState) -> Sequence[optuna.trial.FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states or None)


@contextmanager
def told_in_one_line(file: Path) -> Iterator[None]:
    """Turns whatever Optuna says of a file that cannot be read or written into one line.

    Raises:
        UserError: it cannot be read or written.
    """
    try:
        yield
    except (optuna.exceptions.StorageInternalError, sqlalchemy.exc.SQLAlchemyError) as error:
        reason: BaseException = error
        while reason.__cause__ is not None:
            reason = reason.__cause__
        raise UserError(f"cannot read or write {file} ({reason}); see to its disk, then go on with --resume") from None


def _make_file(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(exist_ok=False)
    except FileExistsError:
        if not file.exists():
            raise UserError(f"cannot make {file}: a file is in the way; give another --study") from None
        raise UserError(f"there is already {file}; go on with it by --resume, or give another --study") from None
    except OSError as error:
        raise UserError(f"cannot make {file}: {error.strerror}; give another --study") from None


def _locked(file: Path) -> sqlite3.Connection:
    """A lock beside the file, which the system lets go of when the process ends, however it ends."""
    lock = sqlite3.connect(file.with_suffix(".lock"), timeout=0.0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise UserError(f"another sweep is at work on {file} ({error}); wait for its end") from None
    return lock


def _check_study(file: Path) -> None:
    """Require a file to be a study; looked at without Optuna, which would write its tables into any database."""
    if not file.is_file():
        raise UserError(f"there is no study {file} to go on with; begin it by leaving out --resume")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute("SELECT 1 FROM study_user_attributes WHERE key = ?", (_PLAN,)).fetchall()
    except sqlite3.DatabaseError as error:
        raise UserError(f"{file} is no study ({error}); give another --study") from None
    if len(found) != 1:
        raise UserError(f"{file} is no study of ashen sweep; give another --study")


def _draw(trial: Any, field: str, search: Search) -> Any:
    if search.choices:
        return trial.suggest_categorical(field, search.choices)
    if isinstance(search.low, int):
        return trial.suggest_int(field, search.low, search.high, log=search.log)
    value = trial.suggest_float(field, search.low, search.high, log=search.log)
    return min(max(float(f"{value:.{_DIGITS}g}"), search.low), search.high)

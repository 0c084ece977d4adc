"""Which checkpoint stands for a run: the newest, or the best. A damaged one is passed over, which is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ashen.core.errors import UserError
from ashen.core.saying import say
from ashen.runs.folder import BEST, RunFolder
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import load_checkpoint, newest_checkpoints

Checkpoint = dict[str, Any]
T = TypeVar("T")


def newest_usable(run: RunFolder, use: Callable[[Checkpoint], T], what: str) -> tuple[Path, T, dict[Path, str]]:
    """The newest checkpoint of a run that something can be made of.

    Args:
        run: the run.
        use: makes it; raises UserError if the checkpoint will not do.
        what: is done with it, for the error: "go on from".

    Returns:
        The checkpoint's file, what was made of it, and what is wrong with each newer one.

    Raises:
        UserError: the run has no checkpoint, or none will do.
    """
    errors: dict[Path, str] = {}
    for path in newest_checkpoints(run):
        try:
            return path, use(load_checkpoint(path)), {newer: _wrong(newer, error) for newer, error in errors.items()}
        except UserError as error:
            errors[path] = str(error)
    newest, error = next(iter(errors.items()))
    raise UserError(f"cannot {what} {newest}: {error}")


def newest_checkpoint(run: RunFolder) -> tuple[Path, Checkpoint]:
    """The newest checkpoint of a run that is whole; if it is not the newest of all, that is said.

    Raises:
        UserError: the run has none.
    """
    path, checkpoint, wrong = newest_usable(run, lambda checkpoint: checkpoint, "open")
    say_older(wrong, checkpoint["env_step"])
    return path, checkpoint


def say_older(wrong: dict[Path, str], env_step: int) -> None:
    """Say that an older checkpoint is taken, if newer ones will not do.

    Args:
        wrong: of :func:`newest_usable`.
        env_step: of the one that is taken.
    """
    if wrong:
        say(f"{' and '.join(wrong.values())}; the newest whole one, of step {env_step:,}, is taken")


def best_checkpoint(run: RunFolder) -> tuple[Path, Checkpoint]:
    """The checkpoint of a run's best match, or the newest if none was played.

    If the best one is damaged, or was there and is gone, the newest takes its place, and that is said.

    Raises:
        UserError: the run has none that is whole.
    """
    best = run.checkpoints / BEST
    try:
        if best.is_file():
            return best, load_checkpoint(best)
        wrong = f"{best} is missing" if _was_chosen(run) else ""
    except UserError as error:
        if not run.numbered_checkpoints:
            raise
        wrong = _wrong(best, str(error))
    path, checkpoint = newest_checkpoint(run)
    if wrong:
        say(f"{wrong}; the best agent is lost, and that of step {checkpoint['env_step']:,}, the newest, is taken")
    return path, checkpoint


def _was_chosen(run: RunFolder) -> bool:
    """Whether a match has chosen a best agent."""
    return any(row.get("is_over", True) for row in read_metrics(run, "evaluation"))


def _wrong(path: Path, error: str) -> str:
    """An error of a checkpoint without its advice, beginning with the file."""
    said = error.partition(";")[0]
    return said if said.startswith(str(path)) else f"{path}: {said}"

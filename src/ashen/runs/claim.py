"""Who is at work on a run: a lock that the system takes away with the process, however that ends."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ashen.core.errors import UserError
from ashen.core.locks import lock
from ashen.runs.folder import RunFolder


@contextmanager
def claimed(run: RunFolder) -> Iterator[None]:
    """Be the only one at work on a run.

    Raises:
        UserError: another process is.
    """
    with run.lock_file.open("a+b") as file:
        if not lock(file):
            raise UserError(at_work(run))
        yield


def at_work(run: RunFolder) -> str:
    """What is said where a run that is claimed is asked for."""
    return f"another process is at work on {run.name}; wait until that has ended, or end it"


def is_claimed(run: RunFolder) -> bool:
    """Whether somebody is at work on a run."""
    with suppress(OSError), run.lock_file.open("rb") as file:
        return not lock(file)
    return False

"""A sitting of work on a run: alone, with its mishaps in the log, and the journal written at both ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from ashen.runs.claim import claimed
from ashen.runs.folder import RunFolder
from ashen.runs.log import logged
from ashen.training.journal import write_journal


@contextmanager
def session(run: RunFolder) -> Iterator[None]:
    """Work on a run.

    Raises:
        UserError: another process is at work on it.
        LoggedError: in place of an error that is nobody's but ashen's.
        OSError: the disk is full.
    """
    try:
        with claimed(run), logged(run.log_file):
            write_journal(run)
            yield
    finally:
        write_journal(run)

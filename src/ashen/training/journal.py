"""The journal: each run says what it changes and what came of it, in its ``journal.md`` and in a line beside all runs.

Both are written from the run's folder alone, when it begins and whenever it ends, and can be written again at any time.
What stands below the heading of notes is its owner's, and kept.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ashen.runs.files import write_text
from ashen.runs.folder import RunFolder
from ashen.training.history import history_of
from ashen.training.journal_text import journal_line, journal_text, line_begin

NOTES: Final = "## Notes"
_HEAD: Final = "# The runs, newest last\n\n"
_OWN_LINE: Final = re.compile(r"- (\d{4}-\d\d-\d\d \d\d:\d\d) \[")
_TRIES, _WAIT_S = 200, 0.01


def write_journal(run: RunFolder, was_called: str | None = None) -> None:
    """Write a run's journal and its line anew; nothing if it has no ``config.json``, and so is no run yet.

    Args:
        run: its folder, wherever that is by now.
        was_called: the name it had when its line was last written, if that was another.

    Raises:
        UserError: its folder is damaged.
        OSError: the disk is full.
    """
    if not run.config_file.is_file():
        return
    history = history_of(run)
    text, file = journal_text(history), run.journal_file
    notes = file.read_text(encoding="utf-8").partition(f"\n{NOTES}\n")[2] if file.is_file() else ""
    write_text(file, f"{text}\n{NOTES}\n{notes}")
    folder = run.path.resolve().parent
    beside = (folder.parent if run.is_trashed else folder) / file.name
    with _alone(beside):
        lines = beside.read_text(encoding="utf-8") if beside.is_file() else _HEAD
        write_text(beside, with_line(lines, journal_line(history), line_begin(history, was_called or run.name)))


def with_line(text: str, line: str, begin: str) -> str:
    """A journal of all runs with one line new; lines that are its owner's stay where they are.

    Args:
        text: the journal.
        line: the new line.
        begin: of the older line that it takes the place of, if that is there.
    """
    lines, date = text.splitlines(), _OWN_LINE.match(line)[1]
    for number, old in enumerate(lines):
        if old.startswith(begin):
            return "\n".join([*lines[:number], line, *lines[number + 1 :], ""])
    later = (number for number, old in enumerate(lines) if (own := _OWN_LINE.match(old)) and own[1] > date)
    lines.insert(next(later, len(lines)), line)
    return "\n".join([*lines, ""])


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Keep other processes from writing a file meanwhile; one that died in the midst is not waited for long."""
    lock = file.with_name(f".{file.name}.lock")
    for _ in range(_TRIES):
        with suppress(FileExistsError, PermissionError):
            lock.mkdir()
            break
        time.sleep(_WAIT_S)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.rmdir()

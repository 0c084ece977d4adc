"""``run.log``: what happened to a run, through the standard logging module; no file stays open between two lines."""

import logging
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from ashen.core.errors import LoggedError, UserError, is_for_user
from ashen.runs.files import append_line

SAY_AGAIN_S: Final = 60.0
"""A warning that comes again and again is written once in so many seconds, with how often it came."""
STARTED: Final = "started"
"""Begins the line of the command that began a run."""
RESUMED: Final = "resumed"
"""Begins the line from which on a run that had ended went on."""
ENDED_BY: Final = "ended by"
"""Begins the line that says which error ended a training; its traceback follows."""
_LINE: Final = re.compile(r"(\S+)  (?:(INFO|WARNING|ERROR) *  )?(.*)")


class Line(NamedTuple):
    """One line of a log."""

    time: datetime
    """With its zone."""
    level: str
    """INFO, WARNING or ERROR; INFO in logs from before there were levels."""
    message: str
    """What happened."""


def run_logger(file: Path) -> logging.Logger:
    """The logger of one run's log; it writes there and nowhere else.

    Args:
        file: the log; made by its first line.
    """
    file = file.resolve()
    logger = logging.getLogger(f"ashen.run.{file}")
    if not logger.handlers:
        handler = _LineByLine(file)
        handler.setFormatter(_Stamped())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False  # a run is trained in front of a live table
    return logger


def read_log(file: Path) -> list[Line]:
    """The lines of a log, oldest first; none if there is no log. What has no time is left out."""
    if not file.is_file():
        return []
    found = map(_LINE.fullmatch, file.read_text(encoding="utf-8", errors="replace").splitlines())
    lines = []
    for match in filter(None, found):
        with suppress(ValueError):
            lines.append(Line(datetime.fromisoformat(match[1]).astimezone(), match[2] or "INFO", match[3]))
    return lines


@contextmanager
def logged(file: Path) -> Iterator[None]:
    """Let a log tell of a block's warnings, and of the error that ends it with its traceback.

    Args:
        file: the log.

    Raises:
        LoggedError: in place of an error that is nobody's but ashen's.
    """
    try:
        with warnings_into(file):
            yield
    except KeyboardInterrupt:
        run_logger(file).error("%s an interrupt", ENDED_BY)
        raise
    except Exception as error:
        told = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        try:
            run_logger(file).exception("%s %s", ENDED_BY, told)
        except OSError:  # then there is no log to look into
            raise error from None
        if is_for_user(error):
            raise
        raise LoggedError(f"a mistake in ashen, please report it with {file}: {told}") from error


@contextmanager
def warnings_into(file: Path) -> Iterator[None]:
    """Let Python's warnings go into a log in place of the console, of each kind one a minute.

    Args:
        file: the log.
    """
    limit, texts = RateLimit(), {}

    def write(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object) -> None:
        kind = f"{category.__name__} in {filename}, line {lineno}"
        texts[kind] = f"{kind}: {message}"
        unsaid = limit.take(kind, time.monotonic())
        if unsaid is not None:
            run_logger(file).warning("%s%s", texts[kind], f" (and {unsaid:,} more like it before)" if unsaid else "")

    with warnings.catch_warnings():
        warnings.showwarning = write
        yield
    for kind, unsaid in limit.unsaid.items():
        run_logger(file).warning("%s (the last of %s more like it)", texts[kind], f"{unsaid:,}")


class RateLimit:
    """Lets one of a kind through in :data:`SAY_AGAIN_S`, and counts the others."""

    def __init__(self) -> None:
        self._said_s: dict[str, float] = {}
        self.unsaid: dict[str, int] = {}
        """How many are held back, by kind."""

    def take(self, kind: str, now_s: float) -> int | None:
        """How many of a kind were held back since the last one; None if this one is to be held back too."""
        if kind in self._said_s and now_s - self._said_s[kind] < SAY_AGAIN_S:
            self.unsaid[kind] = self.unsaid.get(kind, 0) + 1
            return None
        self._said_s[kind] = now_s
        return self.unsaid.pop(kind, 0)


class _LineByLine(logging.Handler):
    """Opens the file for every line alone, so that its folder can be moved, also on Windows.

    Unlike others it passes on an ``OSError``: a training on a full disk has to end.
    """

    def __init__(self, file: Path):
        super().__init__()
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        append_line(self._file, self.format(record))


class _Stamped(logging.Formatter):
    """Time with zone and level before every line, also those of a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        return "\n".join(f"{at}  {record.levelname:7}  {line}" for line in super().format(record).splitlines() or [""])

"""What a check says."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ashen.core.errors import UserError
from ashen.doctor.pc import Pc


class State(StrEnum):
    """How it stands."""

    OK = "ok"
    WARNING = "warning"
    """May cost quality or time, or shows only later."""
    FAILED = "failed"
    """Training on the game will not work, or goes wrong silently."""
    ELSEWHERE = "cannot check here"
    """Can be told only on the Windows PC, or only with the game running."""


class Finding(NamedTuple):
    """One answer."""

    state: State
    found: str
    fix: str = ""
    """What to do; empty if nothing."""


@dataclass(frozen=True)
class Line:
    """One line of the screen."""

    name: str
    about: str
    """What is looked at and, after a colon, why it matters: for help and documentation."""

    @property
    def what(self) -> str:
        """What is looked at."""
        return self.about.split(":")[0]


@dataclass(frozen=True)
class Check(Line):
    """A line, and how it is come by."""

    look: Callable[[Pc], Finding]
    """May raise :class:`CannotTell`."""


class CannotTell(UserError):
    """A check cannot be made here and now; the message says why."""


def ok(found: str) -> Finding:
    """All is well."""
    return Finding(State.OK, found)


def warning(found: str, fix: str) -> Finding:
    """Something to look at."""
    return Finding(State.WARNING, found, fix)


def failed(found: str, fix: str) -> Finding:
    """Something that must be mended."""
    return Finding(State.FAILED, found, fix)


def windows_only(pc: Pc) -> None:
    """Raises CannotTell on other systems."""
    if not pc.is_windows:
        raise CannotTell("needs the Windows PC")


def look(check: Check, pc: Pc) -> Finding:
    """Make one check; whatever goes wrong in it is its finding, and the others are still made."""
    try:
        return check.look(pc)
    except CannotTell as reason:
        return Finding(State.ELSEWHERE, str(reason))
    except Exception as error:
        found = f"the check itself failed: {type(error).__name__}: {error}"
        return warning(found, "report this, with the file that ashen doctor --report FILE writes")

"""Errors that are the user's to mend: one line that says what, where and how."""

import errno
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, Final

NO_ROOM: Final = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Of an ``OSError``: the disk is full."""
NOT_ALLOWED: Final = {errno.EACCES, errno.EPERM, errno.EROFS}
"""Of an ``OSError``: the user may not write there."""


class UserError(Exception):
    """Bad input. The message is one line: what is wrong, where, and what to do. The command exits with 2."""


class LoggedError(Exception):
    """A mistake of ashen's own whose traceback stands in a log. The message is one line; the command exits with 1."""


def is_for_user(error: Exception) -> bool:
    """Whether the command tells an error in a line of its own, as nothing that is wrong with ashen."""
    disk = isinstance(error, OSError) and error.errno in NO_ROOM | NOT_ALLOWED
    return disk or isinstance(error, UserError | BrokenPipeError)


def said_by(error: BaseException) -> str:
    """What an exception says, in one line; the name of its class only if it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


class SettingError(UserError):
    """A setting that cannot be what it is.

    Args:
        owner: the dataclass of settings.
        name: the field.
        value: what it is.
        rule: what it must be, in words.
    """

    def __init__(self, owner: type, name: str, value: Any, rule: str):
        super().__init__(f"{name} = {value} {rule}")
        self.owner, self.name, self.value, self.rule = owner, name, value, rule


class SettingsError(UserError):
    """Several settings that cannot be what they are, for one reason.

    Args:
        errors: each of them, with its own rule.
        reason: what they all have to do with, in words that end the line.
    """

    def __init__(self, errors: Sequence[SettingError], reason: str):
        super().__init__(f"{', '.join(map(str, errors))} {reason}")
        self.errors, self.reason = errors, reason


def unknown(kind: str, name: str, known: Iterable[str], where: str = "") -> UserError:
    """An error for a name that is not in a list, naming the nearest one that is.

    Args:
        kind: what the name should be, for example ``"reward preset"``.
        name: the name given.
        known: the names there are.
        where: the file or option it stood in.
    """
    choices = sorted(known)
    near = get_close_matches(name, choices, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"choose from: {', '.join(choices)}"
    place = f" in {where}" if where else ""
    return UserError(f"unknown {kind} '{name}'{place}; {hint}")

"""Command-line options from dataclasses, through tyro; a mistake is told in one line."""

import io
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from inspect import cleandoc
from typing import Annotated, Any, TypeVar

import tyro

from ashen.core.errors import SettingError, SettingsError, UserError
from ashen.options.mistakes import as_typed, essence

Options = TypeVar("Options")
Boss = Annotated[str | None, tyro.conf.arg(aliases=("--overlay",))]
"""A boss to fight in place of the own one: an overlay is a table like any other."""
_READABLE = (tyro.conf.DisallowNone, tyro.conf.PositionalMetavarFromFieldName)
"""In help, INT and RUN in place of {None}|INT and STR; what is not given is left out, never said."""


@dataclass(frozen=True)
class NoOptions:
    """List the recipes, each with what it is for."""


def parse(
    options: type[Options], verb: str, words: Sequence[str], default: Options | None = None, more_help: str = ""
) -> Options:
    """Read a verb's options.

    Args:
        options: a dataclass with a docstring under each field.
        verb: for the usage line.
        words: what stands on the command line after the verb.
        default: values of what is not given; the dataclass's own if None.
        more_help: what the help says besides the dataclass's docstring and the options.

    Raises:
        UserError: a word is unknown or a value does not fit.
        SystemExit: help was asked for and printed.
    """
    complaint = io.StringIO()
    try:
        with redirect_stderr(complaint):
            how = {} if default is None else {"default": default}
            how |= {"description": f"{cleandoc(options.__doc__)}\n\n{more_help}"} if more_help else {}
            return tyro.cli(options, prog=f"ashen {verb}", args=list(words), config=_READABLE, **how)
    except (SettingError, SettingsError) as error:
        raise UserError(as_typed(error, options)) from None
    except SystemExit as exit_:
        if not exit_.code:
            raise
    raise UserError(f"{essence(complaint.getvalue(), options, verb)}; see: ashen {verb} --help")


def split_first(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take off a leading word that is not an option."""
    if words and not words[0].startswith("-"):
        return words[0], list(words[1:])
    return None, list(words)


def without_help(words: Sequence[str]) -> list[str]:
    """The words without those that ask for help, which has to wait for the defaults that the others decide."""
    return [word for word in words if word not in ("-h", "--help")]


def given(options: Any, *names: str) -> dict[str, Any]:
    """The options of these names that were given."""
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def world_changes(options: Any, *names: str) -> dict[str, Any]:
    """What of a contender's world is to be another; who asks for a boss or the game does not mean a rehearsed one."""
    changes = given(options, *names)
    is_other = "boss" in changes or changes.get("backend") == "game"
    return changes | ({"real_boss": ""} if is_other else {})


def check_counts(options: Any, *names: str, least: int = 1) -> None:
    """Refuse a count, or a seed, below the least; one that was not given is None.

    Raises:
        UserError: names the option and its value.
    """
    for name, count in given(options, *names).items():
        if count < least:
            raise SettingError(type(options), name, count, f"must be at least {least}")

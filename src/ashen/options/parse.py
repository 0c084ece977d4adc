"""Command-line options from dataclasses, through tyro; what tyro has to say about a mistake is put into one line."""

import io
import re
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, TypeVar

import tyro

from ashen.core.errors import UserError

Options = TypeVar("Options")
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
    except SystemExit as exit_:
        if not exit_.code:
            raise
    raise UserError(f"{_essence(complaint.getvalue())}; see: ashen {verb} --help")


def split_first(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take off a leading word that is not an option."""
    if words and not words[0].startswith("-"):
        return words[0], list(words[1:])
    return None, list(words)


def given(options: Any, *names: str) -> dict[str, Any]:
    """The options of these names that were given."""
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def check_counts(options: Any, *names: str) -> None:
    """Refuse a count below 1; one that was not given is None.

    Raises:
        UserError: names the option and its value.
    """
    for name, count in given(options, *names).items():
        if count < 1:
            raise UserError(f"--{name.replace('_', '-')} {count} must be at least 1")


def _essence(complaint: str) -> str:
    """The sentence in tyro's box, and the nearest option if it names one.

    The box has a title, then the sentence, then help, divided by rules; without Unicode the frame is left out.
    """
    lines = [line.strip(" │") for line in complaint.splitlines()]
    is_rule = [bool(re.search("───|---", line)) for line in lines]
    parts = [[]]
    for line, rule in zip(lines, is_rule, strict=True):
        if rule:
            parts.append([])
        elif line:
            parts[-1].append(line)
    texts = [" ".join(part) for part in parts[1:]]
    near = re.search(r"Perhaps you meant: (--[\w.-]+)", " ".join(texts))
    sentence = re.sub(r"^Unrecognized options: .*", _without_values, texts[0].rstrip("."))
    return f"{sentence}; did you mean {near[1]}?" if near else sentence


def _without_values(unrecognized: re.Match[str]) -> str:
    """Only the options of tyro's list, in which the value of an unknown one stands as another."""
    title, _, words = unrecognized[0].partition(": ")
    options = [word for word in words.split(", ") if word.startswith("--")]
    return f"{title}: {', '.join(options) or words}"

"""A mistake on the command line in one line, as it was typed: out of tyro's box, or of a setting that was refused."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import tyro

from ashen.core.errors import SettingError, SettingsError

_CHOICE = re.compile(r"invalid choice '(?P<value>.*)' for argument '(?P<option>\S+)'")
_TYPE = re.compile(r"Error parsing (?P<option>--\S+): .*: '(?P<value>.*)'")
_UNRECOGNIZED = re.compile(r"^Unrecognized options: (?P<words>.*)")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
"""With which tyro writes where standard output is a terminal."""
_SEVERAL = re.compile(r"Error parsing (?P<option>--\S+):")
_ELSEWHERE = {
    "gamma": "discount",
    "lr": "learning-rate",
    "clip-range": "clip",
    "ent-coef": "entropy-coef",
    "vf-coef": "value-coef",
    "n-envs": "num-envs",
    "n-epochs": "epochs",
    "n-steps": "rollout-steps",
    "buffer-size": "replay-capacity",
    "total-timesteps": "total-steps",
    "steps": "total-steps",
    "fight": "which",
}
"""What other libraries, or other verbs, call an option -> what it is called here."""
_NEAR = 0.8
"""How alike two options are, 0..1, of which one may stand for the other."""


@dataclass(frozen=True)
class _Option:
    """What stands behind a word of the command line."""

    owner: type
    """The dataclass it is a field of."""
    field: str
    """The name of that."""
    kinds: tuple[Any, ...]
    """Types of its values."""

    @property
    def choices(self) -> list[str]:
        """The words it takes; none if not only words are."""
        return [str(word) for kind in self.kinds if get_origin(kind) is Literal for word in get_args(kind)]

    def takes(self, value: str) -> bool:
        """Whether a value is a number or a choice that fits."""
        number = r"[-+]?\d+" if float not in self.kinds else r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?"
        is_number = {int, float} & set(self.kinds) and re.fullmatch(number, value)
        return value in self.choices or bool(is_number)


def essence(complaint: str, options: type, verb: str) -> str:
    """The sentence in tyro's box, and what was probably meant.

    The box has a title, then the sentence, then help, divided by rules; without Unicode the frame is left out.

    Args:
        complaint: the box.
        options: the dataclass of the verb's options.
        verb: for what is missing.
    """
    lines = [line.strip(" │") for line in _COLOUR.sub("", complaint).splitlines()]
    is_rule = [bool(re.search("───|---", line)) for line in lines]
    parts = [[]]
    for line, rule in zip(lines, is_rule, strict=True):
        if rule:
            parts.append([])
        elif line:
            parts[-1].append(line)
    texts = [" ".join(part) for part in parts[1:]]
    if texts[0].startswith("Missing from"):
        return _missing(texts[0], options, verb)
    if refused := _CHOICE.search(texts[0]) or _TYPE.search(texts[0]):
        return _misfit(refused["option"], refused["value"], dict(_options(options)))
    known = dict(_options(options))
    if (several := _SEVERAL.match(texts[0])) and several["option"] in known:
        word = several["option"]
        return f"{word} does not take that; it takes {' or '.join(map(_values, known[word].kinds))}"
    if (unrecognized := _UNRECOGNIZED.match(texts[0])) and not re.search(r"(?<!\S)-", unrecognized["words"]):
        return _too_many(unrecognized["words"], options, verb)
    sentence = _UNRECOGNIZED.sub(_without_values, texts[0].rstrip("."))
    near = re.findall(r"Perhaps you meant: (--[\w.-]+)", " ".join(texts))[:1]
    meant = _called_otherwise(sentence, dict(_options(options))) or near
    return f"{sentence}; did you mean {' or '.join(meant)}?" if meant else sentence


def as_typed(error: SettingError | SettingsError, options: type) -> str:
    """What is wrong with a setting or several, by the names of their options."""
    if isinstance(error, SettingsError):
        return f"{', '.join(as_typed(one, options) for one in error.errors)} {error.reason}"
    for word, option in _options(options):
        if (option.owner, option.field) == (error.owner, error.name):
            return f"{word} {error.value} {error.rule}"
    return str(error)


def _values(kind: Any) -> str:
    """What stands behind an option of several values."""
    plain = {int: "a whole number", float: "a number", str: "a word"}
    if get_origin(kind) is dict:
        return "pairs of a name and a number"
    if get_origin(kind) is tuple:
        each = get_args(kind)
        return f"{len(each)} numbers" if float in each else "words"
    return plain.get(kind, "another value")


def _missing(sentence: str, options: type, verb: str) -> str:
    """Which words are missing, and where they belong."""
    words = [word for word, option in _options(options) if re.search(rf"(?<!\S){re.escape(word)}(?!\S)", sentence)]
    places = [word for word, _ in _options(options) if word in words or not word.startswith("-")]
    usage = " ".join(f"{word} ..." if word.startswith("-") else word for word in places)
    return f"{' and '.join(words)} {'is' if len(words) == 1 else 'are'} missing, as in: ashen {verb} {usage}"


def _too_many(words: str, options: type, verb: str) -> str:
    """That a verb takes no more words than it names; one that is read apart stands in the usage that its help shows."""
    places = [word for word, _ in _options(options) if not word.startswith("-")]
    places = places or re.findall(rf"ashen {verb} \[?([A-Z]+)", options.__doc__ or "")[:1]
    takes = "options alone" if not places else f"one {places[0]}" if len(places) == 1 else " and ".join(places)
    are = "are words" if ", " in words else "is a word"
    return f"'{words}' {are} too many: ashen {verb} takes {takes}"


def _misfit(word: str, value: str, options: dict[str, _Option]) -> str:
    """What an option takes in place of a value, and which other option takes it."""
    choices = options[word].choices if word in options else []
    kinds = {int: "a whole number", float: "a number"}
    wanted = [name for kind, name in kinds.items() if word in options and kind in options[word].kinds]
    rule = f"choose from: {', '.join(choices)}" if choices else f"it takes {' or '.join(wanted) or 'another value'}"
    said = f"{word} cannot be '{value}'; {rule}"
    if close := get_close_matches(value, choices, n=1):
        return f"{said}; did you mean '{close[0]}'?"
    near = get_close_matches(word, [other for other in options if other != word], n=3, cutoff=_NEAR)
    return next((f"{said}; did you mean {other} {value}?" for other in near if options[other].takes(value)), said)


def _options(options: type, prefix: str = "") -> Iterator[tuple[str, _Option]]:
    """The words of the command line with what stands behind them: ``RUN``, ``--fights``, ``--ppo.width``."""
    hints = get_type_hints(options, include_extras=True)
    for field in fields(options):
        hint, *marks = (
            get_args(hints[field.name]) if get_origin(hints[field.name]) is Annotated else [hints[field.name]]
        )
        named = [mark.name for mark in marks if getattr(mark, "name", None) is not None]
        name = named[0] if named and not _is_positional(hints[field.name]) else field.name.replace("_", "-")
        if is_dataclass(hint):
            yield from _options(hint, f"{prefix}{name}." if name else prefix)
        elif _is_positional(hints[field.name]):
            yield field.name.upper(), _Option(options, field.name, ())
        else:
            yield f"--{prefix}{name}", _Option(options, field.name, _kinds(hint))


def _is_positional(hint: Any) -> bool:
    return tyro.conf.Positional[str].__metadata__[0] in getattr(hint, "__metadata__", ())


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The types of a union, or the one there is; without None."""
    is_one = get_origin(hint) is Literal or not get_args(hint) or isinstance(hint, type)
    return (hint,) if is_one else tuple(kind for kind in get_args(hint) if kind is not NoneType)


def _called_otherwise(sentence: str, options: Iterable[str]) -> list[str]:
    """The options meant by the first word of a sentence that other libraries use; of each group of settings, or one."""
    for group, name in re.findall(r"--(?:([\w-]+)\.)?([\w-]+)", sentence):
        here = f"{group and group + '.'}{_ELSEWHERE.get(name.replace('_', '-'), '')}"
        if found := [word for word in options if re.fullmatch(rf"--([\w-]+\.)?{re.escape(here)}", word)]:
            return found
    return []


def _without_values(unrecognized: re.Match[str]) -> str:
    """Only the options of tyro's list, in which the value of an unknown one stands as another."""
    options = [word for word in unrecognized["words"].split(", ") if word.startswith("--")]
    return f"Unrecognized options: {', '.join(options) or unrecognized['words']}"

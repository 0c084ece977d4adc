"""Where a sweep searches: ranges and choices by dotted recipe field, such as ``ppo.learning_rate``, out of a TOML."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.core.tables import read_toml
from ashen.training.effects import idle_settings
from ashen.training.recipe import Recipe
from ashen.training.tables import from_table, to_table

Space = dict[str, "Search"]
_FIXED: Final = frozenset({
    "boss",
    "real_boss",
    "fight",
    "algorithm",
    "seed",
    "total_steps",
    "evaluate_every",
    "evaluation_fights",
    "evaluation_share_pct",
    "final_fights",
})
"""Fields that are the same in all trials, so that one learner is judged by one measure."""
_HOW: Final = "write { low = 0.1, high = 0.3 }, with log = true on a logarithmic scale, or { choices = [1, 2] }"


@dataclass(frozen=True)
class Search:
    """Where one field is searched: between two ends, or among choices."""

    low: int | float | None = None
    """Least value."""
    high: int | float | None = None
    """Greatest value."""
    log: bool = False
    """Whether every factor is as likely as every other, instead of every difference."""
    choices: tuple[bool | int | float | str, ...] = ()
    """What may be chosen."""

    def __post_init__(self) -> None:
        has_ends = self.low is not None and self.high is not None
        if has_ends == bool(self.choices) or (self.choices and (self.log or self.low is not None)):
            raise UserError(_HOW)
        if has_ends and not self.low < self.high:
            raise UserError(f"low = {self.low} must lie below high = {self.high}")
        if self.log and not self.low > 0:
            raise UserError(f"low = {self.low} must lie above 0 with log = true")

    @property
    def samples(self) -> tuple[Any, ...]:
        """The ends or the choices."""
        return self.choices or (self.low, self.high)


def default_space(recipe: Recipe) -> Space:
    """The space that is shipped for a recipe's learner, but for what changes nothing in that recipe."""
    path = Path(__file__).with_name(f"{recipe.algorithm}.toml")
    space, idle = _read(path, recipe), idle_settings(recipe)
    return {field: search for field, search in space.items() if field not in idle}


def read_space(path: Path, recipe: Recipe) -> Space:
    """Read a space and check it against the recipe whose fields it names.

    Args:
        path: a TOML file of a recipe's form, with a :class:`Search` in place of each value.
        recipe: what is varied.

    Raises:
        UserError: the file is broken, a field does not exist, changes nothing or must not differ, or an end or a choice
            is not a value of it.
    """
    space = _read(path, recipe)
    for field in space:
        if field in _FIXED:
            raise UserError(f"{path}: {field} must be the same in all trials; leave it out")
    for field, (setting, value) in idle_settings(recipe).items():
        if field in space and setting not in space:
            raise UserError(f"{path}: {field} changes nothing without {setting} = {json.dumps(value)}; leave it out")
    return space


def _read(path: Path, recipe: Recipe) -> Space:
    table = to_table(recipe)
    space = {
        field: _of_kind(from_table(Search, values, f"{path}: {field}"), table, field)
        for field, values in _leaves(read_toml(path), str(path))
    }
    if not space:
        raise UserError(f"{path} names no field to search; {_HOW}, for example [ppo] learning_rate = ...")
    for field, search in space.items():
        for value in search.samples:
            with_values(recipe, {field: value}, str(path))
    return space


def with_values(recipe: Recipe, values: dict[str, Any], where: str) -> Recipe:
    """A recipe with some fields changed.

    Args:
        recipe: stays as it is.
        values: by dotted field.
        where: they come from, for error messages.

    Raises:
        UserError: there is no such field, or it refuses the value.
    """
    table = to_table(recipe)
    for field, value in values.items():
        *parents, last = field.split(".")
        inner = table
        for name in parents:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise UserError(f"{where}: {field} does not exist, for the recipe's {name} is {inner!r}")
        inner[last] = value
    return from_table(Recipe, table, where)


def _leaves(table: dict[str, Any], where: str, parent: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in table.items():
        field = f"{parent}{key}"
        if not isinstance(value, dict):
            raise UserError(f"{where}: {field} = {value!r} is nothing to search; {_HOW}")
        if {"low", "high", "choices"} & value.keys():
            yield field, value
        else:
            yield from _leaves(value, where, f"{field}.")


def _of_kind(search: Search, table: dict[str, Any], field: str) -> Search:
    """Whole ends of a field that takes fractions stand for the fractions between them too."""
    for name in field.split("."):
        table = table.get(name) if isinstance(table, dict) else None
    if type(table) is int or search.choices:
        return search
    return Search(float(search.low), float(search.high), search.log)

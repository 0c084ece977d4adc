"""Fact tables: TOML files in which every number names its source and how far it can be trusted.

A number is an inline table ``{v = 1.533, s = "S2", c = "D"}``; guesses may add ``range = [lo, hi]``; ``v`` may
be a list. ``c`` is M measured, D datamined, C computed, W wiki, I inferred, G guess. A bare number is a load error.
Words, names and booleans stand bare.

An overlay is a boss's table that says only what differs from another: ``base`` names that boss, ``[overlay]`` holds
facts by their dotted path (see :func:`walk`), ``[player]`` the same for the player's table, and ``[animations]`` with
``extra`` names that the base lacks; they come after the base's own, so that no id moves.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ashen.core.errors import UserError, unknown
from ashen.core.limits import flaw, is_alike, kind_of, name_of

CONFIDENCES = {"M": "measured", "D": "datamined", "C": "computed", "W": "wiki", "I": "inferred", "G": "guess"}
_KEYS = {"v", "s", "c", "range", "note"}
_OVERLAY_KEYS = {"base", "overlay", "player", "animations"}


@dataclass(frozen=True)
class Fact:
    """One number (or list of numbers) with its source.

    Args:
        value: number, or nested list of numbers.
        source: key of the source list in ``data/ds3/sources.toml``.
        confidence: one letter of :data:`CONFIDENCES`.
        range: what the evidence allows, if known.
    """

    value: Any
    source: str
    confidence: str
    range: tuple[float, float] | None = None


def data_file(*parts: str) -> Path:
    """Path of a file shipped in ``ashen/data``."""
    return Path(str(files("ashen"))).joinpath("data", *parts)


def load_facts(path: Path) -> dict[str, Any]:
    """Read a fact table; every number becomes a :class:`Fact`. An overlay gives its base's table with its own numbers.

    Raises:
        UserError: the file is missing or not TOML, or a number cannot be (see :mod:`ashen.core.limits`), has no source
            or is unknown to the base.
    """
    table = read_toml(path)
    if "base" not in table:
        return _facts(table, str(path), "")
    facts = _laid_over(load_facts(_base_file(table, path)), table, "overlay", path)
    if added := _new_names(table, path):
        names = facts["animations"]
        names["extra"] += [name for name in added if name not in {*names["soulsgym"], *names["extra"]}]
    return facts


def is_measured(boss: Path) -> bool:
    """Whether fights against a boss were measured: when his attacks hit, and what the player against him is.

    Args:
        boss: his table; ``measured = false`` in it says no.
    """
    return bool(load_facts(boss).get("measured", True))


def measured_facts(boss: Path, otherwise: str) -> dict[str, Any]:
    """The facts of a boss, for what needs the times of his attacks.

    Args:
        boss: his table.
        otherwise: what cannot be done without these times, and what can be done instead.

    Raises:
        UserError: nobody measured them, or as :func:`load_facts`.
    """
    facts = load_facts(boss)
    if not facts.get("measured", True):
        raise UserError(f"nobody has measured when the attacks of {facts['name']} hit, so {otherwise}")
    return facts


def overlay_facts(path: Path) -> dict[str, dict[str, Fact]]:
    """What an overlay itself says: dotted path -> fact, for ``"boss"`` and ``"player"``; nothing for a whole table."""
    table = read_toml(path)
    if "base" not in table:
        return {"boss": {}, "player": {}}
    laid = {"boss": dict(walk(load_facts(path))), "player": dict(walk(player_facts(path)))}
    sections = {"boss": "overlay", "player": "player"}
    return {part: {where: laid[part][where] for where in table.get(section, {})} for part, section in sections.items()}


def overlay_names(path: Path) -> list[str]:
    """Animations that an overlay adds to its base; none for a whole table."""
    table = read_toml(path)
    return _new_names(table, path) if "base" in table else []


def player_facts(boss: Path) -> dict[str, Any]:
    """The facts of the player who meets a boss; an overlay may change them.

    Args:
        boss: the boss's table.

    Raises:
        UserError: as :func:`load_facts`.
    """
    player = load_facts(data_file("ds3", "player.toml"))
    table = read_toml(boss)
    return _laid_over(player, table, "player", boss) if "base" in table else player


def base_file(path: Path) -> Path | None:
    """The table that an overlay changes, None for a table that stands on its own.

    Raises:
        UserError: there is no such base, or it is an overlay itself.
    """
    table = read_toml(path)
    return _base_file(table, path) if "base" in table else None


def own_base(overlay: Path) -> Path | None:
    """The table that an overlay changes if that is a file of the user's, which a copy must take along."""
    base = base_file(overlay)
    return None if base in boss_names().values() else base


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file, with a one-line error that names file and place.

    Raises:
        UserError: the file is missing, unreadable or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"no such file: {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not valid TOML: {error}; mend that line") from None


def plain(tree: Any) -> Any:
    """The same tree with bare values in place of facts."""
    if isinstance(tree, Fact):
        return tree.value
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [plain(value) for value in tree]
    return tree


def walk(tree: Any, path: str = "") -> Iterator[tuple[str, Fact]]:
    """All facts of a tree with their dotted paths, list items by index."""
    if isinstance(tree, Fact):
        yield path, tree
    elif isinstance(tree, dict | list):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, value in items:
            yield from walk(value, f"{path}.{key}" if path else str(key))


def fingerprint(*trees: Any) -> str:
    """Hash of what tables say (values only), 16 hex digits: the table hash of a run."""
    text = json.dumps([plain(tree) for tree in trees], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def table_hash(boss: str) -> str:
    """Hash of the tables of a boss, by name or path, and of the player, as they stand."""
    path = boss_file(boss)
    return fingerprint(load_facts(path), player_facts(path))


@cache
def boss_names() -> dict[str, Path]:
    """The bosses shipped, name -> table."""
    return {path.stem: path for path in sorted(data_file("ds3", "bosses").glob("*.toml"))}


def boss_file(boss: str) -> Path:
    """Table of a boss, by name or by path of a TOML file.

    Raises:
        UserError: there is no such boss or file.
    """
    if boss.endswith(".toml"):
        path = Path(boss)
        if not path.is_file():
            raise UserError(f"no boss table at {path}; give a boss name or the path of an existing TOML file")
        return path
    if boss not in boss_names():
        raise UserError(f"{unknown('boss', boss, boss_names())}; or give the path of a table or overlay, a TOML file")
    return boss_names()[boss]


def full_name(boss: str) -> str:
    """A boss's name, or his table's path from any folder.

    Raises:
        UserError: as :func:`boss_file`.
    """
    return str(boss_file(boss).resolve()) if boss.endswith(".toml") else boss


def _base_file(table: dict[str, Any], path: Path) -> Path:
    if extra := set(table) - _OVERLAY_KEYS:
        raise unknown("key", sorted(extra)[0], _OVERLAY_KEYS, f"the overlay {path}")
    base = str(table["base"])
    file = boss_file(str(path.parent / base) if base.endswith(".toml") else base)
    if "base" in read_toml(file):
        raise UserError(f"{path}: its base {base} is an overlay too; name the boss that both change")
    return file


def _laid_over(tree: dict[str, Any], table: dict[str, Any], section: str, path: Path) -> dict[str, Any]:
    """The tree, rewritten in place, with the facts of an overlay's section (dotted path -> number with source)."""
    changes, known, place = table.get(section, {}), dict(walk(tree)), f"{path}, [{section}]"
    if not isinstance(changes, dict):
        raise UserError(f"{path}: [overlay] and [player] must be tables of numbers by their dotted paths")
    for where, change in changes.items():
        if where not in known:
            near = get_close_matches(where, sorted(known), n=1, cutoff=0.0)[0]
            raise UserError(f"unknown number '{where}' in {place}; did you mean '{near}'?")
        fact = _facts(change, place, where)
        if not isinstance(fact, Fact):
            raise UserError(f'{place}: {where} must be a number with its source, {{v = ..., s = "...", c = "M"}}')
        if not is_alike(fact.value, known[where].value):
            raise UserError(f"{place}: {where} = {fact.value} must be {kind_of(known[where].value)}, as in its base")
        *parents, last = where.split(".")
        node: Any = tree
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node[part]
        node[last] = fact
    return tree


def _new_names(table: dict[str, Any], path: Path) -> list[str]:
    names = table.get("animations", {"extra": []})
    extra = names.get("extra") if isinstance(names, dict) else None
    if not isinstance(extra, list) or len(names) > 1 or not all(isinstance(name, str) for name in extra):
        raise UserError(f'{path}: [animations] of an overlay holds new names and nothing else, extra = ["Attack1501"]')
    return extra


def _facts(node: Any, place: str, where: str) -> Any:
    if isinstance(node, bool | str):
        return node
    if isinstance(node, dict):
        if "v" in node:
            return _fact(node, place, where)
        return {key: _facts(value, place, f"{where}.{key}" if where else key) for key, value in node.items()}
    if isinstance(node, list):
        return [_facts(value, place, f"{where}.{index}") for index, value in enumerate(node)]
    raise UserError(f'{place}: {where} = {node} has no source; write {{v = {node}, s = "...", c = "G"}}')


def _fact(node: dict[str, Any], place: str, where: str) -> Fact:
    if extra := set(node) - _KEYS:
        raise unknown("key", sorted(extra)[0], _KEYS, f"{place}, {where}")
    if not isinstance(node.get("s"), str) or node.get("c") not in CONFIDENCES:
        raise UserError(f"{place}: {where} needs a source s and a confidence c, one of {', '.join(CONFIDENCES)}")
    name, bounds = name_of(where), node.get("range")
    if wrong := flaw(name, node["v"]):
        raise UserError(f"{place}: {where} = {node['v']} {wrong}")
    if bounds is not None and (kind_of(bounds) != "a list of 2 numbers" or flaw(name, bounds) or bounds[0] > bounds[1]):
        raise UserError(f"{place}: {where} has a bad range {bounds}; write range = [lo, hi]")
    return Fact(node["v"], node["s"], node["c"], tuple(bounds) if bounds else None)

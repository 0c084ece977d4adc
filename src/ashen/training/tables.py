"""From a TOML table to a frozen dataclass and back; strictly: a wrong key or type is the user's to mend."""

import json
import types
from dataclasses import fields, is_dataclass
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ashen.core.errors import UserError, unknown

Config = TypeVar("Config")


def from_table(cls: type[Config], table: dict[str, Any], where: str) -> Config:
    """Build a config from a table; what the table leaves out keeps its default.

    Args:
        cls: a dataclass whose fields have defaults; fields that are dataclasses are sub-tables.
        table: as TOML or JSON gives it.
        where: the file, for error messages.

    Raises:
        UserError: a key is unknown, or a value is of the wrong type or refused by the dataclass.
    """
    hints = get_type_hints(cls)
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    values = {}
    for key, value in table.items():
        if key not in known:
            raise unknown("key", key, known, where)
        values[key] = _fit(hints[key], value, key, where)
    try:
        return cls(**values)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def to_table(config: Any) -> dict[str, Any]:
    """The opposite of :func:`from_table`, plain data for JSON."""
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {key: to_table(value) if is_dataclass(value) else value for key, value in values.items()}


def to_toml(config: Any) -> str:
    """A config as TOML; what has its default is left out.

    Args:
        config: a dataclass whose fields have defaults; its values are plain, and None only where that is the default.
    """
    default = type(config)()
    changed = {field.name: getattr(config, field.name) for field in fields(config)}
    changed = {name: value for name, value in changed.items() if value != getattr(default, name)}
    plain = [f"{name} = {_literal(value)}\n" for name, value in changed.items() if not is_dataclass(value)]
    tables = [f"\n[{name}]\n{to_toml(value)}" for name, value in changed.items() if is_dataclass(value)]
    return "".join([*plain, *tables])


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {_literal(item)}' for key, item in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)


def _fit(hint: Any, value: Any, key: str, where: str) -> Any:
    if is_dataclass(hint):
        if not isinstance(value, dict):
            raise _misfit(hint, value, key, where)
        return from_table(hint, value, f"{where} [{key}]")  # type: ignore[arg-type]
    if get_origin(hint) in (Union, types.UnionType):
        for choice in get_args(hint):
            try:
                return _fit(choice, value, key, where)
            except UserError:
                continue
        raise _misfit(hint, value, key, where)
    if get_origin(hint) is Literal:
        if value in get_args(hint):
            return value
        if isinstance(value, str):
            raise unknown(key, value, get_args(hint), where)
        raise _misfit(hint, value, key, where)
    return _fit_plain(hint, value, key, where)


def _fit_plain(hint: Any, value: Any, key: str, where: str) -> Any:
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    if origin is tuple and isinstance(value, list | tuple) and (... in arguments or len(value) == len(arguments)):
        return tuple(_fit(arguments[0], item, key, where) for item in value)
    if origin is dict and isinstance(value, dict):
        return {name: _fit(arguments[1], item, f"{key}.{name}", where) for name, item in value.items()}
    if origin is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if origin in (types.NoneType, None) and value is None:
        return None
    if origin in (bool, int, float, str) and type(value) is origin:
        return value
    raise _misfit(hint, value, key, where)


def _misfit(hint: Any, value: Any, key: str, where: str) -> UserError:
    return UserError(f"{where}: {key} = {_literal(value)} does not fit; it takes {' or '.join(_words(hint))}")


def _words(hint: Any) -> list[str]:
    """What a setting takes, in TOML's words."""
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    if origin in (Union, types.UnionType):
        return [word for choice in arguments if choice is not types.NoneType for word in _words(choice)]
    if origin is Literal:
        return [_literal(choice) for choice in arguments]
    if origin is tuple:
        count = "" if ... in arguments else f"{len(arguments)} of "
        return [f"a list, [...], of {count}{' or '.join(_words(arguments[0]))}"]
    if origin is dict:
        return [f"a table, {{ NAME = ... }}, of {' or '.join(_words(arguments[1]))}"]
    return [_PLAIN.get(origin, "a table")]


_PLAIN: Final = {bool: "true or false", int: "a whole number", float: "a number", str: "a word in quotes"}

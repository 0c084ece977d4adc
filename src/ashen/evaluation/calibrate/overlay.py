"""The overlay as a file: TOML that :mod:`ashen.core.tables` lays over its base."""

import json
from collections.abc import Mapping, Sequence

from ashen.core.tables import Fact, base_file, boss_file, boss_names, overlay_facts, overlay_names

Found = Mapping[str, Mapping[str, Fact]]


def overlay_text(base: str, found: Found, comments: Sequence[str] = (), names: Sequence[str] = ()) -> str:
    """An overlay.

    Args:
        base: name or path of the boss it changes.
        found: dotted path -> fact, for ``"boss"`` and ``"player"``.
        comments: lines to stand at its head.
        names: animations that the base lacks.
    """
    lines = [*(f"# {comment}".rstrip() for comment in comments), f"base = {json.dumps(base)}", "", "[overlay]"]
    lines += [_line(path, fact) for path, fact in found["boss"].items()]
    if found["player"]:
        lines += ["", "[player]", *(_line(path, fact) for path, fact in found["player"].items())]
    if names:
        lines += ["", "[animations]", f"extra = {json.dumps(list(names))}"]
    return "\n".join(lines) + "\n"


def extended_overlay(boss: str, found: Found, comments: Sequence[str] = (), names: Sequence[str] = ()) -> str:
    """An overlay that says what a boss's own one says, if he is one, and more; arguments as of :func:`overlay_text`."""
    path = boss_file(boss)
    base, before, known = base_file(path) or path, overlay_facts(path), overlay_names(path)
    shipped = {file.resolve(): name for name, file in boss_names().items()}
    both = {part: before[part] | dict(found.get(part, {})) for part in before}
    return overlay_text(shipped.get(base.resolve(), str(base.resolve())), both, comments, [*known, *names])


def _line(path: str, fact: Fact) -> str:
    interval = "" if fact.range is None else f", range = {json.dumps(list(fact.range))}"
    value = json.dumps(fact.value)
    return f'"{path}" = {{ v = {value}, s = {json.dumps(fact.source)}, c = "{fact.confidence}"{interval} }}'

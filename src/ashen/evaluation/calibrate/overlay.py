"""The overlay as a file: TOML that `core.tables` lays over its base."""

import json
from collections.abc import Mapping, Sequence

from ashen.core.tables import Fact


def overlay_text(base: str, found: Mapping[str, Mapping[str, Fact]], comments: Sequence[str] = ()) -> str:
    """An overlay.

    Args:
        base: name or path of the boss it changes.
        found: dotted path -> fact, for ``"boss"`` and ``"player"``.
        comments: lines to stand at its head.
    """
    lines = [*(f"# {comment}".rstrip() for comment in comments), f"base = {json.dumps(base)}", "", "[overlay]"]
    lines += [_line(path, fact) for path, fact in found["boss"].items()]
    if found["player"]:
        lines += ["", "[player]", *(_line(path, fact) for path, fact in found["player"].items())]
    return "\n".join(lines) + "\n"


def _line(path: str, fact: Fact) -> str:
    interval = "" if fact.range is None else f", range = {json.dumps(list(fact.range))}"
    value = json.dumps(fact.value)
    return f'"{path}" = {{ v = {value}, s = {json.dumps(fact.source)}, c = "{fact.confidence}"{interval} }}'

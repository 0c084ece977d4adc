"""What a number of a fact table can be, told by the end of its name, so that a new number falls under a kind."""

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

LIMITS: Final = (
    (("center_m", "box_low_m", "box_high_m", "_z_m"), -math.inf, math.inf),
    (("bearing_deg", "_angle_deg"), -360.0, 360.0),
    (("_deg",), 0.0, 180.0),
    (("_odds",), 0.0, 1.0),
    (("percent",), 0.0, 100.0),
    (("hp",), 1.0, math.inf),
    (("_s",), 0.0, 3600.0),
    (("_m", "damage", "poise", "stamina", "stamina_max", "_rate", "_gain", "_factor", "weight"), 0.0, math.inf),
    (("",), -math.inf, math.inf),
)
"""Ends of names, the least and the most that such a number can be; the first that fits decides."""
TIME_COLUMNS: Final = {"motion_s_m": 1, "curve_s_m": 1, "turn_s_deg_s": 2, "stretch": 2}
"""Lists of rows that begin with a time, or with two, from and to; what follows them in a row may be anything."""
_SPANS: Final = ("_s", "distance_m", "bearing_deg")
"""Two numbers of such a name are from and to."""


def name_of(where: str) -> str:
    """The name by which the number at a dotted path is judged: the last that is no place in a list."""
    parts = [part for part in where.split(".") if not part.isdecimal()]
    return "weight" if parts[-2:-1] == ["weights"] else parts[-1]


def limits_of(name: str) -> tuple[float, float]:
    """The least and the most that a number of this name can be."""
    return next((least, most) for ends, least, most in LIMITS if name.endswith(ends))


def kind_of(value: Any) -> str:
    """What a value is, apart from its numbers: ``"a number"``, ``"a list of 2 numbers"``, ``"rows of 3 numbers"``."""
    if not isinstance(value, list):
        return "a number"
    widths = {len(row) if isinstance(row, list) else 0 for row in value}
    if widths <= {0}:
        return f"a list of {len(value)} numbers"
    return f"rows of {' or '.join(str(width) for width in sorted(widths))} numbers"


def is_alike(value: Any, other: Any) -> bool:
    """Whether one value can stand for another: a number for a number, as many for as many, rows of one length."""
    kinds = {kind_of(value), kind_of(other)}
    empty = "a list of 0 numbers"
    return len(kinds) == 1 or (empty in kinds and "a number" not in kinds)


def flaw(name: str, value: Any) -> str | None:
    """What is impossible about a number, as the end of a sentence; None if nothing is.

    Args:
        name: of :func:`name_of`.
        value: number, or nested list of numbers, or what stands in place of one.
    """
    numbers = list(_numbers(value))
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        return "is no finite number; write one"
    if name in TIME_COLUMNS:
        return _flaw_of_rows(value, TIME_COLUMNS[name])
    least, most = limits_of(name)
    if any(not least <= number <= most for number in numbers):
        return f"must be at least {least:g}" + ("" if most == math.inf else f" and at most {most:g}")
    if name.endswith(_SPANS) and kind_of(value) == "a list of 2 numbers" and value[0] > value[1]:
        return "ends before it begins; write [from, to]"
    return None


def _flaw_of_rows(rows: Any, columns: int) -> str | None:
    if not isinstance(rows, list) or (rows and not re.fullmatch(r"rows of \d+ numbers", kind_of(rows))):
        return "must be a list of rows, all of one length"
    times = [row[:columns] for row in rows]
    if any(time < 0.0 for row in times for time in row):
        return "has a time below 0"
    if columns == 1 and (not rows or any(row >= after for row, after in pairwise(times))):
        return "needs rows whose times rise"
    if columns == 2 and any(start > end for start, end in times):
        return "has a row that ends before it begins; write [from, to, ...]"
    return None


def _numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for part in value:
            yield from _numbers(part)
    else:
        yield value

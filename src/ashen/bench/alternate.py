"""Several measurements in turns, so that what else the machine does falls on all of them alike."""

import statistics
from collections.abc import Callable, Mapping
from typing import Any


def alternate(runs: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Run each once unmeasured, then all in turns: a, b, a, b, ...

    Args:
        runs: by name, what measures a figure once.
        repeats: measurements of each.
    """
    for run in runs.values():
        run()
    values: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            values[name].append(run())
    return values


def with_spread(name: str, values: list[float]) -> dict[str, Any]:
    """Median as ``name``, lowest and highest as ``name_spread``."""
    return {name: statistics.median(values), f"{name}_spread": [min(values), max(values)]}

"""One figure of the comparison, and how it is judged from samples."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

IN_SAMPLE = "in sample"
"""Ends the name of a figure whose evidence has also shaped the simulator: that it holds is no proof."""


@dataclass(frozen=True)
class Row:
    """One figure.

    Args:
        name: what it is.
        real: on the real game, as text where it is a range.
        value: in the simulator.
        error: standard error of the value, 0 where it has none.
        tolerance: how it is judged.
        passed: whether it holds; None where it is only shown.
    """

    name: str
    real: float | str
    value: float | str
    error: float
    tolerance: str
    passed: bool | None


def as_json(rows: Sequence[Row]) -> dict[str, Any]:
    """``{"rows": [...]}`` with plain values."""
    return {"rows": [_plain(row) for row in rows]}


def _plain(row: Row) -> dict[str, Any]:
    return asdict(row) | {"passed": None if row.passed is None else bool(row.passed)}


def mean_and_error(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and its standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))


def near_row(name: str, real: float, values: NDArray[np.float64], share: float) -> Row:
    """A mean that must lie within a share of the real one."""
    mean, error = mean_and_error(values)
    return Row(name, real, mean, error, f"within {share:.0%}", abs(mean - real) <= share * abs(real))


def inside_row(name: str, bounds: Sequence[float], values: NDArray[np.float64]) -> Row:
    """A mean that must lie inside bounds."""
    mean, error = mean_and_error(values)
    return Row(name, f"{bounds[0]:g} to {bounds[1]:g}", mean, error, "inside", bounds[0] <= mean <= bounds[1])


def ratio_and_error(over: NDArray[np.float64], under: NDArray[np.float64]) -> tuple[float, float]:
    """Ratio of two independent samples' means and its standard error, by the delta method.

    Args:
        over: the sample whose mean is divided.
        under: the sample whose mean divides, not 0.
    """
    (top, top_error), (bottom, bottom_error) = mean_and_error(over), mean_and_error(under)
    ratio = top / bottom
    return ratio, float(np.hypot(top_error / bottom, ratio * bottom_error / bottom))


def median_error(values: NDArray[np.float64]) -> float:
    """Half the distance between the order statistics one standard deviation off the median."""
    ordered, half = np.sort(values), 0.5 * np.sqrt(values.size)
    low, high = int(values.size / 2 - half), min(values.size - 1, int(values.size / 2 + half))
    return float(ordered[high] - ordered[low]) / 2

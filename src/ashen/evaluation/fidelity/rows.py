"""One figure of the comparison, and how it is judged from samples."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

IN_SAMPLE = "in sample"
"""Ends the name of a figure that holds by making: it, or a statistic of the same logs that determines it, was a target
of a fit or was read off to make the tables."""
THIN_ERRORS = 2.0
"""A figure that is nearer to its limit than so many standard errors holds by a thin margin."""


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
        limits: between which the value must lie; None where they are no numbers, or it is only shown.
    """

    name: str
    real: float | str
    value: float | str
    error: float
    tolerance: str
    passed: bool | None
    limits: tuple[float, float] | None = None

    @property
    def is_thin(self) -> bool:
        """Whether it holds, but by less than :data:`THIN_ERRORS`; False where the value has no error."""
        return bool(self.passed and self.error) and self.distance < THIN_ERRORS * self.error

    @property
    def distance(self) -> float:
        """How far the value is from its nearer limit, in its own unit; infinite without limits."""
        if self.limits is None or isinstance(self.value, str):
            return float("inf")
        return min(self.value - self.limits[0], self.limits[1] - self.value)


def as_json(rows: Sequence[Row]) -> dict[str, Any]:
    """``{"rows": [...]}`` with plain values."""
    return {"rows": [_plain(row) for row in rows]}


def _plain(row: Row) -> dict[str, Any]:
    plain = asdict(row) | {"passed": None if row.passed is None else bool(row.passed)}
    del plain["limits"]  # told by tolerance
    return plain


def mean_and_error(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and its standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))


def judged_row(
    name: str, real: float | str, value: float, error: float, tolerance: str, limits: tuple[float, float]
) -> Row:
    """A number that must lie within limits."""
    return Row(name, real, value, error, tolerance, limits[0] <= value <= limits[1], limits)


def near_row(name: str, real: float, values: NDArray[np.float64], share: float) -> Row:
    """A mean that must lie within a share of the real one."""
    mean, error = mean_and_error(values)
    return judged_row(name, real, mean, error, f"within {share:.0%}", around(real, share * abs(real)))


def inside_row(name: str, bounds: Sequence[float], value: float, error: float) -> Row:
    """A number that must lie inside bounds."""
    low, high = bounds
    return judged_row(name, f"{low:g} to {high:g}", value, error, "inside", (low, high))


def around(goal: float, tolerance: float) -> tuple[float, float]:
    """The limits that lie a tolerance off a goal."""
    return goal - tolerance, goal + tolerance


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

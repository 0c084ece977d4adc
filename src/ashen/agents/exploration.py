"""Schedules over environment steps, and epsilon-greedy choice among valid actions."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import unknown


def constant(start: float, end: float, progress: float) -> float:
    """Always ``start``."""
    return start


def linear(start: float, end: float, progress: float) -> float:
    """A straight line from ``start`` to ``end``."""
    return start + (end - start) * progress


def exponential(start: float, end: float, progress: float) -> float:
    """From ``start`` to ``end``, both positive, by the same factor in every step."""
    return start * (end / start) ** progress


SCHEDULES: Final = {"constant": constant, "linear": linear, "exponential": exponential}


def scheduled(kind: str, start: float, end: float, steps: int, step: int) -> float:
    """Value of a schedule at an environment step; ``end`` holds from ``steps`` on (but for a constant).

    Args:
        kind: a name in :data:`SCHEDULES`.
        start: value at step 0.
        end: value from step ``steps`` on.
        steps: how long the way takes; 0 is over at once.
        step: environment steps made.

    Raises:
        UserError: there is no such schedule.
    """
    if kind not in SCHEDULES:
        raise unknown("schedule", kind, SCHEDULES)
    return SCHEDULES[kind](start, end, min(1.0, step / steps) if steps > 0 else 1.0)


def random_valid(rng: np.random.Generator, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """One action [N] drawn evenly from the valid ones of each row of ``mask`` [N, A]; from all where none is valid."""
    return (rng.random(mask.shape) + mask).argmax(1)


def epsilon_greedy(
    rng: np.random.Generator, greedy: NDArray[np.int64], mask: NDArray[np.bool_], epsilon: float
) -> NDArray[np.int64]:
    """The ``greedy`` actions [N], each replaced with probability ``epsilon`` by a random valid one.

    As many numbers are drawn whatever ``epsilon`` is, so that two runs that differ in it stay comparable.
    """
    explore = rng.random(len(greedy)) < epsilon
    return np.where(explore, random_valid(rng, mask), greedy)

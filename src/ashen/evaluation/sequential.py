"""When a match need not go on: a win rate that is looked at after every fight, and an answer that stays right.

The Wilson interval is right for a number of fights fixed beforehand. Who stops at a moment that he likes would find it
wrong far more often than in 5 % of matches; the intervals here are not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from ashen.evaluation.statistics import CONFIDENCE

WITHIN: Final = 0.1
"""A win rate is known well enough within so much on either side, unless told otherwise."""


def anytime_interval(wins: int, fights: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """An interval of a win rate that stays right however often one looks and whenever one stops.

    It holds the rates p that the uniform mixture of all rates does not beat by 1 / (1 - confidence):
    ``B(wins + 1, losses + 1) / (p^wins (1 - p)^losses) < 1 / (1 - confidence)``. The ratio is a martingale if p is the
    true rate, so it ever comes so high in fewer than 1 - confidence of all matches (Ville's inequality).

    Args:
        wins: fights won so far.
        fights: fights fought so far.
        confidence: how often the interval holds the true rate at every look.

    Returns:
        low, high in 0..1.

    Source:
        Robbins 1970, "Statistical methods related to the law of the iterated logarithm" (method of mixtures).
    """
    losses = fights - wins
    bound = math.lgamma(wins + 1) + math.lgamma(losses + 1) - math.lgamma(fights + 2) + math.log(1 - confidence)

    def is_inside(rate: float) -> bool:
        win_part = wins * math.log(rate) if wins else 0.0
        loss_part = losses * math.log1p(-rate) if losses else 0.0
        return win_part + loss_part > bound

    best = wins / fights if fights else 0.5
    low = 0.0 if wins == 0 else _edge(is_inside, 0.0, best)
    high = 1.0 if losses == 0 else _edge(is_inside, 1.0, best)
    return low, high


class Rival(NamedTuple):
    """Another's match to compare with, fought in the same way."""

    name: str
    wins: int
    fights: int
    """Without those that a fault ended."""


@dataclass(frozen=True)
class SureWhen:
    """Ends a match as soon as its answer is sure."""

    within: float = WITHIN
    """The 95 % interval reaches so far on either side of its middle, 0..0.5."""
    rival: Rival | None = None
    """It is also sure who of the two wins more, if the intervals of both, 97.5 % each, lie apart: at most 5 % of such
    answers are wrong (union bound)."""

    def answer(self, wins: int, fights: int) -> str | None:
        """What is sure after so many fights; None: nothing is.

        Args:
            wins: fights won so far.
            fights: fights fought so far, without those that a fault ended.
        """
        if self.rival is not None:
            each = 1.0 - (1.0 - CONFIDENCE) / 2
            low, high = anytime_interval(wins, fights, each)
            rival_low, rival_high = anytime_interval(self.rival.wins, self.rival.fights, each)
            if low > rival_high or high < rival_low:
                return f"{'better' if low > rival_high else 'worse'} than {self.rival.name}"
        low, high = anytime_interval(wins, fights)
        return f"known within {100 * self.within:g} points" if high - low <= 2 * self.within else None


def asked_for(points: float | None, on_game: bool) -> SureWhen | None:
    """When a match may end before all its fights are fought; None: never.

    Args:
        points: how well the win rate is to be known, in percentage points on either side; 0: all fights are wanted;
            None: :data:`WITHIN` on the game, where a fight takes long, and all fights in the simulator.
        on_game: where it is fought.
    """
    within = WITHIN * on_game if points is None else points / 100.0
    return SureWhen(within) if within > 0.0 else None


def _edge(is_inside: Callable[[float], bool], outside: float, inside: float) -> float:
    for _ in range(50):
        middle = (outside + inside) / 2
        if is_inside(middle):
            inside = middle
        else:
            outside = middle
    return outside

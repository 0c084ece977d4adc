"""How sure a figure is: intervals of a win rate and of a mean."""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from ashen.core.seeding import generator

CONFIDENCE = 0.95


def wilson_interval(wins: int, fights: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The Wilson score interval of a win rate, right for a number of fights fixed beforehand.

    Args:
        wins: fights won.
        fights: fights fought; with none, nothing is known: (0, 1).
        confidence: how often the interval holds the true rate.

    Returns:
        low, high in 0..1.

    Source:
        Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if fights == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    rate, spread = wins / fights, z * z / fights
    center = (rate + spread / 2) / (1 + spread)
    half = math.sqrt(rate * (1 - rate) * spread + spread * spread / 4) / (1 + spread)
    return max(0.0, center - half), min(1.0, center + half)


def anytime_interval(wins: int, fights: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """An interval of a win rate that stays right however often one looks and whenever one stops.

    It holds the rates p that the uniform mixture of all rates does not beat by 1 / (1 - confidence):
    ``B(wins + 1, losses + 1) / (p^wins (1 - p)^losses) < 1 / (1 - confidence)``.

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


def is_sure(wins: int, fights: int, width: float = 0.1) -> bool:
    """Whether the anytime interval of the win rate is at most ``width`` wide, so that a match may stop early."""
    low, high = anytime_interval(wins, fights)
    return high - low <= width


def chance_of_gain(before: ArrayLike, after: ArrayLike) -> float:
    """How often two equally good players differ at least so much for the second on the same fights.

    Only the fights that one of the two won decide; were both equally good, each would be a toss of a coin.

    Args:
        before: whether the first won, bool [n].
        after: whether the second won the same fight, bool [n].

    Returns:
        The p-value in 0..1 of the exact one-sided test; 1 if the second won no fight that the first lost.

    Source:
        McNemar 1947, "Note on the sampling error of the difference between correlated proportions".
    """
    first, second = np.asarray(before, np.bool_), np.asarray(after, np.bool_)
    gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
    return sum(math.comb(gained + lost, wins) for wins in range(gained, gained + lost + 1)) / 2 ** (gained + lost)


def bootstrap_interval(values: ArrayLike, seed: int = 0, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean.

    Args:
        values: one number a fight, [n].
        seed: same seed, same interval.
        confidence: how often the interval holds the true mean, nearly, for n above about 20.

    Returns:
        low, high; both NaN for no values.

    Source:
        Efron 1979, "Bootstrap methods: another look at the jackknife"; 2,000 resamples.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        return math.nan, math.nan
    picks = generator(seed, "bootstrap").integers(0, sample.size, (2000, sample.size))
    tail = (1 - confidence) / 2
    low, high = np.quantile(sample[picks].mean(axis=1), [tail, 1 - tail])
    return float(low), float(high)


def _edge(is_inside, outside: float, inside: float) -> float:
    for _ in range(50):
        middle = (outside + inside) / 2
        if is_inside(middle):
            inside = middle
        else:
            outside = middle
    return outside

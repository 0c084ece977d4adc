"""How sure a figure is: intervals of a win rate, of a mean, and of what several seeds of a training came to."""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ashen.core.seeding import generator

CONFIDENCE = 0.95
_RESAMPLES = 2000


def wilson_interval(wins: int, fights: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The Wilson score interval of a win rate, right for a number of fights fixed beforehand.

    Args:
        wins: fights won.
        fights: fights fought; with none, nothing is known: (0, 1).
        confidence: how often the interval holds the true rate.

    Returns:
        low, high in 0..1, with the rate between them also after rounding.

    Source:
        Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if fights == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    rate, spread = wins / fights, z * z / fights
    center = (rate + spread / 2) / (1 + spread)
    half = math.sqrt(rate * (1 - rate) * spread + spread * spread / 4) / (1 + spread)
    return max(0.0, min(rate, center - half)), min(1.0, max(rate, center + half))


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
    return _middle(_resampled(sample, seed, "bootstrap").mean(axis=1), confidence)


def interquartile_mean(scores: ArrayLike, axis: int = -1) -> NDArray[np.float64]:
    """Mean of the middle half: a quarter of the scores, rounded down, is left out at either end.

    With fewer than four scores it is the mean.

    Args:
        scores: one number a seed along ``axis``, at least one.
        axis: is averaged over.

    Source:
        Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice" (arXiv:2108.13264).
    """
    ordered = np.sort(np.asarray(scores, np.float64), axis)
    cut = ordered.shape[axis] // 4
    return np.take(ordered, range(cut, ordered.shape[axis] - cut), axis).mean(axis)


def iqm_interval(
    scores: ArrayLike, seed: int = 0, confidence: float = CONFIDENCE
) -> tuple[float, float] | tuple[None, None]:
    """The percentile bootstrap interval of an interquartile mean over seeds.

    Args:
        scores: one number a seed, [n].
        seed: same seed, same interval.
        confidence: how often the interval holds the true value; for n below about 10 less often, for it is too narrow.

    Returns:
        low, high; None for fewer than two scores, which tell nothing of how far seeds differ.

    Source:
        Agarwal et al. 2021 (arXiv:2108.13264): seeds are resampled within their group, here one group and one task.
    """
    sample = np.asarray(scores, np.float64)
    if sample.size < 2:
        return None, None
    return _middle(interquartile_mean(_resampled(sample, seed, "iqm")), confidence)


def probability_of_improvement(scores: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
    """How likely a seed of one group scores above a seed of another; a tie counts half.

    Args:
        scores: of the one group, [..., n].
        others: of the other, [..., m].

    Returns:
        [...], each in 0..1.

    Source:
        Mann and Whitney 1947; Agarwal et al. 2021 (arXiv:2108.13264), equation 2.
    """
    x, y = np.asarray(scores, np.float64), np.asarray(others, np.float64)
    return (np.sign(x[..., :, None] - y[..., None, :]).mean(axis=(-2, -1)) + 1.0) / 2.0


def improvement_interval(
    scores: ArrayLike, others: ArrayLike, seed: int = 0, confidence: float = CONFIDENCE
) -> tuple[float, float] | tuple[None, None]:
    """The percentile bootstrap interval of :func:`probability_of_improvement`, each group resampled for itself.

    Args:
        scores: one number a seed, [n].
        others: the same of the other group, [m].
        seed: same seed, same interval.
        confidence: as in :func:`iqm_interval`.

    Returns:
        low, high; None where a group has fewer than two scores.
    """
    x, y = np.asarray(scores, np.float64), np.asarray(others, np.float64)
    if min(x.size, y.size) < 2:
        return None, None
    drawn = probability_of_improvement(_resampled(x, seed, "scores"), _resampled(y, seed, "others"))
    return _middle(drawn, confidence)


def _resampled(sample: NDArray[np.float64], seed: int, stream: str) -> NDArray[np.float64]:
    """Samples drawn anew from a sample with replacement, [resamples, n]."""
    return sample[generator(seed, stream).integers(0, sample.size, (_RESAMPLES, sample.size))]


def _middle(drawn: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)

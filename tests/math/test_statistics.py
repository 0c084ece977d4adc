import numpy as np
import pytest

from ashen.evaluation.statistics import (
    bootstrap_interval,
    chance_of_gain,
    improvement_interval,
    interquartile_mean,
    iqm_interval,
    probability_of_improvement,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("wins", "fights", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),  # center (.8 + .19207) / 1.38415, half .31359 / 1.38415
        (3, 10, 0.1078, 0.6032),
        (0, 200, 0.0, 0.018845),  # high is z^2 / (n + z^2) = 3.84146 / 203.84146
        (200, 200, 1 - 0.018845, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_interval_by_hand(wins, fights, low, high):
    """Breaks if the Wilson interval is not the one worked by hand."""
    assert wilson_interval(wins, fights) == pytest.approx((low, high), abs=1e-4)


def test_wilson_interval_holds_the_rate():
    """Breaks if rounding puts all wins, 40 of 40 say, above their own interval, which no plot can draw."""
    for fights in range(1, 400):
        for wins in (0, 1, fights - 1, fights):
            low, high = wilson_interval(wins, fights)
            assert 0.0 <= low <= wins / fights <= high <= 1.0


def test_bootstrap_interval_is_near_the_normal_one():
    """Breaks if the bootstrap of a mean is off: for many numbers it is mean +- 1.96 standard errors."""
    values = np.random.default_rng(1).normal(5.0, 2.0, 400)
    error = values.std() / 20
    low, high = bootstrap_interval(values)
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.03)
    assert bootstrap_interval(values) == (low, high)
    assert np.isnan(bootstrap_interval([])).all()


@pytest.mark.parametrize(
    ("scores", "mean"),
    [
        ([7.0], 7.0),
        ([0.0, 1.0, 5.0], 2.0),  # a quarter of three is less than one: nothing is left out
        ([9.0, 2.0, 0.0, 4.0], 3.0),  # without 0 and 9
        ([1.0, 100.0, 2.0, 4.0, -50.0], 7 / 3),  # without -50 and 100
        ([8.0, 1.0, 7.0, 2.0, 6.0, 3.0, 0.0, 99.0], 4.5),  # without 0, 1, 8, 99
    ],
)
def test_interquartile_mean_by_hand(scores, mean):
    """Breaks if the interquartile mean leaves out too many scores, too few, or the wrong ones."""
    assert interquartile_mean(scores) == pytest.approx(mean)
    assert interquartile_mean(np.array([scores, scores]).T, axis=0) == pytest.approx([mean, mean])


def test_probability_of_improvement_by_hand():
    """Breaks if a tie does not count half, or if the two groups are taken the wrong way round."""
    # Of six pairs 1 is above 0 once and ties once with 1; 3 is above 0, 1 and ties with 3: 1 + 1/2 + 2 + 1/2.
    assert probability_of_improvement([1.0, 3.0], [0.0, 1.0, 3.0]) == pytest.approx(4 / 6)
    assert probability_of_improvement([0.0, 1.0, 3.0], [1.0, 3.0]) == pytest.approx(2 / 6)
    many = probability_of_improvement(np.array([[1.0, 2.0], [5.0, 6.0]]), np.array([[3.0], [4.0]]))
    assert many == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize(("seeds", "least", "most"), [(3, 0.65, 0.78), (5, 0.83, 0.92), (10, 0.89, 0.97)])
def test_coverage_of_the_interval_over_seeds(seeds, least, most):
    """Breaks if the bootstrap of an interquartile mean is off: what 95 % of few seeds are worth stands in the docs."""
    rng = np.random.default_rng(seeds)
    intervals = [iqm_interval(rng.normal(size=seeds), seed=number) for number in range(400)]
    assert least <= np.mean([low <= 0.0 <= high for low, high in intervals]) <= most


def test_interval_of_an_improvement():
    """Breaks if both groups are resampled alike, or the interval misses groups that do not differ too often."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=10)
    low, high = improvement_interval(scores, scores)  # resampled alike, they would be equal every time
    assert low < 0.4 < 0.6 < high
    intervals = [improvement_interval(rng.normal(size=10), rng.normal(size=10), number) for number in range(200)]
    assert 0.88 <= np.mean([low <= 0.5 <= high for low, high in intervals]) <= 0.98


def test_one_seed_has_no_interval():
    """Breaks if one seed gets an interval, which would have no width and look like certainty."""
    assert iqm_interval([0.5]) == improvement_interval([0.5], [0.1, 0.2]) == (None, None)
    low, high = iqm_interval([0.4, 0.6])
    assert (low, high) == (0.4, 0.6) == iqm_interval([0.4, 0.6])


def test_chance_of_gain_by_hand():
    """Breaks if fights that both won or both lost count, or if the tail of the coin tosses is not the upper one."""
    before = [True, True, False, False, False, True, False]
    after = [True, False, True, True, True, True, False]  # 3 gained, 1 lost: (4 + 1) / 16
    assert chance_of_gain(before, after) == pytest.approx(5 / 16)
    assert chance_of_gain(after, before) == pytest.approx(15 / 16)  # 1 gained, 3 lost: all but no head at all
    assert chance_of_gain(before, before) == chance_of_gain([], []) == 1.0

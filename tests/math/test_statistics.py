import math

import numpy as np
import pytest

from ashen.evaluation.statistics import (
    anytime_interval,
    bootstrap_interval,
    chance_of_gain,
    is_sure,
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


def test_anytime_interval_at_its_edges_by_hand():
    """Breaks if the mixture bound is wrong: without a win, (1 - p)^n (n + 1) = 1 / 0.05 gives the upper end."""
    fights = 100
    assert anytime_interval(0, fights) == pytest.approx((0.0, 1 - (20 * (fights + 1)) ** (-1 / fights)))
    low, high = anytime_interval(30, 60)
    assert low + high == pytest.approx(1.0)
    for edge in (low, high):
        mixture = math.lgamma(31) * 2 - math.lgamma(62) - 30 * math.log(edge * (1 - edge))
        assert mixture == pytest.approx(math.log(20))


def test_anytime_interval_holds_at_every_look():
    """Breaks if looking after every fight makes the interval miss the true rate more often than 5 %."""
    rng = np.random.default_rng(0)
    fights, rate = 150, 0.3
    missed = 0
    for _ in range(100):
        wins = np.cumsum(rng.random(fights) < rate)
        looks = (anytime_interval(int(won), count) for count, won in enumerate(wins, 1) if count % 5 == 0)
        missed += any(not low <= rate <= high for low, high in looks)
    assert missed <= 5


def test_sure_means_ten_points():
    """Breaks if a match stops before the anytime interval is narrow enough, or never stops."""
    assert not is_sure(0, 60)
    assert is_sure(0, 80)
    assert not is_sure(100, 200)


def test_bootstrap_interval_is_near_the_normal_one():
    """Breaks if the bootstrap of a mean is off: for many numbers it is mean +- 1.96 standard errors."""
    values = np.random.default_rng(1).normal(5.0, 2.0, 400)
    error = values.std() / 20
    low, high = bootstrap_interval(values)
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.03)
    assert bootstrap_interval(values) == (low, high)
    assert np.isnan(bootstrap_interval([])).all()


def test_chance_of_gain_by_hand():
    """Breaks if fights that both won or both lost count, or if the tail of the coin tosses is not the upper one."""
    before = [True, True, False, False, False, True, False]
    after = [True, False, True, True, True, True, False]  # 3 gained, 1 lost: (4 + 1) / 16
    assert chance_of_gain(before, after) == pytest.approx(5 / 16)
    assert chance_of_gain(after, before) == pytest.approx(15 / 16)  # 1 gained, 3 lost: all but no head at all
    assert chance_of_gain(before, before) == chance_of_gain([], []) == 1.0

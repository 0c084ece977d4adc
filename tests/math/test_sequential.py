import math

import numpy as np
import pytest

from ashen.evaluation.sequential import Rival, SureWhen, anytime_interval, asked_for
from ashen.evaluation.statistics import wilson_interval


def test_anytime_interval_at_its_edges_by_hand():
    """Breaks if the mixture bound is wrong: without a win, (1 - p)^n (n + 1) = 1 / 0.05 gives the upper end."""
    fights = 100
    assert anytime_interval(0, fights) == pytest.approx((0.0, 1 - (20 * (fights + 1)) ** (-1 / fights)))
    assert anytime_interval(1, 1) == pytest.approx((1 / 40, 1.0))  # B(2, 1) = 1 / 2, so p = 1 / (2 * 20)
    low, high = anytime_interval(30, 60)
    assert low + high == pytest.approx(1.0)
    for edge in (low, high):
        mixture = math.lgamma(31) * 2 - math.lgamma(62) - 30 * math.log(edge * (1 - edge))
        assert mixture == pytest.approx(math.log(20))
    assert anytime_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_anytime_interval_holds_at_every_look_where_wilsons_does_not(rate):
    """Breaks if looking again and again makes the interval miss the true rate more often than 5 %, as Wilson's does."""
    rng = np.random.default_rng(0)
    matches, looks = 200, range(5, 151, 5)

    def misses(interval) -> float:
        ends = [[interval(int(won[fights - 1]), fights) for fights in looks] for won in wins]
        return float(np.mean([any(not low <= rate <= high for low, high in match) for match in ends]))

    wins = np.cumsum(rng.random((matches, looks[-1])) < rate, axis=1)
    assert misses(anytime_interval) <= 0.05
    assert misses(wilson_interval) > 0.1


def test_equals_are_told_apart_in_at_most_5_percent_of_matches():
    """Breaks if an agent as good as its rival is called better or worse too often by looking after every fight."""
    rng = np.random.default_rng(1)
    matches, fights, rate, told, naive = 200, 60, 0.4, 0, 0
    for _ in range(matches):
        rival = Rival("it", int(rng.binomial(fights, rate)), fights)
        wins = np.cumsum(rng.random(fights) < rate)
        sure_when = SureWhen(within=0.0, rival=rival)
        told += any(sure_when.answer(int(won), count) for count, won in enumerate(wins, 1))
        ends = (wilson_interval(int(won), count) for count, won in enumerate(wins, 1))
        naive += any(not low <= rival.wins / fights <= high for low, high in ends)
    assert told <= 0.05 * matches < naive


def test_an_answer_is_sure_by_hand():
    """Breaks if a match ends before its interval is narrow enough or apart from its rival's, or never ends."""
    # Without a win the interval is as wide as its upper end, 1 - (20 (n + 1))^(-1/n): .2033 for 28, .1979 for 29.
    assert SureWhen().answer(0, 28) is None
    assert SureWhen().answer(0, 29) == SureWhen().answer(29, 29) == "known within 10 points"
    assert SureWhen(0.05).answer(0, 60) is None
    assert SureWhen(0.05).answer(0, 80) == "known within 5 points"
    assert SureWhen(0.05).answer(100, 200) is None
    # At 97.5 %, 0 of 20 reach up to 1 - (40 * 21)^(-1/20) = .2859; n of n down to (40 (n + 1))^(-1/n): .2659, .3343.
    beginner = SureWhen(rival=Rival("the agent of step 5", 0, 20))
    assert beginner.answer(4, 4) is None
    assert beginner.answer(5, 5) == "better than the agent of step 5"
    assert SureWhen(rival=Rival("it", 20, 20)).answer(0, 5) == "worse than it"


def test_on_the_game_a_match_may_stop_unless_told_otherwise():
    """Breaks if the simulator's matches stop early unasked, or those on the game take all fights unasked."""
    assert asked_for(None, on_game=True) == SureWhen()
    assert asked_for(None, on_game=False) is asked_for(0.0, on_game=True) is None
    assert asked_for(5.0, on_game=False) == SureWhen(0.05)

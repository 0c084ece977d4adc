"""Figures of the comparison with the real game, against numbers worked out by hand."""

import numpy as np
import pytest

from ashen.core.fight import FIGHT_STATE
from ashen.core.tables import Fact
from ashen.evaluation.alignment import drift_of
from ashen.evaluation.fidelity.guesses import range_text
from ashen.evaluation.fidelity.rows import Row, inside_row, median_error, near_row, ratio_and_error
from ashen.evaluation.recording import Recording
from ashen.evaluation.reference_lines import constant_velocity, nobody_moves


@pytest.fixture
def straight_fight():
    """Six steps: the boss goes 0.3 m and turns 0.2 rad a step, through pi; the player stands, then runs from step 3."""
    states = np.zeros(6, FIGHT_STATE)
    steps = np.arange(6)
    states["boss_x_m"] = 0.3 * steps
    states["boss_yaw_rad"] = (2.8 + 0.2 * steps + np.pi) % (2 * np.pi) - np.pi
    states["player_y_m"] = [0, 0, 0, 0, 0.4, 0.8]
    states["player_animation"] = [0, 0, 0, 0, 1, 1]
    states["player_sp"] = [90, 90, 80, 80, 80, 80]
    return Recording(states, np.zeros(6, np.int64), np.ones((6, 20), np.bool_))


def test_where_nobody_moves_the_drift_is_the_way(straight_fight):
    """Breaks if a start is compared with another step than its horizon's, or pi is not turned through."""
    drift = drift_of(nobody_moves(straight_fight, 2), straight_fight, 2)
    np.testing.assert_allclose(drift.boss_m, [0.6, 0.6, 0.6], rtol=1e-5)
    np.testing.assert_allclose(drift.boss_yaw_rad, [0.4, 0.4, 0.4], atol=1e-5)
    np.testing.assert_allclose(drift.player_m, [0.0, 0.4, 0.8], rtol=1e-5)
    np.testing.assert_array_equal(drift.same_player_animation, [True, False, False])
    np.testing.assert_array_equal(drift.stamina, [10, 0, 0])
    np.testing.assert_array_equal(np.isnan(drift.player_clock_s), [False, True, True])


def test_constant_velocity_follows_a_straight_way_and_misses_a_start(straight_fight):
    """Breaks if the line takes its velocity from a step ahead, or turns the long way round."""
    drift = drift_of(constant_velocity(straight_fight, 2), straight_fight, 2)
    np.testing.assert_allclose(drift.boss_m, 0.0, atol=1e-5)
    np.testing.assert_allclose(drift.boss_yaw_rad, 0.0, atol=1e-5)
    np.testing.assert_allclose(drift.player_m, [0.0, 0.4, 0.8], rtol=1e-5)


def test_the_error_of_a_ratio_has_both_errors():
    """Breaks if a sample's error is left out. By hand: means 3 and 2, errors 1 and 1, so sqrt(.5^2 + .75^2)."""
    ratio, error = ratio_and_error(np.array([2.0, 4.0]), np.array([1.0, 3.0]))
    assert ratio == pytest.approx(1.5)
    assert error == pytest.approx(np.sqrt(0.25 + 0.5625))


def test_the_error_of_a_median_is_that_of_a_normal_sample():
    """Breaks if the order statistics are taken elsewhere: the median of n normal numbers errs by 1.2533 / sqrt(n)."""
    values = np.random.default_rng(0).normal(size=40_000)
    assert median_error(values) == pytest.approx(1.2533 / 200, rel=0.15)


def test_a_pass_is_thin_within_two_standard_errors_of_its_nearer_limit():
    """Breaks if the farther limit counts, or a miss, a figure without an error or one that is only shown is thin."""
    assert inside_row("low", (0.0, 1.0), 0.19, 0.1).is_thin
    assert inside_row("high", (0.0, 1.0), 0.81, 0.1).is_thin
    assert not inside_row("amid", (0.0, 1.0), 0.5, 0.1).is_thin
    assert not inside_row("miss", (0.0, 1.0), 1.01, 0.1).is_thin
    assert not inside_row("exact", (0.0, 1.0), 1.0, 0.0).is_thin
    assert not Row("shown", 0.0, 0.5, 0.1, "shown", None).is_thin
    # mean 1.5 and error .5 against the limits -4.5 and 1.5 of a real figure of -1.5 within 200 %
    assert near_row("mean", -1.5, np.array([1.0, 2.0]), 2.0).is_thin


def test_a_guess_at_an_end_of_its_range_says_so():
    """Breaks if only one end counts, or a list or a guess without a range does."""
    texts = {value: range_text(Fact(value, "none", "G", (0.0, 2.0))) for value in (0.0, 1.0, 2.0)}
    assert texts == {0.0: "0 to 2, **at its end**", 1.0: "0 to 2", 2.0: "0 to 2, **at its end**"}
    assert range_text(Fact([0.0, 2.0], "none", "G", (0.0, 2.0))) == "0 to 2"
    assert range_text(Fact(2.0, "none", "G")) == ""

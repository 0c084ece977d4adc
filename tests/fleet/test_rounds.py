"""Rounds of PPO: hand-worked times and steps."""

import pytest
from small_fleet import batch_of

from ashen.training.fleet.round import Round

pytestmark = pytest.mark.fleet


def test_a_round_is_over_with_the_steps_of_a_rollout():
    """Breaks if a round ends early, or if shares of players that are rounded down never make it whole."""
    one = Round(rollout_steps=100, began_s=50.0)
    one.add(1, [batch_of(0, steps=94)], 51.0)
    assert not one.is_over
    one.add(1, [batch_of(1, steps=1)], 52.0)
    assert one.is_over and len(one.batches) == 2


def test_stragglers_have_as_long_again_as_the_first_took():
    """Breaks if who is quick plays by an old policy at once, or if a round whose first player died waits for ever."""
    one = Round(rollout_steps=100, began_s=50.0)
    assert not one.is_late(1e9)  # nobody has played yet
    one.add(1, [batch_of(0, steps=50)], 53.0)
    one.add(1, [], 60.0)
    assert not one.is_late(56.9) and one.is_late(57.1)  # 3 s, and a second more


def test_a_batch_that_is_left_out_does_not_end_the_play():
    """Breaks if a round waits for ever for a player whose batch must not be learned from."""
    one = Round(rollout_steps=100, began_s=0.0)
    one.add(0, [], 5.0)  # somebody's, by an older policy
    assert not one.is_late(1e9)
    one.add(1, [], 10.0)
    assert one.is_late(21.1) and not one.batches

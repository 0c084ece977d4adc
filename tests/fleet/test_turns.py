"""The benchmark's trainings that take turns."""

import pytest
from taking_turns import Taker

SMALL = ("--num-envs", "8", "--fight", "phase1", "--ppo.rollout-steps", "16", "--ppo.minibatch-size", "32")
ENDLESS = ("--total-steps", "1000000000", "--evaluate-every", "1000000000", "--log-every", "128")


@pytest.mark.slow
def test_a_training_stands_still_but_in_its_turns(tmp_path):
    """Breaks if both go at once, if one does not go on after it stood still, or if it outlives the measurement."""
    takers = [Taker(tmp_path, name, ("full", *SMALL, *ENDLESS)) for name in ("a", "b")]
    try:
        for _ in range(2):
            before = [len(taker._rows()) for taker in takers]
            takers[0].go(1.0)
            after = [len(taker._rows()) for taker in takers]
            assert after[0] > before[0] and after[1] == before[1]
            takers[1].go(1.0)
            assert len(takers[0]._rows()) == after[0]
    finally:
        for taker in takers:
            taker.end()
    for taker in takers:
        assert len(taker.speeds()) == 2 and min(taker.speeds()) > 0.0
        assert taker._training.poll() is not None

import numpy as np
import pytest

from ashen.agents.exploration import epsilon_greedy, random_valid, scheduled
from ashen.core.errors import UserError


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("constant", [0.8, 0.8, 0.8, 0.8]),
        ("linear", [0.8, 0.5, 0.2, 0.2]),
        ("exponential", [0.8, 0.4, 0.2, 0.2]),
    ],
)
def test_schedules_at_given_steps(kind, values):
    """Fails if a schedule is off at its start, half way, end, or after it."""
    assert [scheduled(kind, 0.8, 0.2, 100, step) for step in (0, 50, 100, 1000)] == pytest.approx(values)


def test_a_schedule_without_length_is_over_and_an_unknown_one_is_refused():
    """Fails if zero steps divide by zero, or a misspelt schedule passes."""
    assert scheduled("linear", 1.0, 0.1, 0, 0) == pytest.approx(0.1)
    with pytest.raises(UserError, match="linear"):
        scheduled("liner", 1.0, 0.1, 10, 0)


def test_random_actions_are_valid_and_even():
    """Fails if an invalid action is drawn, or valid ones are not equally likely; none valid means any."""
    mask = np.tile([[True, False, True, True], [False, False, False, True], [False] * 4], (3000, 1))
    actions = random_valid(np.random.default_rng(0), mask).reshape(3000, 3)
    shares = [np.bincount(actions[:, i], minlength=4) / 3000 for i in range(3)]
    np.testing.assert_allclose(shares[0], [1 / 3, 0, 1 / 3, 1 / 3], atol=0.04)
    assert shares[0][1] == 0.0
    assert shares[1].tolist() == [0, 0, 0, 1]
    np.testing.assert_allclose(shares[2], [0.25] * 4, atol=0.04)


def test_epsilon_is_the_share_of_random_actions():
    """Fails if epsilon counts once per batch instead of once per environment, or greedy actions change at 0."""
    mask = np.ones((4000, 4), np.bool_)
    greedy = np.zeros(4000, np.int64)
    rng = np.random.default_rng(0)
    assert (epsilon_greedy(rng, greedy, mask, 0.0) == 0).all()
    changed = (epsilon_greedy(rng, greedy, mask, 0.4) != 0).mean()
    assert changed == pytest.approx(0.4 * 3 / 4, abs=0.03)

import numpy as np
import pytest

from ashen.core.errors import UserError
from ashen.core.protocols import Transitions
from ashen.replay import NStep, ReplayBuffer, transition_dtype
from ashen.replay.sum_tree import SumTree

GAMMA = 0.5


def rows_of(values, obs_dim=2, num_actions=3):
    """Transitions that differ in their return."""
    rows = np.zeros(len(values), transition_dtype(obs_dim, num_actions))
    rows["n_return"] = values
    return rows


def single_step(t, reward, terminated=False, truncated=False, faulted=False):
    """One step of one environment at time ``t``: sees t, does action t % 3, reaches t + 1."""

    def flag(value):
        return np.array([value])

    return Transitions(
        obs=np.full((1, 2), t, np.float32),
        mask=np.ones((1, 3), np.bool_),
        actions=np.array([t % 3]),
        rewards=np.array([reward], np.float32),
        next_obs=np.full((1, 2), t + 1, np.float32),
        next_mask=np.array([[True, t % 2 == 0, False]]),
        terminated=flag(terminated),
        truncated=flag(truncated),
        faulted=flag(faulted),
    )


def run(n, steps):
    """All transitions (begin, action, return, discount, end) that these (reward, flags) make."""
    accumulator = NStep(1, n, GAMMA, 2, 3)
    out = []
    for t, (reward, flags) in enumerate(steps):
        for row in accumulator.push(single_step(t, reward, **flags))[0]:
            mask = [True, (row["next_obs"][0] - 1) % 2 == 0, False]
            assert row["next_mask"].tolist() == mask
            out.append((row["obs"][0], row["action"], row["n_return"], row["discount"], row["next_obs"][0]))
    return out


def test_three_steps_that_end_in_a_win_all_carry_it():
    """Fails if a tail is lost at termination, or bootstraps from beyond the end."""
    steps = [(1.0, {}), (2.0, {}), (4.0, {}), (8.0, {}), (16.0, {"terminated": True})]
    assert run(3, steps) == [
        (0, 0, 1 + 1 + 1, 0.125, 3),
        (1, 1, 2 + 2 + 2, 0.125, 4),
        (2, 2, 4 + 4 + 4, 0.0, 5),
        (3, 0, 8 + 8, 0.0, 5),
        (4, 1, 16, 0.0, 5),
    ]


def test_a_truncated_tail_bootstraps_with_the_steps_it_really_spans():
    """Fails if a time limit counts as an end, or a shorter tail gets gamma^n."""
    steps = [(1.0, {}), (2.0, {"truncated": True}), (4.0, {}), (8.0, {}), (16.0, {})]
    assert run(3, steps) == [(0, 0, 2.0, 0.25, 2), (1, 1, 2.0, 0.5, 2), (2, 2, 12.0, 0.125, 5)]


def test_termination_wins_over_truncation_in_the_same_step():
    """Fails if a fight lost on its last allowed step bootstraps."""
    assert run(1, [(1.0, {"terminated": True, "truncated": True})]) == [(0, 0, 1.0, 0.0, 1)]


def test_a_fault_drops_what_is_pending_and_nothing_else():
    """Fails if a faulted fight's last steps are learned from, or leak into the next fight."""
    steps = [(1.0, {}), (2.0, {}), (9.0, {"faulted": True}), (4.0, {}), (8.0, {})]
    assert run(2, steps) == [(0, 0, 2.0, 0.25, 2), (3, 0, 8.0, 0.25, 5)]


def test_environments_are_accumulated_apart():
    """Fails if one environment's end flushes another's pending steps."""
    rng = np.random.default_rng(3)
    both, apart = NStep(2, 3, GAMMA, 2, 3), [NStep(1, 3, GAMMA, 2, 3) for _ in range(2)]
    for t in range(60):
        flags = [{k: bool(rng.random() < 0.1) for k in ("terminated", "truncated", "faulted")} for _ in range(2)]
        steps = [single_step(t + 100 * i, float(rng.random()), **flags[i]) for i in range(2)]
        joined = Transitions(*(np.concatenate(fields) for fields in zip(*steps, strict=True)))
        expected = [own.push(step)[0].copy() for own, step in zip(apart, steps, strict=True)]
        rows, envs = both.push(joined)
        assert np.array_equal(rows, np.concatenate(expected))
        assert envs.tolist() == [0] * len(expected[0]) + [1] * len(expected[1])


def reference_sample(priorities, uniforms, beta):
    """Stratified proportional sampling in plain NumPy: leaves, and importance weights with maximum 1."""
    cumulative = np.cumsum(priorities)
    points = (np.arange(len(uniforms)) + uniforms) * cumulative[-1] / len(uniforms)
    leaves = np.searchsorted(cumulative, points, side="right")
    probabilities = priorities[leaves] / cumulative[-1]
    weights = (len(priorities) * probabilities) ** -beta
    return leaves, weights / weights.max()


def test_prioritised_sampling_agrees_with_a_numpy_reference():
    """Fails if the tree draws other leaves than a cumulative sum does, or weights belong to other samples."""
    rng = np.random.default_rng(0)
    buffer = ReplayBuffer(100, 2, 3, alpha=0.7)
    buffer.extend(rows_of(np.arange(100.0)))
    errors = rng.exponential(size=100)
    buffer.update_priorities(np.arange(100), errors)
    batch = buffer.sample(64, np.random.default_rng(5), beta=0.4)
    uniforms = np.random.default_rng(5).random(64)
    leaves, weights = reference_sample((errors + 1e-6) ** 0.7, uniforms, 0.4)
    assert batch.indices.tolist() == leaves.tolist()
    assert batch.rows["n_return"].tolist() == leaves.tolist()
    np.testing.assert_allclose(batch.weights, weights, rtol=1e-6)


def test_hand_worked_priorities_and_weights():
    """Fails if P(i) or w(i) is not the paper's: errors 1 and 3, alpha 1, beta 1 give P .25 and .75, w 1 and 1/3."""
    buffer = ReplayBuffer(2, 2, 3, alpha=1.0)
    buffer.extend(rows_of([0.0, 1.0]))
    buffer.update_priorities(np.array([0, 1]), np.array([1.0, 3.0]))
    batch = buffer.sample(8, np.random.default_rng(0), beta=1.0)
    assert batch.indices.tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(batch.weights, [1, 1, *[1 / 3] * 6], rtol=1e-5)


@pytest.mark.parametrize("capacity", [1, 2, 5, 64, 1000])
def test_sums_are_right_after_any_writes(capacity):
    """Fails if a parent is not the sum of its children, or an empty leaf is drawn."""
    rng = np.random.default_rng(capacity)
    tree, plain = SumTree(capacity), np.zeros(capacity)
    for _ in range(20):
        indices = rng.integers(capacity, size=30)
        values = rng.random(30) * (rng.random(30) < 0.7)
        tree.set(indices, values)
        for index, value in zip(indices, values, strict=True):
            plain[index] = value
        assert np.array_equal(tree.get(np.arange(capacity)), plain)
        assert tree.total == pytest.approx(plain.sum())
        if tree.total > 0.0:
            drawn = tree.sample(np.append(rng.random(50), np.nextafter(1.0, 0.0)))
            assert (plain[drawn] > 0.0).all()


def test_new_transitions_come_with_the_highest_priority_seen():
    """Fails if a fresh transition could wait for ever to be seen once."""
    buffer = ReplayBuffer(10, 2, 3, alpha=1.0)
    buffer.extend(rows_of([0.0]))
    buffer.update_priorities(np.array([0]), np.array([7.0]))
    buffer.extend(rows_of([1.0, 2.0]))
    np.testing.assert_allclose(buffer.tree.get(np.arange(4)), [7.0, 7.0, 7.0, 0.0], rtol=1e-5)


def test_the_ring_keeps_the_newest_and_uniform_sampling_reaches_all_of_it():
    """Fails if old rows survive, empty ones are sampled, or weights are not one."""
    buffer = ReplayBuffer(5, 2, 3)
    buffer.extend(rows_of([0.0, 1.0, 2.0]))
    assert set(buffer.sample(200, np.random.default_rng(0)).rows["n_return"]) == {0, 1, 2}
    buffer.extend(rows_of([3.0, 4.0, 5.0, 6.0]))
    batch = buffer.sample(500, np.random.default_rng(0))
    assert set(batch.rows["n_return"]) == {2, 3, 4, 5, 6}
    assert (batch.weights == 1.0).all()


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_a_fight_that_is_removed_is_gone(alpha):
    """Breaks if rows of a removed fight are drawn, counted or kept, others go with them, or the ring loses its place.

    Six rows in a ring of five, of fights 0 0 1 2 1 1: the first is overwritten; without fight 1 two are left.
    """
    buffer = ReplayBuffer(5, 2, 3, alpha)
    buffer.extend(rows_of(np.arange(6.0)[:4]), np.array([0, 0, 1, 2]))
    buffer.extend(rows_of(np.arange(6.0)[4:]), np.array([1, 1]))
    assert len(buffer) == 5
    buffer.remove(np.array([1]))
    assert len(buffer) == 2
    batch = buffer.sample(200, np.random.default_rng(0), beta=1.0)
    assert set(batch.rows["n_return"]) == {1, 3}
    assert set(batch.weights) == {1.0}
    assert sorted(buffer.rows["n_return"]) == [0, 0, 0, 1, 3]
    loaded = ReplayBuffer(5, 2, 3, alpha)
    loaded.load_state_dict(buffer.state_dict())
    for one in (buffer, loaded):
        one.extend(rows_of([6.0, 7.0, 8.0]))  # over 1, the empty place after it, and 3
        assert len(one) == 3
        assert set(one.sample(200, np.random.default_rng(0)).rows["n_return"]) == {6, 7, 8}


@pytest.mark.parametrize("count", [3, 8])
@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_a_restored_buffer_samples_the_same(count, alpha):
    """Fails if rows, ring position, priorities or their maximum are not saved, before and after the ring is full."""
    first = ReplayBuffer(5, 2, 3, alpha)
    for value in range(count):
        first.extend(rows_of([float(value)]))
    first.update_priorities(np.array([0, 2]), np.array([3.0, 0.5]))
    second = ReplayBuffer(5, 2, 3, alpha)
    second.load_state_dict(first.state_dict())
    for buffer in (first, second):
        buffer.extend(rows_of([50.0, 51.0]))
    samples = [buffer.sample(64, np.random.default_rng(1), 0.5) for buffer in (first, second)]
    for one, other in zip(*samples, strict=True):
        assert np.array_equal(one, other)


def test_a_foreign_replay_is_refused():
    """Fails if rows of another shape, or more rows than fit, are taken in as garbage."""
    source = ReplayBuffer(5, 2, 3)
    source.extend(rows_of(np.zeros(5)))
    for capacity, obs_dim, alpha, words in ((5, 4, 0.0, "shape"), (4, 2, 0.0, "replay_capacity"), (5, 2, 0.5, "prior")):
        with pytest.raises(UserError, match=words):
            ReplayBuffer(capacity, obs_dim, 3, alpha).load_state_dict(source.state_dict())

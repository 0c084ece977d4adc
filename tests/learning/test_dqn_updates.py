"""One update of a DQN agent, worked by hand or against a twin."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import worlds
from small import NUM_ENVS, SMALL_DQN, TWO_NETWORKS, agent_of, updated

from ashen.agents.exploration import random_valid
from ashen.core.protocols import Transitions


def with_steps(config):
    """An agent that has seen some random steps and not learned yet."""
    agent, world = agent_of(config), worlds.Walk(NUM_ENVS)
    rng = np.random.default_rng(0)
    for _ in range(60):
        agent.observe(world.step(random_valid(rng, world.mask())))
    return agent


def gradient(agent):
    """What an update has left of it, as one vector."""
    return agent.optimizer.gradient


def weights(network):
    """All parameters as one vector."""
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


@pytest.mark.parametrize("prioritised", [False, True])
def test_remembered_target_values_are_those_of_the_target(prioritised):
    """Breaks if values outlive the network that said them or the transition they belong to."""
    agent = with_steps(replace(SMALL_DQN, replay_capacity=64, target_period_steps=40, prioritised=prioritised))
    rng, world, seen = np.random.default_rng(1), worlds.Walk(NUM_ENVS), 0
    for _ in range(60):
        agent.observe(world.step(random_valid(rng, world.mask())))
        agent.update()
        known = agent.target_values.state_dict()
        places = np.flatnonzero(known["is_known"])
        seen += len(places)
        next_obs = torch.from_numpy(agent.replay.rows["next_obs"][places])
        with torch.no_grad():
            torch.testing.assert_close(torch.from_numpy(known["values"][places]), agent.target(next_obs))
    assert seen > 1_000


@pytest.mark.parametrize("prioritised", [False, True])
def test_nothing_of_a_fight_that_broke_stays_in_replay(prioritised):
    """Breaks if a transition of a fault's fight, stored or pending, is still there, or another fight's is not.

    Two steps a transition. Environment 0 fights on over steps 0..4; environment 1 ends a fight in step 1, begins
    another in step 2, which breaks in step 4, with one transition stored and one pending, and begins a third.
    """
    agent = agent_of(replace(SMALL_DQN, n_step=2, prioritised=prioritised, batch_size=2, learning_starts=0), num_envs=2)
    for t in range(7):
        obs = np.array([[t] * 4, [100 + t] * 4], np.float32)
        ends = np.array([False, t == 1]), np.array([False, t == 4]), np.array([False, t == 4])
        some, mask = np.zeros(2, np.int64), np.ones((2, 5), np.bool_)
        agent.observe(Transitions(obs, mask, some, np.ones(2, np.float32), obs + 1, mask, *ends))
        if t == 3:
            assert sorted(agent.replay.rows["obs"][: len(agent.replay), 0]) == [0, 1, 2, 100, 101, 102]
    kept = [0, 1, 2, 3, 4, 5, 100, 101, 105]
    assert len(agent.replay) == len(kept)
    drawn = agent.replay.sample(2_000, np.random.default_rng(0))
    assert sorted(set(drawn.rows["obs"][:, 0])) == kept
    agent.update()


def test_a_replay_that_a_fault_emptied_is_not_learned_from():
    """Breaks if an update that was due before a fault took out all there was draws from nothing, or waits for ever."""
    agent = agent_of(replace(SMALL_DQN, batch_size=2, learning_starts=0, update_period_steps=6), num_envs=1)
    for t in range(9):
        obs, none = np.full((1, 4), t, np.float32), np.zeros(1, np.bool_)
        mask, faulted = np.ones((1, 5), np.bool_), np.array([t == 8])
        agent.observe(
            Transitions(obs, mask, np.zeros(1, np.int64), np.ones(1, np.float32), obs, mask, none, faulted, faulted)
        )
    assert agent.credit >= 1 and len(agent.replay) == 0
    assert agent.update() == {}


@pytest.mark.parametrize("grad_clip_norm", [0.0, 0.5])
def test_the_gradient_is_cut_number_by_number(grad_clip_norm):
    """Breaks if clipping by value scales the whole gradient, cuts one side only, or comes before the norm's."""
    free, cut = (
        with_steps(replace(SMALL_DQN, reward_scale=10.0, grad_clip_norm=norm, grad_clip_value=value))
        for norm, value in ((0.0, 0.0), (grad_clip_norm, 0.02))
    )
    norms = [float(updated(agent)["grad_norm"]) for agent in (free, cut)]
    whole = gradient(free)
    assert norms == pytest.approx([float(whole.norm())] * 2)
    expected = whole * min(1.0, grad_clip_norm / norms[0]) if grad_clip_norm else whole
    assert (expected.abs() > 0.02).any()
    torch.testing.assert_close(gradient(cut), expected.clamp(-0.02, 0.02))


def test_two_networks_by_hand():
    """Breaks if the network that learns values its own choice, the roles are fixed, or acting takes one network only.

    A says 1, 2 and B says 10, 0 everywhere; every step pays 1 and the next is worth half of what is said of it.
    """
    agent = agent_of(replace(SMALL_DQN, double="two_networks", discount=0.5), num_actions=2)
    a, b = agent.online, agent.target
    for network, said in ((a, [1.0, 2.0]), (b, [10.0, 0.0])):
        torch.nn.init.zeros_(network.head.weight)
        network.head.bias.data = torch.tensor(said)
    fields = {
        "n_return": torch.ones(3),
        "discount": torch.tensor([0.5, 0.5, 0.0]),
        "next_obs": torch.zeros(3, 4),
        "next_mask": torch.tensor([[True, True], [True, False], [True, True]]),
    }
    assert agent._targets(fields, a, b).tolist() == [1.0 + 0.5 * 0.0, 1.0 + 0.5 * 10.0, 1.0]
    assert agent._targets(fields, b, a).tolist() == [1.0 + 0.5 * 1.0, 1.0 + 0.5 * 1.0, 1.0]
    decision = agent.act(np.zeros((1, 4), np.float32), np.ones((1, 2), np.bool_), explore=False)
    assert decision.scores.tolist() == [[5.5, 1.0]]
    learners = [agent._roles()[0] is a for _ in range(400)]
    assert np.mean(learners) == pytest.approx(0.5, abs=0.1)
    assert all(judge is not learner for learner, judge in (agent._roles() for _ in range(10)))


def test_two_networks_take_turns_and_are_never_copied():
    """Breaks if an update moves both networks or none, or the second one is a target that follows the first."""
    agent = with_steps(replace(TWO_NETWORKS, target_period_steps=1, weight_decay=0.1))
    moved = []
    for _ in range(20):
        before = [weights(network) for network in (agent.online, agent.target)]
        updated(agent)
        after = [weights(network) for network in (agent.online, agent.target)]
        moved.append(tuple(not torch.equal(*pair) for pair in zip(before, after, strict=True)))
    assert set(moved) == {(True, False), (False, True)}
    assert not torch.equal(weights(agent.online), weights(agent.target))


def test_distributions_far_outside_their_range_are_told():
    """Breaks if nobody can see that value_range is too narrow for what is paid."""
    shares = {}
    for high in (0.1, 50.0):
        config = replace(SMALL_DQN, distributional=True, value_range=(-high, high))
        shares[high] = float(updated(with_steps(config))["range_end_share"])
    assert shares[0.1] > 0.8
    assert shares[50.0] < 0.1


def test_scaled_rewards_meet_a_scaled_range():
    """Breaks if value_range is not in the environment's reward: scaling must change no distribution."""
    config = replace(SMALL_DQN, distributional=True, value_range=(-2.0, 3.0))
    first, scaled = (updated(with_steps(replace(config, reward_scale=scale))) for scale in (1.0, 0.01))
    assert float(scaled["loss"]) == pytest.approx(float(first["loss"]), rel=1e-4)
    assert float(scaled["q_mean"]) == pytest.approx(0.01 * float(first["q_mean"]), rel=1e-4)


@pytest.mark.parametrize("distributional", [False, True])
def test_what_decides_how_often_a_transition_comes_again(distributional):
    """Breaks if distributions are weighed by the error of their means, which may be right while they are not."""
    agent = with_steps(replace(SMALL_DQN, distributional=distributional, value_range=(-5.0, 5.0)))
    rows = agent.replay.rows[:40]
    fields = {name: torch.from_numpy(rows[name]) for name in rows.dtype.names}
    priorities, metrics = agent.learn(fields, torch.ones(40))
    expected = metrics["loss"] if distributional else metrics["td_error"]
    assert priorities.shape == (40,)
    assert float(priorities.mean()) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("double", ["target", "two_networks"])
def test_a_reset_begins_the_networks_anew_and_keeps_the_rest(double):
    """Breaks if weights outlive a reset, if a target network stays behind, or if replay or statistics are lost."""
    agent = agent_of(replace(SMALL_DQN, double=double, reset_period_updates=4, normalise_obs=True))
    worlds.play(agent, worlds.Walk(NUM_ENVS), 40)
    while agent.updates % 4 != 3:
        updated(agent)
    size, before = len(agent.replay), {name: value.clone() for name, value in agent.online.state_dict().items()}
    updated(agent)
    after = agent.online.state_dict()
    assert len(agent.replay) == size
    assert all(float(state["step"]) == 0.0 for state in agent.optimizer.state_dict()["state"].values())
    for name, value in after.items():
        if "normaliser" in name:
            assert torch.equal(value, before[name]), name
        elif value.ndim == 2:
            assert not torch.isclose(value, before[name]).any(), name
    same = [torch.equal(a, b) for a, b in zip(agent.online.parameters(), agent.target.parameters(), strict=True)]
    assert all(same) == (double == "target")

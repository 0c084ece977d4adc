import inspect
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import worlds
from small import EVERYTHING, NUM_ENVS, RAINBOW, SMALL_DQN, SMALL_PPO, TWO_NETWORKS, agent_of, saved_and_loaded

from ashen.agents import ALGORITHMS, DQNAgent, DQNConfig, PPOConfig, make_agent
from ashen.agents.runtime import tune_process
from ashen.core.errors import UserError

CASES = {
    "dqn": SMALL_DQN,
    "dqn_everything": EVERYTHING,
    "rainbow": RAINBOW,
    "two_networks": TWO_NETWORKS,
    "ppo": SMALL_PPO,
}


def flat(tree, path=""):
    """All leaves of a state tree with their paths."""
    if isinstance(tree, dict):
        return [leaf for key, value in tree.items() for leaf in flat(value, f"{path}/{key}")]
    if isinstance(tree, list | tuple):
        return [leaf for i, value in enumerate(tree) for leaf in flat(value, f"{path}/{i}")]
    return [(path, tree)]


def assert_same_state(one, other):
    """Both states hold the same leaves, bit for bit."""
    for (path, a), (other_path, b) in zip(flat(one), flat(other), strict=True):
        assert path == other_path
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b, path


@pytest.mark.parametrize("case", list(CASES))
def test_stopping_and_going_on_changes_nothing(case):
    """Fails if anything a learner depends on is missing from its state: 100 + save + load + 100 steps against 200."""
    world, agent = worlds.Walk(NUM_ENVS), agent_of(CASES[case])
    worlds.play(agent, world, 100)
    resumed = agent_of(CASES[case], seed=99)
    resumed.load_state_dict(saved_and_loaded(agent.state_dict(with_replay=True)))
    if agent.replay is not None:
        resumed.replay.load_state_dict(agent.replay.state_dict(), agent.replay.rows_from(0))
    other_world = worlds.Walk(NUM_ENVS)
    other_world.__dict__.update({k: v.copy() for k, v in world.__dict__.items() if isinstance(v, np.ndarray)})
    other_world.rng.bit_generator.state = world.rng.bit_generator.state
    metrics = [worlds.play(one, its_world, 100) for one, its_world in ((agent, world), (resumed, other_world))]
    assert metrics[0] == metrics[1]
    assert metrics[0]
    assert_same_state(agent.state_dict(with_replay=True), resumed.state_dict(with_replay=True))
    if agent.replay is not None:
        assert np.array_equal(agent.replay.rows_from(0), resumed.replay.rows_from(0))


@pytest.mark.parametrize("case", list(CASES))
def test_evaluation_leaves_no_trace(case):
    """Fails if acting greedily, on any number of observations, draws random numbers or changes the network."""
    runs = []
    for evaluate in (False, True):
        world, agent = worlds.Walk(NUM_ENVS), agent_of(CASES[case])
        for _ in range(60):
            if evaluate:
                for count in (1, 7):
                    obs, mask = np.ones((count, 4), np.float32), np.ones((count, 5), np.bool_)
                    decisions = [agent.act(obs, mask, explore=False) for _ in range(2)]
                    assert np.array_equal(decisions[0].scores, decisions[1].scores)
            worlds.play(agent, world, 1)
        runs.append(agent.state_dict(with_replay=True))
    assert_same_state(*runs)


@pytest.mark.parametrize("case", list(CASES))
def test_another_number_of_environments_may_load(case):
    """Fails if an agent cannot be evaluated or continued with another N."""
    world, agent = worlds.Walk(NUM_ENVS), agent_of(CASES[case])
    worlds.play(agent, world, 50)
    other = agent_of(CASES[case], num_envs=5)
    other.load_state_dict(saved_and_loaded(agent.state_dict()))
    obs, mask = world.obs(), world.mask()
    np.testing.assert_array_equal(other.act(obs, mask, False).scores, agent.act(obs, mask, False).scores)
    assert worlds.play(other, worlds.Walk(5), 60)


@pytest.mark.parametrize("config", [SMALL_DQN, SMALL_PPO])
def test_a_checkpoint_that_does_not_fit_is_refused_with_its_reason(config):
    """Fails if the user gets a torch traceback, or garbage, for a checkpoint of another shape."""
    state = agent_of(config).state_dict()
    for other, words in (
        (agent_of(config, obs_dim=26), "checkpoint expects 4 observations, this run gives 26"),
        (agent_of(config, num_actions=20), "among 5 actions, this run offers 20"),
        (agent_of(replace(config, width=16)), "another network"),
        (agent_of(SMALL_PPO if config is SMALL_DQN else SMALL_DQN), "agent, this run wants"),
    ):
        with pytest.raises(UserError, match=words):
            other.load_state_dict(state)


def test_two_networks_and_one_are_no_continuation_of_each_other():
    """Breaks if the optimiser of one learning network is loaded for two, with torch's words or silently."""
    for trained, other in ((SMALL_DQN, TWO_NETWORKS), (TWO_NETWORKS, EVERYTHING)):
        state = agent_of(replace(other, double=trained.double)).state_dict()
        with pytest.raises(UserError, match="double"):
            agent_of(other).load_state_dict(state)


def test_a_checkpoint_brings_the_returns_its_distributions_are_over():
    """Breaks if a trained network's probabilities are read over another value_range than it learned."""
    agent = agent_of(RAINBOW)
    other = agent_of(replace(RAINBOW, value_range=(-300.0, 500.0)), seed=2)
    other.load_state_dict(saved_and_loaded(agent.state_dict()))
    obs, mask = np.ones((2, 4), np.float32), np.ones((2, 5), np.bool_)
    np.testing.assert_array_equal(other.act(obs, mask, False).scores, agent.act(obs, mask, False).scores)


def test_bad_settings_are_refused():
    """Fails if a setting that cannot work is taken silently."""
    with pytest.raises(UserError, match="did you mean 'dueling'"):
        DQNConfig(dueling="duelling")
    with pytest.raises(UserError, match="discount"):
        DQNConfig(discount=1.5)
    with pytest.raises(UserError, match="must be above 0"):
        DQNConfig(epsilon_schedule="exponential", epsilon_end=0.0)
    with pytest.raises(UserError, match="'two_networks'"):
        DQNConfig(double="two_network")
    with pytest.raises(UserError, match="begin with the lower return"):
        DQNConfig(value_range=(1.0, -1.0))
    with pytest.raises(UserError, match="need a value_range"):
        agent_of(DQNConfig(distributional=True))
    with pytest.raises(UserError, match="relu"):
        PPOConfig(activation="rely")
    with pytest.raises(UserError, match="replay_capacity"):
        DQNAgent(DQNConfig(replay_capacity=10, n_step=3), 4, 5, 4, 0, 100)
    with pytest.raises(UserError, match="did you mean 'dqn'"):
        make_agent("dqnn", SMALL_DQN, 4, 5, 1, 0, 100)


def test_every_setting_is_documented():
    """Fails if a field of a config has no docstring under it."""
    for config_class, _ in ALGORITHMS.values():
        source = inspect.getsource(config_class)
        for field in fields(config_class):
            after = source.split(f"    {field.name}:", 1)[1].split("\n", 2)[1]
            assert after.strip().startswith('"""'), field.name


def test_tuning_the_process_sets_threads_and_never_fails():
    """Fails if the memory setting breaks on a system without it, or threads are not set."""
    before = torch.get_num_threads()
    tune_process(2)
    assert torch.get_num_threads() == 2
    tune_process(before)
    tune_process()
    assert torch.get_num_threads() == before

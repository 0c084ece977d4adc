from dataclasses import replace

import numpy as np
import pytest
import torch
import worlds
from small import NUM_ENVS, SMALL_DQN, SMALL_PPO, agent_of

from ashen.agents import DQNAgent


def learned(config, steps=60):
    """Weights after a little training in the same world with the same seed."""
    agent = agent_of(config)
    worlds.play(agent, worlds.Walk(NUM_ENVS), steps)
    network = agent.online if isinstance(agent, DQNAgent) else agent.network
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize(
    "switch",
    [
        {"learning_rate": 1e-3},
        {"learning_rate_final_share": 0.1},
        {"discount": 0.5},
        {"batch_size": 8},
        {"layer_norm": True},
        {"normalise_obs": True},
        {"replay_capacity": 40},
        {"learning_starts": 60},
        {"updates_per_step": 0.5},
        {"update_period_steps": 50},
        {"target_tau": 0.1},
        {"target_period_steps": 8},
        {"double": False},
        {"dueling": "dueling"},
        {"dueling": "enhanced"},
        {"prioritised": True},
        {"prioritised": True, "priority_alpha": 0.9},
        {"prioritised": True, "priority_beta": 0.9},
        {"prioritised": True, "priority_beta_final": 0.2},
        {"n_step": 3},
        {"noisy": True},
        {"epsilon_schedule": "constant"},
        {"epsilon_schedule": "exponential"},
        {"epsilon_start": 0.5},
        {"epsilon_end": 0.5},
        {"epsilon_steps": 50},
        {"grad_clip_norm": 0.05},
        {"weight_decay": 0.5},
        {"use_mask": False},
        {"reward_scale": 0.1},
        {"loss": "mse", "reward_scale": 10.0},
    ],
    ids=str,
)
def test_every_dqn_switch_changes_what_is_learned(switch):
    """Fails if a setting is read by nobody, as the diary's enhanced network was."""
    base = {name: value for name, value in switch.items() if name in ("prioritised", "reward_scale")}
    if switch.keys() == base.keys():
        base = {}
    assert not torch.equal(*_padded(learned(replace(SMALL_DQN, **base)), learned(replace(SMALL_DQN, **switch))))


@pytest.mark.parametrize(
    "switch",
    [
        {"rollout_steps": 16},
        {"epochs": 2},
        {"minibatch_size": 96},
        {"learning_rate": 1e-3},
        {"learning_rate_final_share": 1.0},
        {"discount": 0.5},
        {"gae_lambda": 0.5},
        {"clip": 0.001},
        {"value_coef": 1.0},
        {"entropy_coef": 0.2},
        {"entropy_coef_final": 0.2},
        {"max_grad_norm": 0.05},
        {"target_kl": 1e-9},
        {"activation": "tanh"},
        {"normalise_obs": False},
        {"normalise_reward": False},
    ],
    ids=str,
)
def test_every_ppo_switch_changes_what_is_learned(switch):
    """Fails if a setting is read by nobody."""
    assert not torch.equal(*_padded(learned(SMALL_PPO, 70), learned(replace(SMALL_PPO, **switch), 70)))


def _padded(one, other):
    size = max(len(one), len(other))
    return [torch.nn.functional.pad(weights, (0, size - len(weights))) for weights in (one, other)]


def test_dqn_schedules_at_given_steps():
    """Fails if epsilon, learning rate or beta are off at a step; epsilon starts to fall when learning starts."""
    config = replace(SMALL_DQN, learning_starts=100, epsilon_start=0.9, epsilon_end=0.1, epsilon_steps=200)
    agent = agent_of(replace(config, learning_rate=1e-3, learning_rate_final_share=0.5), total_steps=1_000)
    seen = {}
    for steps in (0, 99, 100, 200, 300, 1_000, 2_000):
        agent.steps = steps
        status = agent.status()
        seen[steps] = (status["epsilon"], status["learning_rate"], status["priority_beta"])
    expected = {
        0: (1.0, 1e-3, 0.4),
        99: (1.0, 1e-3 * (1 - 0.5 * 0.099), 0.4 + 0.6 * 0.099),
        100: (0.9, 0.95e-3, 0.46),
        200: (0.5, 0.9e-3, 0.52),
        300: (0.1, 0.85e-3, 0.58),
        1_000: (0.1, 0.5e-3, 1.0),
        2_000: (0.1, 0.5e-3, 1.0),
    }
    for steps, values in expected.items():
        assert seen[steps] == pytest.approx(values), steps


def test_updates_come_when_they_are_due():
    """Fails if N environments make N times too many or too few updates, or the target is copied off its period."""
    config = replace(SMALL_DQN, updates_per_step=0.25, learning_starts=32, batch_size=4, target_period_steps=24)
    agent = agent_of(config, num_envs=4)
    assert agent.target_period_updates == 6
    worlds.play(agent, worlds.Walk(4), 7)
    assert agent.updates == 0
    worlds.play(agent, worlds.Walk(4), 20)
    assert agent.updates == 20
    bursts = agent_of(replace(config, update_period_steps=40), num_envs=4)
    made = [0]
    for _ in range(40):
        worlds.play(bursts, worlds.Walk(4), 1)
        made.append(bursts.updates)
    assert np.diff(made)[np.diff(made) > 0].tolist() == [3, 10, 10, 10]  # of steps 32-40, then every 40


def test_the_target_network_moves_only_at_its_period():
    """Fails if the target follows at every update, or never."""
    agent = agent_of(replace(SMALL_DQN, target_period_steps=40))
    worlds.play(agent, worlds.Walk(NUM_ENVS), 200)
    assert agent.updates % agent.target_period_updates != 0
    assert not torch.equal(agent.target.head.weight, agent.online.head.weight)
    while agent.updates % agent.target_period_updates:
        agent._update_once(1.0)
    assert torch.equal(agent.target.head.weight, agent.online.head.weight)

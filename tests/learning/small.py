"""Small agents and what several tests do with them."""

import io
from dataclasses import replace

import torch

from ashen.agents import ALGORITHMS, DQNConfig, PPOConfig, make_agent

NUM_ENVS = 3
SMALL_DQN = DQNConfig(
    width=8,
    depth=1,
    batch_size=16,
    replay_capacity=400,
    learning_starts=30,
    updates_per_step=0.25,
    target_period_steps=20,
    epsilon_steps=300,
)
SMALL_PPO = PPOConfig(width=8, depth=1, rollout_steps=32, minibatch_size=40)
EVERYTHING = replace(SMALL_DQN, dueling="enhanced", prioritised=True, n_step=3, noisy=True, normalise_obs=True)
RAINBOW = replace(EVERYTHING, dueling="dueling", distributional=True, atoms=11, value_range=(-3.0, 5.0))
TWO_NETWORKS = replace(EVERYTHING, double="two_networks")


def agent_of(config, num_envs=NUM_ENVS, seed=1, total_steps=600, obs_dim=4, num_actions=5):
    """A small agent of the algorithm the config belongs to."""
    algorithm = next(name for name, (kind, _) in ALGORITHMS.items() if isinstance(config, kind))
    return make_agent(algorithm, config, obs_dim, num_actions, num_envs, seed, total_steps)


def updated(agent, beta=1.0):
    """Metrics of one update of a DQN agent."""
    return agent._update_once(next(agent._batches(1, beta)))


def saved_and_loaded(state):
    """Through bytes and back, as a checkpoint goes, with nothing but plain data allowed."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)

"""A small training that tests of the fleet share."""

import numpy as np

from ashen.agents.dqn_config import DQNConfig
from ashen.agents.ppo_config import PPOConfig
from ashen.training.fleet.batch import Batch, Tag, digest_of
from ashen.training.recipe import Recipe

SMALL = Recipe(
    fight="phase1",
    num_envs=4,
    total_steps=400,
    ppo=PPOConfig(rollout_steps=16, minibatch_size=32, width=8),
    dqn=DQNConfig(width=8, depth=1, batch_size=16, learning_starts=32, replay_capacity=1000),
)
TAG = Tag("a session", 0)


def batch_of(number=0, tag=TAG, life="l", player="p", steps=5):
    """A batch of which nothing but its books matters."""
    part = {"obs": np.full(3, number)}
    return Batch(player, life, number, tag, part, {"steps": steps}, digest=digest_of(part))

"""A small training that tests of the fleet share."""

from ashen.agents.dqn_config import DQNConfig
from ashen.agents.ppo_config import PPOConfig
from ashen.training.fleet.batch import Tag
from ashen.training.recipe import Recipe

SMALL = Recipe(
    fight="phase1",
    num_envs=4,
    total_steps=400,
    ppo=PPOConfig(rollout_steps=16, minibatch_size=32, width=8),
    dqn=DQNConfig(width=8, depth=1, batch_size=16, learning_starts=32, replay_capacity=1000),
)
TAG = Tag("a session", 0)

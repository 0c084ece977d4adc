"""A small training that tests of the fleet share."""

from dataclasses import replace

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


class Post:
    """Brings a learner what players send, in place of Ray."""

    restarts = waiting = unreadable = 0
    door = "http://head:8420"

    def __init__(self, *batches):
        self._batches, self.asked, self.closed = list(batches), 0, []

    def publish(self, weights, tag):
        """Nobody acts."""

    def ask(self, open_calls, again):
        self.asked += 1

    def wait(self, timeout_s):
        batches, self._batches = self._batches, []
        return batches

    def take_news(self):
        return []

    def is_deserted(self):
        return True

    def close(self, key, how):
        self.closed.append(how)
        return []


def sent(training, number, fights, faulted=(), player="p"):
    """A batch of one life with a transition of each of these fights."""
    rows = np.zeros(len(fights), training.agent.replay.rows.dtype)
    part = {"rows": rows, "fights": np.array(fights), "faulted": np.array(faulted, np.int64)}
    part |= {"obs": np.zeros((len(fights), 0), np.float32), "ended": np.zeros(len(fights), np.bool_)}
    counts = training._tally.take_counts() | {"steps": len(fights)}
    return replace(batch_of(number, player=player), part=part, counts=counts, digest=digest_of(part))

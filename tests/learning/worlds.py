"""Tiny worlds with known values, N at a time: what fails here names the part that is broken.

After Andy Jones' "Debugging RL, without the agonizing pain": each world needs one thing more than the one before.
"""

import numpy as np

from ashen.core.protocols import Transitions


class World:
    """N copies of a world. Subclasses say what is seen, what a step gives and where it leads.

    ``state`` [N] is the subclass's own; ``time`` [N] counts the steps of the present fight.
    """

    obs_dim = 1
    num_actions = 2

    def __init__(self, num_envs: int, seed: int = 0):
        self.num_envs = num_envs
        self.rng = np.random.default_rng(seed)
        self.state = self.begin(num_envs)
        self.time = np.zeros(num_envs, np.int64)

    def begin(self, count):
        return np.zeros(count, np.int64)

    def obs(self):
        return np.ones((self.num_envs, 1), np.float32)

    def mask(self):
        return np.ones((self.num_envs, self.num_actions), np.bool_)

    def rules(self, actions):
        """Returns reward, terminated, truncated [N] and moves ``state``."""
        raise NotImplementedError

    def step(self, actions):
        obs, mask = self.obs(), self.mask()
        reward, terminated, truncated = self.rules(actions)
        self.time += 1
        next_obs, next_mask = self.obs(), self.mask()
        over = terminated | truncated
        self.state[over] = self.begin(int(over.sum()))
        self.time[over] = 0
        none = np.zeros(self.num_envs, np.bool_)
        rewards = reward.astype(np.float32)
        return Transitions(obs, mask, actions, rewards, next_obs, next_mask, terminated, truncated & ~terminated, none)

    def always(self, value=True):
        return np.full(self.num_envs, value)


class ConstantReward(World):
    """One step, reward 1. Value 1. Fails if the loss or the optimiser is broken."""

    def rules(self, actions):
        return np.ones(self.num_envs), self.always(), self.always(False)


class SeenReward(World):
    """One step, sees -1 or +1 and gets it as its reward. Fails if values do not depend on observations."""

    def begin(self, count):
        return self.rng.choice([-1, 1], count)

    def obs(self):
        return self.state[:, None].astype(np.float32)

    def rules(self, actions):
        return self.state.astype(float), self.always(), self.always(False)


class TwoSteps(World):
    """Two steps, sees 0 then 1, reward 1 only in the end. Values gamma, 1. Fails if discounting is broken."""

    def obs(self):
        return self.state[:, None].astype(np.float32)

    def rules(self, actions):
        last = self.state == 1
        self.state = self.state + 1
        return last.astype(float), last, self.always(False)


class ActionReward(World):
    """One step, reward -1 for action 0, +1 for action 1. Fails if actions get each other's credit."""

    def rules(self, actions):
        return 2.0 * actions - 1.0, self.always(), self.always(False)


class SeenActionReward(SeenReward):
    """One step, sees -1 or +1; reward 1 for action 0 at -1 and action 1 at +1, else -1. Needs it all together."""

    def rules(self, actions):
        return np.where(actions == (self.state > 0), 1.0, -1.0), self.always(), self.always(False)


class MaskedBest(World):
    """Two steps of 3 actions worth 0.5, 1 and 5, but 5 is never valid. Values 1 + gamma, 1.

    Fails if an invalid action is taken, or counted in the target of the first step.
    """

    num_actions = 3

    def obs(self):
        return self.state[:, None].astype(np.float32)

    def mask(self):
        return np.tile([True, True, False], (self.num_envs, 1))

    def rules(self, actions):
        assert (actions != 2).all(), "took an action that is not valid"
        last = self.state == 1
        self.state = self.state + 1
        return np.array([0.5, 1.0, 5.0])[actions], last, self.always(False)


class Truncated(World):
    """Reward 1 for ever, cut off every 5 steps, always the same sight. Value 1 / (1 - gamma).

    Fails if a cut counts as an end.
    """

    def rules(self, actions):
        return np.ones(self.num_envs), self.always(False), self.time == 4


class Walk(World):
    """A longer world with everything at once, for comparing runs rather than solving: 4 numbers, masks, both ends."""

    obs_dim = 4
    num_actions = 5

    def begin(self, count):
        return self.rng.integers(0, 50, count)

    def obs(self):
        return np.stack([np.sin(self.state * k) for k in (1.0, 2.0, 3.0, 4.0)], 1).astype(np.float32)

    def mask(self):
        return (self.state[:, None] + np.arange(5)) % 3 != 0

    def rules(self, actions):
        self.state = (self.state * 3 + actions + 1) % 50
        return np.cos(self.state), self.state == 7, self.time == 20


def play(agent, world, num_steps: int) -> list[dict[str, float]]:
    """The training loop in five lines; returns the metrics of the updates made."""
    metrics = []
    for _ in range(num_steps):
        decision = agent.act(world.obs(), world.mask(), explore=True)
        agent.observe(world.step(decision.actions))
        metrics.append(agent.update())
    return [row for row in metrics if row]

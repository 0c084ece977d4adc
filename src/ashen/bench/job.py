"""The job every library does: one world, one network, one batch, one ratio of updates; and how a contender is timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import nn

import ashen
from ashen.agents import DQNConfig, PPOConfig
from ashen.env import FightVectorEnv

SEED = 0


@dataclass(frozen=True)
class Job:
    """Sizes of the comparison; the settings are ours in name and every library's in effect."""

    dqn_envs: int = 16
    """Fights side by side for DQN."""
    dqn_steps: int = 1_600
    """Steps of one measurement of DQN, over all fights; a quarter as many updates."""
    dqn: DQNConfig = DQNConfig(
        double="none",
        use_mask=False,
        replay_capacity=100_000,
        learning_starts=100_000,
        epsilon_schedule="constant",
        epsilon_start=0.05,
    )
    """DQN as Stable-Baselines3 has it: uniform replay, neither double nor masks."""
    ppo_envs: int = 64
    """Fights side by side for PPO."""
    ppo_rollouts: int = 2
    """Rollouts of one measurement of PPO, each followed by its epochs."""
    ppo: PPOConfig = PPOConfig(
        learning_rate_final_share=1.0, entropy_coef_final=0.01, normalise_obs=False, normalise_reward=False
    )
    """PPO without what the others would need wrappers for; see docs/bench.md."""

    @property
    def dqn_updates(self) -> int:
        """Updates after each step of all fights."""
        return int(self.dqn_envs * self.dqn.updates_per_step)

    @property
    def ppo_steps(self) -> int:
        """Steps of one rollout, over all fights."""
        return self.ppo_envs * self.ppo.rollout_steps


STANDARD = Job()


class Contender(NamedTuple):
    """A library at work on the job."""

    steps: int
    """Steps of one measurement, over all fights."""
    work: Callable[[], object]
    """Does them, and goes on where it stopped."""
    network: nn.Module
    """What it trains."""
    optimizer: Any

    def steps_per_s(self) -> float:
        """Measure once; with one thread in processor time, of which what else the machine does takes little."""
        clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
        begin = clock()
        self.work()
        return self.steps / (clock() - begin)


def make_world(num_envs: int) -> FightVectorEnv:
    """The fight all learn in."""
    return ashen.make_vec("iudex", fight="full", num_envs=num_envs, encoder="onehot74", seed=SEED)

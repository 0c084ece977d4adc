"""Learners: they see observations, masks and rewards as arrays, never a fight and never an environment.

The learners are loaded on first use, because their settings are read before torch is.
"""

from importlib import import_module
from typing import Any, Final

from ashen.agents.dqn_config import DQNConfig
from ashen.agents.ppo_config import PPOConfig
from ashen.core.errors import unknown
from ashen.core.protocols import Agent

ALGORITHMS: Final[dict[str, tuple[type, str]]] = {"dqn": (DQNConfig, "DQNAgent"), "ppo": (PPOConfig, "PPOAgent")}
"""Name -> (config class, name of the agent class)."""
_HOMES: Final = {"DQNAgent": "ashen.agents.dqn", "PPOAgent": "ashen.agents.ppo"}

__all__ = ["ALGORITHMS", "DQNAgent", "DQNConfig", "PPOAgent", "PPOConfig", "make_agent"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ashen.agents' has no attribute '{name}'")


def make_agent(
    algorithm: str, config: Any, obs_dim: int, num_actions: int, num_envs: int, seed: int, total_steps: int
) -> Agent:
    """Make a learner.

    Args:
        algorithm: a name in :data:`ALGORITHMS`.
        config: an instance of that algorithm's config class.
        obs_dim: D, numbers in an observation.
        num_actions: A.
        num_envs: N, environments it will observe; it acts on batches of any size.
        seed: of everything random in it.
        total_steps: length of the training in steps, for the schedules that end with it.

    Raises:
        UserError: there is no such algorithm, or a setting does not fit.
    """
    if algorithm not in ALGORITHMS:
        raise unknown("algorithm", algorithm, ALGORITHMS)
    _, agent = ALGORITHMS[algorithm]
    return __getattr__(agent)(config, obs_dim, num_actions, num_envs, seed, total_steps)

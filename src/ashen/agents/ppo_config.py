"""Settings of PPO, read without torch; who uses them: :mod:`ashen.agents.ppo`."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ashen.agents.checks import check_choices, check_range


@dataclass(frozen=True)
class PPOConfig:
    """Settings of PPO. A step is one decision in one environment: N environments make N steps at a time."""

    rollout_steps: int = 128
    """Steps of each environment between two updates."""
    epochs: int = 4
    """Passes over a rollout."""
    minibatch_size: int = 1024
    """Samples per gradient step."""
    learning_rate: float = 5e-4
    """Adam's step size at the start, of the training or of a fork."""
    learning_rate_final_share: float = 0.0
    """Learning rate at the last step as a share of the first; linear in between, 1 keeps it constant."""
    discount: float = 0.99
    """Weight of the next step's value, per step of 0.1 s."""
    gae_lambda: float = 0.95
    """Share of later surprises an advantage takes in, 0..1: low trusts the value network, high the outcome."""
    clip: float = 0.2
    """How far the probability of an action may move in one update, as a ratio, before its gradient is cut."""
    value_coef: float = 0.5
    """Weight of the value loss."""
    entropy_coef: float = 0.01
    """Weight of the entropy bonus at the start, per nat."""
    entropy_coef_final: float = 0.001
    """Weight of the entropy bonus at the last step; linear in between."""
    max_grad_norm: float = 0.5
    """Largest norm of the gradient; 0 does not clip."""
    target_kl: float | None = None
    """End an update's passes once the policy has moved this far, in nats; never if not given."""
    width: int = 256
    """Units in each hidden layer of both networks."""
    depth: int = 2
    """Hidden layers of both networks."""
    activation: Literal["relu", "tanh"] = "relu"
    """Activation of the hidden layers; tanh takes a fifth more time on a CPU."""
    kl_to_parent: float = 0.0
    """Weight of the divergence from the policy of the agent this one started from, per nat; 0 lets it go."""
    normalise_obs: bool = True
    """Scale observations by their running mean and standard deviation, clipped at 10 deviations."""
    normalise_reward: bool = True
    """Divide rewards by the running standard deviation of the discounted return."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Numbers of the matrix products in learning; auto tries both at the start and takes bfloat16 if it pays."""

    def first_update(self, num_envs: int, done_steps: int) -> tuple[int, str]:
        """After how many more steps of N environments learning begins, and by which options."""
        return self.rollout_steps * num_envs, f"--ppo.rollout-steps {self.rollout_steps} x --num-envs {num_envs}"

    def __post_init__(self) -> None:
        check_choices(self)
        check_range(self, 1, np.inf, "rollout_steps", "epochs", "minibatch_size", "width", "depth")
        check_range(self, 0.0, 1.0, "discount", "gae_lambda")
        check_range(self, 1e-6, np.inf, "clip")
        check_range(self, 0.0, 1.0, "learning_rate")
        check_range(self, 0.0, np.inf, "learning_rate_final_share", "max_grad_norm")
        check_range(self, 0.0, np.inf, "value_coef", "entropy_coef", "entropy_coef_final", "kl_to_parent")

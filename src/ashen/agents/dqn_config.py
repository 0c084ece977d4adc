"""Settings of DQN: every variant is a switch here, every famous combination a recipe. They are read without torch."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from ashen.agents.checks import check_choices, check_range
from ashen.agents.exploration import scheduled
from ashen.core.errors import SettingError

SWITCHED: Final[tuple[tuple[tuple[str, ...], str, tuple[Any, ...]], ...]] = (
    (("priority_alpha", "priority_beta", "priority_beta_final"), "prioritised", (True,)),
    (("atoms", "value_range"), "distributional", (True,)),
    (("loss",), "distributional", (False,)),
    (("epsilon_schedule", "epsilon_start", "epsilon_end", "epsilon_unit"), "noisy", (False,)),
    (("epsilon_steps", "epsilon_fights"), "noisy", (False,)),
    (("epsilon_steps",), "epsilon_unit", ("step",)),
    (("epsilon_fights",), "epsilon_unit", ("fight",)),
    (("target_tau", "target_period_steps"), "double", ("target", "none")),
)
"""Settings that have no effect unless another one has one of these values."""


@dataclass(frozen=True)
class DQNConfig:
    """Settings of DQN. A step is one decision in one environment: N environments make N steps at a time."""

    learning_rate: float = 3e-4
    """Adam's step size at the start, of the training or of a fork."""
    learning_rate_final_share: float = 1.0
    """Learning rate at the last step as a share of the first; linear in between, 1 keeps it constant."""
    discount: float = 0.99
    """Weight of the next step's value, per step of 0.1 s."""
    batch_size: int = 256
    """Transitions per update."""
    width: int = 256
    """Units in each hidden layer."""
    depth: int = 3
    """Hidden layers before the head."""
    layer_norm: bool = False
    """Normalise within each hidden layer."""
    normalise_obs: bool = False
    """Scale observations by their running mean and standard deviation, clipped at 10 deviations."""
    replay_capacity: int = 300_000
    """Transitions kept; one takes about 8 bytes per number of an observation."""
    learning_starts: int = 10_000
    """Steps of random play before the first update."""
    updates_per_step: float = 0.25
    """Updates per step; 0.25 is one for every four steps."""
    update_period_steps: int = 1
    """Updates are made in bursts, one every so many steps."""
    target_tau: float = 1.0
    """How far the target network moves towards the online one at each of its updates; 1 is a hard copy."""
    target_period_steps: int = 4_000
    """Steps between two updates of the target network."""
    reset_period_updates: int = 0
    """Updates after which the networks begin anew, while the replay stays; 0 for never."""
    double: Literal["none", "target", "two_networks"] = "target"
    """Who chooses the next action, and who values it: the target network does both; the online network chooses and the
    target network values; or there is no target network, but two that both learn, in roles drawn for each update."""
    dueling: Literal["none", "dueling", "enhanced"] = "none"
    """Head with state value and advantages; "enhanced" is deeper, with batch norm and dropout."""
    prioritised: bool = False
    """Sample transitions in proportion to their TD errors."""
    priority_alpha: float = 0.6
    """How strongly the TD errors count in sampling: 0..1 is usual; squared errors to the power .8 are 1.6."""
    priority_beta: float = 0.4
    """How far importance weights make up for it, at the start."""
    priority_beta_final: float = 1.0
    """The same at the last step; 0 at both ends leaves importance weights out."""
    n_step: int = 1
    """Steps whose rewards are summed before a value is trusted."""
    noisy: bool = False
    """Noisy layers explore in place of epsilon, which then only rules the random steps at the start."""
    epsilon_schedule: Literal["constant", "linear", "exponential"] = "linear"
    """How epsilon, the share of random actions, goes from start to end."""
    epsilon_start: float = 1.0
    """Epsilon when learning starts."""
    epsilon_end: float = 0.05
    """Epsilon in the end."""
    epsilon_unit: Literal["step", "fight"] = "step"
    """What epsilon's way is counted in: steps, or fights ended, both since learning started."""
    epsilon_steps: int = 100_000
    """Steps from start to end, if it goes by steps."""
    epsilon_fights: int = 400
    """Fights from start to end, if it goes by fights; random play ends one in about 250 steps."""
    grad_clip_norm: float = 10.0
    """Largest norm of the whole gradient; 0 does not clip."""
    grad_clip_value: float = 0.0
    """Largest size of each number in the gradient, cut after the norm; 0 does not cut."""
    weight_decay: float = 0.0
    """Share of the weights taken off per update and unit of learning rate (AdamW)."""
    use_mask: bool = True
    """Leave out invalid actions when acting, exploring and computing targets."""
    reward_scale: float = 1.0
    """Factor on every reward before it is learned from."""
    loss: Literal["smooth_l1", "mse"] = "smooth_l1"
    """Error of the Q-values: linear beyond 1, or squared. Distributional values have a loss of their own."""
    distributional: bool = False
    """Learn the distribution of the return, whose mean is the Q-value."""
    atoms: int = 51
    """Returns that a distribution gives a probability each, evenly spaced over value_range."""
    value_range: tuple[float, float] | None = None
    """Lowest and highest discounted return a distribution can express, in reward; a recipe that leaves it out takes
    what its reward can pay in a fight."""

    def first_update(self, num_envs: int, done_steps: int) -> tuple[int, str]:
        """After how many more steps of N environments learning begins, and by which option."""
        at, name = max((getattr(self, name), name) for name in ("learning_starts", "batch_size", "update_period_steps"))
        return max(0, at - done_steps), f"--dqn.{name.replace('_', '-')} {at}"

    def __post_init__(self) -> None:
        check_choices(self)
        check_range(self, 0.0, 1.0, "discount", "epsilon_start", "epsilon_end")
        check_range(self, 1e-6, 1.0, "target_tau")
        check_range(self, 0.0, 1.0, "priority_beta", "priority_beta_final")
        check_range(self, 1e-6, 2.0, "priority_alpha")
        check_range(self, 0.0, 1.0, "learning_rate")
        check_range(self, 0.0, np.inf, "learning_rate_final_share", "updates_per_step")
        check_range(self, 0, np.inf, "reset_period_updates")
        check_range(self, 0.0, np.inf, "grad_clip_norm", "grad_clip_value", "weight_decay")
        check_range(self, 0.0, np.inf, "learning_starts", "epsilon_steps", "epsilon_fights")
        check_range(self, 1, np.inf, "width", "depth", "batch_size", "n_step", "replay_capacity")
        check_range(self, 1, np.inf, "update_period_steps", "target_period_steps")
        check_range(self, 2, np.inf, "atoms")
        check_range(self, 1e-6, np.inf, "reward_scale")
        low, high = self.value_range or (0.0, 1.0)
        if not low < high:
            raise SettingError(DQNConfig, "value_range", f"{low:g} {high:g}", "must begin with the lower return")
        if self.epsilon_schedule == "exponential" and (least := min(self.epsilon_start, self.epsilon_end)) <= 0.0:
            name = "epsilon_end" if self.epsilon_end == least else "epsilon_start"
            raise SettingError(DQNConfig, name, least, "must be above 0, which an exponential epsilon never reaches")

    def epsilon_at(self, steps: int, fights: int) -> float:
        """Share of random actions after so many steps, and so many fights since learning began."""
        if steps < self.learning_starts:
            return 1.0
        if self.noisy:
            return 0.0
        by_fights = self.epsilon_unit == "fight"
        way = (self.epsilon_fights, fights) if by_fights else (self.epsilon_steps, steps - self.learning_starts)
        return scheduled(self.epsilon_schedule, self.epsilon_start, self.epsilon_end, *way)

    @property
    def idle(self) -> dict[str, tuple[str, Any]]:
        """The settings that have no effect as the others are, each with one that would give it one, and its value."""
        found: dict[str, tuple[str, Any]] = {}
        for names, switch, values in SWITCHED:
            if getattr(self, switch) not in values:
                found = dict.fromkeys(names, (switch, values[0])) | found
        return found

    @property
    def target_stands(self) -> bool:
        """Whether a target network says the same of an observation until it is copied anew, in few numbers."""
        return self.double != "two_networks" and self.target_tau == 1.0 and not self.noisy and not self.distributional

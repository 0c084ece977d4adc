"""DQN and its variants as switches of one config: double, dueling, enhanced, prioritised, n-step, noisy.

Sources: Mnih et al. 2015 (Nature 518), and for each switch the paper named where it is implemented; all together, but
for distributional values, Hessel et al. 2018, Rainbow (arXiv:1710.02298).
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ashen.agents import losses
from ashen.agents.checks import check_choice, check_fits, check_range, load_network
from ashen.agents.exploration import SCHEDULES, epsilon_greedy, scheduled
from ashen.agents.networks import DUELING, QNetwork, sync_target
from ashen.agents.tensors import built_with_seed, mean_metrics, to_arrays, to_tensors
from ashen.core.errors import UserError
from ashen.core.protocols import Decision, Transitions
from ashen.core.seeding import derive_seed, generator
from ashen.replay import NStep, ReplayBuffer


@dataclass(frozen=True)
class DQNConfig:
    """Settings of DQN. A step is one decision in one environment: N environments make N steps at a time."""

    learning_rate: float = 3e-4
    """Adam's step size at the start."""
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
    double: bool = True
    """The online network chooses the next action, the target network values it."""
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
    epsilon_steps: int = 100_000
    """Steps from start to end."""
    grad_clip_norm: float = 10.0
    """Largest norm of the gradient; 0 does not clip."""
    weight_decay: float = 0.0
    """Share of the weights taken off per update and unit of learning rate (AdamW)."""
    use_mask: bool = True
    """Leave out invalid actions when acting, exploring and computing targets."""
    reward_scale: float = 1.0
    """Factor on every reward before it is learned from."""
    loss: Literal["smooth_l1", "mse"] = "smooth_l1"
    """Error of the Q-values: linear beyond 1, or squared."""

    def __post_init__(self) -> None:
        check_choice(self, "dueling", DUELING)
        check_choice(self, "epsilon_schedule", SCHEDULES)
        check_choice(self, "loss", ("smooth_l1", "mse"))
        check_range(self, 0.0, 1.0, "discount", "target_tau", "epsilon_start", "epsilon_end")
        check_range(self, 0.0, 1.0, "priority_beta", "priority_beta_final")
        check_range(self, 1e-6, 2.0, "priority_alpha")
        check_range(self, 0.0, np.inf, "learning_rate", "learning_rate_final_share", "updates_per_step")
        check_range(self, 0.0, np.inf, "grad_clip_norm", "weight_decay", "learning_starts", "epsilon_steps")
        check_range(self, 1, np.inf, "width", "depth", "batch_size", "n_step", "replay_capacity")
        check_range(self, 1, np.inf, "update_period_steps", "target_period_steps")
        if self.epsilon_schedule == "exponential" and min(self.epsilon_start, self.epsilon_end) <= 0.0:
            raise UserError("DQNConfig: an exponential epsilon never reaches 0; set epsilon_start, epsilon_end above 0")


class DQNAgent:
    """Learns Q-values from replayed transitions; see :class:`ashen.core.protocols.Agent`.

    Args:
        config: settings.
        obs_dim: D, numbers in an observation.
        num_actions: A.
        num_envs: N, environments it will observe.
        seed: of networks, exploration and sampling.
        total_steps: length of the training in steps, for the schedules that end with it.
    """

    score_kind = "q_values"

    def __init__(self, config: DQNConfig, obs_dim: int, num_actions: int, num_envs: int, seed: int, total_steps: int):
        if config.replay_capacity < num_envs * config.n_step:
            raise UserError(
                f"replay_capacity must hold {num_envs * config.n_step:,} transitions: N environments x n_step"
            )
        self.config, self.obs_dim, self.num_actions, self.num_envs = config, obs_dim, num_actions, num_envs
        self.total_steps = total_steps
        self.rng = generator(seed, "dqn")
        self.torch_rng = torch.Generator().manual_seed(derive_seed(seed, "dqn", "torch"))
        self.online = built_with_seed(derive_seed(seed, "dqn", "network"), self._build).eval()
        self.target = self._build().eval().requires_grad_(False)
        sync_target(self.target, self.online, 1.0)
        self.optimizer = torch.optim.AdamW(
            self.online.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        alpha = config.priority_alpha if config.prioritised else 0.0
        self.replay = ReplayBuffer(config.replay_capacity, obs_dim, num_actions, alpha)
        self.n_step = NStep(num_envs, config.n_step, config.discount, obs_dim, num_actions)
        self.steps = self.updates = self.last_burst = 0
        self.credit = 0.0

    def _build(self) -> QNetwork:
        c = self.config
        return QNetwork(
            self.obs_dim,
            self.num_actions,
            c.width,
            c.depth,
            c.dueling,
            c.noisy,
            c.layer_norm,
            c.normalise_obs,
            self.torch_rng,
        )

    @property
    def target_period_updates(self) -> int:
        """Updates between two updates of the target network, at least 1."""
        return max(1, round(self.config.target_period_steps * self.config.updates_per_step))

    def status(self) -> dict[str, float]:
        """Where the schedules stand."""
        c = self.config
        learning = max(0, self.steps - c.learning_starts)
        epsilon = scheduled(c.epsilon_schedule, c.epsilon_start, c.epsilon_end, c.epsilon_steps, learning)
        if c.noisy:
            epsilon = 0.0
        if self.steps < c.learning_starts:
            epsilon = 1.0
        rate_end = c.learning_rate * c.learning_rate_final_share
        return {
            "epsilon": epsilon,
            "learning_rate": scheduled("linear", c.learning_rate, rate_end, self.total_steps, self.steps),
            "priority_beta": scheduled("linear", c.priority_beta, c.priority_beta_final, self.total_steps, self.steps),
            "replay_size": float(len(self.replay)),
            "updates": float(self.updates),
        }

    @property
    def reward_scale(self) -> float:
        """Factor from rewards to Q-values."""
        return self.config.reward_scale

    @torch.inference_mode()
    def act(self, obs: NDArray[np.float32], mask: NDArray[np.bool_], explore: bool) -> Decision:
        """Actions of highest Q-value for ``obs`` [B, D], any B; with ``explore``, noisy or epsilon-greedy."""
        if not self.config.use_mask:
            mask = np.ones_like(mask)
        if self.config.noisy:
            self.online.set_noise(self.torch_rng if explore else None)
        q = self.online(torch.from_numpy(obs))
        actions = losses.masked_q(q, torch.from_numpy(mask)).argmax(-1).numpy()
        if explore:
            actions = epsilon_greedy(self.rng, actions, mask, self.status()["epsilon"])
        return Decision(actions, q.numpy())

    def observe(self, step: Transitions) -> None:
        """Put what the step completes into replay."""
        if self.online.normaliser is not None:
            self.online.normaliser.update(torch.from_numpy(step.obs))
        self.replay.extend(self.n_step.push(step))
        self.steps += len(step.obs)
        # A run resumed without its replay first fills a batch again.
        if self.steps >= self.config.learning_starts and len(self.replay) >= self.config.batch_size:
            self.credit += len(step.obs) * self.config.updates_per_step

    def update(self) -> dict[str, float]:
        """Make the updates that are due; means of their metrics, empty if none was."""
        due = int(self.credit)
        if due == 0 or self.steps - self.last_burst < self.config.update_period_steps:
            return {}
        self.credit -= due
        self.last_burst = self.steps
        status = self.status()
        self.optimizer.param_groups[0]["lr"] = status["learning_rate"]
        return mean_metrics([self._update_once(status["priority_beta"]) for _ in range(due)])

    def _update_once(self, beta: float) -> dict[str, torch.Tensor]:
        batch = self.replay.sample(self.config.batch_size, self.rng, beta)
        fields = {name: torch.from_numpy(batch.rows[name]) for name in batch.rows.dtype.names}
        weights = torch.from_numpy(batch.weights)
        targets = self._targets(fields)
        self.online.train()
        q = self.online(fields["obs"]).gather(-1, fields["action"].long().unsqueeze(-1)).squeeze(-1)  # [B]
        self.online.eval()
        loss = losses.weighted_loss(q, targets, weights, self.config.loss)
        self.optimizer.zero_grad()
        loss.backward()
        grad_norm = torch.nn.utils.clip_grad_norm_(
            self.online.parameters(), self.config.grad_clip_norm or np.inf, foreach=True
        )
        self.optimizer.step()
        self.updates += 1
        if self.updates % self.target_period_updates == 0:
            sync_target(self.target, self.online, self.config.target_tau)
        errors = (targets - q.detach()).abs()
        self.replay.update_priorities(batch.indices, errors.numpy())
        return {
            "loss": loss.detach(),
            "q_mean": q.detach().mean(),
            "target_mean": targets.mean(),
            "td_error": errors.mean(),
            "grad_norm": grad_norm,
        }

    @torch.no_grad()
    def _targets(self, fields: dict[str, torch.Tensor]) -> torch.Tensor:
        if self.config.noisy:
            self.online.set_noise(self.torch_rng)
            self.target.set_noise(self.torch_rng)
        mask = fields["next_mask"] if self.config.use_mask else torch.ones_like(fields["next_mask"])
        return losses.td_targets(
            fields["n_return"] * self.config.reward_scale,
            fields["discount"],
            self.target(fields["next_obs"]),
            mask,
            self.online(fields["next_obs"]) if self.config.double else None,
        )

    def state_dict(self, with_replay: bool = False) -> dict[str, Any]:
        """Everything needed to go on, replay only if asked for. Tensors are live: save or copy before going on."""
        state = {
            "algorithm": "dqn",
            "config": asdict(self.config),
            "obs_dim": self.obs_dim,
            "num_actions": self.num_actions,
            "num_envs": self.num_envs,
            "online": self.online.state_dict(),
            "target": self.target.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "counters": {name: getattr(self, name) for name in _COUNTERS},
            "n_step": to_tensors(self.n_step.state_dict()),
            "numpy_rng": self.rng.bit_generator.state,
            "torch_rng": self.torch_rng.get_state(),
        }
        return state | ({"replay": to_tensors(self.replay.state_dict())} if with_replay else {})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave; steps pending in another number of environments are dropped.

        Raises:
            UserError: algorithm, sizes or network differ.
        """
        check_fits(state, "dqn", self.obs_dim, self.num_actions)
        load_network(self.online, state["online"])
        load_network(self.target, state["target"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.optimizer.param_groups[0]["weight_decay"] = self.config.weight_decay
        for name in _COUNTERS:
            setattr(self, name, state["counters"][name])
        if state["num_envs"] == self.num_envs and state["config"]["n_step"] == self.config.n_step:
            self.n_step.load_state_dict(to_arrays(state["n_step"]))
        if "replay" in state:
            self.replay.load_state_dict(to_arrays(state["replay"]))
        self.rng.bit_generator.state = state["numpy_rng"]
        self.torch_rng.set_state(state["torch_rng"])


_COUNTERS = ("steps", "updates", "last_burst", "credit")

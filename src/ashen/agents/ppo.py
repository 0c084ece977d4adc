"""PPO with action masks, generalised advantages and running normalisation of observations and rewards.

Sources: Schulman et al. 2017 (arXiv:1707.06347); defaults follow Andrychowicz et al. 2021, What Matters for On-Policy
Deep Actor-Critic Methods (arXiv:2006.05990). Departures: advantages are normalised over the rollout, not over each
minibatch; steps that leave no choice train the value only; observation statistics stand still from the first step of
a rollout to the last update on it, so that the probabilities compared are those the actions were drawn with; values
are not clipped.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ashen.agents import losses
from ashen.agents.checks import check_fits, load_network
from ashen.agents.exploration import scheduled
from ashen.agents.flat_adamw import FlatAdamW, clip_
from ashen.agents.networks import ActorCritic
from ashen.agents.ppo_config import PPOConfig
from ashen.agents.precision import products_in, quickest_precision
from ashen.agents.rollout import RewardScaler, Rollout
from ashen.agents.tensors import built_with_seed, mean_metrics, to_arrays, to_tensors
from ashen.core.protocols import Decision, Part, Transitions
from ashen.core.seeding import derive_seed


class PPOAgent:
    """Learns a policy from its own latest steps; see :class:`ashen.core.protocols.Agent`.

    Args:
        config: settings.
        obs_dim: D, numbers in an observation.
        num_actions: A.
        num_envs: N, environments it will observe.
        seed: of networks, exploration and minibatches.
        total_steps: length of the training in steps, for the schedules that end with it.
    """

    score_kind = "probabilities"
    replay = None

    def __init__(self, config: PPOConfig, obs_dim: int, num_actions: int, num_envs: int, seed: int, total_steps: int):
        self.config, self.obs_dim, self.num_actions, self.num_envs = config, obs_dim, num_actions, num_envs
        self.total_steps = total_steps
        self.torch_rng = torch.Generator().manual_seed(derive_seed(seed, "ppo", "torch"))
        self.network = built_with_seed(derive_seed(seed, "ppo", "network"), self._build)
        self.learners = [self.network]
        self.optimizer = self.make_optimizer()
        self.rollout = Rollout(config.rollout_steps, num_envs, obs_dim, num_actions)
        self.reward_scaler = RewardScaler(num_envs, config.discount)
        self.steps = self.updates = self.schedules_from = 0
        self.parent: ActorCritic | None = None
        self.precision = config.precision

    def tune(self) -> str:
        """Choose the precision, if it is still open; returns what was chosen and why."""
        if self.precision != "auto":
            return f"learning in {self.precision}"
        obs = torch.zeros(self.config.minibatch_size, self.obs_dim)
        self.precision, reason = quickest_precision(self._build(), obs)
        return reason

    def _build(self) -> ActorCritic:
        c = self.config
        return ActorCritic(self.obs_dim, self.num_actions, c.width, c.depth, c.activation, c.normalise_obs)

    def make_optimizer(self) -> FlatAdamW:
        """One that begins anew, for the network where it is."""
        return FlatAdamW([self.network], self.config.learning_rate, eps=1e-5)

    def status(self) -> dict[str, float]:
        """Where the schedules stand."""
        c = self.config
        span = (self.total_steps - self.schedules_from, self.steps - self.schedules_from)
        return {
            "learning_rate": scheduled("linear", c.learning_rate, c.learning_rate * c.learning_rate_final_share, *span),
            "entropy_coef": scheduled("linear", c.entropy_coef, c.entropy_coef_final, *span),
            "updates": float(self.updates),
        }

    @property
    def discount(self) -> float:
        """Weight of the next step's value."""
        return self.config.discount

    @property
    def reward_scale(self) -> float:
        """Factor from rewards to values."""
        return 1.0 / self.reward_scaler.scale if self.config.normalise_reward else 1.0

    @torch.inference_mode()
    def act(self, obs: NDArray[np.float32], mask: NDArray[np.bool_], explore: bool) -> Decision:
        """Actions for ``obs`` [B, D], any B: drawn from the policy with ``explore``, else the likeliest."""
        logits = self.network.policy(self.network.normalise(torch.from_numpy(obs)))
        probs = losses.masked_log_probs(logits, torch.from_numpy(mask)).exp_()
        # The least of exponential waiting times with these rates falls on each action with its probability.
        race = probs / torch.empty_like(probs).exponential_(generator=self.torch_rng) if explore else probs
        return Decision(race.argmax(-1).numpy(), probs.numpy())

    @torch.inference_mode()
    def value(self, obs: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Expected discounted rewards [B] from ``obs`` [B, D] on, of the policy that explores."""
        values = self.network.value(self.network.normalise(torch.from_numpy(obs))).squeeze(-1)
        return values.numpy() / np.float32(self.reward_scale)

    def observe(self, step: Transitions) -> None:
        """Add the step to the rollout; a full one must be learned from first."""
        self.rollout.add(step)
        self.steps += len(step.obs)

    def update(self, is_over: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """Learn from the rollout if it is full; means of the metrics over its gradient steps, empty without any."""
        if not self.rollout.is_full:
            return {}
        metrics = self._learn_from([self.rollout], self.reward_scaler.returns(self.rollout), is_over)
        self.rollout.clear()
        return metrics

    def gather(self, step: Transitions) -> Part | None:
        """As :meth:`observe`, for a learner elsewhere: a full rollout with its discounted returns, else None."""
        self.observe(step)
        if not self.rollout.is_full:
            return None
        part = self.rollout.state_dict() | {"returns": self.reward_scaler.returns(self.rollout)}
        self.rollout.clear()
        return part

    def take(self, parts: list[Part], is_over: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """Learn from rollouts that were gathered elsewhere, all by the policy as it stands here."""
        alike = defaultdict[int, list[Part]](list)  # of T steps each: players' shares may be rounded to different T
        for part in parts:
            alike[len(part["obs"])].append(part)
        rollouts = [Rollout.of(several) for several in alike.values()]
        returns = [np.concatenate([part["returns"] for part in several], axis=1).ravel() for several in alike.values()]
        self.steps += sum(rollout.actions.size for rollout in rollouts)
        return self._learn_from(rollouts, np.concatenate(returns), is_over)

    def _learn_from(
        self, rollouts: list[Rollout], returns: NDArray[np.float64], is_over: Callable[[], bool] = lambda: False
    ) -> dict[str, float]:
        """The passes over full rollouts, whose steps, one rollout after the other, had these discounted returns."""
        sound = np.concatenate([~rollout.faulted.ravel() for rollout in rollouts])
        if not sound.any():
            return {}
        if self.config.normalise_reward:
            self.reward_scaler.take_in(returns.ravel()[sound])
        data, metrics = self._prepare(rollouts)
        status = self.status()
        self.optimizer.param_groups[0]["lr"] = status["learning_rate"]
        rows = []
        for _ in range(self.config.epochs):
            order = torch.randperm(len(data["actions"]), generator=self.torch_rng)
            for chosen in order.split(self.config.minibatch_size):
                if is_over():
                    break
                rows.append(self.learn(_rows(data, chosen), status["entropy_coef"]))
            target_kl = self.config.target_kl
            if is_over() or (target_kl is not None and rows[-1]["approx_kl"] > target_kl):
                break
        if self.network.normaliser is not None:
            obs = [_sound(torch.from_numpy(rollout.obs), rollout) for rollout in rollouts]
            self.network.normaliser.update(torch.cat(obs) if len(obs) > 1 else obs[0])
        self.updates += 1
        return mean_metrics(rows) | metrics if rows else {}

    @torch.inference_mode()
    def _prepare(self, rollouts: list[Rollout]) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Samples [B, ...] of rollouts without those of faulted fights, and metrics of them."""
        judged = [self._judge(rollout) for rollout in rollouts]
        data = {
            name: torch.cat([part[name] for part in judged]) if len(judged) > 1 else judged[0][name]
            for name in judged[0]
        }
        advantages, returns, values = data["advantages"], data["returns"], data.pop("values")
        explained = 1.0 - (returns - values).var(correction=0) / (returns.var(correction=0) + 1e-8)
        data["advantages"] = (advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-8)
        return data, {"explained_variance": float(explained), "value_mean": float(values.mean())}

    def _judge(self, r: Rollout) -> dict[str, Tensor]:
        """What is learned of each step of a rollout of T N steps, [T N, ...] without those of faulted fights."""
        obs = self.network.normalise(torch.from_numpy(r.obs))  # [T, N, D]
        mask, actions = torch.from_numpy(r.mask), torch.from_numpy(r.actions)
        with products_in(self.precision):
            values = self.network.value(obs).squeeze(-1).float()  # [T, N]
            logits = self.network.policy(obs).float()
        log_probs = losses.masked_log_probs(logits, mask)
        where, reached = r.bootstraps()
        next_values = torch.cat([values[1:], values[-1:]])
        next_values[torch.from_numpy(where)] = self.network(torch.from_numpy(reached))[1]
        rewards = torch.from_numpy(
            r.rewards / np.float32(self.reward_scaler.scale) if self.config.normalise_reward else r.rewards
        )
        ends = (torch.from_numpy(flags) for flags in (r.terminated, r.truncated, r.faulted))
        c = self.config
        advantages, returns = losses.gae(rewards, values, next_values, *ends, c.discount, c.gae_lambda)
        data = {
            "obs": obs,
            "mask": mask,
            "actions": actions,
            "log_probs": log_probs.gather(-1, actions.unsqueeze(-1)).squeeze(-1),
            "advantages": advantages,
            "returns": returns,
            "values": values,
        }
        if self.parent is not None:
            logits = self.parent.policy(self.parent.normalise(torch.from_numpy(r.obs)))
            data["parent_log_probs"] = losses.masked_log_probs(logits, mask)
        return {name: _sound(tensor, r) for name, tensor in data.items()}

    def learn(self, batch: dict[str, Tensor], entropy_coef: float) -> dict[str, Tensor]:
        """One gradient step on a minibatch of B samples, on the device of network and batch; its metrics."""
        with products_in(self.precision):
            values = self.network.value(batch["obs"]).squeeze(-1).float()
        value = losses.value_loss(values, batch["returns"])
        # Where at most one action is valid the policy has no gradient, and locked animations are half of a fight.
        free = batch["mask"].sum(-1) > 1
        free[0] = True  # a mean over nothing would be NaN
        share = free.float().mean()
        if not free.all():
            batch = _rows(batch, free.nonzero().squeeze(-1))
        mask = batch["mask"]
        with products_in(self.precision):
            logits = self.network.policy(batch["obs"]).float()
        all_log_probs = losses.masked_log_probs(logits, mask)  # [F, A]
        log_probs = losses.of_actions(all_log_probs, batch["actions"])  # [F]
        policy = losses.ppo_policy_loss(log_probs, batch["log_probs"], batch["advantages"], self.config.clip)
        entropy = losses.masked_entropy(all_log_probs).mean()
        loss = share * (policy.loss - entropy_coef * entropy) + self.config.value_coef * value
        metrics = {}
        if self.parent is not None:
            metrics["kl_to_parent"] = losses.masked_kl(batch["parent_log_probs"], all_log_probs).mean()
            loss = loss + share * self.config.kl_to_parent * metrics["kl_to_parent"]
        grad_norm = clip_(self.optimizer.differentiate(loss, self.network), self.config.max_grad_norm)
        self.optimizer.step()
        return {
            "policy_loss": policy.loss.detach(),
            "value_loss": value.detach(),
            "entropy": entropy.detach(),
            "approx_kl": policy.approx_kl,
            "clip_fraction": policy.clip_fraction,
            "grad_norm": grad_norm,
        } | {name: metric.detach() for name, metric in metrics.items()}

    def state_dict(self, with_replay: bool = False) -> dict[str, Any]:
        """Everything needed to go on; ``with_replay`` changes nothing. Tensors are live: save or copy them first."""
        return {
            "algorithm": "ppo",
            "config": asdict(self.config),
            "obs_dim": self.obs_dim,
            "num_actions": self.num_actions,
            "num_envs": self.num_envs,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "counters": {name: getattr(self, name) for name in _COUNTERS},
            "precision": self.precision,
            "rollout": to_tensors(self.rollout.state_dict()),
            "reward_scaler": to_tensors(self.reward_scaler.state_dict()),
            "torch_rng": self.torch_rng.get_state(),
        } | ({} if self.parent is None else {"parent": self.parent.state_dict()})

    def cut_fights(self) -> None:
        """The fights under way do not go on; their last steps so far are learned from as cut off there."""
        self.rollout.cut()

    def begin_schedules(self) -> None:
        """The schedules that end with the training run from here to there."""
        self.schedules_from = self.steps

    def load_parent(self, state: dict[str, Any]) -> None:
        """Start with another agent's networks and its statistics of observations and rewards; all else begins anew.

        With ``kl_to_parent`` its policy stays as a frozen copy that holds this one back (Kickstarting).

        Raises:
            UserError: algorithm, sizes or network differ.
        """
        check_fits(state, "ppo", self.obs_dim, self.num_actions)
        load_network(self.network, state["network"])
        self.reward_scaler.load_state_dict(to_arrays(state["reward_scaler"]), same_envs=False)
        if self.config.kl_to_parent > 0.0:
            self._freeze(state["network"])

    def _freeze(self, network: dict[str, Tensor]) -> None:
        self.parent = self._build().requires_grad_(False)
        load_network(self.parent, network)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave; a rollout begun with other N or T is dropped.

        Raises:
            UserError: algorithm, sizes or network differ.
        """
        check_fits(state, "ppo", self.obs_dim, self.num_actions)
        load_network(self.network, state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        vars(self).update({"schedules_from": 0} | state["counters"])  # an older ashen's began at step 0
        self.precision = state.get("precision", "float32")
        self.rollout.clear()
        same_envs = state["num_envs"] == self.num_envs
        if same_envs and state["config"]["rollout_steps"] == self.config.rollout_steps:
            self.rollout.load_state_dict(to_arrays(state["rollout"]))
        self.reward_scaler.load_state_dict(to_arrays(state["reward_scaler"]), same_envs)
        self.torch_rng.set_state(state["torch_rng"])
        if "parent" in state:
            self._freeze(state["parent"])


_COUNTERS = ("steps", "updates", "schedules_from")


def _sound(steps: Tensor, rollout: Rollout) -> Tensor:
    """Of ``steps`` [T, N, ...] those [B, ...] of no faulted fight; without any in the same memory."""
    return steps[torch.from_numpy(~rollout.faulted)] if rollout.faulted.any() else steps.flatten(0, 1)


def _rows(data: dict[str, Tensor], chosen: Tensor) -> dict[str, Tensor]:
    """Rows ``chosen`` [B] of every field; much quicker than indexing with them."""
    return {name: values.index_select(0, chosen) for name, values in data.items()}

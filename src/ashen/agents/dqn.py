"""DQN and its variants as switches of one config: double, dueling, prioritised, n-step, noisy, distributional.

Sources: Mnih et al. 2015 (Nature 518), and for each switch the paper named where it is implemented; all together
Hessel et al. 2018, Rainbow (arXiv:1710.02298).
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ashen.agents import distributional, losses
from ashen.agents.checks import check_fits, load_network
from ashen.agents.comparing import compared
from ashen.agents.dqn_config import DQNConfig
from ashen.agents.exploration import epsilon_greedy, scheduled
from ashen.agents.flat_adamw import FlatAdamW, clip_
from ashen.agents.networks import QNetwork, sync_target
from ashen.agents.target_values import TargetValues
from ashen.agents.tensors import built_with_seed, mean_metrics, to_arrays, to_tensors
from ashen.core.errors import UserError
from ashen.core.protocols import Decision, Part, Transitions
from ashen.core.seeding import derive_seed, generator
from ashen.replay import Batch, Gathered, Gatherer, NStep, ReplayBuffer

_DRAWN_AT_ONCE = 16
"""Batches; more would take much memory and judge no quicker."""


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
    precision = None

    def __init__(self, config: DQNConfig, obs_dim: int, num_actions: int, num_envs: int, seed: int, total_steps: int):
        if config.replay_capacity < num_envs * config.n_step:
            raise UserError(
                f"replay_capacity must hold {num_envs * config.n_step:,} transitions: N environments x n_step"
            )
        self.config, self.obs_dim, self.num_actions, self.num_envs = config, obs_dim, num_actions, num_envs
        self.total_steps, self.seed = total_steps, seed
        self.rng = generator(seed, "dqn")
        self.torch_rng = torch.Generator().manual_seed(derive_seed(seed, "dqn", "torch"))
        self.online = built_with_seed(derive_seed(seed, "dqn", "network"), self._build).eval()
        self.target = built_with_seed(derive_seed(seed, "dqn", "second network"), self._build).eval()
        self.learners = [self.online]
        if config.double == "two_networks":
            self.learners.append(self.target)
        else:
            sync_target(self.target.requires_grad_(False), self.online, 1.0)
        self.optimizer = self.make_optimizer()
        alpha = config.priority_alpha if config.prioritised else 0.0
        self.replay = ReplayBuffer(config.replay_capacity, obs_dim, num_actions, alpha)
        self.target_values = TargetValues(config.replay_capacity, num_actions) if config.target_stands else None
        self.n_step = NStep(num_envs, config.n_step, config.discount, obs_dim, num_actions)
        self.gatherer = Gatherer(self.n_step, num_envs)
        self.steps = self.fights = self.updates = self.last_burst = self.schedules_from = 0
        self.credit = 0.0

    def _build(self) -> QNetwork:
        c, support = self.config, None
        if c.distributional:
            if c.value_range is None:
                raise UserError("DQNConfig: distributional values need a value_range, e.g. value_range = [-2.0, 7.0]")
            support = c.reward_scale * torch.linspace(*c.value_range, c.atoms)
        switches = (c.width, c.depth, c.dueling, c.noisy, c.layer_norm, c.normalise_obs)
        return QNetwork(self.obs_dim, self.num_actions, *switches, self.torch_rng, support)

    def make_optimizer(self) -> FlatAdamW:
        """One that begins anew, for the networks where they are."""
        return FlatAdamW(self.learners, self.config.learning_rate, weight_decay=self.config.weight_decay)

    @property
    def target_period_updates(self) -> int:
        """Updates between two updates of the target network, at least 1."""
        return max(1, round(self.config.target_period_steps * self.config.updates_per_step))

    def status(self) -> dict[str, float]:
        """Where the schedules stand."""
        c, rate_end = self.config, self.config.learning_rate * self.config.learning_rate_final_share
        span = (self.total_steps - self.schedules_from, self.steps - self.schedules_from)
        return {
            "epsilon": c.epsilon_at(self.steps, self.fights),
            "learning_rate": scheduled("linear", c.learning_rate, rate_end, *span),
            "priority_beta": scheduled("linear", c.priority_beta, c.priority_beta_final, *span),
            "replay_size": float(len(self.replay)),
            "updates": float(self.updates),
        }

    def tune(self) -> str:
        """Nothing to choose."""
        return "learning in float32"

    @property
    def discount(self) -> float:
        """Weight of the next step's value."""
        return self.config.discount

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
            for network in self.learners:
                network.set_noise(self.torch_rng if explore else None)
        q = self._q(torch.from_numpy(obs))
        valid = torch.from_numpy(mask) if self.config.use_mask else None
        actions = losses.masked_q(q, valid).argmax(-1).numpy()
        if explore:
            actions = epsilon_greedy(self.rng, actions, mask, self.status()["epsilon"])
        return Decision(actions, q.numpy())

    @torch.inference_mode()
    def value(self, obs: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Expected discounted rewards [B] from ``obs`` [B, D] on: the highest Q-value of a valid action."""
        valid = torch.from_numpy(mask) if self.config.use_mask else None
        q = losses.masked_q(self._q(torch.from_numpy(obs)), valid)
        return q.max(-1).values.numpy() / np.float32(self.reward_scale)

    def _q(self, obs: torch.Tensor) -> torch.Tensor:
        """Q-values [B, A] of what has been learned: of one network, or the mean of two."""
        q = self.online(obs)
        return 0.5 * (q + self.target(obs)) if self.config.double == "two_networks" else q

    def observe(self, step: Transitions) -> None:
        """Put what the step completes into replay; a fault takes its whole fight out again, but unlearns nothing."""
        self._remember(self.gatherer(step))

    def gather(self, step: Transitions) -> Part:
        """As :meth:`observe`, for a learner elsewhere."""
        gathered = self.gatherer(step)
        seen = step.obs if self.config.normalise_obs else step.obs[:, :0]  # the rows hold them too
        return gathered._replace(obs=seen)._asdict()

    def take(self, parts: list[Part], is_over: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """Learn from what was gathered elsewhere, each fight of it under a number of its own."""
        for part in parts:
            self._remember(Gathered(**part))
        return self.update(is_over)

    def _remember(self, new: Gathered) -> None:
        if self.config.normalise_obs:
            for network in self.learners:
                network.normaliser.update(torch.tensor(new.obs))
        places = self.replay.extend(new.rows, new.fights)
        if len(new.faulted):
            places = np.concatenate([places, self.replay.remove(new.faulted)])
        if self.target_values is not None:
            self.target_values.forget(places)
        self.steps += len(new.obs)
        if self.steps > self.config.learning_starts:
            self.fights += int(new.ended.sum())
        if self.steps >= self.config.learning_starts and len(self.replay) >= self.config.batch_size:
            self.credit += min(len(new.obs), self.steps - self.config.learning_starts) * self.config.updates_per_step

    def update(self, is_over: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """Make the updates that are due; means of their metrics, empty without any."""
        due = int(self.credit)
        is_early = self.steps - self.last_burst < self.config.update_period_steps
        if due == 0 or is_early or len(self.replay) < self.config.batch_size:  # a fault takes out what there was
            return {}
        self.credit -= due
        self.last_burst = self.steps
        status = self.status()
        self.optimizer.param_groups[0]["lr"] = status["learning_rate"]
        rows = []
        for batch in self._batches(due, status["priority_beta"]):
            if is_over():
                break
            rows.append(self._update_once(batch))
        return mean_metrics(rows) if rows else {}

    def _batches(self, due: int, beta: float) -> Iterator[Batch]:
        """The batches of a burst; uniform ones are drawn at once, so that the target network judges all together."""
        size = self.config.batch_size
        if self.target_values is None or self.config.prioritised:
            yield from (self.replay.sample(size, self.rng, beta) for _ in range(due))
            return
        for first in range(0, due, _DRAWN_AT_ONCE):
            together = self.replay.sample(min(_DRAWN_AT_ONCE, due - first) * size, self.rng, beta)
            self.target_values.of(self.target, together.indices, torch.from_numpy(together.rows["next_obs"]))
            for begin in range(0, len(together.rows), size):
                yield Batch(*(part[begin : begin + size] for part in together))

    def _update_once(self, batch: Batch) -> dict[str, torch.Tensor]:
        fields = {name: torch.from_numpy(batch.rows[name]) for name in batch.rows.dtype.names}
        judged = None
        if self.target_values is not None:
            judged = self.target_values.of(self.target, batch.indices, fields["next_obs"])
        priorities, metrics = self.learn(fields, torch.from_numpy(batch.weights), judged)
        self.updates += 1
        if self.config.double != "two_networks" and self.updates % self.target_period_updates == 0:
            self._move_target(self.config.target_tau)
        if self.config.reset_period_updates and self.updates % self.config.reset_period_updates == 0:
            self._reset()
        self.replay.update_priorities(batch.indices, priorities.numpy())
        return metrics

    def _reset(self) -> None:
        """Begin the networks anew, and learn again from all that the replay holds.

        Source: Nikishin et al. 2022, The Primacy Bias in Deep Reinforcement Learning (arXiv:2205.07802).
        """
        for place, network in enumerate(self.learners):
            fresh = built_with_seed(derive_seed(self.seed, "dqn", "reset", self.updates, place), self._build)
            counted = {name: value for name, value in network.state_dict().items() if "normaliser" in name}
            load_network(network, fresh.state_dict() | counted)
        if self.config.double != "two_networks":
            self._move_target(1.0)
        self.optimizer = self.make_optimizer()

    def _move_target(self, tau: float) -> None:
        sync_target(self.target, self.online, tau)
        if self.target_values is not None:
            self.target_values.forget()

    def learn(
        self, fields: dict[str, torch.Tensor], weights: torch.Tensor, judged: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """One gradient step, on the device of networks and batch: priorities [B] of the transitions, and metrics.

        Args:
            fields: of ``transition_dtype``, each [B, ...].
            weights: importance weights [B].
            judged: the target network's outputs for ``next_obs``, if they are known.
        """
        learner, judge = self._roles()
        targets = self._targets(fields, learner, judge, judged)
        learner.train()
        outputs = losses.of_actions(learner.outputs(fields["obs"]), fields["action"])  # [B] or [B, K]
        learner.eval()
        each, priorities, metrics = compared(outputs, targets, self.config, self.online.support)
        loss = losses.weighted_mean(each, weights)
        gradient = self.optimizer.differentiate(loss, learner)
        grad_norm = clip_(gradient, self.config.grad_clip_norm, self.config.grad_clip_value)
        self.optimizer.step()
        return priorities, {"loss": loss.detach(), "grad_norm": grad_norm} | metrics

    def _roles(self) -> tuple[QNetwork, QNetwork]:
        """Who learns and chooses, and who values, in this update; drawn between two networks.

        Source: van Hasselt 2010, Double Q-learning, algorithm 1 (NeurIPS 23).
        """
        if self.config.double == "two_networks" and self.rng.random() < 0.5:
            return self.target, self.online
        return self.online, self.target

    @torch.no_grad()
    def _targets(
        self, fields: dict[str, torch.Tensor], learner: QNetwork, judge: QNetwork, judged: torch.Tensor | None = None
    ) -> torch.Tensor:
        """What the learner's outputs should be: values [B], or distributions [B, K]."""
        if self.config.noisy:
            self.online.set_noise(self.torch_rng)
            self.target.set_noise(self.torch_rng)
        returns, next_obs = fields["n_return"] * self.config.reward_scale, fields["next_obs"]
        mask = fields["next_mask"] if self.config.use_mask else None
        said = (returns, fields["discount"], judge.outputs(next_obs) if judged is None else judged, mask)
        chooser = None if self.config.double == "none" else learner(next_obs)
        if self.config.distributional:
            return distributional.target_distributions(*said, judge.support, chooser)
        return losses.td_targets(*said, chooser)

    def state_dict(self, with_replay: bool = False) -> dict[str, Any]:
        """Everything needed to go on but the replay. Tensors are live: save or copy before going on.

        Args:
            with_replay: also what is known of each of the replay's transitions.
        """
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
        if with_replay and self.target_values is not None:
            state["target_values"] = to_tensors(self.target_values.state_dict())
        return state

    def cut_fights(self) -> None:
        """The fights under way do not go on; their steps that no transition holds yet are dropped."""
        self.n_step.clear()

    def begin_schedules(self) -> None:
        """The schedules that end with the training run from here to there; epsilon has a length of its own."""
        self.schedules_from = self.steps

    def load_parent(self, state: dict[str, Any]) -> None:
        """Start with another agent's online network, in both places; replay, optimiser and schedules begin anew.

        Raises:
            UserError: algorithm, sizes or network differ.
        """
        check_fits(state, "dqn", self.obs_dim, self.num_actions)
        load_network(self.online, state["online"])
        self._move_target(1.0)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave; steps pending in another number of environments are dropped.

        Raises:
            UserError: algorithm, sizes or network differ.
        """
        check_fits(state, "dqn", self.obs_dim, self.num_actions)
        doubles = (state["config"]["double"], self.config.double)
        if doubles[0] != doubles[1] and "two_networks" in doubles:
            raise UserError(f"checkpoint was trained with double = '{doubles[0]}', not '{doubles[1]}'; set it alike")
        load_network(self.online, state["online"])
        load_network(self.target, state["target"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.optimizer.param_groups[0]["weight_decay"] = self.config.weight_decay
        vars(self).update({"schedules_from": 0} | state["counters"])  # an older ashen's began at step 0
        if state["num_envs"] == self.num_envs and state["config"]["n_step"] == self.config.n_step:
            self.n_step.load_state_dict(to_arrays(state["n_step"]))
        if self.target_values is not None:
            self.target_values.forget()
            if "target_values" in state:
                self.target_values.load_state_dict(to_arrays(state["target_values"]))
        self.rng.bit_generator.state = state["numpy_rng"]
        self.torch_rng.set_state(state["torch_rng"])


_COUNTERS = ("steps", "fights", "updates", "last_burst", "credit", "schedules_from")

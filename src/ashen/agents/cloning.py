"""Cloning of behaviour: an agent's networks are fitted to what a demonstrator did and what it came to."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ashen.agents import losses
from ashen.agents.checks import check_range
from ashen.agents.dqn import DQNAgent
from ashen.agents.networks import sync_target
from ashen.agents.ppo import PPOAgent
from ashen.agents.tensors import mean_metrics


@dataclass(frozen=True)
class CloneConfig:
    """How behaviour is cloned."""

    learning_rate: float = 1e-3
    """Adam's step size."""
    batch_size: int = 256
    """Decisions per gradient step."""
    max_epochs: int = 60
    """Passes over the fights at most."""
    patience_epochs: int = 6
    """Stop after so many passes without a smaller loss on the fights held out; the best pass is kept."""
    margin: float = 0.8
    """DQN: by how many standard deviations of a return the action taken is to be above all others."""

    def __post_init__(self) -> None:
        check_range(self, 1, np.inf, "batch_size", "max_epochs", "patience_epochs")
        check_range(self, 0.0, np.inf, "learning_rate", "margin")


class Samples(NamedTuple):
    """Decisions of a demonstrator; where ``actions`` is negative only the return is learned."""

    obs: Tensor  # [B, D]
    mask: Tensor  # [B, A]
    actions: Tensor  # [B]
    returns: Tensor  # [B], discounted return to go in the rewards of the environment

    def at(self, chosen: Tensor) -> "Samples":
        """Some of them."""
        return Samples(*(part[chosen] for part in self))


class Cloning:
    """Fits an agent to samples.

    Observation and reward statistics are set from the samples first; they are those that training goes on with.

    Args:
        agent: a fresh PPO or DQN agent, changed in place.
        config: settings.
        samples: what is learned from.
        running_returns: discounted returns of the steps *before* each sample [B], by whose spread PPO scales rewards.
    """

    def __init__(self, agent: Any, config: CloneConfig, samples: Samples, running_returns: np.ndarray):
        self.agent, self.config = agent, config
        self.network = agent.network if isinstance(agent, PPOAgent) else agent.online
        if self.network.normaliser is not None:
            self.network.normaliser.update(samples.obs)
        if isinstance(agent, PPOAgent):
            agent.reward_scaler.take_in(running_returns)
            self._scale = 1.0 / agent.reward_scaler.scale if agent.config.normalise_reward else 1.0
            self._losses: Callable[[Samples], tuple[Tensor, Tensor]] = self._ppo_losses
        else:
            self._scale = agent.config.reward_scale
            self._losses = self._dqn_losses
        self._margin = config.margin * float((samples.returns * self._scale).std(correction=0))
        self._samples = samples
        self._optimizer = torch.optim.Adam(self.network.parameters(), lr=config.learning_rate)
        self._best = copy.deepcopy(self.network.state_dict())

    def epoch(self, should_stop: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """One pass over the samples, or what of it is done by the time it should stop; means of its losses."""
        rows = []
        self.network.train()
        order = torch.randperm(len(self._samples.actions), generator=self.agent.torch_rng)
        for chosen in order.split(self.config.batch_size):
            choice, value = self._losses(self._samples.at(chosen))
            self._optimizer.zero_grad()
            (choice + value).backward()
            self._optimizer.step()
            rows.append({"choice_loss": choice.detach(), "return_loss": value.detach()})
            if should_stop():
                break
        self.network.eval()
        return mean_metrics(rows)

    @torch.no_grad()
    def judge(self, samples: Samples) -> dict[str, float]:
        """Loss and accuracy on samples that were not learned from; accuracy is over those with an action."""
        decided = samples.at(samples.actions >= 0)
        guesses = self.agent.act(decided.obs.numpy(), decided.mask.numpy(), explore=False).actions
        return {
            "held_out_loss": float(self._losses(samples)[0]),
            "held_out_accuracy": float(np.mean(guesses == decided.actions.numpy())),
        }

    def keep(self) -> None:
        """Take this for the best pass so far."""
        self._best = copy.deepcopy(self.network.state_dict())

    def finish(self) -> None:
        """Leave the agent with its best pass."""
        self.network.load_state_dict(self._best)
        if isinstance(self.agent, DQNAgent):
            sync_target(self.agent.target, self.agent.online, 1.0)

    def _ppo_losses(self, batch: Samples) -> tuple[Tensor, Tensor]:
        """Cross-entropy of the actions taken, and the value's error."""
        obs = self.network.normalise(batch.obs)
        value = losses.value_loss(self.network.value(obs).squeeze(-1), batch.returns * self._scale)
        decided = batch.actions >= 0
        log_probs = losses.masked_log_probs(self.network.policy(obs[decided]), batch.mask[decided])
        return _mean(functional.nll_loss(log_probs, batch.actions[decided], reduction="none")), value

    def _dqn_losses(self, batch: Samples) -> tuple[Tensor, Tensor]:
        """Large margin of the actions taken, and the error of their Q-values against what they came to."""
        decided = batch.actions >= 0
        known = batch.at(decided)
        q = self.network(batch.obs)[decided]
        taken = q.gather(-1, known.actions.unsqueeze(-1)).squeeze(-1)
        value = functional.smooth_l1_loss(taken, known.returns * self._scale, reduction="none")
        return _mean(losses.large_margin(q, known.mask, known.actions, self._margin)), _mean(value)


def _mean(values: Tensor) -> Tensor:
    """Mean, 0 of nothing."""
    return values.sum() / max(1, len(values))

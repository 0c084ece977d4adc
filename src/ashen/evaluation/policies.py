"""What can play a match: the few things a match asks of a policy, and a trained agent put into that shape."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ashen.core.protocols import Agent, Decision


class Policy(Protocol):
    """Plays fights and never learns. The same seeds give the same play, however many fights run side by side."""

    name: str
    """What it is called in records and tables."""
    score_kind: str
    """``"q_values"`` or ``"probabilities"``."""

    def begin(self, seeds: NDArray[np.uint64]) -> None:
        """New fights start, one for each of ``seeds`` [N]."""

    def act(self, states: NDArray[Any], obs: Any, mask: NDArray[np.bool_]) -> Decision:
        """Choose actions for FIGHT_STATE ``states`` [N], observations ``obs`` [N, D] and masks [N, A]."""


class GreedyAgent:
    """A trained agent at its best: no exploration, no learning.

    Args:
        agent: the learner.
        name: the run's name.
    """

    def __init__(self, agent: Agent, name: str):
        self.name = name
        self.score_kind = agent.score_kind
        self._agent = agent

    @property
    def discount(self) -> float:
        """Weight of the next step's value."""
        return self._agent.discount

    def value(self, obs: Any, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Rewards [N] that the agent expects from here on, discounted."""
        return self._agent.value(obs, mask)

    def begin(self, seeds: NDArray[np.uint64]) -> None:
        """Nothing to do: a greedy agent has no chance in it and no memory."""

    def act(self, states: NDArray[Any], obs: Any, mask: NDArray[np.bool_]) -> Decision:
        """The agent's best valid actions."""
        return self._agent.act(obs, mask, explore=False)

"""What can play a match: the few things a match asks of a policy, and trained agents put into that shape."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import LAST_ACTIONS, NO_ACTION, NOTHING, NUM_ACTIONS
from ashen.core.protocols import Agent, Decision
from ashen.env.view import View


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


class GuestAgent:
    """A trained agent at its best, as a guest in an environment that is not its own and has all 20 actions.

    It sees every state through its own encoder, chooses among its own actions, and does nothing where its own
    environment would wait. An action it does not have has the probability 0, or no Q-value (NaN).

    Args:
        agent: the learner.
        name: the run's name.
        view: what it sees and may do.
    """

    def __init__(self, agent: Agent, name: str, view: View):
        self.name = name
        self.score_kind = agent.score_kind
        self._agent, self._view = agent, view

    def begin(self, seeds: NDArray[np.uint64]) -> None:
        """Forget what was played, for N new fights."""
        self._asked = np.full((len(seeds), LAST_ACTIONS), NO_ACTION, np.int32)
        self._waited = np.zeros(len(seeds), np.bool_)

    def act(self, states: NDArray[Any], obs: Any, mask: NDArray[np.bool_]) -> Decision:
        """The agent's best actions 0..19 [N] with scores [N, 20], for masks [N, 20]."""
        if self._view.skip_steps:
            states = self._without_waits(states, mask)
        decision = self._agent.act(self._view.observe(states), self._view.mask(mask), explore=False)
        actions = np.where(self._waited, NOTHING, self._view.action_ids[decision.actions])
        scores = np.full((len(actions), NUM_ACTIONS), 0.0 if self.score_kind == "probabilities" else np.nan, np.float32)
        scores[:, self._view.action_ids] = decision.scores
        return Decision(actions, scores)

    def _without_waits(self, states: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
        """The states with the last actions that the agent's own environment would remember: it asks for none in a wait.

        Whoever played them, they stand in the states; which steps were waits was noted one step before.
        """
        begins = states["step"] == 0
        played = ~begins & ~self._waited
        self._asked[played, 1:] = self._asked[played, :-1]
        self._asked[played, 0] = states["last_actions"][played, 0]
        self._asked[begins] = NO_ACTION
        self._waited = ~begins & ~mask[:, :NOTHING].any(axis=1)
        states = states.copy()
        states["last_actions"] = self._asked
        return states


class PhaseSwitch:
    """Several policies as one: each fight is played by the policy of the phase it is in, which the game shows.

    Args:
        name: what they are called together.
        policies: who plays a phase, by its number; they choose among all 20 actions.
    """

    def __init__(self, name: str, policies: Mapping[int, Policy]):
        self.name = name
        kinds = {policy.score_kind for policy in policies.values()}
        # Where they differ, a Q-network's choice is told as the certainty that it is.
        self.score_kind = kinds.pop() if len(kinds) == 1 else "probabilities"
        self._policies = policies

    def begin(self, seeds: NDArray[np.uint64]) -> None:
        """Begin the fights for every policy."""
        for policy in self._policies.values():
            policy.begin(seeds)

    def act(self, states: NDArray[Any], obs: Any, mask: NDArray[np.bool_]) -> Decision:
        """Actions 0..19 [N] with scores [N, 20], for masks [N, 20]."""
        actions = np.full(len(states), NOTHING)
        scores = np.zeros((len(states), NUM_ACTIONS), np.float32)
        for phase, policy in self._policies.items():
            # All fights go to every policy, so that none depends on how many others are in its phase.
            decision = policy.act(states, obs, mask)
            certain = np.eye(NUM_ACTIONS, dtype=np.float32)[decision.actions]
            here = states["phase"] == phase
            actions[here] = decision.actions[here]
            scores[here] = (decision.scores if policy.score_kind == self.score_kind else certain)[here]
        return Decision(actions, scores)

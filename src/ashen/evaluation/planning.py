"""Planning: copies of the running fight try the actions that may be good, and the one that ends best is taken.

The copies hold all of the simulated fight, also what no player sees. Their dice are their own: a planner knows what is,
and not what will be drawn. After the tried action every copy goes on by the policy itself, which makes this one step of
policy improvement (Tesauro and Galperin 1996, On-line Policy Improvement using Monte-Carlo Search).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.fight import Outcome
from ashen.core.protocols import Decision
from ashen.evaluation.opponents import RollAndHit
from ashen.evaluation.policies import GreedyAgent, Policy

RUNNING = int(Outcome.RUNNING)
_TIE = 1e-6
"""The policy's own choice stands unless another does better by more than this: rewards are sums of rounded numbers."""


@dataclass(frozen=True)
class PlanConfig:
    """How many actions are tried, how far, and how often."""

    candidates: int
    """Actions tried in a decision: the best valid ones by the policy's scores."""
    steps: int
    """Steps that a copy plays, the tried action included."""
    samples: int
    """Copies of each candidate; copies of the same number have the same dice."""


ORACLE = PlanConfig(candidates=20, steps=40, samples=4)
"""All actions; attacks take up to 3 s from their first sign to the blow, and 2 s ahead won fewer fights."""

AGENT_CANDIDATES = 4
"""How many actions of a trained agent are tried."""


class Planner:
    """A policy that tries its actions on copies of the fight before it acts.

    Args:
        name: what it is called in records and tables.
        policy: what is planned for and plays on in the copies; without memory of its own.
        env: the vector environment that it plays in, simulated; a view of one has no fights either.
        config: how many copies, and how far.
        value: rewards expected after the last step, [R] for observations [R, D] and masks [R, A]; None counts none.
        discount: weight of the next step's reward.
    """

    score_kind = "q_values"

    def __init__(
        self,
        name: str,
        policy: Policy,
        env: Any,
        config: PlanConfig,
        value: Callable[[Any, NDArray[np.bool_]], NDArray[np.float32]] | None = None,
        discount: float = 1.0,
    ):
        if not hasattr(getattr(env, "backend", None), "branch"):
            raise UserError(f"{name} looks ahead on copies of the fight, and the game has none; give --backend sim")
        self.name = name
        self._policy, self._env, self._config = policy, env, config
        self._value, self._discount = value, discount
        self._seeds = np.zeros(0, np.uint64)

    def begin(self, seeds: NDArray[np.uint64]) -> None:
        """Keep what the copies' dice come from."""
        self._seeds = seeds
        self._policy.begin(seeds)

    def act(self, states: NDArray[Any], obs: Any, mask: NDArray[np.bool_]) -> Decision:
        """The actions [N] of highest mean return; the scores are these returns, for actions not tried the lowest."""
        own = self._policy.act(states, obs, mask)
        slots, tried = self._candidates(own, mask)
        returns = np.full(mask.shape, -np.inf, np.float32)
        returns[slots, tried] = self._returns(slots, tried, states["step"])
        best, everyone = returns.argmax(axis=1), np.arange(len(mask))
        is_better = returns[everyone, best] > returns[everyone, own.actions] + _TIE
        is_tried = np.isfinite(returns)
        lowest = returns.min(axis=1, where=is_tried, initial=np.inf, keepdims=True)
        scores = np.where(is_tried, returns, np.where(np.isfinite(lowest), lowest, np.float32(0.0)))
        return Decision(np.where(is_better, best, own.actions), scores)

    def _candidates(self, own: Decision, mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Slots [C] and actions [C] to try: the policy's choice, then its best valid ones, where there is a choice."""
        scores = np.where(mask, own.scores, -np.inf)
        np.put_along_axis(scores, own.actions[:, None], np.inf, axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, : self._config.candidates]
        is_worth_it = (np.take_along_axis(scores, order, axis=1) > -np.inf) & (mask.sum(axis=1) > 1)[:, None]
        slots, ranks = np.nonzero(is_worth_it)
        return slots, order[slots, ranks]

    def _returns(
        self, slots: NDArray[np.int64], tried: NDArray[np.int64], steps: NDArray[np.int32]
    ) -> NDArray[np.floating]:
        """Mean discounted return [C] of trying each action and then playing on by the policy."""
        if slots.size == 0:
            return np.zeros(0)
        samples = self._config.samples
        dice = {slot: self._dice(slot, steps[slot]) for slot in np.unique(slots).tolist()}
        copies = self._env.branch(np.repeat(slots, samples), np.concatenate([dice[slot] for slot in slots.tolist()]))
        step = copies.step(copies.action_ids[np.repeat(tried, samples)])
        returns, is_running, weight = step.rewards.astype(np.float64), step.outcome == RUNNING, self._discount
        for _ in range(self._config.steps - 1):
            actions = self._policy.act(copies.backend.states, step.obs, step.mask).actions
            step = copies.step(copies.action_ids[actions])
            returns += weight * np.where(is_running, step.rewards, 0.0)
            is_running &= step.outcome == RUNNING
            weight *= self._discount
        if self._value is not None:
            returns += weight * np.where(is_running, self._value(step.obs, step.mask), 0.0)
        return returns.reshape(len(slots), samples).mean(axis=1)

    def _dice(self, slot: int, step: int) -> NDArray[np.uint64]:
        """Streams [samples] for the copies of one fight, told by its seed and step: the same for all candidates."""
        rng = np.random.default_rng([int(self._seeds[slot]), int(step)])
        return rng.integers(2**64, size=self._config.samples, dtype=np.uint64)


def make_oracle(boss: str, env: Any) -> Planner:
    """The opponent ``oracle``: tries everything, with ``roll-and-hit`` for what follows.

    Args:
        boss: name or table of the boss it meets.
        env: the vector environment that it plays in.
    """
    return Planner("oracle", RollAndHit("oracle", env.action_names, boss), env, ORACLE)


def planned(make_policy: Callable[[Any], Policy], steps: int, samples: int) -> Callable[[Any], Policy]:
    """What gives a planner for an environment in place of a trained agent.

    Args:
        make_policy: gives the agent for the environment.
        steps: how far copies play on.
        samples: copies of each action tried.
    """

    def make_planner(env: Any) -> Policy:
        agent = make_policy(env)
        if not isinstance(agent, GreedyAgent):
            raise UserError(f"{agent.name} cannot plan, only a single trained agent can; leave out --plan")
        config = PlanConfig(AGENT_CANDIDATES, steps, samples)
        return Planner(f"{agent.name}, planning", agent, env, config, agent.value, agent.discount)

    return make_planner

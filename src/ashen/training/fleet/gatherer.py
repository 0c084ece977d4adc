"""A player of a fleet: the ordinary fights with the ordinary agent, whose learner is elsewhere."""

import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.agents.acting import load_acting_state
from ashen.core.protocols import Agent, Decision, Transitions
from ashen.evaluation.policies import GreedyAgent
from ashen.runs.fights import FightRecord, load_fight
from ashen.runs.folder import RunFolder
from ashen.training.fleet.batch import Batch, Tag, merged
from ashen.training.fleet.plan import batch_steps, share_of
from ashen.training.fleet.weights import unpacked
from ashen.training.monitors.window import Watch
from ashen.training.player import Player
from ashen.training.recipe import Recipe, make_agent_for

BATCH_S = 0.5
"""How long a batch takes, unless it is full before."""
_CATCH_UP_S = 1.0
"""A paced player that was kept waiting makes up for so much; a game would not."""
_LOOK_EVERY_S = 0.1
"""Whether to stop, while a pace is kept."""


class Gatherer:
    """Plays its share of a recipe's fights.

    Args:
        recipe: of the training.
        players: how many share it.
        name: its own.
        pace: steps of 0.1 s in a second at most, of all its fights together; 0 sets no limit.

    Attributes:
        tag: of the networks that it acts by.

    Raises:
        UserError: the recipe names something that does not exist here.
    """

    def __init__(self, recipe: Recipe, players: int, name: str, pace: float = 0.0):
        self.name, self.life, self._pace = name, secrets.token_hex(8), pace
        share = share_of(recipe, players, name, self.life)
        self.player = Player(share)
        self.agent = make_agent_for(share, self.player.env)
        self._observer = _Observer(self.agent)
        self._watch = Watch(share.num_envs, len(self.player.env.encoder.names), len(self.player.env.action_names))
        self._fights: list[FightRecord] = []
        self._unknown = self._unknown_so_far()
        self.tag = Tag("", 0)
        self._sent, self._most_steps = 0, batch_steps(recipe)
        self._due_s = 0.0

    def load(self, weights: bytes) -> None:
        """Act by these networks from the next step on.

        Raises:
            UserError: they are of another shape, or none at all.
        """
        state, tag = unpacked(weights)
        if tag != self.tag:
            load_acting_state(self.agent, state)
            self.tag = tag

    def play(self, record: bool = False, should_stop: Callable[[], bool] = lambda: False) -> Batch:
        """Play until there is a batch to learn from.

        Args:
            record: also the next fight that starts; on the game all are recorded.
            should_stop: asked after every step; what has been gathered by then is the batch.

        Raises:
            UserError: the game cannot go on until the user mends it; :meth:`finish` then has what there is.
        """
        if record:
            self.player.recorder.ask()
        if not self.player.has_begun:
            self.player.start(self.agent.steps)
        begins_s, env_step = time.monotonic(), self.agent.steps
        rollout = self.agent.replay is None
        while not should_stop():
            played = self.player.step(self._observer, env_step)
            self._observer.observe(played.step)
            self._watch.add_step(played.step, self.player.env.states)
            self._wait(played.passed_steps * len(self.player.env.states), should_stop)
            is_full = self._observer.parts if rollout else self.player.tally.steps >= self._most_steps
            if is_full or (not rollout and time.monotonic() >= begins_s + BATCH_S):
                break
        return replace(self._batch(), took_s=time.monotonic() - begins_s)

    @property
    def rollout_share(self) -> float:
        """How much of the rollout under way is played; 0 for who needs none."""
        if self.agent.replay is not None:
            return 0.0
        return self.agent.rollout.length / len(self.agent.rollout.obs)

    def finish(self) -> Batch:
        """End the fights under way: what there is since the last batch, the fight that is cut off in the game too."""
        if (kept := self.player.give_up()) is not None:
            self._fights.append(load_fight(kept))
        return self._batch()

    def record(self, run: RunFolder | None = None, save: Callable[[FightRecord], object] = lambda fight: None) -> None:
        """Record fights, to send them with the batches.

        Args:
            run: whose folder keeps those under way on the game, and an account of it.
            save: also called with each.
        """

        def keep(fight: FightRecord) -> None:
            save(fight)
            self._fights.append(fight)

        self._fights += map(load_fight, self.player.record(GreedyAgent(self.agent, self.name), keep, run))

    def _batch(self) -> Batch:
        parts, self._observer.parts = self._observer.parts, []
        part = merged(parts) if parts else {}
        window = self._watch.take()
        signed = [replace(fight, meta=fight.meta | {"player": self.name}) for fight in self._fights]
        self._fights.clear()
        before, self._unknown = self._unknown, self._unknown_so_far()
        batch = Batch(
            player=self.name,
            life=self.life,
            number=self._sent,
            tag=self.tag,
            part=part,
            counts=self.player.tally.take_counts(),
            windows=[vars(window)] if window else [],
            unknown=dict(self._unknown - before),
            fights=signed,
        )
        self._sent += 1
        return batch

    def _unknown_so_far(self) -> Counter[str]:
        return Counter(self.player.env.backend.unknown_animations if self.player.recipe.is_on_game else ())

    def _wait(self, passed_steps: float, should_stop: Callable[[], bool]) -> None:
        if not self._pace:
            return
        self._due_s = max(self._due_s, time.monotonic() - _CATCH_UP_S) + passed_steps / self._pace
        while (left_s := self._due_s - time.monotonic()) > 0.0 and not should_stop():
            time.sleep(min(left_s, _LOOK_EVERY_S))


class _Observer:
    """An agent that acts as its own does and gathers what it sees."""

    def __init__(self, agent: Agent):
        self._agent = agent
        self.parts: list[dict[str, NDArray[Any]]] = []

    def act(self, obs: NDArray[np.float32], mask: NDArray[np.bool_], explore: bool) -> Decision:
        return self._agent.act(obs, mask, explore)

    def observe(self, step: Transitions) -> None:
        if (part := self._agent.gather(step)) is not None:
            self.parts.append({name: np.array(values) for name, values in part.items()})

    def update(self) -> dict[str, float]:
        return {}

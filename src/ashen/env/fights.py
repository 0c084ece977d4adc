"""N fights of a backend, seen through an encoder and paid by a reward. What both Gymnasium faces are made of."""

from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.core.arena import without_cliff
from ashen.core.arrays import as_bytes
from ashen.core.fight import NO_ACTION, NOTHING, Outcome
from ashen.core.protocols import Backend
from ashen.env.actions import action_ids, action_subset
from ashen.env.passes import LEDGER, advance_parallel, advance_serial, begin, finish
from ashen.obs.encoders import empty_observation, make_encoder
from ashen.rewards.reward import make_reward
from ashen.sim.backend import PARALLEL_FROM, SimBackend

RUNNING, WIN, LOSS = int(Outcome.RUNNING), int(Outcome.WIN), int(Outcome.LOSS)
"""As plain integers: looking up a member of an Enum and comparing it with an array costs 10 us."""


class Step(NamedTuple):
    """What a step of N fights came to, before anything is reset. The arrays are new with every step."""

    obs: NDArray[np.float32]  # [N, D]
    mask: NDArray[np.bool_]  # [N, A]
    rewards: NDArray[np.float32]  # [N]
    terms: NDArray[np.float32]  # [N, K]
    outcome: NDArray[np.int8]  # [N]; WIN and LOSS terminate, what is above them truncates


class Wait(NamedTuple):
    """0.1 s that the environment let pass by itself in some fights, inside one step."""

    which: NDArray[np.bool_]  # [N]; the fights that waited
    states: NDArray[Any]  # FIGHT_STATE [N] before it
    terms: NDArray[np.float32]  # [N, K] of it
    rewards: NDArray[np.float32]  # [N] of it


class Fights:
    """N fights side by side.

    Args:
        backend: who fights them.
        boss: name or table of the boss.
        encoder: name of the encoder.
        reward: name of a preset, or a table of weights.
        actions: name of a set of actions, or their names.
        skip_steps: after a step, let time pass while only doing nothing is valid.

    Raises:
        UserError: an unknown name.
    """

    def __init__(
        self,
        backend: Backend,
        boss: str,
        encoder: str,
        reward: str | dict[str, Any],
        actions: str | Sequence[str],
        skip_steps: bool,
    ) -> None:
        self.boss = boss
        self.encoder = make_encoder(encoder, boss)
        self.reward = make_reward(reward)
        self.action_names = action_subset(actions)
        self.action_ids = action_ids(self.action_names)
        self._hold(backend, np.zeros(backend.num_fights, LEDGER))
        self._tables = (self.encoder.facts, self.encoder.runs, self.reward.parts, self.action_ids)
        self._skip_steps = skip_steps
        self.keep_waits = False
        """Whether the waits of each step are kept, for a record of the whole fight."""
        self.waits: list[Wait] = []
        """Those of the last step, if they are kept."""

    def _hold(self, backend: Backend, ledger: NDArray[Any]) -> None:
        count = backend.num_fights
        self.backend, self.everyone = backend, np.ones(count, np.bool_)
        self._ledger, self._numbers = ledger, ledger.view(np.float32).reshape(count, -1)
        self.final_states = ledger["final"]
        self._advance_compiled = advance_parallel if count >= PARALLEL_FROM else advance_serial

    def branch(self, rows: NDArray[np.int64], streams: NDArray[np.uint64]) -> "Fights":
        """Copies of running simulated fights, with what was seen and paid so far; the fights do not notice.

        Args:
            rows: which fights, [R]; the same one as often as wanted.
            streams: random streams of the copies, [R].
        """
        twin = copy(self)
        twin._hold(self.backend.branch(rows, streams), self._ledger[rows])
        twin.keep_waits = False
        return twin

    def state_dict(self) -> dict[str, Any]:
        """The running simulated fights, with what was seen and paid so far. The arrays are live: save or copy them."""
        return {"backend": self.backend.state_dict(), "ledger": as_bytes(self._ledger)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with the fights that :meth:`state_dict` gave, for as many fights against the same boss."""
        self.backend.load_state_dict(state["backend"])
        as_bytes(self._ledger)[:] = state["ledger"]

    def close_cliff(self) -> None:
        """From now on the simulated arena is walled all round, for the bodies and in what is seen of it."""
        self.backend.tables = without_cliff(self.backend.tables)
        self._tables = (without_cliff(self._tables[0]), *self._tables[1:])

    def empty(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Room for observations [N, D] and masks [N, A]."""
        count = len(self.everyone)
        return empty_observation(self.encoder, count), np.empty((count, len(self.action_ids)), np.bool_)

    def begin(
        self,
        which: NDArray[np.bool_],
        seeds: NDArray[np.uint64] | None,
        obs: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> None:
        """Start new fights where ``which`` [N], and write their rows of ``obs`` [N, D] and ``mask`` [N, A]."""
        self.backend.reset(which, seeds)
        states, valid = self.backend.states, self.backend.valid_actions()
        begin(which, states, self._ledger, self._numbers, self._tables, valid, obs, mask)

    def step(self, actions: NDArray[np.int64]) -> Step:
        """Do ``actions`` [N], 0..19, in all fights."""
        count = len(self.everyone)
        obs, mask = self.empty()
        rewards, terms = np.zeros(count, np.float32), np.zeros((count, len(self.reward.names)), np.float32)
        out = (obs, mask, rewards, terms)
        outcome = self._advance(self.everyone, actions, actions, out)
        if self._skip_steps:
            outcome = self._wait(out, outcome)
        return Step(obs, mask, rewards, terms, outcome.copy())

    def _advance(
        self, which: NDArray[np.bool_], actions: NDArray[np.int64], chosen: NDArray[np.int64], out: tuple[Any, ...]
    ) -> NDArray[np.int8]:
        """Do ``actions`` in ``which`` fights, as ``chosen`` by the agent; simulated ones also wait, if none is kept."""
        backend, books = self.backend, (self._ledger, self._numbers, self._tables, out)
        if isinstance(backend, SimBackend):
            waits = self._skip_steps and not self.keep_waits
            backend.run(self._advance_compiled, which, actions, chosen, waits, *books)
        else:
            backend.step(actions, which)
            finish(which, (backend.states, backend.valid_actions(), backend.outcome()), chosen, *books)
        return backend.outcome()

    def _wait(self, out: tuple[Any, ...], outcome: NDArray[np.int8]) -> NDArray[np.int8]:
        """Let time pass in the fights where only doing nothing is valid."""
        nothing = np.full(len(self.everyone), NOTHING, np.int64)
        unasked = np.full(len(self.everyone), NO_ACTION, np.int64)
        self.waits = []
        while True:
            idle = ~self.backend.valid_actions()[:, :NOTHING].any(axis=1)
            waiting = idle & (outcome == RUNNING)
            if not waiting.any():
                return outcome
            _, _, rewards, terms = out
            before = (self.backend.states.copy(), terms.copy(), rewards.copy()) if self.keep_waits else None
            outcome = self._advance(waiting, nothing, unasked, out)
            if before is not None:
                states, terms_before, rewards_before = before
                self.waits.append(Wait(waiting, states, terms - terms_before, rewards - rewards_before))

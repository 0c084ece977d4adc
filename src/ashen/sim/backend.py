"""N simulated fights behind :class:`ashen.core.protocols.Backend`: serial for few fights, on all cores for many."""

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.arrays import as_bytes
from ashen.core.compiled import njit, prange
from ashen.core.errors import unknown
from ashen.core.fight import FIGHT_STATE, NUM_ACTIONS
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.sim.fight import show_fight, start_fight, step_fight
from ashen.sim.late_starts import begin_late, keep_exits, late_starts, note_exit
from ashen.sim.pack import load_tables
from ashen.sim.player import is_valid
from ashen.sim.random import next_stream, pick
from ashen.sim.records import WORLD

FIGHTS = {"phase1": (1, 0), "phase2": (2, 0), "full": (1, 1)}
"""Kinds of fight: the first phase, and whether the phase may change. In a single phase the boss's whole HP is dealt."""
_STATE = ("worlds", "states", "mask", "outcome", "late_worlds", "late_phases", "late_count")
PARALLEL_FROM = 256
"""Numba's threads cost more than they save below this many fights."""


class SimBackend:
    """N simulated fights.

    Args:
        boss: a boss's name or the path of its table.
        fight: ``"phase1"``, ``"phase2"`` (SoulsGym's training fights) or ``"full"`` (its demo fight).
        num_fights: N.
        random_start: start at one of eleven poses instead of the fixed one.
        randomise: ``"none"``; ``"facts"`` or ``"wide"``: each fight takes one of a pool of varied tables, by its seed.
        randomise_seed: of that pool.
        randomise_share: of that pool which is varied, 0..1; the others are the table as it stands.
        phase2_starts: share of the fights that begin where a recent one came into phase 2, 0..1; see
            :mod:`ashen.sim.late_starts`.

    Raises:
        UserError: there is no such boss, kind of fight or way to randomise, or its table is broken.
    """

    def __init__(
        self,
        boss: str,
        fight: str,
        num_fights: int,
        random_start: bool = False,
        randomise: str = "none",
        randomise_seed: int = 0,
        randomise_share: float = 1.0,
        phase2_starts: float = 0.0,
    ) -> None:
        if fight not in FIGHTS:
            raise unknown("fight", fight, FIGHTS)
        path = boss_file(boss)
        self.player_vocabulary, self.boss_vocabulary = player_vocabulary(), boss_vocabulary(path)
        self.tables, self.table_hash = load_tables(path, randomise, randomise_seed, randomise_share)
        self._first_phase, self._may_change_phase = FIGHTS[fight]
        self._random_start = int(random_start)
        self._hold(
            np.zeros(num_fights, WORLD),
            np.zeros(num_fights, FIGHT_STATE),
            np.zeros((num_fights, NUM_ACTIONS), np.bool_),
            np.zeros(num_fights, np.int8),
        )
        self._worlds["stream"] = np.arange(num_fights)
        self._late = late_starts(num_fights, phase2_starts)

    def _hold(
        self, worlds: NDArray[Any], states: NDArray[Any], mask: NDArray[np.bool_], outcome: NDArray[np.int8]
    ) -> None:
        self.num_fights = len(worlds)
        self._worlds, self.states, self._mask, self._outcome = worlds, states, mask, outcome
        self._all = np.ones(self.num_fights, np.bool_)
        self._step = _step_parallel if self.num_fights >= PARALLEL_FROM else _step_serial

    def reset(self, which: NDArray[np.bool_], seeds: NDArray[np.uint64] | None = None) -> None:
        """Start new fights where ``which`` [N] is true; ``seeds`` [N] restart their random streams, else they go on."""
        if seeds is not None:
            self._worlds["stream"][which] = seeds[which]
            self._late.count[0] = 0
        how = (self._first_phase, self._may_change_phase, self._random_start)
        _reset(self._worlds, self.tables, self.states, self._mask, self._outcome, which, how, self._late)

    def step(self, actions: NDArray[np.int64], which: NDArray[np.bool_] | None = None) -> None:
        """Advance by 0.1 s the fights in ``which`` [N] (all, if None) with ``actions`` [N] in 0..19."""
        which = self._all if which is None else which
        self.run(self._step, actions, which)

    def run(self, compiled: Callable[..., object], *arguments: Any) -> None:
        """Have a compiled pass advance fights by :func:`step_one`.

        Args:
            compiled: called with what :func:`step_one` takes as ``fights`` and ``late``, and then the arguments.
            arguments: whatever else it takes.
        """
        compiled((self._worlds, self.tables, self.states, self._mask, self._outcome), self._late, *arguments)
        if self._late.share > 0.0:
            keep_exits(self._late)

    def valid_actions(self) -> NDArray[np.bool_]:
        """Mask [N, 20]; rewritten in place by reset and step."""
        return self._mask

    def outcome(self) -> NDArray[np.int8]:
        """Outcome values [N] of the last step; rewritten in place by reset and step."""
        return self._outcome

    def close(self) -> None:
        """Nothing to give back."""

    def snapshot(self) -> NDArray[Any]:
        """The worlds with everything that only the simulator knows [N], for tests and explanations."""
        return self._worlds.copy()

    def restore(self, worlds: NDArray[Any]) -> None:
        """Go on from a snapshot [N]."""
        self._worlds[:] = worlds
        _show(self._worlds, self.tables, self.states, self._mask, self._outcome)

    def state_dict(self) -> dict[str, NDArray[np.uint8]]:
        """Everything that running fights depend on but the tables, as bytes. They are live: save or copy them."""
        late = self._late
        arrays = (self._worlds, self.states, self._mask, self._outcome, late.worlds, late.phases, late.count)
        return {name: as_bytes(array) for name, array in zip(_STATE, arrays, strict=True)}

    def load_state_dict(self, state: dict[str, NDArray[np.uint8]]) -> None:
        """Go on with the fights that :meth:`state_dict` gave, for as many fights and the same tables."""
        for name, array in self.state_dict().items():
            array[:] = state[name]

    def branch(self, rows: NDArray[np.int64], streams: NDArray[np.uint64]) -> "SimBackend":
        """Copies of running fights, hidden state and all, that go on by themselves; the fights do not notice.

        Args:
            rows: which fights, [R]; the same one as often as wanted.
            streams: random streams of the copies [R], so that a copy knows what is, and not what the dice will say.
        """
        twin = copy(self)
        twin._hold(self._worlds[rows], self.states[rows], self._mask[rows], self._outcome[rows])
        twin._worlds["stream"] = streams
        twin._late = late_starts(len(rows), 0.0)
        return twin


@njit
def _show_one(world, table, state, mask):
    show_fight(world, table, state)
    rules, move = table.rules, table.moves[world.move]
    walk, roll = is_valid(world, rules, move, 0), is_valid(world, rules, move, 8)
    attack = is_valid(world, rules, move, 16)
    mask[:8] = walk
    mask[8:16] = roll
    mask[16:19] = attack
    mask[19] = True


@njit
def _show(worlds, tables, states, masks, outcomes):
    for n in range(worlds.shape[0]):
        _show_one(worlds[n], tables[worlds[n].variant], states[n], masks[n])
        outcomes[n] = worlds[n].outcome


@njit
def _reset(worlds, tables, states, masks, outcomes, which, how, late):
    phase, change, random_start = how
    for n in range(worlds.shape[0]):
        if which[n]:
            world = worlds[n]
            world.stream = next_stream(world.stream)
            world.variant = pick(world.stream, len(tables))
            start_fight(world, tables[world.variant], phase, change, random_start)
            begin_late(worlds, n, late)
            _show_one(world, tables[world.variant], states[n], masks[n])
            outcomes[n] = world.outcome


@njit
def step_one(fights, late, n, action, nth):
    """Advance one fight by 0.1 s.

    Args:
        fights: worlds WORLD [N]; their tables; states FIGHT_STATE [N], mask bool [N, 20] and outcomes int8 [N], row n
            of each written.
        late: where later fights may begin, LateStarts.
        n: which.
        action: 0..19.
        nth: which step of this fight it is in the pass, 0 for the first.
    """
    worlds, tables, states, masks, outcomes = fights
    world = worlds[n]
    table = tables[world.variant]
    step_fight(world, table, action)
    _show_one(world, table, states[n], masks[n])
    outcomes[n] = world.outcome
    if late.share > 0.0:
        note_exit(world, n, nth, late)


@njit
def _step_serial(fights, late, actions, which):
    for n in range(len(which)):
        if which[n]:
            step_one(fights, late, n, actions[n], 0)


@njit(parallel=True)
def _step_parallel(fights, late, actions, which):
    for n in prange(len(which)):
        if which[n]:
            step_one(fights, late, n, actions[n], 0)

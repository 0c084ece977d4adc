"""From a recorded fight to its events: it is played again in the simulator, and must come out as recorded."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ashen.core.errors import UserError, said_by
from ashen.core.fight import ACTION_NAMES, FIGHT_STATE, GAME_TABLES, NOTHING
from ashen.evaluation.explain.attacks import Attacks, MadeAttack
from ashen.evaluation.explain.boss import boss_events, start_event
from ashen.evaluation.explain.events import Event, Names
from ashen.evaluation.explain.hits import Blows
from ashen.evaluation.explain.player import frame_events, input_events
from ashen.runs.fights import WAITED, FightRecord, table_fought
from ashen.sim.backend import SimBackend
from ashen.sim.fight import show_fight
from ashen.sim.trace import StepTrace, Tables, trace_step

_FIRST_OF_MEMORY = "previous_player_animation"
_SHOWN = (FIGHT_STATE.names or ())[: (FIGHT_STATE.names or ()).index(_FIRST_OF_MEMORY)]
"""What the game shows of a fight; the rest follows from it."""


@dataclass(frozen=True)
class Explanation:
    """A fight and what happened in it.

    Args:
        record: the fight.
        events: all of them, in order.
        names: what things are called.
    """

    record: FightRecord
    events: list[Event]
    names: Names


def explain_fight(record: FightRecord, where: str) -> Explanation:
    """Find the reasons of a recorded fight.

    Args:
        record: the fight.
        where: the file or the words it came from, for errors.

    Raises:
        UserError: it was not fought in the simulator with these tables and rules, or lacks what a replay needs.
    """
    backend = _backend_of(record, where)
    table, names = _table_and_names(record, backend)
    blows, events = Blows(table, names), [start_event(backend.snapshot()[0], table, names)]
    for number, step in enumerate(_replay(record, backend, where)):
        events += [replace(event, step=number) for event in input_events(step, table, names)]
        for place, frame in enumerate(step.frames, 1):
            found = [*boss_events(frame, table, names), *frame_events(frame, table, names), *blows.watch(frame)]
            events += [replace(event, step=number, frame=place) for event in found]
    return Explanation(record, events, names)


def made_attacks(record: FightRecord, where: str) -> list[MadeAttack]:
    """Every attack of a recorded fight and what became of it, in order; arguments and errors as of
    :func:`explain_fight`, in less time.
    """
    backend = _backend_of(record, where)
    attacks = Attacks(*_table_and_names(record, backend))
    for number, step in enumerate(_replay(record, backend, where)):
        for frame in step.frames:
            attacks.watch(frame, number)
    return attacks.made


def _table_and_names(record: FightRecord, backend: SimBackend) -> tuple[np.void, Names]:
    """The table of the boss who fights, and what things are called."""
    table = backend.tables[backend.snapshot()["variant"][0]]
    return table, Names(record.meta["boss"], table)


def _backend_of(record: FightRecord, where: str) -> SimBackend:
    """The simulator at the start of the recorded fight."""
    meta = record.meta
    try:
        nth = meta["nth_of_seed"] if meta["kind"] == "training" else meta.get("nth_of_seed", 0)
        seed, wanted = np.array([meta["seed"]], np.uint64), meta["table_hash"]
        world: dict[str, Any] = {"boss": str(meta["boss"]), "fight": str(meta["fight"])}
        world |= {key: meta[key] for key in ("randomise", "randomise_seed", "randomise_share") if key in meta}
        is_random = meta.get("start", "fixed") == "random"
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"{where} lacks what a replay needs ({said_by(error)})"
        raise UserError(f"{reason}; it was recorded by an older ashen or elsewhere, record it anew") from None
    if wanted == GAME_TABLES:
        raise UserError(f"{where} was fought on the real game, which does not say why; explain tells simulated fights")
    table_fought(record, where)
    backend = SimBackend(**world, num_fights=1, random_start=is_random)
    if backend.table_hash != wanted:
        tables = f"tables {wanted}, the fight's numbers are now {backend.table_hash}"
        raise UserError(f"{where} was fought with {tables}; explain it with the ashen that recorded it")
    everyone = np.ones(1, np.bool_)
    backend.reset(everyone, seed)
    for _ in range(nth):
        backend.reset(everyone)
    return backend


def _replay(record: FightRecord, backend: SimBackend, where: str) -> Iterator[StepTrace]:
    """Play the recorded actions, and make sure after each that the fight stands as recorded."""
    worlds, tables = backend.snapshot(), Tables(backend.tables[backend.snapshot()["variant"]])
    state = np.zeros(1, FIGHT_STATE)
    actions = _actions(record, where)
    for number in range(len(actions) + 1):
        show_fight(worlds[0], tables.real, state[0])
        if differing := [name for name in _SHOWN if state[0][name] != record.states[number][name]]:
            what = f"differs from step {number} on ({', '.join(differing[:3])})"
            reason = f"{where} does not come out as recorded: played again, it {what}"
            raise UserError(f"{reason}; explain it with the ashen that recorded it")
        if number < len(actions):
            yield trace_step(worlds[0], tables, actions[number])


def _actions(record: FightRecord, where: str) -> list[int]:
    names: list[Any] = record.meta.get("action_names", [])
    try:
        return [NOTHING if a == WAITED else ACTION_NAMES.index(names[a]) for a in record.actions.tolist()]
    except (IndexError, ValueError):
        raise UserError(f"{where} holds an action that there is not; record it anew") from None

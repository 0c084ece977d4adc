"""Training fights that begin where recent ones came into phase 2, so that both phases are learned side by side."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.core.compiled import njit
from ashen.core.fight import Outcome
from ashen.sim.random import pick
from ashen.sim.records import WORLD

KEPT = 256
"""The newest fights that are begun from."""
_RUNNING = int(Outcome.RUNNING)
_ODDS, _WHICH = np.uint64(0x5DEECE66D), np.uint64(0xB5026F5AA9)
_ODDS_STEPS = 1 << 20


class LateStarts(NamedTuple):
    """Where late fights begin: real exits from phase 1 in the agent's own play, with the hit points they left."""

    worlds: NDArray[Any]  # WORLD [KEPT], a ring
    exits: NDArray[Any]  # WORLD [N], of the fights that have just come into phase 2
    nth: NDArray[np.int32]  # [N], in which of the steps since :func:`keep_exits` that was, -1 for the others
    phases: NDArray[np.int8]  # [N], of each fight when last looked at
    count: NDArray[np.int64]  # [1], how many have been put into the ring
    share: float  # of the fights that begin late, 0..1


def late_starts(num_fights: int, share: float) -> LateStarts:
    """An empty ring for N fights; ``share`` of them will begin late, once one has come into phase 2."""
    room = num_fights if share > 0.0 else 0
    return LateStarts(
        np.zeros(KEPT, WORLD),
        np.zeros(room, WORLD),
        np.full(room, -1, np.int32),
        np.zeros(num_fights, np.int8),
        np.zeros(1, np.int64),
        share,
    )


@njit
def note_exit(world, n, nth, late):
    """Note whether fight ``n`` has just come into phase 2; fights may be looked at side by side."""
    if world.phase > late.phases[n] and world.outcome == _RUNNING:
        late.exits[n] = world
        late.nth[n] = nth
    late.phases[n] = world.phase


def keep_exits(late: LateStarts) -> None:
    """Put what was noted into the ring: as the steps were made, and of one step as the fights stand."""
    came = np.flatnonzero(late.nth >= 0)
    for n in came[np.argsort(late.nth[came], kind="stable")].tolist():
        late.worlds[late.count[0] % KEPT] = late.exits[n]
        late.count[0] += 1
    late.nth[came] = -1


@njit
def begin_late(worlds, n, late):
    """Perhaps put a kept fight in place of fight ``n``, which has just begun; its future is its own stream's.

    The stream is asked without drawing from it, so that fights that begin at the beginning stay as they are.
    """
    kept = min(late.count[0], len(late.worlds))
    stream = worlds[n].stream
    if kept > 0 and pick(stream ^ _ODDS, _ODDS_STEPS) < late.share * _ODDS_STEPS:
        worlds[n] = late.worlds[pick(stream ^ _WHICH, kept)]
        worlds[n].stream, worlds[n].draws = stream, 0
    late.phases[n] = worlds[n].phase

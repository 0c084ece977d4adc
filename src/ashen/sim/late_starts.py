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
    phases: NDArray[np.int8]  # [N], of each fight when last looked at
    count: NDArray[np.int64]  # [1], how many have been put into the ring
    share: float  # of the fights that begin late, 0..1


def late_starts(num_fights: int, share: float) -> LateStarts:
    """An empty ring for N fights; ``share`` of them will begin late, once one has come into phase 2."""
    return LateStarts(np.zeros(KEPT, WORLD), np.zeros(num_fights, np.int8), np.zeros(1, np.int64), share)


@njit
def keep_exits(worlds, late):
    """Keep the fights [N] that have just come into phase 2."""
    for n in range(len(worlds)):
        world = worlds[n]
        if world.phase > late.phases[n] and world.outcome == _RUNNING:
            late.worlds[late.count[0] % len(late.worlds)] = world
            late.count[0] += 1
        late.phases[n] = world.phase


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

"""The compiled pass of a step: memory, reward terms, features and observation of each fight, in one go.

One definition runs serially for few fights and on all cores for many. What it keeps of each fight and works in lies in
a LEDGER record, so that threads share nothing; the tables of the encoder and the reward come as arguments.
"""

import numpy as np

from ashen.core.compiled import njit, prange
from ashen.core.fight import FIGHT_STATE
from ashen.obs.features import MEASURED
from ashen.obs.memory import forget, remember
from ashen.obs.write import write
from ashen.rewards.reward import pay
from ashen.rewards.terms import AMOUNTS

LEDGER = np.dtype([
    ("previous", FIGHT_STATE),
    ("final", FIGHT_STATE),
    ("measured", MEASURED),
    ("amounts", AMOUNTS),
    ("hits", np.int32),
])
"""Of each fight: its row before this step; its row after it, kept over a reset; room for features and for reward terms;
hits on the boss so far. All in words of 4 bytes, so that it can also be read as float32 ``numbers`` [N, words]."""
_MEASURED_AT = LEDGER.fields["measured"][1] // 4
_AMOUNTS_AT = LEDGER.fields["amounts"][1] // 4


@njit
def begin(which, states, ledger, numbers, tables, valid, obs, mask):
    """First rows of the fights that have just been reset.

    Args:
        which: those fights, bool [N].
        states: FIGHT_STATE [N]; their memory is filled in.
        ledger: LEDGER [N], started anew.
        numbers: the same memory as float32.
        tables: as :func:`finish_serial` takes them.
        valid: bool [N, 20] from the backend.
        obs: float32 [N, D], written.
        mask: bool [N, A], written.
    """
    facts, runs, _, chosen = tables
    for i in range(len(which)):
        if which[i]:
            forget(states[i], facts[0])
            write(states[i], facts[0], runs, ledger[i].measured, numbers[i, _MEASURED_AT:], obs[i])
            _subset(valid[i], chosen, mask[i])
            ledger[i].previous = states[i]
            ledger[i].hits = 0


@njit
def _subset(valid, chosen, mask):
    """Mask of an agent's actions. One without any valid action has all: they do nothing, but a mask is never empty."""
    any_valid = False
    for k in range(len(chosen)):
        mask[k] = valid[chosen[k]]
        any_valid |= mask[k]
    if not any_valid:
        mask[:] = True


@njit
def subset_masks(valid, chosen, masks):
    """Masks of an agent's actions.

    Args:
        valid: bool [N, 20].
        chosen: int64 [A], the actions that the agent has.
        masks: bool [N, A], written.
    """
    for i in range(len(valid)):
        _subset(valid[i], chosen, masks[i])


@njit
def _finish_one(i, world, ledger, numbers, tables, out):
    states, outcomes, actions, valid = world
    facts, runs, parts, chosen = tables
    obs, mask, rewards, terms = out
    now, book, arena = states[i], ledger[i], facts[0].arena
    remember(book.previous, now, actions[i], facts[0])
    room = numbers[i, _AMOUNTS_AT:]
    book.hits, reward = pay(
        book.previous, now, outcomes[i], actions[i], book.hits, arena, parts, book.amounts, room, terms[i]
    )
    rewards[i] += reward
    write(now, facts[0], runs, book.measured, numbers[i, _MEASURED_AT:], obs[i])
    _subset(valid[i], chosen, mask[i])
    book.previous = now
    book.final = now


@njit
def finish_serial(which, world, ledger, numbers, tables, out):
    """What a step came to, for the fights in ``which``.

    Args:
        which: bool [N].
        world: states FIGHT_STATE [N], their memory is filled in; outcomes int8 [N]; actions int64 [N], 0..19 or
            NO_ACTION; valid bool [N, 20] from the backend.
        ledger: LEDGER [N], brought up to date.
        numbers: the same memory as float32.
        tables: facts FACTS [1] and runs RUN [R] of the encoder; parts PART [K] of the reward;
            chosen int64 [A], the actions that the agent has.
        out: obs [N, D] and mask [N, A], written; rewards [N] and terms [N, K], added to.
    """
    for i in range(len(which)):
        if which[i]:
            _finish_one(i, world, ledger, numbers, tables, out)


@njit(parallel=True)
def finish_parallel(which, world, ledger, numbers, tables, out):
    """The same as :func:`finish_serial` on all cores."""
    for i in prange(len(which)):
        if which[i]:
            _finish_one(i, world, ledger, numbers, tables, out)

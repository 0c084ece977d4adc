"""The compiled passes of a step: memory, reward terms, features and observation of each fight, in one go.

Simulated fights are also advanced there, with all their waits, serially for few fights and on all cores for many: a
fight waits for no other one, and the cores meet once a step. What is kept of each fight and worked in lies in a LEDGER
record, so that threads share nothing; the tables of the encoder and the reward come as arguments.
"""

import numpy as np

from ashen.core.compiled import njit, prange
from ashen.core.fight import FIGHT_STATE, NO_ACTION, NOTHING, Outcome
from ashen.obs.features import MEASURED
from ashen.obs.memory import forget, remember
from ashen.obs.write import write
from ashen.rewards.reward import pay
from ashen.rewards.terms import AMOUNTS
from ashen.sim.backend import step_one

LEDGER = np.dtype([
    ("previous", FIGHT_STATE),
    ("final", FIGHT_STATE),
    ("measured", MEASURED),
    ("amounts", AMOUNTS),
    ("hits", np.int32),
])
"""Of each fight: its row before this step; its row after it, kept over a reset; room for features and for reward terms;
hits on the boss so far. All in words of 4 bytes, so that it can also be read as float32 ``numbers`` [N, words]."""
_RUNNING = int(Outcome.RUNNING)
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
def _account_one(i, world, action, ledger, numbers, tables, out):
    """Memory and pay of one step."""
    states, _, outcomes = world
    facts, _, parts, _ = tables
    _, _, rewards, terms = out
    now, book, arena = states[i], ledger[i], facts[0].arena
    remember(book.previous, now, action, facts[0])
    room = numbers[i, _AMOUNTS_AT:]
    book.hits, reward = pay(
        book.previous, now, outcomes[i], action, book.hits, arena, parts, book.amounts, room, terms[i]
    )
    rewards[i] += reward
    book.previous = now


@njit
def _show_one(i, world, ledger, numbers, tables, out):
    """What the agent sees of a fight as it stands."""
    states, valid, _ = world
    facts, runs, _, chosen = tables
    obs, mask, _, _ = out
    write(states[i], facts[0], runs, ledger[i].measured, numbers[i, _MEASURED_AT:], obs[i])
    _subset(valid[i], chosen, mask[i])
    ledger[i].final = states[i]


@njit
def finish(which, world, actions, ledger, numbers, tables, out):
    """What a step came to, for the fights in ``which``.

    Args:
        which: bool [N].
        world: states FIGHT_STATE [N], their memory is filled in; valid bool [N, 20] and outcomes int8 [N] of the
            backend.
        actions: int64 [N], what was chosen, 0..19 or NO_ACTION.
        ledger: LEDGER [N], brought up to date.
        numbers: the same memory as float32.
        tables: facts FACTS [1] and runs RUN [R] of the encoder; parts PART [K] of the reward;
            chosen int64 [A], the actions that the agent has.
        out: obs [N, D] and mask [N, A], written; rewards [N] and terms [N, K], added to.
    """
    for i in range(len(which)):
        if which[i]:
            _account_one(i, world, actions[i], ledger, numbers, tables, out)
            _show_one(i, world, ledger, numbers, tables, out)


@njit
def _advance_one(fights, late, i, action, chosen, waits, ledger, numbers, tables, out):
    _, _, states, valid, outcomes = fights
    world = (states, valid, outcomes)
    step_one(fights, late, i, action, 0)
    _account_one(i, world, chosen, ledger, numbers, tables, out)
    nth = 1
    while waits and outcomes[i] == _RUNNING and not valid[i, :NOTHING].any():
        step_one(fights, late, i, NOTHING, nth)
        _account_one(i, world, NO_ACTION, ledger, numbers, tables, out)
        nth += 1
    _show_one(i, world, ledger, numbers, tables, out)


@njit
def advance_serial(fights, late, which, actions, chosen, waits, ledger, numbers, tables, out):
    """Advance the simulated fights in ``which`` by a step, and say what it came to.

    Args:
        fights, late: as :func:`ashen.sim.backend.step_one` takes them.
        which: bool [N].
        actions: int64 [N], what is done, 0..19.
        chosen: int64 [N], what of it the agent chose, 0..19 or NO_ACTION.
        waits: whether time then passes in each fight while only doing nothing is valid.
        ledger, numbers, tables, out: as :func:`finish` takes them.
    """
    for i in range(len(which)):
        if which[i]:
            _advance_one(fights, late, i, actions[i], chosen[i], waits, ledger, numbers, tables, out)


@njit(parallel=True)
def advance_parallel(fights, late, which, actions, chosen, waits, ledger, numbers, tables, out):
    """The same as :func:`advance_serial` on all cores."""
    for i in prange(len(which)):
        if which[i]:
            _advance_one(fights, late, i, actions[i], chosen[i], waits, ledger, numbers, tables, out)

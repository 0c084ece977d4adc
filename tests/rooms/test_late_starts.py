from dataclasses import replace

import numpy as np
import pytest

from ashen.core.errors import UserError
from ashen.core.fight import NOTHING, Outcome
from ashen.env import make_vec
from ashen.sim.backend import SimBackend
from ashen.training.recipe import load_recipe
from ashen.training.tally import Tally

N = 32
NOTHING_DONE = np.full(N, NOTHING)
ALL = np.ones(N, np.bool_)


def come_to_phase_2(backend: SimBackend) -> None:
    """Take the boss's hit points down to where he changes, and wait until he has."""
    worlds = backend.snapshot()
    worlds["boss_hp"] = 0.5 * backend.states["boss_max_hp"]
    worlds["player_hp"] = 100 + np.arange(N)
    backend.restore(worlds)
    for _ in range(200):
        backend.step(NOTHING_DONE)


def started(share: float) -> SimBackend:
    """A backend whose fights have all come into phase 2, and just begun anew."""
    backend = SimBackend("iudex", "full", N, phase2_starts=share)
    backend.reset(ALL, np.arange(N, dtype=np.uint64))
    come_to_phase_2(backend)
    backend.reset(ALL)
    return backend


def test_fights_begin_where_others_came_into_phase_2():
    """Breaks if late fights begin with fresh hit points, in phase 1, or all with the same future."""
    backend = started(1.0)
    assert (backend.states["phase"] == 2).all() and (backend.states["step"] > 0).all()
    assert len(set(backend.states["player_hp"].tolist())) > 1
    assert len(set(backend.snapshot()["stream"].tolist())) == N
    assert (backend.outcome() == Outcome.RUNNING).all()


def test_a_share_of_them_does_and_the_others_stay_as_they_were():
    """Breaks if the share is not kept, or if late starts change the fights that begin at the beginning."""
    some, none = started(0.5), started(0.0)
    late = some.states["step"] > 0
    assert 0.25 < late.mean() < 0.75
    assert (none.states["step"] == 0).all()
    assert (some.states[~late] == none.states[~late]).all()


def test_new_seeds_forget_what_was_kept():
    """Breaks if a resumed training could begin fights that only the unbroken one has seen."""
    backend = started(1.0)
    backend.reset(ALL, np.arange(N, dtype=np.uint64))
    assert (backend.states["step"] == 0).all()


def test_only_whole_fights_are_counted():
    """Breaks if a fight that began in phase 2 counts as a win of the whole fight."""
    env = make_vec("iudex", fight="full", num_envs=2, seed=0)
    env.reset()
    tally = Tally(2, env.reward.names)
    _, rewards, _, _, info = env.step(np.array([NOTHING, NOTHING]))
    info["outcome"] = np.array([Outcome.LOSS, Outcome.WIN])
    tally.add_step(rewards, info, np.array([True, True]), np.array([True, False]), env.final_states, np.array([5, 7]))
    row = tally.take_row()
    assert (row["fights"], row["win_rate"]) == (1, 0.0)
    env.close()


def test_a_share_beyond_1_is_refused():
    """Breaks if an impossible share is taken silently."""
    with pytest.raises(UserError, match=r"phase2_starts = 1\.5 must lie in 0\.\.1"):
        replace(load_recipe("full"), phase2_starts=1.5)

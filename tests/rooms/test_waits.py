import numpy as np
import pytest

from ashen.env import make_vec
from ashen.env.vector import FightVectorEnv
from ashen.sim.backend import PARALLEL_FROM

DECISIONS = 120


def late_fights(num_envs: int, keep: bool) -> FightVectorEnv:
    """Fights whose boss is about to come into phase 2, where half of the later ones begin."""
    env = make_vec("iudex", fight="full", num_envs=num_envs, skip_steps=True, phase2_starts=0.5, seed=3)
    env.keep_waits(keep)
    env.reset()
    worlds = env.backend.snapshot()
    worlds["boss_hp"] = 0.5 * env.states["boss_max_hp"]
    worlds["player_hp"] = 150
    env.backend.restore(worlds)
    return env


@pytest.mark.parametrize("num_envs", [40, PARALLEL_FROM])
def test_fights_that_wait_by_themselves_are_those_that_wait_side_by_side(num_envs):
    """Breaks if a pass of its own for each fight changes a state, a reward, a term or where late fights begin."""
    alone, together = late_fights(num_envs, keep=False), late_fights(num_envs, keep=True)
    rng, waits, mask = np.random.default_rng(0), set(), np.ones((num_envs, len(alone.action_names)), np.bool_)
    for _ in range(DECISIONS):
        actions = np.where(mask, rng.random(mask.shape), -1.0).argmax(1)
        (obs, rewards, *ends, info), (other_obs, other_rewards, *other_ends, other_info) = (
            env.step(actions) for env in (alone, together)
        )
        assert (obs == other_obs).all() and (rewards == other_rewards).all()
        assert all((end == other).all() for end, other in zip(ends, other_ends, strict=True))
        assert (info["reward_terms"] == other_info["reward_terms"]).all()
        assert (info["final_obs"] == other_info["final_obs"]).all()
        assert not alone.waits
        waits.add(len(together.waits))
        mask = info["action_mask"]
    state, other = alone.state_dict(), together.state_dict()
    assert all((array == other["backend"][name]).all() for name, array in state["backend"].items())
    assert (state["ledger"] == other["ledger"]).all()
    assert len(waits) > 3 and state["backend"]["late_count"].any()

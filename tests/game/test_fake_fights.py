"""One fight, seen directly and through soulsgym: the same seed, the same actions, and both must agree.

First in one process with soulsgym's own environment; then the whole way, through the process that owns the game, with
our mask and our reward.
"""

import numpy as np
import pytest

pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")
pytest.importorskip("pymem", reason="pymem is not installed: python bootstrap.py test installs it")

from fake_game import install
from fake_game.gym import make

from ashen.core.fight import NOTHING, Outcome
from ashen.core.vocabulary import lock_times_s
from ashen.env.single import FightEnv
from ashen.evaluation.opponents import make_opponent
from ashen.game.backend import GameBackend
from ashen.game.options import GameOptions
from ashen.rewards.terms import TERM_NAMES

pytestmark = pytest.mark.game
ENVS = {
    "phase1": ("SoulsGymIudex-v0", {"phase": 1}),
    "phase2": ("SoulsGymIudex-v0", {"phase": 2}),
    "full": ("SoulsGymIudexDemo-v0", {}),
}
TICK_S = 0.018
"""soulsgym sees a name at the tick after it appeared, and whole milliseconds."""
_AXES = ("x_m", "y_m", "z_m")
_SAME_M = 1e-3


class Comparison:
    """Compares soulsgym's observations with FIGHT_STATE rows, step by step."""

    def __init__(self, sim):
        self.sim = sim
        self._was = {"player": (-2, 0.0), "boss": (-2, 0.0)}
        self._is_restarted = {"player": False, "boss": False}

    def check(self, obs, seen):
        """Everything the game shows, and the mask ``seen`` bool [20]."""
        state = self.sim.states[0]
        for name in ("player_hp", "player_sp", "boss_hp", "lock_on", "player_max_hp", "boss_max_hp"):
            assert float(np.ravel(obs[name])[0]) == state[name], name
        for body in ("player", "boss"):
            wanted = [state[f"{body}_{field}"] for field in (*_AXES, "yaw_rad")]
            np.testing.assert_allclose(obs[f"{body}_pose"], wanted, atol=_SAME_M)
            known = state[f"{body}_animation"] < 32 or body == "player"
            assert obs[f"{body}_animation"] == (state[f"{body}_animation"] if known else -1)
            self._check_clock(body, obs, state)
        wanted = [state[f"camera_{field}"] for field in (*_AXES, "nx", "ny", "nz")]
        np.testing.assert_allclose(obs["camera_pose"], wanted, atol=_SAME_M)
        self._check_mask(seen, float(obs["player_animation_duration"][0]), state)

    def _check_clock(self, body, obs, state):
        """Soulsgym cannot see that an animation begins again under the same name: its clock runs on."""
        name, clock_s = int(state[f"{body}_animation"]), float(state[f"{body}_animation_s"])
        was_name, was_s = self._was[body]
        self._is_restarted[body] = name == was_name and (self._is_restarted[body] or clock_s < was_s)
        self._was[body] = name, clock_s
        if not self._is_restarted[body]:
            assert abs(float(obs[f"{body}_animation_duration"][0]) - clock_s) <= TICK_S

    def _check_mask(self, seen, seen_s, state):
        """The same actions, but where a lock ends between the two clocks."""
        mask = self.sim.backend.valid_actions()[0]
        assert (seen | ~mask).all()
        locks_s = lock_times_s()[state["player_animation"]]
        if not any(state["player_animation_s"] < lock_s <= seen_s + 1e-6 for lock_s in locks_s):
            np.testing.assert_array_equal(seen, mask)


def allowed(info):
    """The valid actions in soulsgym's info as a mask [20]."""
    mask = np.zeros(20, bool)
    mask[info["allowed_actions"]] = True
    return mask


@pytest.mark.parametrize("fight", ENVS)
@pytest.mark.parametrize("seed", [0, 3])
def test_soulsgym_shows_the_simulated_fight(fight, seed):
    """Breaks if positions, hit points, animations, masks or rewards change on their way through soulsgym."""
    name, arguments = ENVS[fight]
    with install(seed=seed):
        env, sim = make(name, **arguments), FightEnv(fight=fight)
        rng = np.random.default_rng(seed)
        for sim_seed in (seed, None):  # the second fight goes on with the first one's stream
            both = Comparison(sim)
            obs, info = env.reset()
            sim.reset(seed=sim_seed)
            both.check(obs, allowed(info))
            terminated = False
            while not terminated:
                valid = np.flatnonzero(sim.backend.valid_actions()[0])
                action = int(rng.choice(valid) if rng.random() < 0.8 else rng.integers(20))
                obs, reward, terminated, _, info = env.step(action)
                _, sim_reward, sim_terminated, _, _ = sim.step(action)
                assert terminated == sim_terminated
                assert reward == pytest.approx(sim_reward, abs=2e-4)
                if not terminated:  # else the simulator has stopped in the very frame
                    both.check(obs, allowed(info))
            assert obs["player_hp"] == sim.states[0]["player_hp"]


@pytest.mark.parametrize("fight", ENVS)
def test_our_environment_shows_the_simulated_fight_on_the_game_too(elsewhere, fight):
    """Breaks if the way through the other process, or our translation, mask or reward, makes another fight of it.

    The first fight is won, the full one through both phases; the second is played at random. Only what is valid is
    done: where a lock ends within a step, the game hears a walking key that is down, the simulator in the next step.
    """
    elsewhere(seed=0)
    how = {"fight": fight, "encoder": "dict", "reward": dict.fromkeys(TERM_NAMES, 1.0)}
    sim = FightEnv(**how)
    game = FightEnv(**how, backend=GameBackend("iudex", fight, GameOptions(step_deadline_s=60.0)))
    for opponent, outcome, sim_seed in (("roll-and-hit", Outcome.WIN, 0), ("random-valid", Outcome.LOSS, None)):
        policy, both = make_opponent(opponent, "iudex", sim.action_names), Comparison(sim)
        policy.begin(np.zeros(1, np.uint64))
        obs, info = game.reset()
        sim.reset(seed=sim_seed)
        while (seen := info["outcome"]) == Outcome.RUNNING:
            both.check(obs, info["action_mask"])
            valid = sim.backend.valid_actions()
            action = int(policy.act(sim.states, None, valid).actions[0])
            action = action if valid[0, action] else NOTHING
            obs, _, _, _, info = game.step(action)
            sim_info = sim.step(action)[4]
            assert info["outcome"] == sim_info["outcome"] and info["phase"] == sim_info["phase"]
            np.testing.assert_allclose(info["reward_terms"], sim_info["reward_terms"], atol=_SAME_M)
        assert seen == outcome
        for name in ("step", "player_hp", "boss_hp"):
            assert game.states[name] == sim.states[name], name
    assert game.backend.incidents == []
    game.close()

"""What the environments make of a backend's steps, on a toy backend whose fights can be worked by hand."""

import numpy as np
import pytest

import ashen
from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES, FIGHT_STATE, LIGHT_ATTACK, NOTHING, NUM_ACTIONS, Outcome
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.env import FightVectorEnv

BUSY_STEPS = 3
FIGHT_STEPS = 12


class ToyBackend:
    """A light attack takes 100 of 300 hit points, then only doing nothing is valid for 3 steps. Every other step hurts.

    A fight's stream is a counter: it starts at the seed and grows by 1000 with every fight. The player's x shows it.
    """

    def __init__(self, num_fights, last=Outcome.TIMEOUT):
        self.num_fights, self.last = num_fights, last
        self.states = np.zeros(num_fights, FIGHT_STATE)
        self.player_vocabulary, self.boss_vocabulary = player_vocabulary(), boss_vocabulary(boss_file("iudex"))
        self.table_hash = "toy"
        self.streams = np.zeros(num_fights, np.int64)
        self.busy = np.zeros(num_fights, np.int64)
        self.outcomes = np.zeros(num_fights, np.int8)
        self.resets = np.zeros(num_fights, np.int64)
        self.closed = 0

    def reset(self, which, seeds=None):
        self.streams[which] = self.streams[which] + 1000 if seeds is None else seeds[which]
        states = self.states
        states["phase"][which], states["step"][which] = 1, 0
        for name, full in (("player_hp", 400), ("player_sp", 95), ("boss_hp", 300)):
            states[name][which] = states[name.replace("_", "_max_")][which] = full
        states["player_x_m"][which] = self.streams[which]
        states["boss_animation"][which], states["player_animation"][which] = 23, 17
        states["boss_animation_s"][which] = states["player_animation_s"][which] = 0
        self.busy[which], self.outcomes[which] = 0, Outcome.RUNNING
        self.resets[which] += 1

    def step(self, actions, which=None):
        which = np.ones(self.num_fights, np.bool_) if which is None else which
        for n in np.flatnonzero(which):
            state = self.states[n]
            state["step"] += 1
            state["player_animation_s"] += 0.097
            state["boss_animation_s"] += 0.097
            self.busy[n] = max(0, self.busy[n] - 1)
            if actions[n] == LIGHT_ATTACK and self.busy[n] == 0:
                state["boss_hp"] -= 100
                self.busy[n] = BUSY_STEPS
            if state["step"] % 2 == 0:
                state["player_hp"] -= 50
            ended = {state["boss_hp"] <= 0: Outcome.WIN, state["player_hp"] <= 0: Outcome.LOSS}
            self.outcomes[n] = ended.get(True, self.last if state["step"] >= FIGHT_STEPS else Outcome.RUNNING)

    def valid_actions(self):
        mask = np.ones((self.num_fights, NUM_ACTIONS), np.bool_)
        mask[self.busy > 0, :NOTHING] = False
        return mask

    def outcome(self):
        return self.outcomes

    def close(self):
        self.closed += 1


def _env(num_fights=1, *, last=Outcome.TIMEOUT, **options):
    return FightVectorEnv(backend=ToyBackend(num_fights, last), **{"encoder": "raw26", **options})


def _number(obs):
    """The number of each fight, as the toy backend shows it."""
    return obs[:, 7].astype(int).tolist()


def test_a_fight_that_ends_is_followed_at_once():
    """Breaks if the last observation is lost, reset late, or another fight is reset with it."""
    env = _env(2)
    obs, _ = env.reset(seed=5)
    assert _number(obs) == [5, 6]
    fights = []
    for step in range(FIGHT_STEPS + 1):
        # Fight 0 attacks whenever it can and wins on the 7th step; fight 1 does nothing and times out on the 12th.
        obs, _, terminated, truncated, info = env.step([LIGHT_ATTACK, NOTHING])
        fights.append(_number(obs))
        assert terminated.tolist() == [step == 6, False]
        assert truncated.tolist() == [False, step == FIGHT_STEPS - 1]
        assert info["outcome"].tolist() == [Outcome.WIN * terminated[0], Outcome.TIMEOUT * truncated[1]]
        assert info["_final_obs"].tolist() == (terminated | truncated).tolist()
        same = (obs == info["final_obs"]).all(axis=1)
        assert same.tolist() == [step != 6, step != FIGHT_STEPS - 1]
        if step == 6:
            assert info["final_obs"][0, 5] == 0
            assert obs[0, 5] == 300
            assert env.final_states["boss_hp"].tolist() == [0, 300]
            assert env.states["boss_hp"].tolist() == [300, 300]
            assert not env.final_mask[0, :NOTHING].any()
            assert info["action_mask"].all()
    assert fights[5:7] + fights[-2:] == [[5, 6], [1005, 6], [1005, 1006], [1005, 1006]]


def test_memory_starts_anew_with_every_fight():
    """Breaks if actions or clocks of one fight are remembered in the next."""
    env = _env()
    env.reset(seed=0)
    for step in range(1, FIGHT_STEPS + 1):
        env.step([step])
        if step < FIGHT_STEPS:
            assert env.states["last_actions"][0, 0] == step
    assert env.final_states["last_actions"][0].tolist() == [12, 11, 10, 9]
    assert env.states["last_actions"][0].tolist() == [-1, -1, -1, -1]


def test_terms_are_those_of_the_step_just_made():
    """Breaks if a term is paid one step late, twice, or against the next fight's first row."""
    env = _env(reward={"damage_dealt": 1, "damage_taken": -1, "win": 5, "escalating_hit": 1})
    env.reset(seed=0)
    assert env.reward.names == ("damage_dealt", "damage_taken", "win", "escalating_hit")
    paid = []
    for _ in range(8):
        _, rewards, _, _, info = env.step([LIGHT_ATTACK])
        assert rewards[0] == pytest.approx(info["reward_terms"][0].sum())
        paid.append(info["reward_terms"][0])
    third, eighth = 1 / 3, -50 / 400
    wanted = [(third, 0, 0, 1), (0, eighth, 0, 0), (0, 0, 0, 0), (third, eighth, 0, 2), (0, 0, 0, 0), (0, eighth, 0, 0)]
    wanted += [(third, 0, 5, 3), (third, 0, 0, 1)]  # the win, then the first hit of the next fight
    np.testing.assert_allclose(paid, wanted, atol=1e-6)


@pytest.mark.parametrize("last", [Outcome.TIMEOUT, Outcome.FAULT])
def test_only_wins_and_losses_terminate(last):
    """Breaks if a timeout or a fault is learned from as an end of the world."""
    env = _env(last=last)
    env.reset(seed=0)
    for _ in range(FIGHT_STEPS):
        _, _, terminated, truncated, info = env.step([NOTHING])
    assert (terminated[0], truncated[0], info["outcome"][0]) == (False, True, last)


def test_skipped_steps_are_summed_and_end_where_there_is_a_choice():
    """Breaks if rewards of skipped steps are lost, waiting goes on too long, or skipped steps count as choices."""
    env = _env(reward={"damage_dealt": 3, "damage_taken": -8, "time": 1}, skip_steps=True)
    env.reset(seed=0)
    _, rewards, _, _, info = env.step([LIGHT_ATTACK])
    # One step of attack and three of waiting, which hurt twice.
    assert env.states["step"][0] == 1 + BUSY_STEPS
    assert info["reward_terms"][0].tolist() == [1, -2, 4]
    assert rewards[0] == 3
    assert info["action_mask"].all()
    assert env.states["last_actions"][0].tolist() == [LIGHT_ATTACK, -1, -1, -1]


def test_skipping_stops_at_the_end_of_a_fight_and_leaves_others_alone():
    """Breaks if a fight is stepped on after its end, or one that has a choice waits with the others."""
    env = _env(2, skip_steps=True)
    env.reset(seed=0)
    for _ in range(2):
        env.step([LIGHT_ATTACK, NOTHING])
    _, _, terminated, _, _ = env.step([LIGHT_ATTACK, NOTHING])
    assert terminated.tolist() == [True, False]
    assert env.final_states["step"].tolist() == [9, 3]


def test_subsets_of_actions_choose_and_mask_by_their_own_numbers():
    """Breaks if a subset's mask or choice is off by one against the 20 actions."""
    env = _env(actions=["nothing", "light_attack", "roll_back"])
    _, info = env.reset(seed=0)
    assert env.single_action_space.n == 3
    assert env.action_names == ("nothing", "light_attack", "roll_back")
    assert info["action_mask"].tolist() == [[True, True, True]]
    _, _, _, _, info = env.step([1])
    assert env.states["boss_hp"][0] == 200
    assert env.states["last_actions"][0, 0] == LIGHT_ATTACK
    assert info["action_mask"].tolist() == [[True, False, False]]


def test_a_mask_is_never_empty():
    """Breaks if a subset without "nothing" leaves an agent no action at all while it is locked."""
    env = _env(actions="diary15")
    env.reset(seed=0)
    _, _, _, _, info = env.step([env.action_names.index("light_attack")])
    assert info["action_mask"].shape == (1, 15)
    assert info["action_mask"].all()


def test_returned_arrays_are_not_written_again():
    """Breaks if a step overwrites what an earlier one returned, which ruins rollouts that keep it."""
    env = _env(2)
    first, info = env.reset(seed=0)
    kept = [first.copy(), info["action_mask"].copy()]
    second = env.step([LIGHT_ATTACK, NOTHING])
    told = [np.copy(second[4][name]) for name in ("outcome", "reward_terms", "final_obs", "phase")]
    env.step([NOTHING, LIGHT_ATTACK])
    np.testing.assert_array_equal(first, kept[0])
    np.testing.assert_array_equal(info["action_mask"], kept[1])
    for name, value in zip(("outcome", "reward_terms", "final_obs", "phase"), told, strict=True):
        np.testing.assert_array_equal(second[4][name], value)


def test_the_single_environment_ends_without_starting_anew():
    """Breaks if the single environment resets itself at the end of a fight, or its info has a dimension too many."""
    env = ashen.FightEnv(backend=ToyBackend(1), encoder="raw26")
    env.reset(seed=3)
    for _ in range(7):
        obs, reward, terminated, truncated, info = env.step(LIGHT_ATTACK)
    assert (terminated, truncated, info["outcome"], info["phase"]) == (True, False, Outcome.WIN, 1)
    assert obs[5] == 0
    assert isinstance(reward, float)
    assert info["action_mask"].shape == (NUM_ACTIONS,)
    assert info["reward_terms"].shape == (len(env.reward.names),)
    obs, _ = env.reset()
    assert obs[7] == 1003


def test_close_gives_the_backend_back():
    """Breaks if closing an environment leaves its backend open."""
    env = _env()
    env.close()
    assert env.backend.closed == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"encoder": "onehot47"}, "onehot74"),
        ({"reward": "souls"}, "soulsgym"),
        ({"actions": "diary14"}, "diary1"),
        ({"actions": ["roll_bak"]}, "roll_back"),
        ({"actions": []}, "at least one"),
        ({"actions": ["parry", "parry"]}, "twice"),
        ({"render_mode": "rgb"}, "rgb_array"),
        ({"boss": "gundyr"}, "boss"),
    ],
)
def test_bad_options_are_told_in_one_line(options, told):
    """Breaks if a slip in an option passes silently or its message does not say what was meant."""
    with pytest.raises(UserError, match=told):
        _env(**options)


def test_bad_numbers_are_told():
    """Breaks if wrong seeds or sizes reach the backend."""
    with pytest.raises(UserError, match="num_envs"):
        ashen.make_vec(num_envs=0)
    with pytest.raises(UserError, match="2 seeds"):
        _env(3).reset(seed=[1, 2])


@pytest.mark.parametrize("actions", [[20, 0], [-1, 0], [0], [[0, 0]], [0.5, 0.5]])
def test_bad_actions_never_reach_the_compiled_code(actions):
    """Breaks if an action outside the space reads or writes memory it should not."""
    env = _env(2)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="actions"):
        env.step(actions)


def test_named_sets_of_actions():
    """Breaks if a named set loses an action."""
    sizes = {name: len(_env(actions=name).action_names) for name in ("all", "diary16", "diary15", "no_shield")}
    assert sizes == {"all": 20, "diary16": 16, "diary15": 15, "no_shield": 19}
    assert _env(actions="all").action_names == ACTION_NAMES

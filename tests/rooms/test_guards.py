"""Each guard is provoked, and keeps silent over what is sound. Fights are real, rows of metrics written by hand."""

import re
from dataclasses import fields, replace

import numpy as np
import pytest

import ashen
from ashen.agents import DQNConfig, PPOConfig
from ashen.core.fight import ACTION_NAMES
from ashen.core.protocols import Transitions
from ashen.obs.encoders import make_encoder
from ashen.rewards import make_reward
from ashen.training.monitors.guards import GUARDS, WORDS
from ashen.training.monitors.look import ENOUGH_WINDOWS, Look
from ashen.training.monitors.window import LOOK_EVERY, WINDOW_STEPS, Watch
from ashen.training.recipe import Recipe

NUM_ENVS = 64
RECIPE = Recipe(total_steps=1_000_000)
DQN = replace(RECIPE, algorithm="dqn")
ROW = {
    "kind": "train", "env_step": 0, "fights": 100, "win_rate": 0.0, "return_mean": -1.0, "updates": 10.0,
    "entropy": 2.0, "value_mean": 0.5, "seconds/world": 1.0, "seconds/acting": 1.0, "seconds/learning": 8.0,
}  # fmt: skip


def _rows(count, every=20_000, **columns):
    """``count`` training rows; a column is one value, or a function of a number that goes from 0 to 1."""
    rows = []
    for number in range(count):
        share = number / max(count - 1, 1)
        values = {key: value(share) if callable(value) else value for key, value in columns.items()}
        rows.append(ROW | {"env_step": (number + 1) * every} | values)
    return rows


def _look(rows=(), windows=(), recipe=RECIPE, reward="diary"):
    encoder = make_encoder("ashen")
    inputs = list(zip(encoder.names, encoder.features, strict=True))
    return Look(recipe, make_reward(reward), ACTION_NAMES, inputs, rows=list(rows), windows=list(windows))


def _long(windows):
    """So many windows of the same kind that a policy's choices are judged by them."""
    return windows * ENOUGH_WINDOWS


def _said(look):
    """What the guards say, by their names."""
    return {guard.name: finding for guard in GUARDS if (finding := guard.check(look))}


def _watched(choose, spoil=lambda env, obs: None, windows=1, **options):
    """Windows of real fights in which ``choose(rng, mask)`` [N] acts; ``spoil`` may change the world or its view."""
    env = ashen.make_vec(**{"fight": "phase1", "num_envs": NUM_ENVS, "skip_steps": True} | options)
    obs, info = env.reset(seed=0)
    watch, rng, found = Watch(NUM_ENVS, obs.shape[1], len(ACTION_NAMES)), np.random.default_rng(0), []
    while len(found) < windows:
        spoil(env, obs)
        mask = info["action_mask"]
        actions = choose(rng, mask)
        before, (obs, rewards, terminated, truncated, info) = obs, env.step(actions)
        ends = (info["final_obs"], env.final_mask, terminated, truncated, np.zeros(NUM_ENVS, np.bool_))
        watch.add_step(Transitions(before, mask, actions, rewards, *ends), env.states)
        found += [window for window in (watch.take(),) if window]
    return found


def _random(rng, mask):
    return (rng.random(mask.shape) * mask).argmax(1)


def _always(name, epsilon=0.0):
    """The action wherever it is valid, but for a share of random ones."""

    def choose(rng, mask):
        action = ACTION_NAMES.index(name)
        own = np.where(mask[:, action], action, ACTION_NAMES.index("nothing"))
        return np.where(rng.random(len(mask)) < epsilon, _random(rng, mask), own)

    return choose


def _without(*kinds):
    """Random play without some kinds of actions."""
    allowed = np.array([not any(kind in name for kind in kinds) for name in ACTION_NAMES])
    return lambda rng, mask: _random(rng, mask & allowed)


def _sword(damage):
    tables = ashen.make_vec().backend.tables.copy()  # all fights share the loaded ones
    tables["moves"]["damage"] = damage

    def spoil(env, _):
        env.backend.tables = tables

    return spoil


@pytest.fixture(scope="module")
def sound():
    """Windows of random play, which is sound at the beginning of a training."""
    return _long(_watched(_random))


def _spoilt(column, value):
    def spoil(_, obs):
        obs[:, make_encoder("ashen").names.index(column)] = value

    return _watched(_random, spoil)


COSTLY_ROLLS = {"preset": "soulsgym", "roll": -0.2}
PROVOKED = {
    "reward": (lambda: _look(reward=COSTLY_ROLLS), "term roll (-3 a fight) outweighs dying (-1.1)"),
    "losses": (lambda: _look(_rows(2, policy_loss=np.nan, grad_norm=np.inf)), "policy_loss, grad_norm not finite"),
    "values": (lambda: _look(_rows(2, value_mean=80.0)), "mean value 80, but this reward allows -2.3 to 7.4"),
    "exploration": (lambda: _look(_rows(9, entropy=0.05, win_rate=0.1)), "entropy 0.05 at a win rate of 10%"),
    "nothing moves": (
        lambda: _look(_rows(9, clip_fraction=0.0, approx_kl=4e-6, learning_rate=1e-7)),
        "no update has moved the policy lately (learning rate 1e-07), 820,000 steps left",
    ),
    "broken inputs": (lambda: _look(windows=_spoilt("wall_m", np.nan)), "wall_m not finite"),
    "dead inputs": (lambda: _look(windows=_spoilt("distance_m", 0.3)), "distance_m never changed in 40,960 steps"),
    "standing still": (lambda: _look(windows=_long(_watched(_without("walk", "roll")))), "walks or rolls in 0.0% of"),
    "no attack": (lambda: _look(windows=_long(_watched(_without("attack")))), "attacks in 0.0% of its choices"),
    "one action": (lambda: _look(windows=_long(_watched(_always("walk_left")))), "walk_left in 9"),
    "stuck": (lambda: _look(windows=_watched(_always("roll_back"))), "walks or rolls on the spot"),
    "weak hits": (lambda: _look(windows=_watched(_random, _sword(0.0))), "attacks seen, none of them hurt"),
    "plateau": (lambda: _look(_rows(40, win_rate=lambda t: min(t, 0.4))), "300,000 steps: wins 40%, at best 40%"),
    "speed": (
        lambda: _look(_rows(40, **{"seconds/world": lambda t: 1.0 if t < 0.6 else 10.0})),
        "1,053 steps/s, at first 2,000",
    ),
}  # fmt: skip


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_speaks_when_it_should(guard):
    """Breaks if a guard overlooks what it is there for, or does not say what it found."""
    make_look, words = PROVOKED[guard.name]
    assert words in (guard.check(make_look()) or "")


def test_nothing_is_said_of_sound_trainings(sound):
    """Breaks if a guard cries wolf over nothing at all, over random play, or over an agent that learns."""
    assert _said(_look()) == {}
    assert _said(_look(_rows(2), sound)) == {}
    learning = _rows(50, win_rate=lambda t: 0.9 * t, return_mean=lambda t: 6 * t, entropy=lambda t: 2 - 1.9 * t)
    assert _said(_look(learning, sound)) == {}
    learning = _rows(50, win_rate=0.0, return_mean=lambda t: t, epsilon=lambda t: max(1 - t, 0.05), q_mean=0.4)
    assert _said(_look(learning, sound, DQN)) == {}


@pytest.mark.parametrize("reward", ["soulsgym", "diary", "diary_hit_hard", "diary_scaled", "diary_no_death"])
def test_the_presets_are_sound(reward):
    """Breaks if a preset's weights are warned of before the first fight."""
    assert _said(_look(reward=reward)) == {}


@pytest.mark.parametrize(
    ("reward", "terms", "words"),
    [
        ("soulsgym", {"term/approach": 2.0}, "term approach (+2 a fight) outweighs winning (+1.1)"),
        ("diary_hit_hard", {"term/roll": -400.0}, "term roll (-400 a fight) outweighs dying (-200)"),
        (COSTLY_ROLLS, {"term/roll": -0.5, "term/approach": 0.1}, None),
        ({"win": 1.0, "time": -0.01}, {}, "term time (-5 a fight) outweighs winning (+1)"),
        ({"win": -1.0}, {}, "winning pays -1"),
        ({"approach": 1.0}, {}, "winning pays +0"),
        ({"win": 1.0, "death": 1.0}, {}, "dying pays +1"),
        ({"win": -1.0, "death": 2.0}, {}, "winning pays -1 and dying pays +2"),
    ],
)
def test_the_reward_is_judged_by_its_weights_and_then_by_what_it_paid(reward, terms, words):
    """Breaks if a weight of the wrong sign or size passes, or if the usual sum is held against what was measured."""
    rows = _rows(2, **{f"term/{name}": 0.0 for name in make_reward(reward).names} | terms) if terms else []
    assert _said(_look(rows, reward=reward)).get("reward") == words


def test_values_are_bounded_by_scale_and_discount():
    """Breaks if the bounds forget the learner's scale, the discount, or that skipped steps are not discounted."""
    look = _look(_rows(1, value_mean=10.0))
    assert "values" in _said(look)
    look.reward_scale = 3.0
    assert "values" not in _said(look)
    timed = {"win": 1.0, "death": -1.0, "time": -0.001}
    rows = _rows(1, q_mean=-2.0)
    assert "values" in _said(_look(rows, recipe=DQN, reward=timed))
    assert "values" not in _said(_look(rows, recipe=replace(DQN, skip_steps=True), reward=timed))
    assert "values" not in _said(_look(rows, recipe=replace(DQN, dqn=DQNConfig(discount=1.0)), reward=timed))


def test_a_policy_that_a_high_rate_has_ruined_is_not_told_to_explore_alone():
    """Breaks if a collapse, here that of phase1 at a rate of .05, is answered with a bonus that moves it no more."""
    ruined = _look(_rows(9, entropy=3e-9, approx_kl=0.0, clip_fraction=0.0, learning_rate=0.04, win_rate=0.0))
    advice = {guard.name: guard.remedy_for("ppo") for guard in GUARDS if guard.check(ruined)}
    assert list(advice) == ["exploration"]
    for said in (advice["exploration"], next(one for one in GUARDS if one.name == "one action").remedy_for("ppo")):
        assert "train anew: with a lower --ppo.learning-rate if" in said and "higher --ppo.entropy-coef" in said


def test_a_sure_policy_may_be_sure_if_it_wins():
    """Breaks if a policy that wins is told to explore, or if a few fights are enough to judge it."""
    assert "exploration" not in _said(_look(_rows(9, entropy=0.05, win_rate=0.9)))
    assert "exploration" not in _said(_look(_rows(1, entropy=0.05, fights=3)))


def test_a_policy_may_come_to_rest_in_the_end():
    """Breaks if the last updates of a training, or a few still ones, or one that clips, count as standing still."""
    still = {"clip_fraction": 0.0, "approx_kl": 4e-6, "learning_rate": 1e-7}
    assert "nothing moves" in _said(_look(_rows(45, **still)))
    late = [row | {"env_step": row["env_step"] + 900_000} for row in _rows(4, 1_000, **still)]
    fork = [row | {"env_step": row["env_step"] + 900_000} for row in _rows(9, 1_000, **still)]
    assert "nothing moves" in _said(_look(fork)), "the whole of a fork is its own steps"
    for rows in (_rows(46, **still), late, _rows(9, **still | {"clip_fraction": lambda t: 0.01 * (t == 1.0)})):
        assert "nothing moves" not in _said(_look(rows))


def test_a_policy_that_a_high_learning_rate_has_ruined_is_not_told_to_learn_faster():
    """Breaks if a policy that moves no more since it has collapsed is advised a higher learning rate."""
    still = {"clip_fraction": 0.0, "approx_kl": 0.0, "entropy": 0.0}
    assert "nothing moves" not in _said(_look(_rows(9, **still, learning_rate=0.09)))
    warned = [{"kind": "warning", "env_step": 20_000, "guard": "values", "state": "begun"}]
    assert "nothing moves" not in _said(_look(warned + _rows(9, **still, learning_rate=1e-7)))
    assert "nothing moves" in _said(_look(_rows(9, **still, learning_rate=1e-7)))


def test_epsilon_at_its_floor_without_a_win():
    """Breaks if DQN's floor is not seen, or counted before its time, against wins, or with noisy layers."""
    floor = {"epsilon": lambda t: 0.05 if t > 0.5 else 0.5, "return_mean": lambda t: t, "q_mean": 0.1}
    stopped = _said(_look(_rows(30, **floor), recipe=DQN))["exploration"]
    assert stopped == "epsilon at its floor of 0.05, and no win in the last 20% of the training"
    won = [{"kind": "evaluation", "env_step": 600_000, "win_rate": 0.1}]
    for rows, recipe in (
        (_rows(30, **floor | {"epsilon": lambda t: 0.05 if t > 0.9 else 0.5}), DQN),
        (_rows(30, **floor, win_rate=0.02), DQN),
        (_rows(30, **floor) + won, DQN),
        (_rows(30, **floor), replace(DQN, dqn=DQNConfig(noisy=True))),
    ):
        assert "exploration" not in _said(_look(rows, recipe=recipe))


def test_what_chance_chose_is_not_the_policys_doing():
    """Breaks if epsilon's random actions hide a policy that has one action, or are taken for its own."""
    windows = _long(_watched(_always("nothing", epsilon=0.1)))
    said = _said(_look(_rows(1, epsilon=0.1), windows, DQN))
    assert {"standing still", "no attack", "one action"} <= set(said)
    assert "standing still" not in _said(_look(_rows(1, epsilon=0.0), windows, DQN))
    assert set(_said(_look(_rows(1, epsilon=0.6), windows, DQN))) == set()


def test_a_weaker_sword_is_noticed(sound):
    """Breaks if hits may lose more than half of their force, or if a few of them are enough to judge."""
    weaker = _watched(_random, _sword(20.0))
    assert "a hit takes 20 points, at first it took 5" in _said(_look(windows=[sound[0], *weaker]))["weak hits"]
    weaker[0].hits = 10
    assert "weak hits" not in _said(_look(windows=[sound[0], *weaker]))


def test_a_plateau_is_near_neither_progress_nor_the_best():
    """Breaks if a rising return, a good win rate, a good match or a short stretch counts as a plateau."""
    flat = {"win_rate": 0.4}
    assert "plateau" in _said(_look(_rows(40, **flat)))
    good_match = [{"kind": "evaluation", "env_step": 800_000, "win_rate": 0.9}]
    for rows in (
        _rows(40, **flat, return_mean=lambda t: 2 * t),
        _rows(40, win_rate=0.85),
        _rows(40, **flat) + good_match,
        _rows(14, **flat),
    ):
        assert "plateau" not in _said(_look(rows))


def test_speed_is_that_of_learning():
    """Breaks if matches, the quick steps before learning count as a change of speed."""
    before = _rows(10, updates=0.0, **{"seconds/learning": 0.0, "seconds/world": 0.1})
    rows = [*before, *_rows(40)]
    for number, row in enumerate(rows):
        row["env_step"] = (number + 1) * 20_000
    assert "speed" not in _said(_look(rows))
    matches = _rows(40, **{"seconds/evaluation": lambda t: 100.0 * t})
    assert "speed" not in _said(_look(matches))


def test_a_window_holds_what_was_looked_at(sound):
    """Breaks if looks, choices or chance are miscounted: every statement about behaviour is a share of them."""
    window = sound[0]
    assert window.steps == window.looks * LOOK_EVERY * NUM_ENVS >= WINDOW_STEPS
    assert window.seen == window.looks * NUM_ENVS
    # With skipped steps there is always a choice.
    assert window.chosen.sum() == pytest.approx(window.by_chance.sum()) == window.seen
    np.testing.assert_allclose(window.chosen, window.by_chance, atol=5 * np.sqrt(window.by_chance.max()))
    assert 52 <= window.points_per_hit < 65


def test_remedies_name_options_that_exist():
    """Breaks if a warning tells to change an option that ashen train does not have, or leaves a word unfilled."""
    settings = {"": Recipe, "ppo.": PPOConfig, "dqn.": DQNConfig}
    known = {f"--{of}{field.name.replace('_', '-')}" for of, config in settings.items() for field in fields(config)}
    remedies = [guard.remedy_for(algorithm) for guard in GUARDS for algorithm in ("ppo", "dqn")]
    assert set(re.findall(r"--[\w.-]+", " ".join(remedies))) <= known
    assert not [remedy for remedy in remedies for place in WORDS if place in remedy]

import numpy as np
import pytest

from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES, ACTION_SETS, FIGHT_STATE, LIGHT_ATTACK, NOTHING
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.opponents import DESCRIPTIONS, make_opponent

IUDEX = boss_vocabulary(boss_file("iudex"))


def _states(count=1):
    states = np.zeros(count, FIGHT_STATE)
    states["phase"], states["camera_ny"] = 1, 1.0
    states["boss_animation"] = IUDEX.id("IdleBattle")
    return states


def _all_valid(states, actions=ACTION_NAMES):
    return np.ones((len(states), len(actions)), bool)


def test_always_attack_walks_towards_the_boss_in_the_camera_frame():
    """Breaks if directions are not turned clockwise from the camera's bearing: looking north, east is right."""
    states = _states(4)
    states["boss_x_m"], states["boss_y_m"] = [0, 10, 0, -10], [10, 0, -10, 10]
    actions = make_opponent("always-attack", "iudex", ACTION_NAMES).act(states, None, _all_valid(states)).actions
    assert [ACTION_NAMES[action] for action in actions] == [
        "walk_forward",
        "walk_right",
        "walk_back",
        "walk_forward_left",
    ]


def test_always_attack_swings_in_reach_when_it_can():
    """Breaks if it does not swing in reach, or swings while that is not valid."""
    states = _states(2)
    states["boss_y_m"] = 2.0
    mask = _all_valid(states)
    mask[1, LIGHT_ATTACK] = False
    actions = make_opponent("always-attack", "iudex", ACTION_NAMES).act(states, None, mask).actions
    assert actions.tolist() == [LIGHT_ATTACK, NOTHING]


def test_roll_and_hit_rolls_just_before_the_hit():
    """Breaks if it rolls at another time than a quarter of a second before Attack3000's window (1.56 s) opens."""
    clocks = np.array([0.5, 1.2, 1.3, 1.5, 1.7, 2.5])
    states = _states(len(clocks))
    states["boss_animation"], states["boss_animation_s"] = IUDEX.id("Attack3000"), clocks
    states["boss_y_m"] = 2.0
    actions = make_opponent("roll-and-hit", "iudex", ACTION_NAMES).act(states, None, _all_valid(states)).actions
    names = [ACTION_NAMES[action] for action in actions]
    assert names == ["nothing", "nothing", "roll_forward", "roll_forward", "nothing", "light_attack"]


def test_random_ignores_the_mask_and_random_valid_does_not():
    """Breaks if random play is not uniform over all actions, or random-valid ever does what is not valid."""
    states = _states(4000)
    mask = _all_valid(states)
    mask[:, 4:] = False
    seeds = np.arange(len(states), dtype=np.uint64)
    for name, share in (("random", 1 / 20), ("random-valid", 1 / 4)):
        opponent = make_opponent(name, "iudex", ACTION_NAMES)
        opponent.begin(seeds)
        decision = opponent.act(states, None, mask)
        counts = np.bincount(decision.actions, minlength=20) / len(states)
        assert counts[:4] == pytest.approx(np.full(4, share), abs=0.03)
        assert counts[4:].sum() == pytest.approx(1 - 4 * share, abs=0.03)
        assert decision.scores.sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize("name", DESCRIPTIONS)
@pytest.mark.parametrize("actions", ACTION_SETS.values(), ids=ACTION_SETS.keys())
def test_every_opponent_plays_every_set_of_actions(name, actions):
    """Breaks if an opponent needs an action that a smaller set leaves out."""
    states = _states(16)
    states["boss_x_m"], states["boss_y_m"] = 5 * np.cos(np.arange(16)), 5 * np.sin(np.arange(16))
    opponent = make_opponent(name, "iudex", actions)
    opponent.begin(np.arange(16, dtype=np.uint64))
    decision = opponent.act(states, None, _all_valid(states, actions))
    assert ((decision.actions >= 0) & (decision.actions < len(actions))).all()


def test_unknown_opponent_names_the_nearest():
    """Breaks if a misspelt opponent is not told apart from a run."""
    with pytest.raises(UserError, match="did you mean 'always-attack'"):
        make_opponent("always-atack", "iudex", ACTION_NAMES)

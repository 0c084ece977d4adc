"""Reward terms against steps worked by hand."""

import numpy as np
import pytest

import ashen
from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE, Outcome
from ashen.evaluation.opponents import make_opponent
from ashen.obs.encoders import make_encoder
from ashen.rewards import make_reward, preset_names, term_table
from ashen.rewards.terms import AMOUNTS, DYING, EACH_STEP, SIZES, TERM_NAMES, TERMS, WINNING, fill_amounts

ARENA = make_encoder("raw26").facts["arena"]


def _rows(count, **fields):
    """A fight's rows: full hit points, the player 10 m north of the centre and 8 m north of the boss."""
    rows = np.zeros(count, FIGHT_STATE)
    rows["player_hp"] = rows["player_max_hp"] = 400
    rows["boss_hp"] = rows["boss_max_hp"] = 1000
    rows["player_x_m"], rows["player_y_m"] = 139, 606
    rows["boss_x_m"], rows["boss_y_m"] = 139, 598
    for name, values in fields.items():
        rows[name] = values
    return rows


def _terms(reward, rows, outcome=Outcome.RUNNING, actions=None):
    """Weighted terms of each step, by name."""
    chosen = make_reward(reward)
    return dict(zip(chosen.names, chosen.score(rows, outcome, ARENA, actions).T, strict=True))


def test_damage_is_a_share_of_full_hit_points():
    """Breaks if damage is not divided by the right body's full hit points."""
    rows = _rows(3, boss_hp=[1000, 950, 950], player_hp=[400, 400, 300])
    terms = _terms({"damage_dealt": 2, "damage_taken": -1}, rows)
    np.testing.assert_allclose(terms["damage_dealt"], [0.1, 0], atol=1e-6)
    np.testing.assert_allclose(terms["damage_taken"], [0, -0.25], atol=1e-6)


def test_approach_pays_only_outside_four_metres():
    """Breaks if coming to the centre is paid inside 4 m, or leaving it is free."""
    rows = _rows(4, player_y_m=[606, 601, 599, 602])
    np.testing.assert_allclose(_terms({"approach": 1}, rows)["approach"], [5, 0, -3], atol=1e-4)


@pytest.mark.parametrize("outcome", [Outcome.WIN, Outcome.LOSS])
def test_the_last_step_of_a_fight_is_not_shaped(outcome):
    """Breaks if the shaping is added to the reward for winning or losing, which SoulsGym replaces by it."""
    terms = _terms({"preset": "soulsgym", "distance": 1}, _rows(2, player_y_m=[606, 605]), outcome)
    assert terms["approach"] == 0
    assert terms["distance"] == 0
    assert terms["win"] == pytest.approx(0.1 if outcome == Outcome.WIN else 0)
    assert terms["death"] == pytest.approx(-0.1 if outcome == Outcome.LOSS else 0)


def test_a_timeout_is_shaped_and_neither_won_nor_lost():
    """Breaks if being cut off is paid as a death."""
    terms = _terms("soulsgym", _rows(2, player_y_m=[606, 605]), Outcome.TIMEOUT)
    assert (terms["win"], terms["death"]) == (0, 0)
    assert terms["approach"] == pytest.approx(0.01, abs=1e-6)


def test_distance_pays_for_coming_closer_to_the_boss():
    """Breaks if moving away pays, or the boss's own step does not count."""
    rows = _rows(3, player_y_m=[606, 605, 605], boss_y_m=[598, 598, 596])
    np.testing.assert_allclose(_terms({"distance": 1}, rows)["distance"], [1, -2], atol=1e-4)


def test_rolls_and_time_cost_by_the_step():
    """Breaks if a walk or an attack counts as a roll."""
    terms = _terms({"roll": -2, "time": -0.01}, _rows(6), actions=[7, 8, 15, 16, 19])
    np.testing.assert_allclose(terms["roll"], [0, -2, -2, 0, 0])
    np.testing.assert_allclose(terms["time"], -0.01)


def test_later_hits_count_more():
    """Breaks if hits are not counted, or damage decides what a hit is worth."""
    rows = _rows(5, boss_hp=[1000, 990, 990, 800, 799])
    np.testing.assert_allclose(_terms({"escalating_hit": 0.5}, rows)["escalating_hit"], [0.5, 0, 1.0, 1.5])


def test_any_hit_taken_counts_once():
    """Breaks if the penalty of the "no death" variant depends on the damage."""
    rows = _rows(4, player_hp=[400, 399, 399, 100])
    np.testing.assert_allclose(_terms({"any_hit": -1}, rows)["any_hit"], [-1, 0, -1])


def test_diary_preset():
    """Breaks if the diary's last weights change."""
    weights = make_reward("diary").weights
    assert weights == {"damage_dealt": 1.2, "damage_taken": -1.0, "win": 5.0, "death": -0.1, "approach": 0.02}


def test_scale_multiplies_every_term():
    """Breaks if scaling misses a term, or stays behind as a term of its own."""
    whole, scaled = make_reward("diary_hit_hard"), make_reward("diary_scaled")
    assert scaled.names == whole.names
    assert scaled.weights == pytest.approx({name: weight / 100 for name, weight in whole.weights.items()})


def test_a_table_starts_from_its_preset():
    """Breaks if an own weight does not replace the preset's, or a weight of 0 leaves its term."""
    reward = make_reward({"preset": "diary", "damage_dealt": 1.5, "approach": 0})
    assert reward.weights == {"damage_dealt": 1.5, "damage_taken": -1.0, "win": 5.0, "death": -0.1}


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("soulsgim", "soulsgym"),
        ({"preset": "dairy"}, "diary"),
        ({"damage_deal": 1.0}, "damage_dealt"),
        ({"damage_dealt": "much"}, "damage_dealt"),
        ({"damage_dealt": float("nan")}, "damage_dealt"),
        ({}, "no term"),
    ],
)
def test_bad_rewards_are_told_in_one_line(spec, told):
    """Breaks if a slip in a reward passes silently or its message does not name what was meant."""
    with pytest.raises(UserError, match=told):
        make_reward(spec)


def test_every_preset_loads():
    """Breaks if a preset names a term that does not exist."""
    assert {make_reward(name).names for name in preset_names()}


def test_every_term_is_filled_in_and_documented():
    """Breaks if a term of the list is not computed, so that it would silently pay nothing."""
    rows = _rows(2, boss_hp=[1000, 900], player_hp=[400, 300], player_y_m=[606, 605])
    for name in TERM_NAMES:
        room = np.zeros(1, AMOUNTS)
        for outcome in (Outcome.WIN, Outcome.LOSS, Outcome.RUNNING):
            fill_amounts(rows[0], rows[1], int(outcome), 8, 0, ARENA[0], room[0])
            if room[name] != 0:
                break
        assert room[name] != 0
        assert f"| {name} |" in term_table()
    assert all(term.py_func.__doc__ for term in TERMS)


def _sums(opponent):
    """What every term adds up to, unweighted, in each of some fights of an opponent, [fights, terms]."""
    env = ashen.make_vec(fight="full", num_envs=32, reward=dict.fromkeys(TERM_NAMES, 1.0), random_start=True, seed=0)
    policy = make_opponent(opponent, "iudex", env.action_names)
    obs, info = env.reset()
    policy.begin(np.arange(32, dtype=np.uint64))
    sums, ended = np.zeros((32, len(TERM_NAMES))), []
    while len(ended) < 40:
        chosen = policy.act(env.states.copy(), obs, info["action_mask"])
        obs, _, terminated, truncated, info = env.step(chosen.actions)
        sums += info["reward_terms"]
        over = terminated | truncated
        ended.extend(sums[over])
        sums[over] = 0
    return np.array(ended)


def test_sizes_hold_in_fights():
    """Breaks if a term has no size, a fight leaves its bounds, or its usual sum is far from that of real fights."""
    assert tuple(SIZES) == TERM_NAMES
    least, most, usual = np.array(list(SIZES.values())).T
    lost, won = _sums("random-valid"), _sums("roll-and-hit")
    for sums in (lost, won):
        assert (sums >= least - 1e-4).all()
        assert (sums <= most + 1e-4).all()
    means = np.where(np.isin(TERM_NAMES, DYING), lost.mean(0), won.mean(0))
    assert (usual / 2 < means).all()
    assert (means < usual * 2).all()


def test_what_winning_and_dying_pay():
    """Breaks if a term is counted on the wrong side, or twice: guards weigh the others against these sums."""
    reward = make_reward({"preset": "diary", "roll": -0.1, "any_hit": -0.5})
    assert reward.winning == pytest.approx(1.2 + 5.0)
    assert reward.dying == pytest.approx(-1.0 - 0.1 - 4 * 0.5)
    assert reward.shaping == ("approach", "roll")
    assert not set(WINNING) & set(DYING)


def test_value_bounds_are_the_sums_of_the_terms_bounds():
    """Breaks if a sign is lost, if damage is bounded by the discount, or if steady terms are not."""
    low, high = make_reward("soulsgym").value_bounds(0.99)
    assert (low, high) == (pytest.approx(-1.7), pytest.approx(1.7))
    rolling = make_reward({"damage_dealt": 2.0, "roll": -0.1})
    assert rolling.value_bounds(0.99) == (pytest.approx(-10.0), 2.0)
    assert rolling.value_bounds(0.9) == (pytest.approx(-1.0), 2.0)
    assert rolling.value_bounds(1.0) == (pytest.approx(-300.0), 2.0)
    assert all(SIZES[name].least == 0 for name in EACH_STEP)

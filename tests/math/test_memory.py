"""The memory fields of FIGHT_STATE, against sequences worked by hand."""

import numpy as np
import pytest

from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE, NEVER_S, REPORTED_STEP_S
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.obs.encode import remembered
from ashen.obs.encoders import make_encoder

BOSS, PLAYER = boss_vocabulary(boss_file("iudex")), player_vocabulary()
ENCODER = make_encoder("onehot74")


def _told(boss=(), player=(), actions=None):
    """Rows of a fight that shows these (name, clock) pairs, with memory."""
    rows = np.zeros(max(len(boss), len(player)), FIGHT_STATE)
    for row, (name, clock_s) in zip(rows, boss, strict=False):
        row["boss_animation"], row["boss_animation_s"] = BOSS.id(name), clock_s
    for row, (name, clock_s) in zip(rows, player, strict=False):
        row["player_animation"], row["player_animation_s"] = PLAYER.id(name), clock_s
    return remembered(rows, ENCODER, actions)


def test_binned_boss_clock_runs_on_over_walks_and_turns():
    """Breaks if SoulsAI's clock forgets a walk at the next, or remembers an attack."""
    shown = [
        ("WalkLeftBattle", 0.03),  # first row: 0.03 + (0.1 - 0.03)
        ("WalkLeftBattle", 0.13),  # + 0.10
        ("TurnBattle_Left90", 0.02),  # 0.20 + 0.1
        ("TurnBattle_Left90", 0.12),
        ("Attack3000", 0.05),  # its own clock
        ("Attack3000", 0.15),
        ("WalkFrontBattle", 0.04),  # starts anew at 0.1
        ("IdleBattle", 0.06),
    ]
    rows = _told(boss=shown)
    np.testing.assert_allclose(rows["boss_bin_s"], [0.10, 0.20, 0.30, 0.40, 0.05, 0.15, 0.10, 0.06], atol=1e-6)


def test_previous_animations_keep_their_last_clock():
    """Breaks if the same name starting again does not count as a new showing, or the last clock is not kept."""
    player = [("RollingMedium", 0.5), ("RollingMedium", 0.6), ("RollingMedium", 0.08), ("Idle", 0.0), ("Idle", 0.1)]
    rows = _told(player=player)
    roll = PLAYER.id("RollingMedium")
    assert rows["previous_player_animation"].tolist() == [-1, -1, roll, roll, roll]
    np.testing.assert_allclose(rows["previous_player_animation_s"], [0, 0, 0.6, 0.08, 0.08], atol=1e-6)


def test_previous_attack_outlives_the_idling_after_it():
    """Breaks if idling or walking is taken for an attack, or the time is not counted from the attack's name."""
    shown = [
        ("Attack3004", 1.0),
        ("IdleBattle", 0.05),
        ("WalkLeftBattle", 0.0),
        ("Attack3001", 0.02),
        ("Attack3007", 0.06),
    ]
    rows = _told(boss=shown)
    first, second = BOSS.id("Attack3004"), BOSS.id("Attack3001")
    assert rows["previous_boss_attack"].tolist() == [-1, first, first, first, second]
    step = REPORTED_STEP_S
    since = [NEVER_S, 1 + step, 1 + 2 * step, 1 + 3 * step, 0.02 + step]
    np.testing.assert_allclose(rows["previous_boss_attack_since_s"], since, atol=1e-5)
    assert rows["previous_boss_animation"][4] == second
    assert rows["previous_boss_animation_s"][4] == pytest.approx(0.02)


def test_time_since_each_attack_counts_up_to_never():
    """Breaks if a clock of an attack not shown stands still, runs over its cap, or is not 0 while it is shown."""
    rows = _told(boss=[("Attack3000", 0.0)] * 2 + [("IdleBattle", 0.0)] * 320)
    since = rows["boss_seen_since_s"]
    attack, other = BOSS.id("Attack3000"), BOSS.id("Attack3001")
    np.testing.assert_allclose(since[:4, attack], [0, 0, 0.097, 0.194], atol=1e-6)
    assert since[-1, attack] == NEVER_S
    assert (since[:, other] == NEVER_S).all()


def test_last_actions_stand_newest_first():
    """Breaks if the order of the last actions turns, or a step without a choice shifts them."""
    rows = _told(boss=[("IdleBattle", 0.0)] * 7, actions=[0, 5, 6, 7, -1, 8, 9])
    assert rows["last_actions"].tolist() == [
        [-1, -1, -1, -1],
        [5, -1, -1, -1],
        [6, 5, -1, -1],
        [7, 6, 5, -1],
        [7, 6, 5, -1],
        [8, 7, 6, 5],
        [9, 8, 7, 6],
    ]


def test_unknown_names_are_remembered_without_a_place():
    """Breaks if an unknown id writes or reads outside the tables."""
    rows = _told(boss=[("Attack3000", 0.1), ("Strange", 0.0), ("WalkLeftBattle", 0.02)])
    assert rows["boss_animation"][1] == -1
    assert rows["previous_boss_animation"][2] == -1
    assert rows["boss_bin_s"][2] == pytest.approx(0.1)
    assert rows["boss_seen_since_s"][2, BOSS.id("Attack3000")] == pytest.approx(2 * REPORTED_STEP_S)


@pytest.mark.parametrize("actions", [[0], [0, 20], [0, -2]])
def test_bad_actions_are_told(actions):
    """Breaks if actions of a wrong number or range reach the compiled code."""
    with pytest.raises(UserError, match="actions"):
        _told(boss=[("IdleBattle", 0.0)] * 2, actions=actions)

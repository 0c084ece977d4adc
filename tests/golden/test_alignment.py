"""The simulator against the two recorded real fights."""

import numpy as np
import pytest

from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.alignment import drift
from ashen.evaluation.hits_check import recorded_strikes
from ashen.evaluation.recording import boss_script, recorded_fights
from ashen.sim.pack import load_tables

TABLE = load_tables(boss_file("iudex"))[0][0]
FIGHTS = recorded_fights()


def test_the_recording_is_whole():
    """Breaks if steps of the recording are lost or its two fights are not told apart."""
    assert [len(fight.states) for fight in FIGHTS] == [431, 268]
    assert FIGHTS[1].states["player_hp"][-1] == 0


def test_after_a_second_both_bodies_are_where_they_were():
    """Breaks if motion, turning, walking or camera change so that bodies drift over half a metre in the median."""
    drifts = [drift(fight, TABLE, 10) for fight in FIGHTS]
    for body in ("boss_m", "player_m"):
        assert np.median(np.concatenate([getattr(one, body) for one in drifts])) < 0.5, body
    assert np.degrees(np.median(np.concatenate([one.boss_yaw_rad for one in drifts]))) < 5.0
    assert np.concatenate([one.same_player_animation for one in drifts]).mean() > 0.75


def test_half_a_second_ahead_clocks_and_stamina_agree():
    """Breaks if the reported clock does not grow by .097 a step, or stamina is paid or regained at another time."""
    for fight in FIGHTS:
        near = drift(fight, TABLE, 5)
        assert np.nanmedian(np.abs(near.player_clock_s)) < 0.005
        assert np.median(np.abs(near.stamina[near.same_player_animation])) <= 1.0


@pytest.mark.parametrize(
    ("fight", "step", "attack"), [(0, 208, "Attack3002"), (1, 141, "Attack3005"), (1, 195, "Attack3014")]
)
def test_recorded_hits_land_in_their_step(fight, step, attack):
    """Breaks if a recorded hit misses, does other damage, or comes more than a step early or late."""
    strikes = {(strike.step, strike.attack): strike for strike in recorded_strikes([FIGHTS[fight]], TABLE)}
    strike = strikes[step, attack]
    assert strike.recorded_damage > 0
    assert strike.is_right


def test_a_chained_attack_starts_at_once_and_another_waits_for_the_old_motion():
    """Breaks if the script confuses links of a chain (3012 -> 3013) with new acts (3008 -> 3002, .74 s late)."""
    names = boss_vocabulary(boss_file("iudex"))
    script = boss_script(FIGHTS[0].states, TABLE)
    begun = {names.name(int(script.name[step])): int(script.delay_f[step]) for step in np.flatnonzero(script.name >= 0)}
    assert begun["Attack3013"] == 0
    assert begun["Attack3002"] == pytest.approx(22, abs=4)

"""The backend, the process behind it and what it does about faults, over a stand-in for soulsgym."""

import numpy as np
import pytest

from ashen.core.errors import UserError
from ashen.core.fight import NOTHING, Outcome
from ashen.game.backend import GameBackend
from ashen.game.options import GameOptions

QUICK = GameOptions(reset_deadline_s=20.0, step_deadline_s=0.3, patience_s=5.0)
ONE = np.ones(1, np.bool_)
DO_NOTHING = np.array([NOTHING])


def begun(fight="phase1", options=QUICK):
    """A backend with a fight under way."""
    backend = GameBackend("iudex", fight, options)
    backend.reset(ONE)
    return backend


def step(backend, steps=1):
    """Do nothing for so many steps; the outcome."""
    for _ in range(steps):
        backend.step(DO_NOTHING)
    return Outcome(int(backend.outcome()[0]))


def lines(script):
    """What was done to the game."""
    return (script / "log").read_text(encoding="utf-8").splitlines()


def test_a_fight_goes_to_its_end(stand_in):
    """Breaks if rows, masks or outcomes do not come through the other process."""
    backend = begun()
    assert backend.states["step"][0] == 0 and backend.valid_actions()[0, NOTHING]
    while step(backend) == Outcome.RUNNING:
        pass
    assert backend.outcome()[0] == Outcome.LOSS
    assert backend.states["player_hp"][0] == 0.0
    assert backend.states["step"][0] > 10
    backend.step(DO_NOTHING)
    assert backend.outcome()[0] == Outcome.LOSS
    assert backend.incidents == []


def test_the_game_is_left_playable_and_free(stand_in, tmp_path):
    """Breaks if closing leaves the game fast, or the flags set, or nobody else may own it."""
    backend = begun()
    assert (tmp_path / "lock.json").exists()
    backend.close()
    after = lines(stand_in)[-4:]
    assert set(after) == {"game_speed = 1.0", "allow_deaths = True", "gravity = True", "keys released"}
    assert not (tmp_path / "lock.json").exists()


@pytest.mark.parametrize(
    ("script", "fault", "kind"),
    [
        ("step-3-read_error", "memory", "TRANSIENT"),
        ("step-3-hang", "no_answer", "NEEDS_RELOAD"),
        ("step-3-block", "door_hung", "NEEDS_RELOAD"),
        ("step-3-die", "door_died", "NEEDS_RELOAD"),
        ("step-3-strange", "unknown", "NEEDS_RELOAD"),
        ("state-3-player_sp-nan", "impossible_value", "TRANSIENT"),
        ("state-3-boss_hp-0", "impossible_value", "TRANSIENT"),
    ],
)
def test_a_fault_ends_the_fight_and_the_next_one_goes_on(stand_in, script, fault, kind):
    """Breaks if a fault hangs, ends the training, is learned from, is not told apart, or is not recovered from."""
    (stand_in / script).touch()
    backend = begun()
    assert step(backend, 2) == Outcome.RUNNING
    before = backend.states.copy()
    assert step(backend) == Outcome.FAULT
    assert backend.states == before
    assert [(one.during, one.fault, one.kind) for one in backend.incidents] == [("step", fault, kind)]
    backend.reset(ONE)
    assert step(backend, 5) == Outcome.RUNNING
    assert lines(stand_in).count("reload") == (1 if kind == "NEEDS_RELOAD" else 0)


def test_attempts_become_harsher_until_the_fight_begins(stand_in):
    """Breaks if a reset that fails again and again is always tried in the same way, or given up at once."""
    for number in (1, 2, 3):
        (stand_in / f"reset-{number}-read_error").touch()
    backend = begun()
    assert step(backend) == Outcome.RUNNING
    assert [one.during for one in backend.incidents] == ["reset"] * 3
    assert lines(stand_in).count("reload") == 1
    assert lines(stand_in).count("make") == 2


def test_what_cannot_be_recovered_is_told_in_one_line(stand_in, tmp_path):
    """Breaks if a game on which no fight can be started is tried for ever, or keeps its lock."""
    (stand_in / "make-1-strange").touch()
    with pytest.raises(UserError, match=r"the game: ValueError: strange; report this with the run's run.log"):
        GameBackend("iudex", "phase1", QUICK)
    assert not (tmp_path / "lock.json").exists()
    backend = GameBackend("iudex", "phase1", QUICK)
    (stand_in / "reset-0-strange").touch()
    with pytest.raises(UserError, match="the game: ValueError: strange; report this"):
        backend.reset(ONE)
    assert len(backend.incidents) == 1 + 4
    assert not (tmp_path / "lock.json").exists()


def test_a_game_started_anew_is_met_by_a_new_environment(stand_in, said):
    """Breaks if the training does not wait for a game that crashed, or goes on with the dead one's memory."""
    backend = begun()
    (stand_in / "gone").touch()
    (stand_in / "step-1-read_error").touch()
    assert step(backend) == Outcome.FAULT
    assert backend.incidents[-1].fault == "game_gone"
    (stand_in / "pid").write_text("78", encoding="utf-8")
    (stand_in / "gone").unlink()
    backend.reset(ONE)
    assert step(backend) == Outcome.RUNNING
    assert lines(stand_in).count("make") == 2
    assert said == []


def test_patience_with_a_game_that_does_not_come_back_ends(stand_in, said):
    """Breaks if the trainer waits for ever, or ends without saying what to do."""
    backend = begun(options=GameOptions(step_deadline_s=0.3, patience_s=0.5))
    (stand_in / "gone").touch()
    (stand_in / "step-1-read_error").touch()
    step(backend)
    with pytest.raises(UserError, match="not open; start Dark Souls III, offline, and load the save"):
        backend.reset(ONE)
    assert len(said) == 1


def test_another_character_is_the_users_to_mend(stand_in):
    """Breaks if fights of a stronger character are learned from, or the user is not told."""
    (stand_in / "state-2-player_max_hp-590").touch()
    backend = begun()
    assert step(backend, 2) == Outcome.FAULT
    assert backend.incidents[-1].kind == "NEEDS_YOU"
    assert "590, not 454" in backend.incidents[-1].message


def test_unknown_animations_are_counted_by_name(stand_in):
    """Breaks if an animation that no table knows becomes another one, or nobody learns its name."""
    (stand_in / "state-2-boss_animation-Attack1501").touch()
    backend = begun()
    assert step(backend, 2) == Outcome.RUNNING
    assert backend.states["boss_animation"][0] == -1
    assert backend.unknown_animations == {"boss Attack1501": 1}
    step(backend)
    assert backend.states["boss_animation"][0] >= 0


def test_the_phase_is_right(stand_in):
    """Breaks if fights of phase 2 say 1, as soulsgym does."""
    assert begun("phase2").states["phase"][0] == 2
    assert begun("full").states["phase"][0] == 1


def test_two_backends_play_in_turns(stand_in):
    """Breaks if a match beside a training goes on in the training's fight, or the other way round."""
    training = begun()
    step(training, 2)
    match = begun()
    assert step(match) == Outcome.RUNNING
    assert step(training) == Outcome.FAULT
    assert training.incidents[-1].fault == "interrupted"
    match.close()
    training.reset(ONE)
    assert step(training) == Outcome.RUNNING

"""The backend and the process behind it, over a fake game in that process."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from ashen.core.errors import UserError
from ashen.core.fight import LIGHT_ATTACK, NOTHING, Outcome
from ashen.game import owner, soulsgym_builds
from ashen.game.backend import GameBackend
from ashen.game.keeper import MOST_IN_A_ROW
from ashen.game.options import GameOptions
from ashen.game.owner import Ownership

pytestmark = pytest.mark.game
PATIENT = GameOptions(step_deadline_s=60.0, patience_s=3.0)
"""The first step of a fake game may have to compile its fight."""
QUICK = GameOptions(step_deadline_s=1.0, patience_s=3.0)
ONE = np.ones(1, np.bool_)
DO_NOTHING = np.array([NOTHING])


def begun(options=PATIENT, fight="phase1"):
    """A backend with a fight under way."""
    backend = GameBackend("iudex", fight, options)
    backend.reset(ONE)
    return backend


def step(backend, steps=1):
    """Do nothing for so many steps; the outcome."""
    for _ in range(steps):
        backend.step(DO_NOTHING)
    return Outcome(int(backend.outcome()[0]))


def test_a_fight_goes_to_its_end_and_the_next_begins(elsewhere, tmp_path):
    """Breaks if rows, masks or outcomes do not come through the other process, or the game stays somebody's."""
    elsewhere()
    backend = begun()
    assert backend.states["step"][0] == 0 and backend.valid_actions()[0, NOTHING]
    while step(backend) == Outcome.RUNNING:
        pass
    assert backend.outcome()[0] == Outcome.LOSS
    assert backend.states["player_hp"][0] == 0.0
    length = backend.states["step"][0]
    assert length > 10
    step(backend)
    assert backend.states["step"][0] == length
    backend.reset(ONE)
    assert step(backend) == Outcome.RUNNING
    assert backend.incidents == []
    with pytest.raises(UserError, match=f"process {os.getpid()} owns the game already"):
        Ownership()
    backend.close()
    Ownership().release()


@pytest.mark.parametrize(("hook", "fault"), [("install_and_die", "door_died"), ("install_and_block", "door_hung")])
def test_a_process_that_dies_or_hangs_is_replaced(elsewhere, hook, fault):
    """Breaks if the trainer waits for a process that gives no answer, or its half fight is learned from."""
    elsewhere()
    begun().close()  # whatever needs compiling is compiled now
    elsewhere(hook=f"fake_game.hard_faults:{hook}")
    backend = begun(QUICK)
    before = backend.states.copy()
    while step(backend) == Outcome.RUNNING:
        before = backend.states.copy()
    assert backend.outcome()[0] == Outcome.FAULT
    assert backend.states == before
    assert [incident.fault for incident in backend.incidents] == [fault]
    backend.reset(ONE)
    assert step(backend) == Outcome.RUNNING


def test_attempts_become_harsher_until_the_fight_begins(elsewhere):
    """Breaks if a reset that fails again and again is given up at once, or its failures are not accounted for."""
    elsewhere({"fault": "write_error", "at": "Time", "times": 2})
    backend = begun()
    assert step(backend) == Outcome.RUNNING
    assert [(one.during, one.fault) for one in backend.incidents] == [("reset", "memory")] * 2


def test_what_cannot_be_recovered_is_told_in_one_line(elsewhere, tmp_path):
    """Breaks if a game on which no fight can be started is tried for ever, or keeps its lock."""
    elsewhere({"fault": "write_error", "at": "Time", "times": 99})
    backend = GameBackend("iudex", "phase1", PATIENT)
    with pytest.raises(UserError, match=r"the game: Windows .*; if the game's memory cannot be read for long, start"):
        backend.reset(ONE)
    assert len(backend.incidents) == 4
    Ownership().release()


def test_a_game_that_is_gone_is_waited_for_but_not_for_ever(elsewhere):
    """Breaks if the trainer waits for ever for a game that crashed, or does not tell the user to start it."""
    said = elsewhere(hook="fake_game.hard_faults:install_and_exit")
    backend = begun()
    while step(backend) == Outcome.RUNNING:
        pass
    assert backend.outcome()[0] == Outcome.FAULT
    assert backend.incidents[-1].fault == "game_gone"
    with pytest.raises(UserError, match="not open; start Dark Souls III, offline, and load the save"):
        backend.reset(ONE)
    assert len(said) == 1


def test_a_lost_focus_is_waited_for_and_the_training_goes_on(elsewhere):
    """Breaks if the trainer stops when another window comes to the front, plays on, or asks again and again."""
    said = elsewhere(hook="fake_game.hard_faults:install_and_look_away")
    backend = begun()
    while step(backend) == Outcome.RUNNING:
        pass
    assert backend.outcome()[0] == Outcome.FAULT
    backend.reset(ONE)
    assert step(backend, 5) == Outcome.RUNNING
    assert [(one.during, one.fault, one.kind) for one in backend.incidents] == [
        ("step", "focus_lost", "TRANSIENT"),
        ("reset", "focus_lost", "TRANSIENT"),
    ]
    assert len(said) == 1 and "click into it, and the training goes on by itself" in said[0]


def test_a_focus_that_does_not_come_back_ends_the_training(elsewhere, tmp_path):
    """Breaks if a training waits for ever for a user who is not there."""
    said = elsewhere(hook="fake_game.hard_faults:install_and_leave")
    backend = begun()
    while step(backend) == Outcome.RUNNING:
        pass
    with pytest.raises(UserError, match="another window is in front of the game's; click into the game's window"):
        backend.reset(ONE)
    assert len(said) == 1
    Ownership().release()


def test_what_a_monitor_finds_in_fight_after_fight_ends_the_training(elsewhere):
    """Breaks if a PC that is too slow, say, goes on for a night in which every fight is thrown away."""
    elsewhere({"fault": "speed_ignored"})
    backend = GameBackend("iudex", "phase1", PATIENT)
    for _ in range(MOST_IN_A_ROW):
        backend.reset(ONE)
        while step(backend) == Outcome.RUNNING:
            pass
        assert backend.outcome()[0] == Outcome.FAULT
    with pytest.raises(UserError, match="times its speed, not 3; ashen doctor --live measures"):
        backend.reset(ONE)
    assert [one.fault for one in backend.incidents] == ["wrong_speed"] * MOST_IN_A_ROW


def test_a_sword_taken_off_ends_the_training_at_once(elsewhere):
    """Breaks if what only the user can mend is met by another fight, or he is not told what it is."""
    elsewhere({"fault": "sword_lost"})
    backend = begun()
    while backend.outcome()[0] in (Outcome.RUNNING, Outcome.LOSS):
        if backend.outcome()[0] == Outcome.LOSS:
            backend.reset(ONE)
        row = backend.states[0]
        away_m = np.hypot(row["boss_x_m"] - row["player_x_m"], row["boss_y_m"] - row["player_y_m"])
        backend.step(np.array([LIGHT_ATTACK if away_m < 2.8 else 0]))
    assert backend.outcome()[0] == Outcome.FAULT
    with pytest.raises(UserError, match="light attacks cost the boss 20 and 20, not 52; put the Longsword back on"):
        backend.reset(ONE)
    speeds, latencies = (backend.measured[name] for name in ("game_speed", "input_latency_steps"))
    assert sum(speeds.values()) > 30 and abs(median(speeds.elements()) - 3.0) < 0.5
    assert median(latencies.elements()) == 0.2


def test_two_backends_play_in_turns(elsewhere):
    """Breaks if a match beside a training goes on in the training's fight, or the other way round."""
    elsewhere()
    training = begun()
    step(training, 2)
    match = begun()
    assert step(match) == Outcome.RUNNING
    assert step(training) == Outcome.FAULT
    assert training.incidents[-1].fault == "interrupted"
    match.close()
    training.reset(ONE)
    assert step(training) == Outcome.RUNNING


def test_a_fight_in_which_nobody_has_acted_is_handed_over(elsewhere):
    """Breaks if a match waits for a new fight where one has just begun, or gets one in which something has happened."""
    elsewhere()
    roaming = GameOptions(random_start=True, step_deadline_s=60.0)
    backend = begun(roaming)
    pose = backend.states.copy()
    for _ in range(3):  # of eleven poses
        other = begun(roaming)
        assert (other.states == pose).all()
        other.close()
    backend.reset(ONE)
    assert (backend.states == pose).all()
    poses = set()
    for _ in range(4):
        poses.add(float(backend.states["player_x_m"][0]))
        step(backend)
        backend.reset(ONE)
    assert len(poses) > 1
    assert backend.incidents == []


def test_one_owner_at_a_time(tmp_path, monkeypatch):
    """Breaks if two trainers press keys in one game, or what a crashed one left must be removed by hand."""
    monkeypatch.setattr(owner, "lock_file", lambda: tmp_path / "lock.pid")
    own = Ownership()
    with pytest.raises(UserError, match=f"process {os.getpid()} owns the game already"):
        Ownership()
    own._file.truncate(0)  # as in the moment before it is written
    with pytest.raises(UserError, match="another process owns the game already"):
        Ownership()
    own.release()
    (tmp_path / "lock.pid").write_text("99999 or half", encoding="utf-8")
    Ownership().release()


def test_of_two_that_start_at_once_one_owns_the_game(tmp_path):
    """Breaks if between making the lock file and writing it, or over a dead one's, a second process slips in."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from ashen.core.errors import UserError; from ashen.game import owner\n"
        f"owner.lock_file = lambda: Path({str(tmp_path / 'lock.pid')!r})\n"
        "for _ in sys.stdin:\n"
        "    try: own = owner.Ownership()\n"
        "    except UserError: own = None\n"
        "    print(own is not None, flush=True)\n"
        "    sys.stdin.readline()\n"
        "    if own: own.release()\n"
        "    print(flush=True)\n"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    def answers():
        for one in both:
            print(file=one.stdin, flush=True)
        return [one.stdout.readline().strip() for one in both]

    answers()  # both have started
    for _ in range(100):
        answers()
        (tmp_path / "lock.pid").write_text('{"pid": 1073741824, "started_s": 0.0}', encoding="utf-8")
        assert sorted(answers()) == ["False", "True"]
    for one in both:
        one.communicate()


def test_fights_that_the_game_has_not_are_told():
    """Breaks if a fight that cannot be fought on the game is a traceback, or another one is fought."""
    with pytest.raises(UserError, match="unknown fight 'phase3'"):
        GameBackend("iudex", "phase3")
    with pytest.raises(UserError, match="fights vordt in phase1 only, not full"):
        GameBackend("vordt", "full")
    with pytest.raises(UserError, match="starts fights against vordt from one pose"):
        GameBackend("vordt", "phase1", GameOptions(random_start=True))
    with pytest.raises(UserError, match=r"game_speed = 4 must lie in 1\.\.3"):
        GameOptions(game_speed=4)


def test_the_process_that_owns_the_game_ends_with_the_trainer(tmp_path):
    """Breaks if a trainer that is killed leaves a process behind that holds the game in a call that does not return."""
    psutil = pytest.importorskip("psutil")
    code = (
        "import numpy as np, multiprocessing, threading\n"
        "from ashen.game import owner; from pathlib import Path\n"
        f"owner.lock_file = lambda: Path({str(tmp_path / 'lock.pid')!r})\n"
        "from ashen.game.backend import GameBackend; from ashen.game.options import GameOptions\n"
        "backend = GameBackend('iudex', 'phase1', GameOptions(step_deadline_s=500.0))\n"
        "backend.reset(np.ones(1, bool))\n"
        "print(multiprocessing.active_children()[0].pid, flush=True)\n"
        "while True: print(backend.step(np.array([19])), flush=True)\n"
    )
    hook = {soulsgym_builds.INSTALL_HOOK: "fake_game.hard_faults:install_and_block", "ASHEN_FAKE_GAME": "{}"}
    paths = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=os.environ | hook | paths
    ) as trainer:
        own = psutil.Process(int(trainer.stdout.readline()))
        for _ in range(4):  # the fifth step does not return
            trainer.stdout.readline()
        trainer.kill()
    own.wait(timeout=120)

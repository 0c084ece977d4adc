"""The checks that press keys, over a fake game under the real soulsgym."""

import gc
import json
import re

import pytest

from ashen.cli import main
from ashen.doctor import live
from ashen.doctor.checks import examine
from ashen.doctor.findings import State
from ashen.doctor.glimpse import glimpse
from ashen.doctor.live import LIVE, look_live, take_over
from ashen.doctor.pc import Answer
from ashen.game import keys

pytest.importorskip("soulsgym", reason="the game's packages are not installed")
from fake_game.install import start

pytestmark = pytest.mark.game
START, WALK, ROLL, LOCK_ON, SPEED = (line.name for line in LIVE)


@pytest.fixture
def fake_game(monkeypatch):
    """Makes the fake game of a test, which ends endless waits itself, by its own clock."""
    monkeypatch.setattr(live, "_START_S", 600.0)
    monkeypatch.setattr(live, "_LOOK_S", 600.0)
    made = []

    def make(**options):
        made.append(start(**options))
        return made[0]

    yield make
    keys.uninstall()
    gc.collect()
    for fake in made:
        fake.remove()


@pytest.mark.parametrize("layout", ["qwerty", "azerty", "qwertz"])
def test_keys_arrive_and_speeds_are_true_on_any_layout(fake_game, layout):
    """Breaks if a good set-up is complained of, if a layout moves a key, or if the game is left fast or bewitched."""
    fake = fake_game(layout=layout)
    found = dict(take_over())
    assert {name: finding for name, finding in found.items() if finding.state != State.OK} == {}
    assert list(found) == [line.name for line in LIVE]
    assert found[ROLL].found == "RollingMedium"
    assert found[LOCK_ON].found == "locked on, free, locked on"
    assert fake.clock.speed == 1.0
    assert not fake.keyboard.held
    assert [fake.game.records.get(name) for name in ("AllNoAttack", "AllNoHit", "AllNoMove", "AllNoDeath")] == [0] * 4


def test_the_diarys_month_is_found_in_a_minute(fake_game):
    """Breaks if azerty under keys pressed by letter, which makes SoulsGym wait for ever, is not told for what it is."""
    fake = fake_game(layout="azerty", budget_s=20.0)
    found = dict(take_over(use_scan_codes=False))
    assert found[START].state == found[WALK].state == found[ROLL].state == State.FAILED
    assert found[WALK].found.startswith("W 0.0 m, A 0.0 m, S 1.")
    assert "azerty" in found[WALK].found
    assert "English (US)" in found[WALK].fix
    assert found[LOCK_ON].state == State.ELSEWHERE
    assert fake.clock.speed == 1.0


def test_no_key_is_pressed_into_another_window(fake_game):
    """Breaks if a game that does not come to the front is not told, or if the keys go to whatever is."""
    fake = fake_game()
    fake.window.may_be_focused = fake.window.is_focused = False
    found = dict(take_over())
    assert found[START].state == found[WALK].state == found[ROLL].state == State.FAILED
    assert "another window" in found[WALK].found


def test_a_slow_pc_and_a_dead_speed_hack_are_told_apart(fake_game, monkeypatch):
    """Breaks if a speed that is not reached passes, or if the advice is the wrong one of the two."""
    fake = fake_game()
    fake.clock.most_speed = 2.0
    slow = dict(take_over())[SPEED]
    assert slow.state == State.WARNING
    assert "--game-speed 2" in slow.fix
    gc.collect()
    fake.clock.most_speed = 1.0
    dead = dict(take_over())[SPEED]
    assert dead.state == State.FAILED
    assert "no grip" in dead.fix


def test_without_a_game_it_says_so(fake_game):
    """Breaks if no game, or no player in it, is a traceback."""
    fake_game().process.exit()
    found = dict(take_over())
    assert "not open" in found[START].found
    assert "load the save" in found[START].fix
    assert {found[line.name].state for line in LIVE[1:]} == {State.ELSEWHERE}


def test_a_look_into_memory_changes_nothing(fake_game, pc):
    """Breaks if the player is not found, or if a look puts the speed hack into the game or presses a key."""
    fake = fake_game()
    pc.seen = glimpse()
    assert pc.seen.player_hp > 0
    assert len(pc.seen.stats) == 10
    assert not fake.process.has_dll
    assert not fake.keyboard.held
    assert examine(pc)["player in game"].state == State.OK


def test_an_answer_that_breaks_off_is_told_and_the_game_let_go(pc):
    """Breaks if a hang in Windows itself hangs the doctor, costs what was found before it, or leaves the game stuck."""
    asked = []
    line = "finding: " + json.dumps([START, "ok", "locked on", ""])
    pc.run_python = lambda code, seconds: asked.append(code) or Answer(-1, f"{line}\nsome warning\n")
    found = look_live(pc)
    assert found[START] == (State.OK, "locked on", "")
    assert found[WALK].state == State.FAILED
    assert "some warning" in found[WALK].found
    assert {found[name].state for name in (ROLL, LOCK_ON, SPEED)} == {State.ELSEWHERE}
    assert "unstick" in asked[1]


def test_keys_are_pressed_as_the_training_will_press_them(pc, capsys):
    """Breaks if --no-scan-codes does not reach the process that presses the keys, or is taken where none is pressed."""
    asked = []
    pc.run_python = lambda code, seconds=0.0: asked.append(code) or Answer(0, "")
    for use_scan_codes in (True, False):
        look_live(pc, use_scan_codes)
    assert [re.search(r"main\((.*)\)", code)[1] for code in asked] == ["use_scan_codes=True", "use_scan_codes=False"]
    assert main(["doctor", "--no-scan-codes"]) == 2
    assert "--no-scan-codes says how --live presses keys; add --live" in capsys.readouterr().err

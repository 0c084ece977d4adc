"""Every known way to fail, row by row, through backend, keeper and door; and the whole way for some."""

import re
from pathlib import Path

import numpy as np
import pytest

from ashen.core.errors import UserError
from ashen.core.fight import NOTHING, Outcome
from ashen.game.backend import GameBackend
from ashen.game.faults import FAULTS, classify
from ashen.game.options import GameOptions
from ashen.game.owner import Ownership

pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")
pytest.importorskip("pymem", reason="pymem is not installed: python bootstrap.py test installs it")

from fake_game import faults, kernel
from fake_game.fault_rows import ELSEWHERE, ROWS
from fake_game.home import at_home
from fake_game.trial import line, play

pytestmark = pytest.mark.game
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "game-faults.md").read_text(encoding="utf-8")
ONE, DO_NOTHING = np.ones(1, np.bool_), np.array([NOTHING])
PATIENT = GameOptions(step_deadline_s=60.0, patience_s=3.0)
"""The first step of a fake game may have to compile its fight."""
IN_FIGHT = 600
"""Ticks: the first fight begins before them, and whoever does nothing lives longer."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_a_fault_is_met(row):
    """Breaks if a fault hangs, has another name or none, keeps the next fight from beginning, or spoils the game."""
    result = play(row)
    assert result.is_as_expected, result
    assert line(result) in PAGE, "run tools/fault_table.py"


def test_every_fault_stands_in_a_row():
    """Breaks if the fake game learns a fault that nobody plays through the door, or a row names what is not there."""
    assert {row.fault for row in ROWS} == set(faults.FAULTS)
    assert {name for row in ROWS for name in row.classes} <= {fault.name for fault in FAULTS}
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    named = {name for _, why in ELSEWHERE for name in re.findall(r"test_\w+", why)} - {"test_fake_fights"}
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_a_user_who_does_nothing_is_not_waited_for_for_ever():
    """Breaks if a training at the main menu waits beyond its patience, or does not say what to do."""
    with at_home() as home:
        home.fake.fault("main_menu")
        with pytest.raises(UserError, match=r"the game: .*; load the save, so that the player stands"):
            GameBackend("iudex", "phase1", GameOptions(patience_s=30.0))
        assert home.said == [
            "the game cannot be played now; load the save, so that the player stands in the world: it goes on by itself"
        ]


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (kernel.error(5, "OpenProcess", "Access is denied."), "no_access"),
        ("é".encode, "path_not_ascii"),
    ],
)
def test_faults_of_windows_alone(error, name):
    """Breaks if what no fake provokes has another name: rights that differ, a path with an accent."""
    if callable(error):
        with pytest.raises(UnicodeEncodeError) as raised:
            error("ascii")
        error = raised.value
    assert classify(error).name == name


def step(backend, steps=1):
    """Do nothing for so many steps; the outcome."""
    for _ in range(steps):
        backend.step(DO_NOTHING)
    return Outcome(int(backend.outcome()[0]))


def test_a_process_that_dies_while_it_opens_is_replaced(elsewhere, tmp_path):
    """Breaks if a process that dies before it is ready ends the training, or is never said."""
    elsewhere({"fault": "door_dies", "once": str(tmp_path / "died")})
    backend = GameBackend("iudex", "phase1", PATIENT)
    assert [(one.during, one.fault) for one in backend.incidents] == [("open", "door_died")]
    backend.reset(ONE)
    assert step(backend, 5) == Outcome.RUNNING


@pytest.mark.slow
def test_a_process_that_always_dies_while_it_opens_is_told(elsewhere):
    """Breaks if the process is started for ever, or keeps its lock."""
    elsewhere({"fault": "door_dies"})
    with pytest.raises(UserError, match=r"its process ended during open; if the process .* goes on dying, start"):
        GameBackend("iudex", "phase1", PATIENT)
    Ownership().release()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "name"), [("process_restarts", "game_gone"), ("read_error", "memory"), ("hp_zero", "player_state")]
)
def test_the_whole_way(elsewhere, fault, name):
    """Breaks if the real process meets another end than the door in this one."""
    elsewhere({"fault": fault, "after_ticks": IN_FIGHT, "for_ticks": 60})
    backend = GameBackend("iudex", "phase1", PATIENT)
    backend.reset(ONE)
    while step(backend) == Outcome.RUNNING:
        pass
    assert [one.fault for one in backend.incidents] == [name]
    backend.reset(ONE)
    assert step(backend, 5) == Outcome.RUNNING

"""Ctrl-C while the game is waited for."""

import signal

import numpy as np
import pytest

from ashen.cli import main
from ashen.core.errors import UserError
from ashen.core.fight import NOTHING
from ashen.core.signals import StopOnSignal
from ashen.game.backend import GameBackend
from ashen.game.options import GameOptions
from ashen.runs.folder import open_run
from ashen.training.checkpoints import latest_checkpoint, load_checkpoint

pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")

from fake_game.home import Here, at_home

pytestmark = pytest.mark.game
WORDS = ["--total-steps", "2000", "--log-every", "1000", "--world-steps-per-s", "0", "--evaluate-every", "1000"]
ONE, DO_NOTHING = np.ones(1, np.bool_), np.array([NOTHING])


@pytest.fixture
def home():
    """A fake game, and a user who presses Ctrl-C as soon as he is told anything."""
    with at_home() as home:
        home.asked_s = []

        def press():
            home.asked_s.append(home.fake.clock.wall_s)
            signal.raise_signal(signal.SIGINT)

        home.user_does = press
        yield home


@pytest.mark.parametrize("fault", ["process_exits", "main_menu", "focus_denied"])
def test_ctrl_c_while_the_game_is_waited_for_saves_and_ends_well(home, tmp_path, capsys, fault):
    """Breaks if Ctrl-C is heard only after the keeper's patience, ends with an error or loses what was learned."""
    home.fake.fault(fault, after_ticks=1000)
    assert main(["train", "game", "--backend", "game", "--name", "a", "--runs-dir", str(tmp_path), *WORDS]) == 0
    (asked_s,) = home.asked_s
    assert home.fake.clock.wall_s - asked_s < 5.0  # of the fake's time; patience is 600 s
    assert "stopped and saved; go on with: ashen resume a" in capsys.readouterr().err
    run = open_run("a", tmp_path)
    assert load_checkpoint(latest_checkpoint(run))["env_step"] > 0
    assert "stopped by Ctrl-C while it was waited for" in run.log_file.read_text(encoding="utf-8")
    assert home.keeper._ownership is None


def test_ctrl_c_ends_the_wait_for_an_answer(home, monkeypatch):
    """Breaks if a process that does not answer keeps Ctrl-C waiting for two minutes, or a game is left to it."""
    backend = GameBackend("iudex", "phase1", GameOptions())
    polls, poll = [], Here.poll

    def pressed(here, seconds):
        polls.append(seconds)
        if len(polls) == 1:
            signal.raise_signal(signal.SIGINT)
        return poll(here, seconds)

    monkeypatch.setattr(Here, "poll", pressed)
    home.break_door("door_blocks")
    with StopOnSignal(), pytest.raises(UserError, match="stopped by Ctrl-C while it was waited for"):
        backend.reset(ONE)
    assert 0 < sum(polls) < 3.0
    assert home.fake.clock.speed == 1.0 and home.keeper._ownership is None


def test_ctrl_c_in_a_step_breaks_nothing(home, monkeypatch):
    """Breaks if the process that plays is taken for dead on Windows, where Ctrl-C ends a wait with an error."""
    backend = GameBackend("iudex", "phase1", GameOptions())
    backend.reset(ONE)
    errors, poll = [InterruptedError()], Here.poll

    def interrupted(here, seconds):
        if errors:
            raise errors.pop()
        return poll(here, seconds)

    monkeypatch.setattr(Here, "poll", interrupted)
    backend.step(DO_NOTHING)
    assert backend.incidents == [] and backend.states["step"][0] == 1

"""Ctrl-C while the game is waited for, and in matches on it."""

import re
import signal

import numpy as np
import pytest

from ashen.cli import main
from ashen.core.errors import UserError
from ashen.core.fight import NOTHING, Outcome
from ashen.core.signals import StopOnSignal
from ashen.evaluation.policies import GreedyAgent
from ashen.game.backend import GameBackend
from ashen.game.options import GameOptions
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import RunFolder, open_run
from ashen.runs.metrics import read_metrics
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
    word = re.escape(RunFolder(tmp_path / "a").word)
    assert re.search(rf"stopped and saved at step [\d,]+; go on with: ashen resume {word}\n", capsys.readouterr().err)
    run = open_run("a", tmp_path)
    assert load_checkpoint(latest_checkpoint(run))["env_step"] > 0
    assert "stopped by Ctrl-C while it was waited for" in run.log_file.read_text(encoding="utf-8")
    assert home.keeper._ownership is None


@pytest.mark.parametrize("kind", ["evaluation", "final"])
def test_ctrl_c_in_a_match_keeps_its_fights_and_it_goes_on_from_there(home, tmp_path, capsys, monkeypatch, kind):
    """Breaks if Ctrl-C is heard only at a match's end, or fights of the match that are over are fought again."""
    run, act, acts_s = tmp_path / "a", GreedyAgent.act, []

    def pressing(policy, *seen):
        """In the third step of the match's second fight."""
        if len(acts_s) < 3 and len(list_fights(run / "fights", kind)) == 1:
            acts_s.append(home.fake.clock.wall_s)
            if len(acts_s) == 3:
                signal.raise_signal(signal.SIGINT)
        return act(policy, *seen)

    monkeypatch.setattr(GreedyAgent, "act", pressing)
    words = ["--total-steps", "40", "--evaluate-every", "1000", "--evaluation-fights", "2", "--final-fights", "2"]
    words += ["--fight", "phase1", "--log-every", "40", "--world-steps-per-s", "0", "--ppo.width", "16"]
    words += ["--ppo.rollout-steps", "32", "--ppo.minibatch-size", "32"]
    where = ["--runs-dir", str(tmp_path)]
    assert main(["train", "game", "--backend", "game", "--name", "a", *where, *words]) == 0
    assert home.fake.clock.wall_s - acts_s[-1] < 5.0  # of the fake's time; a fight takes more
    word = re.escape(RunFolder(tmp_path / "a").word)
    assert re.search(rf"stopped and saved at step [\d,]+; go on with: ashen resume {word}\n", capsys.readouterr().err)
    assert load_checkpoint(latest_checkpoint(open_run("a", tmp_path)))["env_step"] == 40
    assert main(["resume", "a", *where]) == 0
    records = [load_fight(path) for path in list_fights(run / "fights", kind)]
    faults = [record.meta["incident"]["fault"] for record in records if record.outcome == Outcome.FAULT]
    numbers = [record.meta["fight_number"] for record in records if record.outcome != Outcome.FAULT]
    assert (faults, sorted(numbers)) == (["interrupted"], [0, 2])  # the one cut off keeps its number
    (row,) = read_metrics(open_run("a", tmp_path), kind)
    assert (row["fights"], row["faults"], row["env_step"]) == (2, 0, 40)


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

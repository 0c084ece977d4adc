"""The fight for a human, offscreen: what is pressed is fought, and the record is the fight."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pygame
import pytest

from ashen.cli import main
from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES, NOTHING, Outcome
from ashen.core.seeding import derive_seed
from ashen.core.signals import StopOnSignal
from ashen.env import FightEnv
from ashen.evaluation.explain.fight import explain_fight
from ashen.evaluation.match import fight_seeds
from ashen.play.bindings import Command
from ashen.play.bout import Bout, Setting
from ashen.play.controls import Controls
from ashen.play.devices import Reading
from ashen.play.game import Game, Plan, Stage, play
from ashen.play.kept import human_run, keep
from ashen.play.pace import FRAMES_PER_S
from ashen.play.window import Window, Words
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import create_run
from ashen.sim.backend import SimBackend

PHASE1 = Setting(fight="phase1")


def action(name: str) -> int:
    """The number of an action."""
    return ACTION_NAMES.index(name)


def key(name: str, is_down: bool = True, **fields: int) -> pygame.Event:
    """A key's event, by its place on a US keyboard."""
    return pygame.Event(
        pygame.KEYDOWN if is_down else pygame.KEYUP, scancode=getattr(pygame, f"KSCAN_{name}"), **fields
    )


class Script:
    """A clock whose time passes only in rests, and which posts events at given pictures.

    Args:
        at: what to do at a picture, by its number.
    """

    def __init__(self, at: Callable[[int], pygame.Event | None]):
        self._at, self._frame = at, 0

    def now_s(self) -> float:
        return self._frame / FRAMES_PER_S

    def rest(self, seconds: float) -> None:
        self._frame += 1
        if event := self._at(self._frame):
            pygame.event.post(event)


def test_a_recorded_bout_is_the_fight_and_can_be_fought_again(tmp_path: Path):
    """Breaks if a record misses a state, an action or what it takes to fight the same fight again."""
    env, states = PHASE1.make_env(), []
    bout = Bout(env, PHASE1, seed=3)
    for number in range(40):
        states.append(env.states[0].copy())
        bout.step(number % 20)
    states.append(env.states[0].copy())
    path = keep(human_run(tmp_path), bout)
    assert path == tmp_path / "human" / "fights" / "human-000000000-000-running.npz"
    assert keep(human_run(tmp_path), bout).name == "human-000000000-001-running.npz"
    record = load_fight(path)
    assert np.array_equal(record.states, np.array(states))
    assert record.actions.tolist() == [number % 20 for number in range(40)]
    meta = record.meta
    again = FightEnv(meta["boss"], fight=meta["fight"], random_start=meta["start"] == "random")
    assert again.backend.table_hash == meta["table_hash"]
    _, info = again.reset(seed=meta["seed"])
    for step, chosen in enumerate(record.actions.tolist()):
        assert again.states[0] == record.states[step]
        assert np.array_equal(info["action_mask"], record.masks[step])
        _, reward, *_, info = again.step(chosen)
        assert reward == record.rewards[step]
    assert again.states[0] == record.states[-1]


def test_between_steps_a_bout_moves_smoothly():
    """Breaks if what is drawn does not run from the last state to the present one, or start and end move."""
    bout = Bout(PHASE1.make_env(), PHASE1, seed=3)
    assert bout.state(0.7) == bout.state(0.0)
    for _ in range(10):
        bout.step(action("walk_left"))
    before, middle, after = (bout.state(share)["player_x_m"] for share in (0.0, 0.5, 1.0))
    assert before != after
    assert middle == pytest.approx(0.5 * (before + after), abs=1e-4)


def test_a_training_called_human_is_not_written_into(tmp_path: Path):
    """Breaks if human fights get into a training's folder."""
    create_run(tmp_path, "human", "x").write_config({"recipe": {}})
    with pytest.raises(UserError, match="is a training's folder"):
        human_run(tmp_path)


def test_a_whole_fight_with_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Breaks if anything between a key and the film of the fight does not work."""
    fights = tmp_path / "human" / "fights"

    def at(frame: int) -> pygame.Event | None:
        if frame == 5 or list_fights(fights):
            return key("RETURN")
        return {20: key("W"), 60: key("M")}.get(frame) or {0: key("J"), 1: key("J", is_down=False)}.get(frame % 11)

    (path,) = play(Plan(PHASE1, seed=1, speed=10.0, fights=1), tmp_path, lambda: False, Script(at))
    record = load_fight(path)
    assert record.outcome in (Outcome.WIN, Outcome.LOSS)
    assert path == fights / f"human-000000000-000-{record.outcome.name.lower()}.npz"
    assert {action("walk_forward"), action("light_attack")} <= set(record.actions.tolist())
    out = tmp_path / "fight.png"
    assert main(["film", "human", "--runs-dir", str(tmp_path), "--out", str(out)]) == 0
    assert out.is_file()
    assert capsys.readouterr().out.strip() == str(out)


def test_pause_restart_and_closing(tmp_path: Path):
    """Breaks if a paused fight goes on, R meets another boss, or a closed window loses the fight."""
    at = {5: key("RETURN"), 65: key("P"), 100: key("P"), 160: key("R"), 220: pygame.Event(pygame.QUIT)}.get
    records = [load_fight(path) for path in play(Plan(PHASE1), tmp_path, lambda: False, Script(at))]
    assert [record.outcome for record in records] == [Outcome.RUNNING] * 2
    assert [len(record.actions) for record in records] == [pytest.approx(20, abs=2), pytest.approx(10, abs=2)]
    shorter = min(len(record.states) for record in records)
    assert np.array_equal(records[0].states[:shorter], records[1].states[:shorter])


def test_what_is_pressed_before_the_start_does_not_count(tmp_path: Path):
    """Breaks if keys tried on the first picture, or in a pause, are the first moves of the fight."""
    controls = Controls()
    game = Game(Plan(PHASE1), PHASE1.make_env(), controls, human_run(tmp_path))
    for command in (Command.START, Command.PAUSE, Command.START, Command.RESTART):
        controls.press("space", Command.ROLL)
        game.obey(Reading([command]))
    game.pass_time(0.1)
    game.close()
    assert set(load_fight(game.records[-1]).actions.tolist()) == {NOTHING}


def test_fights_follow_each_other_as_in_a_match(tmp_path: Path):
    """Breaks if the next fight is not the next of ``ashen evaluate``, or R after an end begins another."""
    setting = Setting(fight="phase1", start="random")
    game = Game(Plan(setting, seed=7, fights=3), setting.make_env(), Controls(), human_run(tmp_path))
    for command in (Command.START, Command.RESTART, Command.START):
        game.obey(Reading([command]))
        while game.stage is Stage.FIGHTING:
            game.pass_time(0.1)
        assert game.stage is Stage.OVER
    game.obey(Reading([Command.START, Command.RESTART]))
    assert game.stage is Stage.CLOSED
    first, second = fight_seeds(7, 2)
    records = [load_fight(path) for path in game.records]
    assert [record.meta["seed"] for record in records] == [first, first, second]
    assert [record.outcome for record in records] == [Outcome.LOSS] * 3


def test_a_varied_boss_can_be_fought_and_fought_again(tmp_path: Path, monkeypatch):
    """Breaks if play does not vary the boss, varies him otherwise than a match, or the record does not say how."""
    at = {5: key("RETURN"), 40: key("ESCAPE")}.get
    monkeypatch.setattr("ashen.play.game.WallClock", lambda: Script(at))
    words = ["play", "--fight", "phase1", "--seed", "7", "--randomise", "wide", "--runs-dir", str(tmp_path)]
    assert main(words) == 0
    (path,) = list_fights(tmp_path / "human" / "fights")
    record = load_fight(path)
    seed = derive_seed(7, "randomise")
    assert (record.meta["randomise"], record.meta["randomise_seed"]) == ("wide", seed)
    assert (
        record.meta["table_hash"] == SimBackend("iudex", "phase1", 1, randomise="wide", randomise_seed=seed).table_hash
    )
    explain_fight(record, str(path))


def test_losing_the_keyboard_pauses(tmp_path: Path):
    """Breaks if the boss goes on while the player is in another window."""
    at = {5: key("RETURN"), 65: pygame.Event(pygame.WINDOWFOCUSLOST), 110: key("ESCAPE")}.get
    (path,) = play(Plan(PHASE1), tmp_path, lambda: False, Script(at))
    assert len(load_fight(path).actions) == pytest.approx(10, abs=2)


@pytest.mark.parametrize(("stop_at", "kept"), [(3, []), (30, ["human-000000000-000-running.npz"])])
def test_ctrl_c_keeps_the_fight(tmp_path: Path, stop_at: int, kept: list[str]):
    """Breaks if Ctrl-C loses the fight that is on, or a fight not begun is kept."""

    def at(frame: int) -> pygame.Event | None:
        if frame == stop_at:
            signal.raise_signal(signal.SIGINT)
        return key("RETURN") if frame == 5 else None

    with StopOnSignal() as stop:
        records = play(Plan(PHASE1), tmp_path, stop, Script(at))
    assert [path.name for path in records] == kept


@pytest.mark.skipif(os.name == "nt", reason="limits of file sizes are POSIX")
def test_a_full_disk_is_told_in_one_line(tmp_path: Path, monkeypatch, capsys):
    """Breaks if running out of room after a fight is a traceback, or speaks of a training."""
    import resource

    old = resource.getrlimit(resource.RLIMIT_FSIZE)

    def at(frame: int) -> pygame.Event | None:
        if frame == 60:
            resource.setrlimit(resource.RLIMIT_FSIZE, (500, old[1]))
        return {5: key("RETURN"), 61: key("ESCAPE")}.get(frame)

    monkeypatch.setattr("ashen.play.game.WallClock", lambda: Script(at))
    try:
        assert main(["play", "--fight", "phase1", "--runs-dir", str(tmp_path)]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("ashen: the disk is full")
    assert said.err.endswith(f"then: ashen play --fight phase1 --runs-dir {tmp_path}\n")
    assert list((tmp_path / "human" / "fights").iterdir()) == []


def test_words_are_written_over_the_picture():
    """Breaks if keys or the warning of a slow machine cannot be seen."""
    window, image = Window("test"), np.zeros((540, 960, 3), np.uint8)
    try:
        shown = []
        for words in (Words(), Words(warning="slow"), Words(hint="keys"), Words(title="Paused", rows=(("a", "b"),))):
            window.show(image, words)
            shown.append(pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1).astype(int))
        assert shown[0].sum() == 0
        assert shown[1][50:80, 800:].sum() > 0
        assert shown[2][520:].sum() > 0
        assert shown[3][200:340].sum() > 0
    finally:
        window.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_no_display_is_told_in_one_line(tmp_path: Path):
    """Breaks if a machine without a display gets a traceback, SDL's own words or a folder, or fights unseen."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-m", "ashen", "play", "--runs-dir", str(tmp_path)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=variables)
    assert ended.returncode == 2, ended.stderr
    assert "ashen: cannot open a window" in ended.stderr
    assert all(line.startswith("ashen: ") for line in ended.stderr.splitlines()), ended.stderr
    assert list(tmp_path.iterdir()) == []

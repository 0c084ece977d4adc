"""The fight for a human: keys to actions, time to steps, and a record that is the fight."""

import os
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
from ashen.env import FightEnv
from ashen.play.bindings import BINDINGS, LABELS, Command, hint, key_table
from ashen.play.bout import Bout, Setting
from ashen.play.controls import Controls, direction
from ashen.play.devices import Devices
from ashen.play.game import Plan, play
from ashen.play.kept import human_run, keep
from ashen.play.pace import FRAMES_PER_S, MAX_LATE_S, Frames, Pace
from ashen.play.window import Window, Words
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import create_run

PHASE1 = Setting(fight="phase1")


def action(name: str) -> int:
    """The number of an action."""
    return ACTION_NAMES.index(name)


def key(name: str, is_down: bool = True, **fields: int) -> pygame.Event:
    """A key's event, by its place on a US keyboard."""
    return pygame.Event(
        pygame.KEYDOWN if is_down else pygame.KEYUP, scancode=getattr(pygame, f"KSCAN_{name}"), **fields
    )


def button(name: str, is_down: bool = True) -> pygame.Event:
    """A gamepad button's event."""
    kind = pygame.CONTROLLERBUTTONDOWN if is_down else pygame.CONTROLLERBUTTONUP
    return pygame.Event(kind, button=getattr(pygame, f"CONTROLLER_BUTTON_{name}"), instance_id=0)


def axis(name: str, share: float) -> pygame.Event:
    """A stick's or trigger's event."""
    number = getattr(pygame, f"CONTROLLER_AXIS_{name}")
    return pygame.Event(pygame.CONTROLLERAXISMOTION, axis=number, value=int(32767 * share), instance_id=0)


@pytest.fixture
def controls():
    """Controls that nothing has touched."""
    return Controls()


@pytest.fixture
def devices(controls):
    """Devices that feed them."""
    pygame.display.init()
    devices = Devices(controls)
    yield devices
    devices.close()
    pygame.display.quit()


class FakeClock:
    """Time that passes only in rests; calls ``at`` with each moment, before the events are read."""

    def __init__(self, at: Callable[[float], None], slowness: float = 1.0):
        self._at, self._slowness, self._now_s = at, slowness, 0.0

    def now_s(self) -> float:
        return self._now_s

    def rest(self, seconds: float) -> None:
        self._now_s += self._slowness / FRAMES_PER_S
        self._at(self._now_s)


def test_every_command_has_a_key_and_no_key_has_two():
    """Breaks if a command cannot be reached, a key does two things, or a label or a table row is missing."""
    assert sorted(binding.command for binding in BINDINGS) == sorted(Command)
    keys = [key for binding in BINDINGS for key in binding.keys]
    pads = [name for binding in BINDINGS for name in binding.pad]
    assert len(set(keys)) == len(keys)
    assert len(set(pads)) == len(pads)
    assert all(binding.keys for binding in BINDINGS)
    assert all(hasattr(pygame, f"KSCAN_{name}") for name in keys)
    assert all(hasattr(pygame, f"CONTROLLER_{name}") and name in LABELS for name in pads)
    assert set(LABELS) <= {*keys, *pads}
    assert key_table().count("\n") == len(BINDINGS) + 2
    assert "Space roll" in hint()


@pytest.mark.parametrize("number", range(8))
def test_eight_directions_run_clockwise_from_forward(number: int):
    """Breaks if left and right, or forward and back, are swapped between stick and actions."""
    angle = number * np.pi / 4
    assert direction(np.sin(angle), np.cos(angle)) == number
    name = ACTION_NAMES[number]
    keys = (("right" in name) - ("left" in name), ("forward" in name) - ("back" in name))
    assert direction(*keys) == number
    assert direction(0.1 * np.sin(angle), 0.1 * np.cos(angle)) is None


def test_held_keys_walk_every_step_and_a_press_counts_once(controls):
    """Breaks if one press of the light attack attacks twice, or a held direction is forgotten after it."""
    controls.press("w", Command.FORWARD)
    controls.press("d", Command.RIGHT)
    controls.press("j", Command.LIGHT_ATTACK)
    assert [controls.take() for _ in range(3)] == [
        action("light_attack"),
        action("walk_forward_right"),
        action("walk_forward_right"),
    ]
    controls.release("w")
    controls.release("d")
    assert controls.take() == NOTHING


def test_a_press_between_two_steps_is_never_lost(controls):
    """Breaks if a key that goes down and up again within 0.1 s does nothing, or of two the second is dropped."""
    for source, command in (("w", Command.FORWARD), ("space", Command.ROLL), ("k", Command.HEAVY_ATTACK)):
        controls.press(source, command)
        controls.release(source)
    assert [controls.take() for _ in range(3)] == [action("roll_forward"), action("heavy_attack"), NOTHING]
    controls.press("a", Command.LEFT)
    controls.release("a")
    assert [controls.take() for _ in range(2)] == [action("walk_left"), NOTHING]
    controls.steer(0.0, -1.0)
    controls.steer(0.0, 0.0)
    assert [controls.take() for _ in range(2)] == [action("walk_back"), NOTHING]


def test_hammering_a_key_does_not_pile_up(controls):
    """Breaks if ten presses within a step roll for a second."""
    for _ in range(10):
        controls.press("space", Command.ROLL)
        controls.release("space")
    assert [controls.take() for _ in range(2)] == [action("roll_back"), NOTHING]


def test_opposite_keys_cancel_and_keys_come_before_the_stick(controls):
    """Breaks if left and right at once walk somewhere, or a resting stick stops the keys."""
    controls.press("a", Command.LEFT)
    controls.press("d", Command.RIGHT)
    controls.forget()
    assert controls.take() == NOTHING
    controls.press("w", Command.FORWARD)
    controls.steer(0.0, -1.0)
    assert controls.take() == action("walk_forward")
    controls.let_go()
    controls.forget()
    assert controls.take() == NOTHING


def test_one_of_two_keys_for_a_command_stays_held(controls):
    """Breaks if letting go of the arrow stops who still holds W."""
    controls.press("w", Command.FORWARD)
    controls.press("up", Command.FORWARD)
    controls.release("up")
    controls.take()
    assert controls.take() == action("walk_forward")


def test_keys_are_places_whatever_the_layout(devices, controls):
    """Breaks if the key left of X on a French keyboard, whose letter is W, walks forward instead of the one above S."""
    devices.read([key("W", key=pygame.K_z)])
    assert controls.take() == action("walk_forward")
    devices.read([key("W", is_down=False, key=pygame.K_z), key("Z", key=pygame.K_w)])
    assert controls.take() == NOTHING


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([button("RIGHTSHOULDER")], ["light_attack", "nothing"]),
        (
            [axis("TRIGGERRIGHT", 0.3), axis("TRIGGERRIGHT", 0.8), axis("TRIGGERRIGHT", 1.0)],
            ["heavy_attack", "nothing"],
        ),
        ([axis("TRIGGERLEFT", 0.9), axis("TRIGGERLEFT", 0.0), axis("TRIGGERLEFT", 0.9)], ["parry", "nothing"]),
        ([axis("LEFTY", -1.0)], ["walk_forward", "walk_forward"]),
        ([axis("LEFTY", 0.7), axis("LEFTX", -0.7), button("B")], ["roll_back_left", "walk_back_left"]),
        ([axis("LEFTX", 0.2)], ["nothing"]),
        ([button("DPAD_RIGHT"), button("DPAD_RIGHT", is_down=False)], ["walk_right", "nothing"]),
        ([axis("RIGHTX", 1.0), button("GUIDE")], ["nothing"]),
    ],
)
def test_gamepad(devices, controls, events, expected):
    """Breaks if a button, trigger or stick does something else than in the table, or a held trigger repeats."""
    devices.read(events)
    assert [ACTION_NAMES[controls.take()] for _ in expected] == expected


def test_a_gamepad_that_goes_lets_go_of_everything(devices, controls):
    """Breaks if a stick held while its battery dies walks on, or the fight is not interrupted."""
    devices.read([axis("LEFTY", -1.0), key("D")])
    reading = devices.read([pygame.Event(pygame.CONTROLLERDEVICEREMOVED, instance_id=0)])
    controls.forget()
    assert reading.is_interrupted
    assert controls.take() == NOTHING
    assert devices.read([pygame.Event(pygame.QUIT)]).is_closed


@pytest.mark.parametrize(("speed", "steps"), [(1.0, 100), (0.5, 50), (2.0, 200)])
@pytest.mark.parametrize("frame_s", [1 / 60, 1 / 144, 0.13])
def test_steps_keep_time_however_slow_the_pictures(speed: float, steps: int, frame_s: float):
    """Breaks if late pictures cost steps, so that a slow machine fights a slower boss."""
    pace = Pace(speed)
    assert pace.pass_time(0.0) == 1
    made = sum(pace.pass_time(frame_s) for _ in range(round(10.0 / frame_s)))
    assert made == pytest.approx(steps, abs=2)
    assert 0.0 <= pace.share < 1.0


def test_the_share_of_a_step_runs_from_0_to_1():
    """Breaks if bodies jump at a step or stand still between two."""
    pace = Pace()
    pace.pass_time(0.0)
    shares = [pace.share]
    for _ in range(9):
        pace.pass_time(0.01)
        shares.append(pace.share)
    assert shares == pytest.approx(np.arange(0.0, 0.95, 0.1))


def test_a_standstill_is_not_fought_through():
    """Breaks if dragging the window for ten seconds costs a hundred steps that nobody saw."""
    pace = Pace()
    pace.pass_time(0.0)
    assert pace.pass_time(10.0) <= MAX_LATE_S / 0.1 + 1


def test_late_pictures_are_left_out_and_told():
    """Breaks if a slow machine falls ever further behind, or nobody is told that it is slow."""
    frames, now_s = Frames(), 5.0
    for _ in range(100):
        now_s += 0.004
        now_s += frames.rest_s(now_s)
    assert frames.per_s == pytest.approx(FRAMES_PER_S)
    for _ in range(60):
        now_s += 0.05
        assert frames.rest_s(now_s) == 0.0
    assert frames.per_s == pytest.approx(20.0)


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


def test_a_whole_fight_with_keys(tmp_path: Path, capsys):
    """Breaks if anything between a key and the film of the fight does not work."""

    def player(now_s: float) -> None:
        frame = round(now_s * FRAMES_PER_S)
        if frame == 5:
            pygame.event.post(key("RETURN"))
        elif frame == 20:
            pygame.event.post(key("W"))
        elif frame % 11 == 0:
            pygame.event.post(key("J"))
        elif frame % 11 == 1:
            pygame.event.post(key("J", is_down=False))
        elif frame == 60:
            pygame.event.post(key("M"))
        if list_fights(tmp_path / "human" / "fights"):
            pygame.event.post(key("RETURN"))

    (path,) = play(Plan(PHASE1, seed=1, speed=4.0, fights=1), human_run(tmp_path), lambda: False, FakeClock(player))
    record = load_fight(path)
    assert record.outcome in (Outcome.WIN, Outcome.LOSS)
    assert path.name.endswith(f"-{record.outcome.name.lower()}.npz")
    assert {action("walk_forward"), action("light_attack")} <= set(record.actions.tolist())
    out = tmp_path / "fight.png"
    assert main(["film", "human", "--runs-dir", str(tmp_path), "--out", str(out)]) == 0
    assert out.is_file()
    capsys.readouterr()


def test_pause_restart_and_closing(tmp_path: Path):
    """Breaks if a paused fight goes on, R meets another boss, or a closed window loses the fight."""
    script = {5: "RETURN", 65: "P", 200: "P", 260: "R", 320: "QUIT"}

    def player(now_s: float) -> None:
        name = script.get(round(now_s * FRAMES_PER_S))
        if name:
            pygame.event.post(pygame.Event(pygame.QUIT) if name == "QUIT" else key(name))

    records = [load_fight(path) for path in play(Plan(PHASE1), human_run(tmp_path), lambda: False, FakeClock(player))]
    assert [record.outcome for record in records] == [Outcome.RUNNING] * 2
    assert [len(record.actions) for record in records] == [pytest.approx(20, abs=2), pytest.approx(10, abs=2)]
    shorter = min(len(record.states) for record in records)
    assert np.array_equal(records[0].states[:shorter], records[1].states[:shorter])


def test_losing_the_keyboard_pauses(tmp_path: Path):
    """Breaks if the boss goes on while the player is in another window."""
    at = {5: key("RETURN"), 65: pygame.Event(pygame.WINDOWFOCUSLOST), 300: pygame.Event(pygame.QUIT)}

    def player(now_s: float) -> None:
        if event := at.get(round(now_s * FRAMES_PER_S)):
            pygame.event.post(event)

    (path,) = play(Plan(PHASE1), human_run(tmp_path), lambda: False, FakeClock(player))
    assert len(load_fight(path).actions) == pytest.approx(10, abs=2)


def test_a_request_to_stop_keeps_the_fight(tmp_path: Path):
    """Breaks if Ctrl-C loses the fight that is on, or a fight not begun is kept."""
    moments = []

    def player(now_s: float) -> None:
        moments.append(now_s)
        if len(moments) == 5:
            pygame.event.post(key("RETURN"))

    run = human_run(tmp_path)
    assert play(Plan(PHASE1), run, lambda: len(moments) >= 3, FakeClock(player)) == []
    moments.clear()
    (path,) = play(Plan(PHASE1), run, lambda: len(moments) >= 30, FakeClock(player))
    assert load_fight(path).outcome is Outcome.RUNNING


def test_a_slow_machine_is_told_so():
    """Breaks if words do not get onto the picture."""
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
    """Breaks if a machine without a display gets a traceback, or fights unseen."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-m", "ashen", "play", "--runs-dir", str(tmp_path)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=variables)
    assert ended.returncode == 2, ended.stderr
    assert "ashen: cannot open a window" in ended.stderr
    assert "Traceback" not in ended.stderr

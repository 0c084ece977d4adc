"""From keys, buttons and sticks to actions, and from time to steps."""

import numpy as np
import pygame
import pytest

from ashen.core.fight import ACTION_NAMES, NOTHING
from ashen.play.bindings import BINDINGS, LABELS, Command, hint, key_table
from ashen.play.controls import Controls, direction
from ashen.play.devices import Devices
from ashen.play.pace import FRAMES_PER_S, MAX_LATE_S, Frames, Pace


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


def test_a_trigger_that_moves_while_it_is_held_is_one_press(devices, controls):
    """Breaks if a finger that rests on the trigger attacks again and again."""
    devices.read([axis("TRIGGERRIGHT", 0.8)])
    assert controls.take() == action("heavy_attack")
    devices.read([axis("TRIGGERRIGHT", 1.0), axis("TRIGGERRIGHT", 0.7)])
    assert controls.take() == NOTHING
    devices.read([axis("TRIGGERRIGHT", 0.1), axis("TRIGGERRIGHT", 0.7)])
    assert controls.take() == action("heavy_attack")


def test_a_gamepad_that_goes_lets_go_of_everything(devices, controls):
    """Breaks if a stick held while its battery dies walks on, or the fight is not interrupted."""
    devices.read([axis("LEFTY", -1.0), key("D")])
    reading = devices.read([pygame.Event(pygame.CONTROLLERDEVICEREMOVED, instance_id=0)])
    controls.forget()
    assert reading.is_interrupted
    assert controls.take() == NOTHING
    assert devices.read([pygame.Event(pygame.QUIT)]).is_closed


def test_a_gamepad_that_is_gone_before_it_is_opened_is_let_be(devices):
    """Breaks if a loose plug ends the fight."""
    assert not devices.read([pygame.Event(pygame.CONTROLLERDEVICEADDED, device_index=99)]).commands


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

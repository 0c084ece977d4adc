"""Faults at a certain moment of the first fight, in the process that owns the game: also of that process itself."""

from collections.abc import Callable
from typing import Any

from fake_game.install import install_from_environment
from fake_game.window import Window

AFTER_TICKS = 30
LOOKS = 8
"""So often somebody asks for the window in front until it is the game's again: in the step, in a new attempt, and once
while waiting."""


def install_and_die() -> None:
    """The process ends in the middle of a step."""
    _in_fight(lambda fake: fake.fault("door_dies"))


def install_and_block() -> None:
    """A call of the operating system does not return."""
    _in_fight(lambda fake: fake.fault("door_blocks"))


def install_and_exit() -> None:
    """The game crashes to the desktop."""
    _in_fight(lambda fake: fake.fault("process_exits"))


def install_and_look_away() -> None:
    """Another window is in front, and Windows lets no program change that; later the user clicks into the game."""
    _in_fight(lambda fake: _look_away(fake, LOOKS))


def install_and_leave() -> None:
    """Another window is in front, and the user has gone to bed."""
    _in_fight(lambda fake: _look_away(fake, 1_000_000))


def _look_away(fake: Any, looks: int) -> None:
    left = [looks]

    def in_front(_window: Window) -> bool:
        left[0] -= 1
        return left[0] < 0

    kinds = {
        "is_focused": property(in_front, lambda *_: None),
        "may_be_focused": property(lambda _window: left[0] < 0),
    }
    fake.window.__class__ = type("Window", (Window,), kinds)


def _in_fight(happen: Callable[[Any], object]) -> None:
    """Let something happen a few ticks into the first fight."""
    fake = install_from_environment()
    left, tick = [AFTER_TICKS], fake.game.on_tick

    def on_tick() -> None:
        left[0] -= fake.game.is_live
        if left[0] == 0:
            left[0] -= 1
            happen(fake)
        tick()

    fake.game.on_tick = on_tick

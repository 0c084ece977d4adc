"""Faults of the process that owns the game, which no fake game can provoke by itself."""

import os
import time
from collections.abc import Callable

from fake_game.install import install_from_environment

AFTER_TICKS = 30


def install_and_die() -> None:
    """A process that ends in the middle of a step."""
    _after(AFTER_TICKS, lambda: os._exit(3))


def install_and_block() -> None:
    """A call of the operating system that does not return."""
    _after(AFTER_TICKS, lambda: time.sleep(600.0))


def _after(ticks: int, happen: Callable[[], object]) -> None:
    """Let something happen so many ticks into a fight."""
    fake = install_from_environment()
    left, tick = [ticks], fake.game.on_tick

    def on_tick() -> None:
        left[0] -= fake.game.is_live
        if left[0] == 0:
            happen()
        tick()

    fake.game.on_tick = on_tick

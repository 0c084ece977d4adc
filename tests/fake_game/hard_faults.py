"""Faults at a certain moment of the first fight, in the process that owns the game: also of that process itself."""

from fake_game.install import install_from_environment

AFTER_TICKS = 30


def install_and_die() -> None:
    """The process ends in the middle of a step."""
    _in_fight("door_dies")


def install_and_block() -> None:
    """A call of the operating system does not return."""
    _in_fight("door_blocks")


def install_and_exit() -> None:
    """The game crashes to the desktop."""
    _in_fight("process_exits")


def _in_fight(fault: str) -> None:
    """Provoke a fault a few ticks into the first fight."""
    fake = install_from_environment()
    left, tick = [AFTER_TICKS], fake.game.on_tick

    def on_tick() -> None:
        left[0] -= fake.game.is_live
        if left[0] == 0:
            left[0] -= 1
            fake.fault(fault)
        tick()

    fake.game.on_tick = on_tick

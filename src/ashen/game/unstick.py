"""Leave the game playable: what a run changes in it, put back as it was, whatever state a crash left."""

from collections.abc import Callable
from typing import Any, Final

from ashen.core.errors import said_by
from ashen.game import soulsgym_builds as builds

RESTORED: Final = {
    "game_speed": 1.0,
    "allow_moves": True,
    "allow_attacks": True,
    "allow_hits": True,
    "allow_deaths": True,
    "allow_player_death": True,
    "allow_weapon_durability_dmg": True,
    "gravity": True,
    "lock_on_bonus_range": 0.0,
    "los_lock_on_deactivate_time": 2.0,
}
"""What soulsgym's access to the game changes, and what it was."""


def release_keys(game_input: Any) -> None:
    """Let go of every key that soulsgym knows, whoever pressed it."""
    for action in game_input.state:
        game_input.state[action] = True
    game_input.reset()


def restore(game: Any) -> dict[str, str]:
    """Put everything back, each thing by itself, so that one that fails keeps none back.

    Args:
        game: soulsgym's access to the game.

    Returns:
        What failed, and why; empty if all is well.
    """
    steps: dict[str, Callable[[], None]] = {
        name: lambda name=name: setattr(game, name, RESTORED[name]) for name in RESTORED if hasattr(type(game), name)
    }
    steps["keys"] = lambda: release_keys(game._game_input)
    failed = {}
    for name, step in steps.items():
        try:
            step()
        except Exception as error:
            failed[name] = said_by(error)
    return failed


def unstick() -> dict[str, str]:
    """Put everything back in the running game, in a process that has no environment of soulsgym.

    Returns:
        What failed, and why.

    Raises:
        UserError: soulsgym is not installed.
        Exception: soulsgym's, if there is no game.
    """
    builds.load()
    awake = builds.wake()  # first of all: a paused game does not answer
    failed = restore(builds.make_game())
    del awake
    return failed

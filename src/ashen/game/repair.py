"""What is done before a fight that follows a fault; it mends everything but a game that was started anew."""

from typing import Any, Final

from ashen.game.faults import NotAtRestError, NotInGameError
from ashen.game.soulsgym_builds import forget_setup
from ashen.game.unstick import release_keys

_LOOK_EVERY_S: Final = 0.05
_MOST_LOOKS: Final = 1200
"""60 s of the game."""
_MOST_LOOKS_OUTSIDE: Final = 400
"""So many of them with nobody in the world: longer than it takes to load."""


def repair(env: Any, reload: bool = False) -> None:
    """Bring a game that may be in any state to where soulsgym's reset can begin.

    Args:
        env: of soulsgym.
        reload: let the game load its world anew too.

    Raises:
        Exception: the game does not answer, or the player does not come to rest.
    """
    release_keys(env._game_input)
    env.game.game_speed = 1.0
    wait_until_idle(env.game)
    if reload:
        env.game.reload()
        wait_until_idle(env.game)
    env.game.time = 0  # near its end, 999 hours, it would stand still
    forget_setup(env)
    env.terminated = False


def wait_until_idle(game: Any) -> None:
    """Wait until the player is alive and at rest; over a loading screen too, which moves everything in memory."""
    outside = 0
    for _ in range(_MOST_LOOKS):
        game.clear_cache()
        if _is_idle(game):
            return
        outside += not game.is_ingame
        if outside > _MOST_LOOKS_OUTSIDE:
            raise NotInGameError("no player stands in the world")
        game.sleep(_LOOK_EVERY_S)
    raise NotAtRestError("the player is not alive and at rest after 60 s")


def _is_idle(game: Any) -> bool:
    from pymem.exception import MemoryReadError

    try:
        return game.player_hp > 0 and game.player_animation == "Idle"
    except (MemoryReadError, UnicodeDecodeError):  # as while it loads
        return False

"""The focus: keys go to the window in front, so the game's must be it."""

from contextlib import suppress
from typing import Any, Final

from ashen.game import soulsgym_builds as builds
from ashen.game.faults import NoticedError

_TRIES: Final = 2


def is_in_front(env: Any) -> bool:
    """Whether the game's window has the focus."""
    return bool(env._game_window.focused)


def bring_to_front(env: Any) -> bool:
    """Give the game's window the focus, in soulsgym's own way, twice if need be; whether it has it then."""
    for _ in range(_TRIES):
        if is_in_front(env):
            return True
        with suppress(Exception):  # Windows may refuse it
            builds.focus(env)
    return is_in_front(env)


def expect_in_front(env: Any) -> None:
    """After a step: where the focus was lost, keys may have gone elsewhere, also if it comes back at once.

    Raises:
        NoticedError: it was lost.
    """
    if is_in_front(env):
        return
    now = "has it again" if bring_to_front(env) else "cannot take it back"
    raise NoticedError("focus_lost", f"the game's window lost the focus, and {now}")


def require_in_front(env: Any) -> None:
    """Before a fight.

    Raises:
        NoticedError: another window is in front, and Windows does not let the game's come there.
    """
    if not bring_to_front(env):
        raise NoticedError("focus_lost", "another window is in front of the game's")

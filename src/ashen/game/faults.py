"""Everything that goes wrong with the game, in one list: what it is, how bad it is, and what to do about it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Kind(IntEnum):
    """How bad a fault is, and so what is tried before the next fight."""

    TRANSIENT = 0
    """Gone by itself: the player is put back on his feet and the fight begins anew."""
    NEEDS_RELOAD = 1
    """The game must load its world anew, which the door makes it do."""
    NEEDS_GAME_RESTART = 2
    """The game must be started, or its save loaded, which only the user can do; the door waits for it."""
    NEEDS_YOU = 3
    """Something only the user can mend; the training is saved and ends."""


@dataclass(frozen=True)
class Fault:
    """One row of the list."""

    name: str
    kind: Kind
    advice: str
    """What to do, for the user."""
    signs: tuple[tuple[str, str], ...] = ()
    """Exceptions it shows as: ``package.Class``, bases count too, and what the text must contain (regular expression).
    None: a monitor or the trainer's side finds it out."""

    def fits(self, error: BaseException) -> bool:
        """Whether an exception, or the one it was raised from, is this fault."""
        return any(
            name in _names(one) and re.search(says, str(one)) for one in _causes(error) for name, says in self.signs
        )


class ImpossibleValueError(Exception):
    """The game showed a number that cannot be."""


class NotInGameError(Exception):
    """No living player stands in the world."""


class NotAtRestError(Exception):
    """The player stands in the world, but something keeps him busy."""


class OtherCharacterError(Exception):
    """The character or the boss is not the one all fights are about."""


class NoticedError(Exception):
    """A monitor found something, see :mod:`ashen.game.monitors`.

    Args:
        fault: its name in :data:`FAULTS`.
        said: what was seen, in one line.
    """

    def __init__(self, fault: str, said: str):
        super().__init__(said)
        self.fault = fault


FAULTS: Final = (
    Fault("set_up", Kind.NEEDS_YOU, "mend it and start again", (("ashen.UserError", ""),)),
    Fault(
        "no_answer",
        Kind.NEEDS_RELOAD,
        "keep the game's window in front, close menus and messages in it, have English (US) as the only keyboard "
        "layout, and SoulsGym's keys (lock on Q, interact E)",
        (("ashen.HungError", ""),),
    ),
    Fault(
        "impossible_value",
        Kind.TRANSIENT,
        "if the game goes on showing numbers that cannot be, start it again",
        (("ashen.ImpossibleValueError", ""),),
    ),
    Fault(
        "other_character",
        Kind.NEEDS_YOU,
        "take off rings, be not embered, and use a new Knight on a first journey",
        (("ashen.OtherCharacterError", ""),),
    ),
    Fault(
        "game_gone",
        Kind.NEEDS_GAME_RESTART,
        "start Dark Souls III, offline, and load the save",
        (
            ("builtins.RuntimeError", "not open"),
            ("psutil.NoSuchProcess", ""),
            ("soulsgym.InjectionFailure", "not found"),
            ("pywintypes.error", r"^\(232,"),
        ),
    ),
    Fault(
        "other_version",
        Kind.NEEDS_YOU,
        "SoulsGym knows Dark Souls III 1.15.2 only; install that version",
        (("builtins.RuntimeError", "Pattern for"),),
    ),
    Fault(
        "window_size",
        Kind.NEEDS_YOU,
        "set the game to windowed mode and 800x450",
        (("builtins.RuntimeError", "800x450"),),
    ),
    Fault(
        "no_window",
        Kind.NEEDS_YOU,
        "start the game in windowed mode, so that there is a window DARK SOULS III, and load the save",
        (("builtins.Exception", "[Ww]indow not found"), ("pixel_forge.WindowNotFoundError", "")),
    ),
    Fault(
        "not_in_game",
        Kind.NEEDS_GAME_RESTART,
        "load the save, so that the player stands in the world",
        (("ashen.NotInGameError", ""), ("soulsgym.GameStateError", "loaded into the game|ingame")),
    ),
    Fault(
        "no_access",
        Kind.NEEDS_YOU,
        "start this terminal with the same rights as the game, as administrator",
        (("pywintypes.error", r"^\(5,"), ("pymem.CouldNotOpenProcess", "")),
    ),
    Fault(
        "pipe_busy",
        Kind.NEEDS_YOU,
        "another program holds the game's speed: close other SoulsGym programs, else start the game again",
        (("pywintypes.error", r"^\(231,"),),
    ),
    Fault(
        "no_speed_dll",
        Kind.NEEDS_YOU,
        "allow SoulsGym's speed dll in the virus scanner, and start the game again",
        (("soulsgym.InjectionFailure", ""), ("pywintypes.error", r"^\(2,")),
    ),
    Fault(
        "path_not_ascii",
        Kind.NEEDS_YOU,
        "the path of SoulsGym's dll must be plain ASCII: move ashen to a folder such as C:\\ashen and set it up again",
        (("builtins.UnicodeEncodeError", ""),),
    ),
    Fault(
        "focus_lost",
        Kind.TRANSIENT,
        "click into the game's window, then leave mouse, keyboard and other windows alone while it plays",
        (("pywintypes.error", "SetForegroundWindow"),),
    ),
    Fault(
        "windows_refused",
        Kind.TRANSIENT,
        "if Windows goes on refusing what SoulsGym asks, start the game again, with the same rights as this terminal",
        (("pywintypes.error", ""),),
    ),
    Fault(
        "lock_lost",
        Kind.TRANSIENT,
        "have SoulsGym's keys (lock on Q, camera J K O P) and English (US) as the only layout; ashen doctor --live "
        "tries the lock",
    ),
    Fault(
        "wrong_speed",
        Kind.TRANSIENT,
        "ashen doctor --live measures which speed this PC reaches: give that as --game-speed, close other programs, "
        "and let no other program change the game's speed",
    ),
    Fault(
        "other_damage",
        Kind.NEEDS_YOU,
        "put the Longsword back on, in the right hand, and take off rings; then go on",
    ),
    Fault("frozen", Kind.NEEDS_RELOAD, "if the game goes on showing a picture that stands still, start it again"),
    Fault(
        "keys_lost",
        Kind.TRANSIENT,
        "keep the game's window in front, give terminal and game the same rights, have English (US) as the only "
        "layout and SoulsGym's keys; ashen doctor --live tells which key does not arrive",
    ),
    Fault(
        "input_late",
        Kind.NEEDS_RELOAD,
        "close other programs; if keys go on arriving late, start the game again",
    ),
    Fault(
        "memory",
        Kind.TRANSIENT,
        "if the game's memory cannot be read for long, start the game again",
        (
            ("pymem.MemoryReadError", ""),
            ("pymem.MemoryWriteError", ""),
            ("pymem.WinAPIError", ""),
            ("builtins.UnicodeDecodeError", ""),
        ),
    ),
    Fault(
        "player_state",
        Kind.NEEDS_RELOAD,
        "do not touch the game: the player died or left the arena outside of the rules",
        (("soulsgym.InvalidPlayerStateError", ""),),
    ),
    Fault(
        "out_of_step",
        Kind.TRANSIENT,
        "if SoulsGym goes on losing track of the fight, start the game again",
        (("soulsgym.ResetNeeded", ""), ("builtins.AttributeError", "")),
    ),
    Fault(
        "reset_failed",
        Kind.NEEDS_RELOAD,
        "see that the player rested at the bonfire Cemetery of Ash and that the keys are SoulsGym's",
        (
            ("gymnasium.RetriesExceededError", ""),
            ("soulsgym.SoulsGymException", ""),
            ("builtins.RecursionError", ""),
            ("builtins.AssertionError", ""),
            ("ashen.NotAtRestError", ""),
        ),
    ),
    Fault("door_hung", Kind.NEEDS_RELOAD, "if the game goes on hanging, start it again"),
    Fault("door_died", Kind.NEEDS_RELOAD, "if the process that plays the game goes on dying, start the game again"),
    Fault("interrupted", Kind.TRANSIENT, "the game was given to another fight meanwhile"),
    Fault("unknown", Kind.NEEDS_RELOAD, "report this with the run's run.log", (("builtins.Exception", ""),)),
)
"""The first row that fits decides."""


def classify(error: BaseException) -> Fault:
    """The fault that an exception is."""
    if isinstance(error, NoticedError):
        return fault_named(error.fault)
    return next(fault for fault in FAULTS if fault.fits(error))


def fault_named(name: str) -> Fault:
    """A row by its name."""
    return next(fault for fault in FAULTS if fault.name == name)


def _causes(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__


def _names(error: BaseException) -> set[str]:
    return {f"{cls.__module__.split('.')[0]}.{cls.__name__}" for cls in type(error).__mro__}

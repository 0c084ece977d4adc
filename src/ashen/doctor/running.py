"""Checks of the running game, which look and change nothing."""

from typing import Final

from ashen.core.errors import said_by
from ashen.doctor.findings import CannotTell, Finding, State, failed, ok, warning, windows_only
from ashen.doctor.pc import GAME_PROCESS, GAME_WINDOW, GameProcess, Pc, Window

VERSION: Final = "1.15.2"
SIZE: Final = (800, 450)
KNIGHT: Final = (9, 12, 10, 11, 15, 13, 12, 9, 9, 7)
"""A new Knight: soul level, vigour, attunement, endurance, vitality, strength, dexterity, intelligence, faith, luck."""
AGAINST_VORDT: Final = (15, 13, 10, 13, 15, 16, 12, 9, 9, 7)
"""What SoulsGym's GitHub head makes of him for Vordt; against Iudex it makes him new again."""
START: Final = "start Dark Souls III, offline, and load the save"
SCREEN: Final = "in the game's settings"


def process(pc: Pc) -> Finding:
    """Whether the game runs and lets itself be read."""
    windows_only(pc)
    game = pc.game()
    if game is None:
        return failed(f"no {GAME_PROCESS} is running", START)
    if not game.may_open:
        return failed(
            f"process {game.pid} runs with more rights than this terminal",
            "start the game and Steam without administrator rights, or this terminal with them; a virus scanner can do "
            "it too",
        )
    return ok(f"process {game.pid}")


def game_version(pc: Pc) -> Finding:
    """The version of its program."""
    game = _game(pc)
    if game.path is None:
        raise CannotTell("Windows does not tell where the game's program is")
    found = pc.file_version(game.path)
    if found == VERSION or found.startswith(f"{VERSION}."):
        return ok(found)
    return failed(
        found or "no version",
        f"SoulsGym reads the memory of {VERSION} alone: let Steam update the game, or verify its files",
    )


def window(pc: Pc) -> Finding:
    """Title, mode and size."""
    _game(pc)
    shown = pc.window()
    if shown is None:
        return failed(f"no window is called {GAME_WINDOW}", "wait until the game has started, or start it again")
    if shown.is_minimised:
        return failed("minimised", "click on it in the task bar")
    size = f"{shown.width}x{shown.height}"
    if not shown.has_title_bar:
        return failed(f"full screen or without a border, {size}", f"{SCREEN}: windowed mode")
    if (shown.width, shown.height) != SIZE:
        return failed(f"windowed, {size}", f"{SCREEN}: 800x450, in windowed mode")
    return ok(f"{GAME_WINDOW}, windowed, {size}")


def can_be_focused(pc: Pc) -> Finding:
    """Whether the window could come to the front and hear keys."""
    shown = _window(pc)
    if not shown.answers:
        return failed("the game does not answer Windows: it hangs", "end it in the task manager and start it again")
    if not _game(pc).may_open:
        return failed("Windows keeps keys from a game with more rights than this terminal", "see the row on the game")
    if shown.is_minimised:
        raise CannotTell("needs the window shown")
    return ok("it answers, and may be sent keys; hands off while it trains")


def in_game(pc: Pc) -> Finding:
    """Whether a player stands in the world."""
    game = _game(pc)
    if not game.may_open:
        raise CannotTell("needs the right to read the game")
    try:
        glimpse = pc.glimpse()
    except (AttributeError, KeyError, TypeError) as error:
        raise CannotTell(f"this build of SoulsGym reads the game in another way ({error})") from None
    except Exception as error:
        said = f"nobody to be seen in the game's memory ({said_by(error)})"
        return failed(said, "load the save, so that the player stands in the world")
    if glimpse.player_hp <= 0:
        return failed("the player is dead or loading", "wait until the player stands at the bonfire")
    return ok(f"{glimpse.player_hp} hit points")


def knight(pc: Pc) -> Finding:
    """Whether the character is a new Knight."""
    if in_game(pc).state != State.OK:
        raise CannotTell("needs the player in the game")
    stats = pc.glimpse().stats
    if stats == KNIGHT:
        return ok("a new Knight's stats; gear cannot be seen from here: leave sword, shield and armour on")
    if stats == AGAINST_VORDT:
        return ok("the stats that SoulsGym gives the Knight against Vordt")
    return warning(
        f"level {stats[0]}, other stats than a new Knight's",
        "SoulsGym overwrites stats: make a new Knight for it alone, and rest at the bonfire Cemetery of Ash",
    )


def offline(pc: Pc) -> Finding:
    """Whether the game could be seen by its servers."""
    game = _game(pc)
    how = "Steam, Go Offline; in the game: System, Network Settings, Launch Setting: Play Offline; start it again"
    if game.connections:
        return failed(f"the game has {game.connections} connections to the internet: it may get you banned", how)
    if pc.steam_is_offline() is False:
        return warning("the game has no connection now, but Steam starts online", how)
    return ok("the game has no connection to the internet")


def _game(pc: Pc) -> GameProcess:
    windows_only(pc)
    game = pc.game()
    if game is None:
        raise CannotTell("needs the game running")
    return game


def _window(pc: Pc) -> Window:
    _game(pc)
    shown = pc.window()
    if shown is None:
        raise CannotTell(f"no window is called {GAME_WINDOW}: still starting?")
    return shown

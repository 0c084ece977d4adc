"""A look into the running game's memory with soulsgym's own addresses; nothing is written and no key is pressed."""

from importlib import import_module

from ashen.doctor.pc import Glimpse
from ashen.game import soulsgym_builds as builds


def glimpse() -> Glimpse:
    """Hit points and stats of the player.

    Raises:
        Exception: soulsgym's and pymem's, if there is no game or no player in it.
    """
    builds.load()
    maker = import_module("soulsgym.games.darksouls3").DarkSoulsIII
    game = object.__new__(maker)  # without its constructor, which would put the speed hack into the game
    game.data = import_module("soulsgym.games.game").StaticGameData(maker.game_id)
    game.mem = import_module("soulsgym.core.memory_manipulator").MemoryManipulator(process_name=maker.process_name)
    game.mem.clear_cache()
    return Glimpse(int(game.player_hp), tuple(int(value) for value in game.player_stats))

"""SoulsGym, whichever build is installed: told apart by what it has, never by its version, which is always 1.1.0."""

import gc
import inspect
import os
from functools import cache
from importlib import import_module
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.fight import NUM_ACTIONS
from ashen.core.tables import base_file, boss_file
from ashen.game import keys
from ashen.game.options import GameOptions

PROCESS: Final = "DarkSoulsIII.exe"
GAME: Final = "DarkSoulsIII"
INSTALL_HOOK: Final = "ASHEN_GAME_INSTALL"
"""Environment variable, ``package.module:function``: called before soulsgym is imported, for tests over a fake game."""
SETUP: Final = "python bootstrap.py --game"
_MODULES: Final = {"iudex": ("soulsgym.envs.darksouls3.iudex", "IudexEnv", "IudexEnvDemo")}
_MODULES_OF_HEAD: Final = {"vordt": ("soulsgym.envs.darksouls3.vordt", "VordtEnv", None)}
_RANDOM_START: Final = ("init_pose_randomization", "random_player_pose")
_SETUP_FLAGS: Final = ("_is_init", "_arena_init", "_phase_init")
_STATE: Final = ("_internal_state", "_game_state")


class FightSpec(NamedTuple):
    """What is to be fought; plain data, so that it can go to another process."""

    boss: str
    """soulsgym's name of the boss."""
    table: str
    """Path of the boss's table."""
    fight: str
    """``phase1``, ``phase2`` or ``full``."""
    game_speed: float
    random_start: bool
    use_scan_codes: bool = True

    @property
    def world(self) -> tuple[str, str, float]:
        """What soulsgym needs a new environment for."""
        return self.boss, self.fight, self.game_speed


def fight_spec(boss: str, fight: str, options: GameOptions) -> FightSpec:
    """The fight against a boss by name or table; an overlay of his numbers is fought by the boss it changes.

    Raises:
        UserError: there is no such boss, or soulsgym has not this fight against him.
    """
    path = boss_file(boss)
    name = (base_file(path) or path).stem
    known = _MODULES | _MODULES_OF_HEAD
    if name not in known:
        raise UserError(f"the game backend cannot fight {name}; it knows {', '.join(known)}")
    if fight != "phase1" and name not in _MODULES:
        raise UserError(f"the game backend fights {name} in phase1 only, not {fight}; give --fight phase1")
    if options.random_start and name not in _MODULES:
        raise UserError(f"soulsgym starts fights against {name} from one pose; leave out the random start")
    how = options.game_speed, options.random_start, options.use_scan_codes
    return FightSpec(name, str(path.resolve()), fight, *how)


@cache
def load() -> None:
    """Import soulsgym once, with the exception that Gymnasium no longer has, and let it press keys by place.

    Raises:
        UserError: it is not installed, or not for this Python.
    """
    if hook := os.environ.get(INSTALL_HOOK):
        module, function = hook.split(":")
        getattr(import_module(module), function)()
    try:
        from gymnasium import error

        if not hasattr(error, "RetriesExceededError"):
            error.RetriesExceededError = type("RetriesExceededError", (error.Error,), {"__module__": error.__name__})
        import_module("soulsgym.envs.darksouls3.iudex")
    except ImportError as problem:
        raise UserError(f"soulsgym cannot be imported ({problem}); set it up with: {SETUP}") from None
    keys.install()


def wake() -> Any:
    """Let the game run at its own speed: one that a crash left paused answers nobody. Keep what this returns.

    Raises:
        Exception: soulsgym's, if there is no game.
    """
    game_pid()
    from soulsgym.core.speedhack import SpeedHackConnector

    connector = SpeedHackConnector(PROCESS)
    connector.set_game_speed(1.0)
    return connector


def make_env(spec: FightSpec) -> Any:
    """A new environment of soulsgym, without wrappers. Drop the one before it first.

    Raises:
        UserError: this build has no such boss.
        Exception: soulsgym's, see :mod:`ashen.game.faults`.
    """
    maker = _maker(spec.boss, spec.fight)
    if maker is None:  # said before anybody is asked to start the game
        raise UserError(
            f"this build of soulsgym has no {spec.boss}, its GitHub head has; docs/windows.md says under "
            f"{spec.boss.capitalize()} how to put that in its place"
        )
    gc.collect()  # soulsgym keeps one memory and one pipe a process, and lets go of them only with the last holder
    awake = wake()
    arguments: dict[str, Any] = {"game_speed": spec.game_speed}
    if spec.fight != "full":
        arguments["phase"] = 2 if spec.fight == "phase2" else 1
    known = inspect.signature(maker.__init__).parameters
    env = maker(**{name: value for name, value in arguments.items() if name in known})
    del awake
    return env


def bosses() -> list[str]:
    """The bosses that this build has; it is loaded by then."""
    return [boss for boss in _MODULES | _MODULES_OF_HEAD if _maker(boss, "phase1") is not None]


def _maker(boss: str, fight: str) -> Any:
    """The class of soulsgym's environment for a fight; None if this build has none."""
    module, training, demo = (_MODULES | _MODULES_OF_HEAD)[boss]
    try:
        maker = getattr(import_module(module), demo if fight == "full" else training)
    except (ImportError, AttributeError):
        return None
    return None if inspect.isabstract(maker) else maker  # PyPI's build holds the beginnings of Vordt


def make_game() -> Any:
    """SoulsGym's access to the running game, without an environment."""
    from soulsgym.games import game_factory

    return game_factory(GAME)


def game_pid() -> int:
    """The game's process id; raises RuntimeError if it does not run."""
    from soulsgym.core.utils import get_pid

    return get_pid(PROCESS)


def set_random_start(env: Any, random_start: bool) -> None:
    """Choose how the next fights start."""
    for name in _RANDOM_START:
        if hasattr(env, f"_{name}"):
            setattr(env, f"_{name}", random_start)


def focus(env: Any) -> None:
    """Bring the game's window to the front; raises what Windows says if it may not be."""
    window = env._game_window
    (window.focus_application if hasattr(window, "focus_application") else window.focus)()


def forget_setup(env: Any) -> None:
    """Let the next reset set the arena and the phase up anew."""
    for name in _SETUP_FLAGS:
        if hasattr(env, name):
            setattr(env, name, False)


def state_of(env: Any) -> Any:
    """The fight as soulsgym counts it after a step: hit points, poses, animations by name, clocks."""
    return next(getattr(env, name) for name in _STATE if hasattr(env, name))


def mask_of(info: dict[str, Any]) -> NDArray[np.bool_]:
    """The valid actions [20] out of soulsgym's info."""
    if "action_mask" in info:
        return np.asarray(info["action_mask"], np.bool_)
    mask = np.zeros(NUM_ACTIONS, np.bool_)
    mask[info["allowed_actions"]] = True
    return mask


def arena_box(env: Any) -> tuple[list[float], list[float]]:
    """Lower and upper bounds of x, y and z in metres, in which soulsgym fights."""
    if hasattr(env, "env_args"):
        return env.env_args.coordinate_box_low[:3], env.env_args.coordinate_box_high[:3]
    return list(env.ARENA_LIM_LOW[:3]), list(env.ARENA_LIM_HIGH[:3])

"""Where fights come from: the simulator, or the real game."""

from collections.abc import Mapping
from typing import Any

from ashen.core.errors import UserError, unknown
from ashen.core.protocols import Backend
from ashen.core.tables import boss_file, full_name
from ashen.core.vocabulary import boss_vocabulary

BACKENDS = ("sim", "game")
ONLY_ON_GAME = {"num_envs": 1, "randomise": "none", "phase2_starts": 0.0, "real_boss": ""}
"""What these settings must be on the game, which is one and as it is."""
WITHOUT_EFFECT_IN_SIM = ("game_speed", "scan_codes", "evaluation_share_pct")
"""Settings that say how the game is played, and nothing in the simulator."""


def make_backend(
    backend: str | Backend,
    *,
    boss: str,
    fight: str,
    real_boss: str = "",
    num_envs: int = 1,
    random_start: bool = False,
    game_speed: float = 3.0,
    scan_codes: bool = True,
    **varied: Any,
) -> Backend:
    """The backend of a name; one that is made already stays as it is.

    Args:
        backend: ``sim``, ``game``, or fights that are there already.
        boss: name or table of the boss.
        fight: ``phase1``, ``phase2`` or ``full``.
        real_boss: whom the simulator fights in his place, if he is another than the agent knows; "" for none.
        num_envs: fights side by side; one on the game.
        random_start: start at one of eleven poses.
        game_speed: of the game; the simulator knows none.
        scan_codes: whether the game's keys are pressed by place.
        varied: how simulated bosses and starts vary, see :class:`ashen.sim.backend.SimBackend`.

    Raises:
        UserError: an unknown name, a bad number, or what the game cannot do.
    """
    if not isinstance(backend, str):
        return backend
    if backend not in BACKENDS:
        raise unknown("backend", backend, BACKENDS)
    if num_envs < 1:
        raise UserError(f"num_envs = {num_envs} must be at least 1")
    if backend == "sim":
        from ashen.sim.backend import SimBackend

        if real_boss and boss_vocabulary(boss_file(real_boss)) != boss_vocabulary(boss_file(boss)):
            raise UserError(f"real_boss = {real_boss} has other animations than {boss}; give an overlay of {boss}")
        return SimBackend(real_boss or boss, fight, num_envs, random_start, **varied)
    asked = {"num_envs": num_envs, "real_boss": real_boss} | varied
    if wrong := misfits_on_game(asked):
        said = ", ".join(f"{name} = {asked[name]} {rule}" for name, rule in wrong.items())
        raise UserError(f"{said} on the game, which is one and as it is")
    from ashen.game.backend import GameBackend
    from ashen.game.options import GameOptions

    return GameBackend(boss, fight, GameOptions(game_speed, random_start, scan_codes))


def misfits_on_game(settings: Mapping[str, Any]) -> dict[str, str]:
    """The settings that cannot be what they are on the game, name -> what they must be, in words."""
    return {
        name: f"must be {'empty' if only == '' else f'{only:g}' if isinstance(only, float) else only}"
        for name, only in ONLY_ON_GAME.items()
        if settings.get(name, only) != only
    }


def fought_boss(options: dict[str, Any]) -> str:
    """Name of the boss that is fought, or the full path of his table, out of the options of :func:`ashen.make_vec`."""
    return full_name(str(options.get("real_boss") or options["boss"]))

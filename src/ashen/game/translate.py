"""SoulsGym's state of a fight -> one FIGHT_STATE row. A value that cannot be is an error here, never a number."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import FIGHT_STATE
from ashen.core.tables import is_measured, load_facts, player_facts
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.game.faults import ImpossibleValueError, OtherCharacterError

SHOWN_BYTES: Final = FIGHT_STATE.fields["previous_player_animation"][1]
"""The part of a row that the game shows; what follows is memory, which is not the backend's to write."""
PHASES: Final = {"phase1": 1, "phase2": 2}
"""The phase of fights that have one; soulsgym leaves 1 in its observations of phase 2."""
_MARGIN_M: Final = 60.0
"""How far outside the arena's box the camera and a falling player may be."""
_TURN_RAD: Final = 7.0
_OTHER_RATE: Final = 4.0
"""No ember, ring or later journey gives more than so many times the hit points; what is above is no number at all."""
_LONGEST_S: Final = 3600.0


class Translator:
    """Writes rows of one kind of fight.

    Args:
        table: the boss's table.
        fight: ``phase1``, ``phase2`` or ``full``.
        box: lower and upper bounds of x, y and z in the arena.
    """

    def __init__(self, table: Path, fight: str, box: tuple[Sequence[float], Sequence[float]]):
        self._player, self._boss = player_vocabulary(), boss_vocabulary(table)
        self._phase = PHASES.get(fight)
        hp = player_facts(table)["body"]["hp"].value, load_facts(table)["body"]["hp"].value
        self._most = {
            "player_max_hp": hp[0],
            "player_max_sp": player_facts(table)["body"]["stamina_max"].value,
            "boss_max_hp": hp[1],
        }
        self._unmeasured = () if is_measured(table) else ("player_max_hp", "player_max_sp")
        for name in self._unmeasured:
            self._most[name] *= _OTHER_RATE
        self._bounds = _bounds(self._most, box)
        self._rows = np.zeros(1, FIGHT_STATE)
        self.unknown: list[str] = []
        """Animations of the last row that no table knows, such as ``boss Attack1501``."""

    def row(self, state: Any, phase: int) -> NDArray[Any]:
        """What the game shows, FIGHT_STATE [1], rewritten by the next call; step and memory are not filled in.

        Args:
            state: soulsgym's state, see :func:`ashen.game.soulsgym_builds.state_of`.
            phase: of soulsgym's observation; counts in full fights only.

        Raises:
            ImpossibleValueError: a value cannot be.
            OtherCharacterError: hit points, or the greatest there may be, are those of somebody else.
        """
        row = self._rows[0]
        row["phase"] = self._phase or phase
        for name in ("player_hp", "player_max_hp", "player_sp", "player_max_sp", "boss_hp", "boss_max_hp"):
            row[name] = getattr(state, name)
        for who in ("player", "boss"):
            pose = getattr(state, f"{who}_pose")
            row[f"{who}_x_m"], row[f"{who}_y_m"], row[f"{who}_z_m"], row[f"{who}_yaw_rad"] = pose
            row[f"{who}_animation_s"] = getattr(state, f"{who}_animation_duration")
        row["camera_x_m"], row["camera_y_m"], row["camera_z_m"] = state.camera_pose[:3]
        row["camera_nx"], row["camera_ny"], row["camera_nz"] = state.camera_pose[3:]
        row["lock_on"] = bool(state.lock_on)
        row["player_animation"] = self._player.id(state.player_animation)
        row["boss_animation"] = self._boss.id(state.boss_animation)
        self._check(row)
        self.unknown = [
            f"{who} {getattr(state, f'{who}_animation')}" for who in ("player", "boss") if row[f"{who}_animation"] < 0
        ]
        return self._rows

    def _check(self, row: Any) -> None:
        for who in ("player", "boss"):  # SoulsGym 1.1.0 keeps the greatest hit points it once read
            hp, most = float(row[f"{who}_hp"]), self._most[f"{who}_max_hp"]
            if most < hp <= _OTHER_RATE * most and f"{who}_max_hp" not in self._unmeasured:
                raise OtherCharacterError(f"the {who} has {hp:g} hit points, more than {most:g}")
        for name, (least, most) in self._bounds.items():
            if not least <= row[name] <= most:
                raise ImpossibleValueError(f"{name} = {row[name]}, which must lie in {least:g}..{most:g}")
        for name, value in self._most.items():
            if name in self._unmeasured:
                if not 0 < row[name] <= value:
                    raise ImpossibleValueError(f"{name} = {row[name]}, which must lie in 1..{value:g}")
            elif row[name] != value:
                raise OtherCharacterError(f"{name} is {row[name]:g}, not {value:g}")


def _bounds(most: dict[str, float], box: tuple[Sequence[float], Sequence[float]]) -> dict[str, tuple[float, float]]:
    """The least and the most that a field can be; NaN is neither."""
    stamina = most["player_max_sp"]
    bounds = {
        "phase": (1, 2),
        "player_hp": (0, most["player_max_hp"]),
        "player_sp": (-stamina, stamina),
        "boss_hp": (0, most["boss_max_hp"]),
        "player_animation_s": (0.0, _LONGEST_S),
        "boss_animation_s": (0.0, _LONGEST_S),
    }
    low, high = box
    for axis, least, greatest in zip("xyz", low, high, strict=True):
        bounds[f"player_{axis}_m"] = bounds[f"boss_{axis}_m"] = (least, greatest)
        bounds[f"camera_{axis}_m"] = (least - _MARGIN_M, greatest + _MARGIN_M)
        bounds[f"camera_n{axis}"] = (-1.001, 1.001)
    bounds["player_z_m"] = (low[2] - _MARGIN_M, high[2])  # a fall
    for who in ("player", "boss"):
        bounds[f"{who}_yaw_rad"] = (-_TURN_RAD, _TURN_RAD)
    return bounds

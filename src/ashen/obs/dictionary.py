"""SoulsGym's observation dictionary: to FIGHT_STATE rows, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE, UNKNOWN_ANIMATION

STATS = ("player_hp", "player_max_hp", "player_sp", "player_max_sp", "boss_hp", "boss_max_hp")
CLOCKS = {"player_animation_duration": "player_animation_s", "boss_animation_duration": "boss_animation_s"}
POSES = {
    "player_pose": ("player_x_m", "player_y_m", "player_z_m", "player_yaw_rad"),
    "boss_pose": ("boss_x_m", "boss_y_m", "boss_z_m", "boss_yaw_rad"),
    "camera_pose": ("camera_x_m", "camera_y_m", "camera_z_m", "camera_nx", "camera_ny", "camera_nz"),
}
KEYS = ("phase", *STATS, *POSES, "player_animation", "player_animation_duration")
KEYS += ("boss_animation", "boss_animation_duration", "lock_on")
"""SoulsGym's keys in its order."""


def rows_from(observations: Sequence[Mapping[str, Any]]) -> NDArray[Any]:
    """Translate SoulsGym dictionaries to FIGHT_STATE rows [T]; memory fields stay empty.

    Args:
        observations: consecutive dictionaries of one fight; numbers may be scalars, lists or arrays.

    Raises:
        UserError: a dictionary lacks a key.
    """
    rows = np.zeros(len(observations), FIGHT_STATE)
    rows["step"] = np.arange(len(observations))
    try:
        for name in ("phase", *STATS, "player_animation", "boss_animation", "lock_on"):
            rows[name] = [np.asarray(seen[name]).reshape(-1)[0] for seen in observations]
        for key, name in CLOCKS.items():
            rows[name] = [np.asarray(seen[key]).reshape(-1)[0] for seen in observations]
        for key, names in POSES.items():
            poses = np.array([seen[key] for seen in observations], np.float32).reshape(-1, len(names))
            for column, name in enumerate(names):
                rows[name] = poses[:, column]
    except KeyError as error:
        raise UserError(
            f"observation without key {error}; give SoulsGym's dictionaries, keys {', '.join(KEYS)}"
        ) from None
    return rows


def dictionary_from(rows: NDArray[Any], facts: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """SoulsGym's observation of FIGHT_STATE rows [N]: float32 [N, ...] and int64 [N], ids -1 where it has none."""
    seen: dict[str, NDArray[Any]] = {}
    for key in KEYS:
        if key in POSES:
            seen[key] = np.stack([rows[name] for name in POSES[key]], axis=-1)
        elif key in CLOCKS:
            seen[key] = rows[CLOCKS[key]][..., None].copy()
        elif key in ("player_hp", "player_sp", "boss_hp"):
            seen[key] = rows[key][..., None].copy()
        elif key in ("player_animation", "boss_animation"):
            known = facts[key.replace("animation", "known")][0]
            seen[key] = np.where(rows[key] < known, rows[key], UNKNOWN_ANIMATION).astype(np.int64)
        else:
            seen[key] = rows[key].astype(np.int64)
    return seen

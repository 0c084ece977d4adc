"""What happens between two steps: bodies, camera and clocks move on, so that pictures need not jump."""

from typing import Final

import numpy as np

from ashen.core.fight import REPORTED_STEP_S

_MOVING: Final = (
    *(f"{who}_{axis}_m" for who in ("player", "boss", "camera") for axis in "xyz"),
    *("camera_nx", "camera_ny", "camera_nz"),
)


def between(now: np.void, after: np.void, share: float) -> np.void:
    """The state a ``share`` in 0..1 of the way from one step to the next: bodies and camera move, the rest waits.

    Args:
        now: FIGHT_STATE record.
        after: the one a step later.
        share: 0 gives ``now``.
    """
    state = now.copy()
    for name in _MOVING:
        state[name] += share * (after[name] - now[name])
    for who in ("player", "boss"):
        turn = (after[f"{who}_yaw_rad"] - now[f"{who}_yaw_rad"] + np.pi) % (2.0 * np.pi) - np.pi
        state[f"{who}_yaw_rad"] += share * turn
        state[f"{who}_animation_s"] += share * REPORTED_STEP_S
    state["previous_boss_attack_since_s"] += share * REPORTED_STEP_S
    return state

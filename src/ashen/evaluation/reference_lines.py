"""Forecasts that know nothing of the fight: nobody moves, or everybody goes on as he goes; the simulator's floor."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.evaluation.alignment import BODIES, wrapped
from ashen.evaluation.recording import Recording


def nobody_moves(recording: Recording, horizon_steps: int) -> NDArray[Any]:
    """Every start's own state, for every step ahead.

    Args:
        recording: a recorded fight of T steps.
        horizon_steps: H.

    Returns:
        FIGHT_STATE [T, H], as :func:`ashen.evaluation.alignment.simulated_ahead` gives.
    """
    return np.repeat(recording.states[:, None], horizon_steps, axis=1)


def constant_velocity(recording: Recording, horizon_steps: int) -> NDArray[Any]:
    """Both bodies move and turn on as they did in the step before the start; all else stays.

    Args:
        recording: a recorded fight of T steps.
        horizon_steps: H.

    Returns:
        FIGHT_STATE [T, H]; row 0 has no step before it and stands still.
    """
    states, ahead = recording.states, nobody_moves(recording, horizon_steps)
    steps = np.arange(1, horizon_steps + 1)
    for body in BODIES:
        for axis in ("x_m", "y_m", "yaw_rad"):
            values = states[f"{body}_{axis}"].astype(np.float64)
            change = np.diff(values, prepend=values[0])
            if axis == "yaw_rad":
                change = wrapped(change)
            ahead[f"{body}_{axis}"] = values[:, None] + change[:, None] * steps
    return ahead

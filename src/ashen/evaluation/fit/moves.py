"""The motion of the player's moves: how far a roll, an attack or a reaction carries him, from recorded traces."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ashen.evaluation.fit.attacks import median_of, spread
from ashen.evaluation.recording import Recording
from ashen.sim.forced import frames_of_clock
from ashen.sim.records import P_THROWN

FIRST_ROLL = 8
LEAST_STEPS = 5
"""A reaction that was cut off before half a second does not tell how far it goes."""


def move_traces(fight: Recording, table: np.void) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Every move of a recorded fight that the player made himself or that was done to him.

    Args:
        fight: the recording.
        table: the packed TABLE record.

    Yields:
        The move's id, and its way a frame [MOTION_FRAMES] along its own direction, NaN where it was not seen: metres;
        of a reaction, shares of its whole way.
    """
    states, delay_s = fight.states, float(table["rules"]["press_delay_s"])
    shown = states["player_animation"]
    x, y = states["player_x_m"].astype(np.float64), states["player_y_m"].astype(np.float64)
    firsts = np.flatnonzero(np.diff(shown, prepend=-1))
    for first, end in zip(firsts, [*firsts[1:], len(shown)], strict=True):
        row, move = table["moves"][int(shown[first])], int(shown[first])
        # The name of a roll can come back without a key.
        if row["length_f"] == 0 or first == 0 or (row["pressed"] and not was_accepted(fight, first, is_walk=False)):
            continue
        steps = np.arange(first, end)
        dx, dy = x[end - 1] - x[first - 1], y[end - 1] - y[first - 1]
        whole_m = max(1e-6, float(np.hypot(dx, dy)))
        ways = ((x[steps] - x[steps - 1]) * dx + (y[steps] - y[steps - 1]) * dy) / whole_m
        if not row["pressed"] and move != table["ids"][P_THROWN]:
            if len(steps) < LEAST_STEPS:
                continue
            ways = ways / whole_m
        clocks = states["player_animation_s"][steps]
        end_f = [frames_of_clock(clock, delay_s if row["pressed"] else 0.0) for clock in clocks.tolist()]
        yield move, spread(np.array(end_f), ways)


def fit_moves(moves: NDArray[np.void], fights: Sequence[Recording], table: np.void) -> set[int]:
    """Write the ways of the moves seen into MOVE records.

    Args:
        moves: the records.
        fights: recordings.
        table: the packed TABLE record.

    Returns:
        The moves seen.
    """
    ways = defaultdict(list)
    for fight in fights:
        for move, way in move_traces(fight, table):
            ways[move].append(way)
    for move, of_move in ways.items():
        moves["travel"][move] = median_of(of_move)
    return set(ways)


def was_accepted(fight: Recording, step: int, is_walk: bool) -> bool:
    """Whether a valid walking key, or a valid key of another action, led to a step of a recording."""
    action = fight.actions[step]
    return bool(step > 0 and (action < FIRST_ROLL) == is_walk and fight.masks[step - 1][action])

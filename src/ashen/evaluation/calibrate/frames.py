"""What happened in each frame of a motion, told apart from steps of three frames that began at different moments."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ashen.evaluation.fit.attacks import TELLING_RAD, Trace
from ashen.sim.records import FRAMES_PER_STEP, MOTION_FRAMES

_SMOOTH, _KEEP = 0.1, 0.01
"""Weights, beside 1 for a step that was seen: that neighbouring frames are alike, that a frame is as it was before."""
_REACHED_RAD = np.radians(2.0)
"""A turn that ends this near to the player may have ended for that."""
_OUTLIER_M = 0.15
_PASSES = 3


def way_per_frame(
    traces: Sequence[Trace],
    ways: Sequence[NDArray[np.float64]],
    before: NDArray[np.float64],
    scales: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The way in each frame that explains the ways in steps best.

    Args:
        traces: of one attack, N of them.
        ways: of each, its way in each step [K].
        before: the way in each frame so far [MOTION_FRAMES]; where nothing was seen it stays.
        scales: by how much each trace's frames are stretched [N, MOTION_FRAMES].

    Returns:
        [MOTION_FRAMES].
    """
    rows = np.concatenate([frames_in_steps(t.end_f) * scale for t, scale in zip(traces, scales, strict=True)])
    seen, kept = np.concatenate(ways), np.ones(len(rows), np.bool_)
    for _ in range(_PASSES):
        result = np.linalg.solve(*_normal(rows[kept], seen[kept], before))
        kept = np.abs(rows @ result - seen) < _OUTLIER_M
        if kept.mean() < 0.5:  # no one motion explains them: leave the middle one
            return before
    return result


def turn_per_frame(traces: Sequence[Trace], before: NDArray[np.float64]) -> NDArray[np.float64]:
    """The turn rate of each frame that explains the turns best: by steps in which the player was not reached.

    Args:
        traces: of one attack.
        before: rate a frame so far [MOTION_FRAMES]; where nothing tells it, it stays.

    Returns:
        [MOTION_FRAMES], none negative.
    """
    rows, seen = [], []
    for trace in traces:
        steps = trace.steps
        telling = (steps.off_rad > TELLING_RAD) & (steps.turned_rad < steps.off_rad - _REACHED_RAD)
        rows.append(frames_in_steps(trace.end_f)[telling])
        seen.append(steps.turned_rad[telling])
    squares, sums = _normal(np.concatenate(rows), np.concatenate(seen), before)
    lower = np.linalg.cholesky(squares)
    return nnls(lower.T, np.linalg.solve(lower, sums))[0]


def frames_in_steps(end_f: NDArray[np.int64]) -> NDArray[np.float64]:
    """Which frames lie in each step [K, MOTION_FRAMES]."""
    frames = np.arange(MOTION_FRAMES)
    return ((end_f[:, None] - FRAMES_PER_STEP <= frames) & (frames < end_f[:, None])).astype(np.float64)


def _normal(
    rows: NDArray[np.float64], seen: NDArray[np.float64], before: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Normal equations of the steps with weak beliefs: a frame changes from its neighbour, and is, as it was before."""
    change = np.diff(np.eye(MOTION_FRAMES), axis=0)
    belief = _SMOOTH**2 * change.T @ change + _KEEP**2 * np.eye(MOTION_FRAMES)
    return rows.T @ rows + belief, rows.T @ seen + belief @ before

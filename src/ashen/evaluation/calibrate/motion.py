"""How attacks move the boss: root motion, lunges and turning, written back as a table holds them."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ashen.evaluation.calibrate.frames import frames_in_steps, turn_per_frame, way_per_frame
from ashen.evaluation.calibrate.numbers import Numbers
from ashen.evaluation.fit.attacks import Trace, attack_traces, median_of, spread
from ashen.evaluation.recording import Recording
from ashen.sim.records import FRAMES_PER_S, FRAMES_PER_STEP, MOTION_FRAMES

LEAST_TRACES = 2
"""An attack's motion is refitted if it was seen at least this often."""
LEAST_LUNGES = 6
"""How a lunge follows the player's distance is refitted if it was seen whole at least this often."""
_BEND_M = 0.01
"""A curve keeps a point if it lies further than this off the line between its neighbours."""
_TURN_STEP_DEG_S = 5.0
_APART_M = 0.5
_PASSES = 3


def fit_motion(numbers: Numbers, fights: Sequence[Recording]) -> None:
    """Refit the motion of every attack seen often enough."""
    table = numbers.table()
    traces: dict[tuple[int, int], list[Trace]] = defaultdict(list)
    for fight in fights:
        for trace in attack_traces(fight, table):
            traces[trace.phase, trace.attack].append(trace)
    for (phase, attack), of_attack in traces.items():
        if len(of_attack) >= LEAST_TRACES:
            _put(numbers, numbers.attack_path(phase, attack), of_attack, table["attacks"][phase - 1, attack])


def _put(numbers: Numbers, path: str, traces: Sequence[Trace], old: np.void) -> None:
    seen, stretch = len(traces), f"{path}.stretch"
    stretches = numbers.value(stretch) if stretch in numbers.before() else []
    ways = [trace.steps.forward_m for trace in traces]
    scales = np.ones((len(traces), MOTION_FRAMES))
    forward = median_of([spread(trace.end_f, way) for trace, way in zip(traces, ways, strict=True)])
    unseen = np.arange(MOTION_FRAMES) >= max(int(trace.end_f[-1]) for trace in traces)
    forward[unseen] = old["forward_m"][unseen]
    for _ in range(_PASSES if stretches else 1):
        scales = _scales(stretches, traces, forward)
        forward = way_per_frame(traces, ways, forward, scales)
    left = old["left_m"].astype(np.float64)
    left = way_per_frame(traces, [trace.steps.left_m for trace in traces], left, np.ones_like(scales))
    turn = turn_per_frame(traces, old["turn_rad"].astype(np.float64))
    numbers.put(f"{path}.motion_s_m", curve(forward, left), seen=seen)
    numbers.put(f"{path}.turn_s_deg_s", turn_windows(turn), seen=seen)
    if stretches:
        rows = [_lunge(row, traces, scales, forward) or row for row in stretches]
        numbers.put(stretch, rows, seen=seen)


def _window(row: Sequence[float]) -> slice:
    return slice(round(row[0] * FRAMES_PER_S), round(row[1] * FRAMES_PER_S))


def _scales(
    stretches: Sequence[Sequence[float]], traces: Sequence[Trace], forward: NDArray[np.float64]
) -> NDArray[np.float64]:
    """By how much each trace stretched each frame [N, MOTION_FRAMES]: the scale of a window that explains it best."""
    scales = np.ones((len(traces), MOTION_FRAMES))
    for scale, trace in zip(scales, traces, strict=True):
        rows = frames_in_steps(trace.end_f)
        for row in stretches:
            inside = np.zeros(MOTION_FRAMES)
            inside[_window(row)] = forward[_window(row)]
            share, rest = rows @ inside, rows @ (forward - inside)
            if (share**2).sum() > 0.0:
                scale[_window(row)] = (share * (trace.steps.forward_m - rest)).sum() / (share**2).sum()
    return scales


def _lunge(
    row: Sequence[float], traces: Sequence[Trace], scales: NDArray[np.float64], forward: NDArray[np.float64]
) -> list[float] | None:
    """A stretch whose way follows the distance as it was seen to: least squares; None if too few lunges were seen."""
    window = _window(row)
    whole = [
        number
        for number, trace in enumerate(traces)
        if trace.end_f[0] - FRAMES_PER_STEP <= window.start and window.stop <= trace.end_f[-1]
    ]
    ways = scales[whole, window.start] * forward[window].sum()
    starts = [(traces[n].end_f - FRAMES_PER_STEP, traces[n].steps.distance_m) for n in whole]
    apart = np.array([np.interp(window.start, *start) for start in starts])
    if len(whole) < LEAST_LUNGES or np.ptp(apart) < _APART_M:
        return None
    return [row[0], row[1], *clamped_line(apart, ways, row)]


def clamped_line(apart_m: NDArray[np.float64], ways_m: NDArray[np.float64], row: Sequence[float]) -> list[float]:
    """Share, least and most way and stand-off of a lunge: least squares over those numbers, from several beginnings."""

    def off(values: NDArray[np.float64]) -> NDArray[np.float64]:
        share, least, most, standoff = values
        return np.clip(share * (apart_m - standoff), least, most) - ways_m

    low, high = float(np.quantile(ways_m, 0.05)), float(np.quantile(ways_m, 0.95))
    slope = float(np.clip(np.polyfit(apart_m, ways_m, 1)[0], 0.1, 1.4))
    standoff = float(np.mean(apart_m) - np.mean(ways_m) / slope)
    starts = [list(row[2:6]), [slope, low, high, standoff], [1.0, low, high, float(np.median(apart_m - ways_m))]]
    fits = [least_squares(off, start, loss="soft_l1", f_scale=0.1) for start in starts]
    return [float(value) for value in min(fits, key=lambda fit: fit.cost).x]


def curve(forward_m: NDArray[np.float64], left_m: NDArray[np.float64]) -> list[list[float]]:
    """Increments a frame [MOTION_FRAMES] as cumulated points [[t_s, forward_m, left_m], ...], as few as tell them."""
    points = np.concatenate([[[0.0, 0.0]], np.cumsum(np.stack([forward_m, left_m], axis=1), axis=0)])
    moving = np.flatnonzero(np.hypot(forward_m, left_m) > 1e-6)
    kept = _bends(points, 0, int(moving[-1]) + 1 if len(moving) else 1)
    return [[frame / FRAMES_PER_S, float(points[frame, 0]), float(points[frame, 1])] for frame in kept]


def _bends(points: NDArray[np.float64], first: int, last: int) -> list[int]:
    """The frames between which straight lines come within ``_BEND_M`` of all points."""
    between = np.arange(first, last + 1)
    line = [np.interp(between, [first, last], points[[first, last], column]) for column in (0, 1)]
    off = np.hypot(points[between, 0] - line[0], points[between, 1] - line[1])
    worst = int(np.argmax(off))
    if off[worst] <= _BEND_M:
        return [first, last]
    return [*_bends(points, first, first + worst)[:-1], *_bends(points, first + worst, last)]


def turn_windows(turn_rad: NDArray[np.float64]) -> list[list[float]]:
    """Turn rates a frame [MOTION_FRAMES] as windows [[from_s, to_s, deg_s], ...]."""
    rates = _TURN_STEP_DEG_S * np.rint(np.degrees(turn_rad) * FRAMES_PER_S / _TURN_STEP_DEG_S)
    edges = [0, *(np.flatnonzero(np.diff(rates)) + 1).tolist(), MOTION_FRAMES]
    windows = [(first, last, float(rates[first])) for first, last in pairwise(edges) if rates[first] > 0.0]
    return [[first / FRAMES_PER_S, last / FRAMES_PER_S, rate] for first, last, rate in windows]

"""The motion of the boss's attacks out of recorded traces: root motion, lunges that stretch to the player, turning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.evaluation.alignment import wrapped
from ashen.evaluation.recording import Recording, boss_script
from ashen.sim.records import FRAMES_PER_S, FRAMES_PER_STEP, MAX_STRETCHES, MOTION_FRAMES

LUNGE_M_S, LUNGE_LEAST_M = 4.0, 2.0
"""Forward motion faster than a knight runs, over two metres or more, is a lunge: it stretches to the player."""
LUNGE_STRETCH = (0.5, 1.5)
"""How much shorter or longer than it was seen a lunge may get."""
TELLING_RAD = np.radians(5.0)
"""How far off the boss's front the player must be before turning, or not turning, says anything."""
TURN_RATES_RAD = np.radians(np.arange(0.0, 725.0, 5.0)) / FRAMES_PER_S
"""Turn rates a frame that are tried."""


@dataclass(frozen=True)
class BossSteps:
    """How the boss moved in each step of a fight, [T] each; entry t leads from step t - 1 to t, entry 0 is zero.

    Args:
        forward_m: way along his facing.
        left_m: way to his left.
        turned_rad: turn towards the player, negative away from him.
        off_rad: how far off his front the player was before.
        distance_m: between both before.
    """

    forward_m: NDArray[np.float64]
    left_m: NDArray[np.float64]
    turned_rad: NDArray[np.float64]
    off_rad: NDArray[np.float64]
    distance_m: NDArray[np.float64]


@dataclass(frozen=True)
class Trace:
    """One attack as it was played once, K whole steps.

    Args:
        phase: 1 or 2.
        attack: boss animation id.
        end_f: frames of its motion at the end of each step [K].
        steps: how he moved in them, [K] each.
    """

    phase: int
    attack: int
    end_f: NDArray[np.int64]
    steps: BossSteps


def boss_steps(states: NDArray[Any]) -> BossSteps:
    """The boss's motion in his own frame, from the FIGHT_STATE rows [T] of one fight."""
    x, y, yaw = (states[f"boss_{axis}"].astype(np.float64) for axis in ("x_m", "y_m", "yaw_rad"))
    to_x, to_y = states["player_x_m"] - x, states["player_y_m"] - y
    turn = wrapped(np.diff(yaw, prepend=yaw[0]))
    dx, dy = np.diff(x, prepend=x[0]), np.diff(y, prepend=y[0])
    # Each frame turns before it moves: over a step of three frames the mean facing has two thirds of the turn.
    facing = yaw - turn / 3.0
    off = _before(wrapped(yaw - np.arctan2(-to_x, -to_y)))
    return BossSteps(
        forward_m=-np.sin(facing) * dx - np.cos(facing) * dy,
        left_m=np.cos(facing) * dx - np.sin(facing) * dy,
        turned_rad=-np.sign(off) * turn,
        off_rad=np.abs(off),
        distance_m=_before(np.hypot(to_x, to_y)),
    )


def _before(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values one step earlier, 0 before the first."""
    return np.concatenate([[0.0], values[:-1]])


def attack_traces(fight: Recording, table: np.void) -> list[Trace]:
    """Every attack of a recorded fight, from the start of its motion until its name changes.

    Args:
        fight: the recording.
        table: the packed TABLE record, which tells when motions begin.
    """
    shown, script, steps = fight.states["boss_animation"], boss_script(fight.states, table), boss_steps(fight.states)
    firsts = np.flatnonzero(np.diff(shown, prepend=-1))
    traces = []
    for first, end in zip(firsts, [*firsts[1:], len(shown)], strict=True):
        phase, attack = int(fight.states["phase"][first]), int(shown[first])
        which = np.arange(first, end)
        which = which[script.motion_f[which] >= FRAMES_PER_STEP]
        if table["attacks"][phase - 1, attack]["name_end_f"] > 0 and len(which):
            part = BossSteps(*(values[which] for values in vars(steps).values()))
            traces.append(Trace(phase, attack, script.motion_f[which], part))
    return traces


def spread(end_f: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What happened in steps [K], spread evenly over their frames: [MOTION_FRAMES], NaN where there was no step."""
    result = np.full(MOTION_FRAMES, np.nan)
    for end, value in zip(end_f.tolist(), values.tolist(), strict=True):
        result[max(0, end - FRAMES_PER_STEP) : end] = value / FRAMES_PER_STEP
    return result


def median_of(rows: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Median of traces frame by frame, 0 where none has anything to say."""
    known = ~np.isnan(rows).all(axis=0)
    result = np.zeros(MOTION_FRAMES)
    result[known] = np.nanmedian(np.array(rows)[:, known], axis=0)
    return result


def fit_attack(row: np.void, traces: Sequence[Trace]) -> None:
    """Write into an ATTACK record the motion that its traces show.

    Args:
        row: the record.
        traces: of this attack, at least one.
    """
    forward = [spread(trace.end_f, trace.steps.forward_m) for trace in traces]
    row["forward_m"] = median_of(forward)
    row["left_m"] = median_of([spread(trace.end_f, trace.steps.left_m) for trace in traces])
    row["turn_rad"] = fit_turning(traces)
    forget_stretches(row)
    for slot, (first, last) in enumerate(_lunges(row["forward_m"])):
        ways = np.array([way[first:last].sum() for way in forward])
        apart = np.array([np.interp(first, t.end_f - FRAMES_PER_STEP, t.steps.distance_m) for t in traces])
        whole = np.isfinite(ways)
        if not whole.any():
            continue
        row["stretch_from_f"][slot], row["stretch_to_f"][slot] = first, last
        row["stretch_natural_m"][slot] = row["forward_m"][first:last].sum()
        row["stretch_share"][slot] = 1.0
        row["standoff_m"][slot] = np.median((apart - ways)[whole])
        row["stretch_least_m"][slot] = LUNGE_STRETCH[0] * ways[whole].min()
        row["stretch_most_m"][slot] = LUNGE_STRETCH[1] * ways[whole].max()


def forget_stretches(row: np.void) -> None:
    """Take all stretching out of an ATTACK record."""
    row["stretch_from_f"] = row["stretch_to_f"] = -1
    for key in ("stretch_natural_m", "stretch_share", "stretch_least_m", "stretch_most_m", "standoff_m"):
        row[key] = 0.0


def _lunges(forward_m: NDArray[np.float32]) -> list[tuple[int, int]]:
    """First frame and the one after the last of the longest lunges, in their order."""
    fast = np.concatenate([[False], forward_m > LUNGE_M_S / FRAMES_PER_S, [False]])
    edges = np.flatnonzero(np.diff(fast.astype(np.int8)))
    windows = [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
    lunges = [window for window in windows if forward_m[slice(*window)].sum() >= LUNGE_LEAST_M]
    longest = sorted(lunges, key=lambda window: -forward_m[slice(*window)].sum())[:MAX_STRETCHES]
    return sorted(longest)


def fit_turning(traces: Sequence[Trace]) -> NDArray[np.float64]:
    """Turn rate a frame [MOTION_FRAMES]; frames that say nothing take the rate between their neighbours."""
    rates = np.full(MOTION_FRAMES, np.nan)
    for frame in range(MOTION_FRAMES):
        turned, off = [], []
        for trace in traces:
            which = (trace.end_f - FRAMES_PER_STEP <= frame) & (frame < trace.end_f)
            turned.extend(trace.steps.turned_rad[which])
            off.extend(trace.steps.off_rad[which])
        rates[frame] = fit_turn_rate(np.array(turned), np.array(off))
    known = np.flatnonzero(np.isfinite(rates))
    last_f = max(int(trace.end_f[-1]) for trace in traces)
    result = np.zeros(MOTION_FRAMES)
    if len(known):
        result[:last_f] = np.interp(np.arange(last_f), known, rates[known])
    return result


def fit_turn_rate(turned_rad: NDArray[np.float64], off_rad: NDArray[np.float64]) -> float:
    """The rate a frame that explains steps best, if one turns by it until the player is ahead: least squares.

    Args:
        turned_rad: turn towards the player in each step [K].
        off_rad: how far off the player was before it [K].

    Returns:
        Radians a frame; NaN if no step is telling.
    """
    telling = off_rad > TELLING_RAD
    if not telling.any():
        return float("nan")
    foretold = np.minimum(FRAMES_PER_STEP * TURN_RATES_RAD[:, None], off_rad[telling])
    return float(TURN_RATES_RAD[np.argmin(((turned_rad[telling] - foretold) ** 2).sum(axis=1))])

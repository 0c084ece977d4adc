"""Recorded real fights against the simulator: same start, same keys, same boss acts; how far do they drift apart?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import FIGHT_STATE
from ashen.evaluation.recording import BossScript, Recording, boss_script
from ashen.sim.fight import show_fight, start_fight
from ashen.sim.forced import frames_of_clock, put_fight, step_forced
from ashen.sim.records import FRAMES_PER_STEP, P_ROLL, P_ROLL2, WORLD

_NEVER_F = 10_000


@dataclass(frozen=True)
class Drift:
    """How far simulated fights are from the recorded ones after a horizon, one entry a start [S].

    Args:
        starts: step of the recording each began at.
        boss_attack: boss animation at the start.
        boss_m: distance between simulated and recorded boss.
        player_m: the same of the player.
        boss_yaw_rad: difference of the boss's yaw.
        same_player_animation: whether the player's animation is the recorded one.
        player_clock_s: difference of the player's clock where the animation is the same, else NaN.
        stamina: difference in points.
        hp: difference in points.
    """

    starts: NDArray[np.int64]
    boss_attack: NDArray[np.int64]
    boss_m: NDArray[np.float64]
    player_m: NDArray[np.float64]
    boss_yaw_rad: NDArray[np.float64]
    same_player_animation: NDArray[np.bool_]
    player_clock_s: NDArray[np.float64]
    stamina: NDArray[np.float64]
    hp: NDArray[np.float64]


def drift(recording: Recording, table: np.void, horizon_steps: int) -> Drift:
    """Start at every recorded step and compare after ``horizon_steps``.

    Args:
        recording: a recorded fight.
        table: the packed TABLE record.
        horizon_steps: steps of 0.1 s.
    """
    script = boss_script(recording.states, table)
    starts = np.arange(1, len(recording.states) - horizon_steps)
    ends = np.zeros(len(starts), FIGHT_STATE)
    for row, start in enumerate(starts):
        for state in replay(recording, script, table, int(start), horizon_steps):
            ends[row] = state
    real = recording.states[starts + horizon_steps]
    same = ends["player_animation"] == real["player_animation"]
    clock = np.where(same, ends["player_animation_s"] - real["player_animation_s"], np.nan)
    return Drift(
        starts=starts,
        boss_attack=recording.states["boss_animation"][starts].astype(np.int64),
        boss_m=_distance_m(ends, real, "boss"),
        player_m=_distance_m(ends, real, "player"),
        boss_yaw_rad=np.abs(_wrap(ends["boss_yaw_rad"] - real["boss_yaw_rad"])),
        same_player_animation=same,
        player_clock_s=clock,
        stamina=ends["player_sp"] - real["player_sp"],
        hp=ends["player_hp"] - real["player_hp"],
    )


def replay(
    recording: Recording, script: BossScript, table: np.void, start: int, horizon_steps: int
) -> Iterator[np.void]:
    """Simulate from a recorded step with the recorded keys and boss acts.

    Yields:
        A FIGHT_STATE row after each step; the same array, rewritten.
    """
    worlds, states = np.zeros(1, WORLD), np.zeros(1, FIGHT_STATE)
    start_fight(worlds[0], table, 1, 0, 0)
    put_fight(worlds[0], table, recording.states[start], _what_rows_do_not_tell(recording, script, table, start))
    for step in range(start + 1, start + 1 + horizon_steps):
        step_forced(
            worlds[0], table, recording.actions[step], script.name[step], script.at_frame[step], script.delay_f[step]
        )
        show_fight(worlds[0], table, states[0])
        yield states[0]


def _what_rows_do_not_tell(recording: Recording, script: BossScript, table: np.void, start: int) -> dict[str, Any]:
    states, names = recording.states, recording.states["player_animation"]
    dx = float(states["player_x_m"][start] - states["player_x_m"][start - 1])
    dy = float(states["player_y_m"][start] - states["player_y_m"][start - 1])
    length = max(1e-6, float(np.hypot(dx, dy)))
    action = int(recording.actions[start])
    rolls = np.isin(names, (table["ids"][P_ROLL], table["ids"][P_ROLL2]))
    began = rolls & (states["player_animation_s"] < 0.1)
    latest = np.flatnonzero(began[: start + 1])
    since_roll_f = (start - latest[-1]) * FRAMES_PER_STEP + 3 if len(latest) else _NEVER_F
    second = bool(len(latest)) and names[latest[-1]] == table["ids"][P_ROLL2]
    return {
        "dir_x": dx / length,
        "dir_y": dy / length,
        "amplitude": _amplitude(states, table, start),
        "since_roll_f": since_roll_f,
        "rolled_second": int(second),
        "is_running": int(action < 8 and recording.masks[start - 1][action] and length > 0.2),
        "motion_f": int(script.motion_f[start]),
    }


def _amplitude(states: NDArray[Any], table: np.void, start: int) -> float:
    """How far the move under way travels: 1 for the player's own, fitted to its way so far for a reaction."""
    row = table["moves"][int(states["player_animation"][start])]
    if row["pressed"] or row["length_f"] == 0:
        return 1.0
    since = frames_of_clock(states["player_animation_s"][start])
    share = float(row["travel"][:since].sum())
    first = max(0, start - since // FRAMES_PER_STEP - 1)
    way = np.hypot(
        states["player_x_m"][start] - states["player_x_m"][first],
        states["player_y_m"][start] - states["player_y_m"][first],
    )
    return float(way) / share if share > 0.05 else 3.0


def _distance_m(one: NDArray[Any], other: NDArray[Any], body: str) -> NDArray[np.float64]:
    return np.hypot(one[f"{body}_x_m"] - other[f"{body}_x_m"], one[f"{body}_y_m"] - other[f"{body}_y_m"])


def _wrap(angle: NDArray[np.float32]) -> NDArray[np.float64]:
    return (angle.astype(np.float64) + np.pi) % (2 * np.pi) - np.pi

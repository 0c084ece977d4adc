"""Recorded real fights against the simulator: same start, same keys, same boss acts; how far do they drift apart?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import FIGHT_STATE
from ashen.evaluation.recording import BossScript, Recording, boss_script
from ashen.sim.fight import show_fight, start_fight
from ashen.sim.forced import frames_of_clock, put_fight, step_forced
from ashen.sim.records import FRAMES_PER_STEP, P_MOVE, P_ROLL, P_ROLL2, WORLD

BODIES = ("boss", "player")
_NEVER_F = 10_000


@dataclass(frozen=True)
class Drift:
    """How far foretold states are from the recorded ones after a horizon, one entry a start [S].

    Args:
        boss_attack: boss animation at the start.
        boss_m: distance between foretold and recorded boss.
        player_m: the same of the player.
        boss_yaw_rad: size of the difference of the boss's yaw.
        player_yaw_rad: the same of the player.
        same_boss_animation: whether the boss's animation is the recorded one.
        same_player_animation: the same of the player.
        boss_clock_s: difference of the boss's clock where the animation is the same, else NaN.
        player_clock_s: the same of the player.
        stamina: difference in points.
        player_hp: difference in points.
        boss_hp: difference in points.
    """

    boss_attack: NDArray[np.int64]
    boss_m: NDArray[np.float64]
    player_m: NDArray[np.float64]
    boss_yaw_rad: NDArray[np.float64]
    player_yaw_rad: NDArray[np.float64]
    same_boss_animation: NDArray[np.bool_]
    same_player_animation: NDArray[np.bool_]
    boss_clock_s: NDArray[np.float64]
    player_clock_s: NDArray[np.float64]
    stamina: NDArray[np.float64]
    player_hp: NDArray[np.float64]
    boss_hp: NDArray[np.float64]


def pooled(drifts: Sequence[Drift]) -> Drift:
    """The entries of several drifts, one after the other."""
    names = [field.name for field in fields(Drift)]
    return Drift(**{name: np.concatenate([getattr(drift, name) for drift in drifts]) for name in names})


def drift(recording: Recording, table: np.void, horizon_steps: int) -> Drift:
    """Simulate from every recorded step and compare after ``horizon_steps``.

    Args:
        recording: a recorded fight.
        table: the packed TABLE record.
        horizon_steps: steps of 0.1 s.
    """
    return drift_of(simulated_ahead(recording, table, horizon_steps), recording, horizon_steps)


def drift_of(ahead: NDArray[Any], recording: Recording, horizon_steps: int) -> Drift:
    """Compare states foretold for ``horizon_steps`` after every start with the recorded ones.

    Args:
        ahead: FIGHT_STATE [T, H]; row s, column h - 1 is foretold for h steps after step s.
        recording: the recorded fight, of T steps.
        horizon_steps: which h to judge, at most H. Starts run from step 1, the first with a known past.
    """
    starts = np.arange(1, len(recording.states) - horizon_steps)
    foretold, real = ahead[starts, horizon_steps - 1], recording.states[starts + horizon_steps]
    same = {body: foretold[f"{body}_animation"] == real[f"{body}_animation"] for body in BODIES}

    def gap(field: str) -> NDArray[np.float64]:
        return foretold[field].astype(np.float64) - real[field]

    return Drift(
        boss_attack=recording.states["boss_animation"][starts].astype(np.int64),
        **{f"{body}_m": np.hypot(gap(f"{body}_x_m"), gap(f"{body}_y_m")) for body in BODIES},
        **{f"{body}_yaw_rad": np.abs(wrapped(gap(f"{body}_yaw_rad"))) for body in BODIES},
        **{f"same_{body}_animation": same[body] for body in BODIES},
        **{f"{body}_clock_s": np.where(same[body], gap(f"{body}_animation_s"), np.nan) for body in BODIES},
        **{f"{body}_hp": gap(f"{body}_hp") for body in BODIES},
        stamina=gap("player_sp"),
    )


def simulated_ahead(recording: Recording, table: np.void, horizon_steps: int) -> NDArray[Any]:
    """What the simulator foretells from every recorded step on.

    Args:
        recording: a recorded fight of T steps.
        table: the packed TABLE record.
        horizon_steps: H.

    Returns:
        FIGHT_STATE [T, H]; row s, column h - 1 is h steps after step s. Row 0 and what lies past the end are zeros.
    """
    count, script = len(recording.states), boss_script(recording.states, table)
    ahead = np.zeros((count, horizon_steps), FIGHT_STATE)
    for start in range(1, count - 1):
        steps = min(horizon_steps, count - 1 - start)
        for column, state in enumerate(replay(recording, script, table, start, steps)):
            ahead[start, column] = state
    return ahead


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
    is_walk = action < 8 and bool(recording.masks[start - 1][action]) and names[start] == table["ids"][P_MOVE]
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
        "is_running": int(is_walk),
        "run_x": is_walk * dx / FRAMES_PER_STEP,
        "run_y": is_walk * dy / FRAMES_PER_STEP,
        "was_resting": 1,
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


def wrapped(angle_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same angles in [-pi, pi)."""
    return (angle_rad + np.pi) % (2 * np.pi) - np.pi

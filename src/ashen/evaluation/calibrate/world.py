"""What lies around the fight: walls and cliff, the camera's lag, keys that are lost."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ashen.core.arena import corridor_position, polar
from ashen.evaluation.calibrate.numbers import Numbers
from ashen.evaluation.recording import Recording
from ashen.evaluation.statistics import wilson_interval
from ashen.sim.records import P_FALL, P_RISE, P_ROLL, P_ROLL2

LEAST_STEPS = 50
"""Steps, or keys, from which a share is fitted."""
PRESSED = 8
"""So many steps at one outermost distance are a wall that held the player."""
_SAME_M = 0.02
_GUARD_RAD = 0.1
_BEYOND_M = 2.0
"""This far beyond the walls a place can lie in the corridor only."""
_FIRST_ROLL, _LAST_ROLL = 8, 15


def fit_world(numbers: Numbers, fights: Sequence[Recording]) -> None:
    """Refit arena, camera and input loss."""
    _fit_arena(numbers, fights)
    _fit_camera(numbers, fights)
    _fit_drops(numbers, fights)


def _fit_arena(numbers: Numbers, fights: Sequence[Recording]) -> None:
    """Walls where bodies were held at one distance or stood farther out; the cliff between standing and falling."""
    table = numbers.table()
    arena, falls = table["arena"], []
    outer, edge, aside = [], [], []
    for fight in fights:
        falling = _first_fall(fight, table)
        for state in fight.states[:falling]:
            x, y = float(state["player_x_m"]), float(state["player_y_m"])
            radius, off = polar(arena, x, y)
            along, sideways = corridor_position(arena, x, y)
            margin = abs(off) - float(arena["open_half_width_rad"])
            if along > arena["wall_radius_m"] + _BEYOND_M:
                aside.append(abs(sideways))
            elif margin > _GUARD_RAD and not (along > 0.0 and abs(sideways) < arena["corridor_half_width_m"] + 1.0):
                outer.append(radius)
            elif margin < -_GUARD_RAD:
                edge.append(radius)
        if falling < len(fight.states):
            state = fight.states[falling]
            radius, off = polar(arena, float(state["player_x_m"]), float(state["player_y_m"]))
            falls += [radius] if abs(off) < float(arena["open_half_width_rad"]) else []
    _put_wall(numbers, "arena.wall_radius_m", np.array(outer))
    _put_wall(numbers, "arena.corridor_half_width_m", np.array(aside))
    if falls and edge:
        low, high = max(edge), max(min(falls), max(edge))
        now = numbers.value("arena.cliff_radius_m")
        numbers.put("arena.cliff_radius_m", float(np.clip(now, low, high)), (low, high), seen=len(falls))


def _first_fall(fight: Recording, table: np.void) -> int:
    shown = table["moves"]["shown"][table["ids"][P_FALL]]
    falling = np.flatnonzero(fight.states["player_animation"] == shown)
    return int(falling[0]) if len(falling) else len(fight.states)


def _put_wall(numbers: Numbers, path: str, seen: NDArray[np.float64]) -> None:
    """A wall stands where many were held, else at least as far out as anyone stood."""
    if not len(seen):
        return
    most = float(seen.max())
    held = int((seen > most - _SAME_M).sum())
    if held >= PRESSED:
        numbers.put(path, most, (most - _SAME_M, most + _SAME_M), seen=held)
    elif most > numbers.value(path):
        numbers.put(path, most, (most, most + 1.0), seen=held)


def _fit_camera(numbers: Numbers, fights: Sequence[Recording]) -> None:
    """Both gains by least squares: how far pivot and view went of the way they had to go."""
    rules = numbers.table()["rules"]
    went, wanted = (np.concatenate(parts) for parts in zip(*(_pivot_ways(f, rules) for f in fights), strict=True))
    turned, had_to = (np.concatenate(parts) for parts in zip(*(_view_turns(f, rules) for f in fights), strict=True))
    for key, (did, should) in {"pivot_gain": (went, wanted), "view_gain": (turned, had_to)}.items():
        if len(did) >= LEAST_STEPS:
            gain = float((did * should).sum() / (should**2).sum())
            error = float(np.sqrt(((did - gain * should) ** 2).mean() / (should**2).sum()))
            numbers.put(f"camera.{key}", gain, (gain - 2.0 * error, gain + 2.0 * error), seen=len(did), part="player")


def _pivots(states: NDArray, rules: np.void) -> NDArray[np.float64]:
    away = float(rules["camera_distance_m"])
    axes = [states[f"camera_{axis}_m"].astype(np.float64) + away * states[f"camera_n{axis}"] for axis in "xy"]
    return np.stack(axes, axis=1)


def _pivot_ways(fight: Recording, rules: np.void) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    states = fight.states
    pivots, player = _pivots(states, rules), np.stack([states["player_x_m"], states["player_y_m"]], axis=1)
    return np.diff(pivots, axis=0).ravel(), (player[1:] - pivots[:-1]).ravel()


def _view_turns(fight: Recording, rules: np.void) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    states, pivots = fight.states, _pivots(fight.states, rules)
    yaw = np.arctan2(states["camera_ny"], states["camera_nx"]).astype(np.float64)
    away = float(rules["camera_distance_m"])
    dx = states["boss_x_m"][1:] - pivots[1:, 0] + away * states["camera_nx"][:-1]
    dy = states["boss_y_m"][1:] - pivots[1:, 1] + away * states["camera_ny"][:-1]
    locked = (states["lock_on"][1:] == 1) & (states["lock_on"][:-1] == 1)
    wrapped = [(angle + np.pi) % (2.0 * np.pi) - np.pi for angle in (np.diff(yaw), np.arctan2(dy, dx) - yaw[:-1])]
    return wrapped[0][locked], wrapped[1][locked]


def _fit_drops(numbers: Numbers, fights: Sequence[Recording]) -> None:
    """Lost keys: valid rolls that did not start though nothing struck the player in the step."""
    arrived = [has_started for fight in fights for has_started in _rolls(fight, numbers.table())]
    if len(arrived) >= LEAST_STEPS:
        lost = len(arrived) - sum(arrived)
        numbers.put(
            "inputs.drop_odds", lost / len(arrived), wilson_interval(lost, len(arrived)), seen=lost, part="player"
        )


def _rolls(fight: Recording, table: np.void) -> Iterator[bool]:
    """Of each valid roll that no blow cut off, whether it started."""
    states, names = fight.states, table["ids"][[P_ROLL, P_ROLL2, P_RISE]].tolist()
    for step in range(1, _first_fall(fight, table)):
        action = int(fight.actions[step])
        is_valid = _FIRST_ROLL <= action <= _LAST_ROLL and fight.masks[step - 1, action]
        if is_valid and states["player_hp"][step] >= states["player_hp"][step - 1] and states["lock_on"][step]:
            yield int(states["player_animation"][step]) in names and states["player_animation_s"][step] < 0.1

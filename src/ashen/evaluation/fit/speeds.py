"""Speeds that are one number: the boss's walking and turning on the spot, the player's running, from recordings."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import REPORTED_STEP_S
from ashen.evaluation.fit.attacks import boss_steps, fit_turn_rate
from ashen.evaluation.fit.moves import was_accepted
from ashen.evaluation.recording import Recording, boss_script
from ashen.sim.records import (
    B_LEFT90,
    B_LEFT180,
    B_RIGHT90,
    B_RIGHT180,
    B_WALK,
    B_WALK_LEFT,
    B_WALK_RIGHT,
    FRAMES_PER_STEP,
    P_MOVE,
)

WAYS = ("walk_forward_m", "walk_left_m", "walk_right_m", "run_m")
TURNS = ("turn_rad", "tail_turn_rad")


def fit_speeds(rules: np.void, fights: Sequence[Recording], table: np.void, forget: bool) -> None:
    """Write into a RULES record the speeds a frame that the fights show: medians of ways, least squares of turns.

    Args:
        rules: the record.
        fights: recordings.
        table: the packed TABLE record, which tells when motions begin.
        forget: whether a speed that they do not show becomes zero, not what it was.
    """
    ways, turns = defaultdict(list), defaultdict(list)
    for fight in fights:
        for key, way_m in (*_boss_ways(fight, table), *_player_ways(fight, table)):
            ways[key].append(way_m)
        for key, pairs in _boss_turns(fight, table):
            turns[key].append(pairs)
    for key in WAYS:
        known = np.concatenate(ways[key])
        _write(rules, key, float(np.median(known)) / FRAMES_PER_STEP if len(known) else np.nan, forget)
    for key in TURNS:
        _write(rules, key, fit_turn_rate(*np.concatenate(turns[key], axis=1)), forget)


def _write(rules: np.void, key: str, value: float, forget: bool) -> None:
    if np.isfinite(value):
        rules[key] = value
    elif forget:
        rules[key] = 0.0


def _goes_on(shown: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Steps [T] that show the same name as the step before."""
    return np.diff(shown, prepend=-1) == 0


def _boss_ways(fight: Recording, table: np.void) -> Iterator[tuple[str, NDArray[np.float64]]]:
    shown, steps, ids = fight.states["boss_animation"], boss_steps(fight.states), table["ids"]
    for key, name, way_m in (
        ("walk_forward_m", B_WALK, steps.forward_m),
        ("walk_left_m", B_WALK_LEFT, steps.left_m),
        ("walk_right_m", B_WALK_RIGHT, -steps.left_m),
    ):
        yield key, way_m[_goes_on(shown) & (shown == ids[name])]


def _boss_turns(fight: Recording, table: np.void) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Turn towards the player and how far off he was, [2, K]: in turns on the spot, and before an attack's motion."""
    states, steps = fight.states, boss_steps(fight.states)
    shown = states["boss_animation"]
    names = table["ids"][[B_LEFT90, B_LEFT180, B_RIGHT90, B_RIGHT180]]
    began_f = states["boss_animation_s"] * FRAMES_PER_STEP / REPORTED_STEP_S - FRAMES_PER_STEP
    is_turn = np.isin(shown, names) & (began_f >= table["rules"]["turn_lead_f"])
    is_attack = table["attacks"]["name_end_f"][states["phase"] - 1, shown] > 0
    is_tail = is_attack & (boss_script(states, table).motion_f <= 0)
    for key, which in zip(TURNS, (is_turn, is_tail), strict=True):
        which = which & _goes_on(shown)
        yield key, np.array([steps.turned_rad[which], steps.off_rad[which]])


def _player_ways(fight: Recording, table: np.void) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Ways of the later steps of walks. Turns shorten most of them, so the speed is that of the longest few."""
    states = fight.states
    moves = states["player_animation"] == table["ids"][P_MOVE]
    runs = moves & np.array([was_accepted(fight, step, is_walk=True) for step in range(len(states))])
    way_m = np.hypot(np.diff(states["player_x_m"]), np.diff(states["player_y_m"])).astype(np.float64)
    later = way_m[runs[1:] & runs[:-1]]
    yield "run_m", later[later >= np.quantile(later, 0.97)] if len(later) else later

"""How fast the boss walks and turns on the spot."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import REPORTED_STEP_S, STEP_S
from ashen.evaluation.calibrate.numbers import Numbers
from ashen.evaluation.fit.attacks import TELLING_RAD, boss_steps, fit_turn_rate
from ashen.evaluation.recording import Recording, boss_script
from ashen.sim.records import (
    B_LEFT90,
    B_RIGHT90,
    B_WALK,
    B_WALK_LEFT,
    B_WALK_RIGHT,
    FRAMES_PER_S,
    FRAMES_PER_STEP,
)

LEAST_STEPS = 30
"""A speed is refitted if it was seen in at least so many steps."""
_WALKS = {
    "walk_forward_m_s": (B_WALK, "forward_m", 1.0),
    "walk_left_m_s": (B_WALK_LEFT, "left_m", 1.0),
    "walk_right_m_s": (B_WALK_RIGHT, "left_m", -1.0),
}


def fit_speeds(numbers: Numbers, fights: Sequence[Recording]) -> None:
    """Refit walking by medians, turning by least squares."""
    table = numbers.table()
    for key, (name, way, sign) in _WALKS.items():
        shown = int(table["ids"][name])
        speeds = np.concatenate([
            sign * getattr(boss_steps(fight.states), way)[_goes_on(fight) & (fight.states["boss_animation"] == shown)]
            for fight in fights
        ])
        if len(speeds) >= LEAST_STEPS:
            low, middle, high = np.quantile(speeds / STEP_S, (0.4, 0.5, 0.6))
            numbers.put(f"body.{key}", middle, (low, high), seen=len(speeds))
    _put_turn(numbers, "body.turn_deg_s", fights, [_quarter_turns(fight, table) for fight in fights])
    _put_turn(numbers, "body.tail_turn_deg_s", fights, [_before_motion(fight, table) for fight in fights])


def _goes_on(fight: Recording) -> NDArray[np.bool_]:
    """Steps [T] that show the same name as the step before."""
    return np.diff(fight.states["boss_animation"], prepend=-1) == 0


def _quarter_turns(fight: Recording, table: np.void) -> NDArray[np.bool_]:
    """Steps [T] of quarter turns once their dead time is over; half turns go at twice the rate."""
    names, lead_f = table["ids"][[B_LEFT90, B_RIGHT90]], int(table["rules"]["turn_lead_f"])
    begun = fight.states["boss_animation_s"] * FRAMES_PER_STEP / REPORTED_STEP_S - FRAMES_PER_STEP >= lead_f
    return np.isin(fight.states["boss_animation"], names) & begun & _goes_on(fight)


def _before_motion(fight: Recording, table: np.void) -> NDArray[np.bool_]:
    """Steps [T] that show an attack while the motion before it still runs."""
    states = fight.states
    is_attack = table["attacks"]["name_end_f"][states["phase"] - 1, states["boss_animation"]] > 0
    return is_attack & (boss_script(states, table).motion_f <= 0) & _goes_on(fight)


def _put_turn(numbers: Numbers, path: str, fights: Sequence[Recording], which: Sequence[NDArray[np.bool_]]) -> None:
    """Put a turn rate; it lies between those of the two halves of what was seen."""
    steps = [boss_steps(fight.states) for fight in fights]
    turned = np.concatenate([own.turned_rad[here] for own, here in zip(steps, which, strict=True)])
    off = np.concatenate([own.off_rad[here] for own, here in zip(steps, which, strict=True)])
    seen = int((off > TELLING_RAD).sum())
    if seen >= LEAST_STEPS:
        samples = (slice(None), slice(0, None, 2), slice(1, None, 2))
        rates = [float(np.degrees(fit_turn_rate(turned[part], off[part]))) * FRAMES_PER_S for part in samples]
        numbers.put(path, rates[0], (float(np.nanmin(rates)) - 2.5, float(np.nanmax(rates)) + 2.5), seen=seen)

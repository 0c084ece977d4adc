"""The recorded real fights, as FIGHT_STATE rows and as a script that tells a simulated boss what the real one did."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import FIGHT_STATE
from ashen.core.tables import data_file
from ashen.sim.forced import NO_NAME, frames_of_clock
from ashen.sim.records import FRAMES_PER_STEP

_CHAIN_SLACK_F = 9
"""An attack named this close to the moment its predecessor may chain on is taken for a link of the chain."""
_STATS = ("phase", "player_hp", "player_max_hp", "player_sp", "player_max_sp", "boss_hp", "boss_max_hp")
_SHOWN = ("player_animation", "boss_animation", "lock_on")


@dataclass(frozen=True)
class Recording:
    """One recorded fight.

    Args:
        states: FIGHT_STATE [T]; memory fields are empty.
        actions: [T]; ``actions[j]`` led to ``states[j]``, index 0 is a placeholder.
        masks: [T, 20] at ``states``.
    """

    states: NDArray[Any]
    actions: NDArray[np.int64]
    masks: NDArray[np.bool_]


@dataclass(frozen=True)
class BossScript:
    """What the boss did in each step of a recording, [T] each.

    Args:
        name: the animation that began in this step, NO_NAME if none.
        at_frame: before which of the step's three frames it began.
        delay_f: frames until its motion began, because the old motion still ran.
        motion_f: frames of its motion at the end of the step, negative before it begins.
    """

    name: NDArray[np.int64]
    at_frame: NDArray[np.int64]
    delay_f: NDArray[np.int64]
    motion_f: NDArray[np.int64]


def recorded_fights() -> list[Recording]:
    """The 699 recorded steps of two real fights (source S21 of ``data/ds3/sources.toml``)."""
    with np.load(data_file("ds3", "recorded_fights.npz")) as file:
        seen = {name: file[name] for name in file.files}
    rows = np.zeros(len(seen["fight"]), FIGHT_STATE)
    for name in (*_STATS, *_SHOWN):
        rows[name] = seen[name]
    for body in ("player", "boss"):
        rows[f"{body}_animation_s"] = seen[f"{body}_animation_duration"]
        for column, field in enumerate(("x_m", "y_m", "z_m", "yaw_rad")):
            rows[f"{body}_{field}"] = seen[f"{body}_pose"][:, column]
    for column, field in enumerate(("x_m", "y_m", "z_m", "nx", "ny", "nz")):
        rows[f"camera_{field}"] = seen["camera_pose"][:, column]
    fights = []
    for number in np.unique(seen["fight"]):
        which = seen["fight"] == number
        rows["step"][which] = np.arange(which.sum())
        fights.append(Recording(rows[which], seen["action"][which].astype(np.int64), seen["mask"][which]))
    return fights


def boss_script(states: NDArray[Any], table: np.void) -> BossScript:
    """Read from the shown names when each motion began, by the tables' tails and chains.

    Args:
        states: FIGHT_STATE [T] of one fight.
        table: the packed TABLE record, which tells how long motions last.
    """
    count = len(states)
    name, at_frame = np.full(count, NO_NAME), np.zeros(count, np.int64)
    delay_f, motion_f = np.zeros(count, np.int64), np.zeros(count, np.int64)
    motion, last_attack = 0, NO_NAME
    for step in range(1, count):
        shown = int(states["boss_animation"][step])
        is_new = shown != states["boss_animation"][step - 1]
        clock_f = min(FRAMES_PER_STEP, frames_of_clock(states["boss_animation_s"][step]))
        attacks = table["attacks"][int(states["phase"][step]) - 1]
        if is_new:
            at_name = motion + FRAMES_PER_STEP - clock_f
            name[step], at_frame[step] = shown, FRAMES_PER_STEP - clock_f
            if attacks[shown]["name_end_f"] > 0:
                delay_f[step] = _delay_f(attacks, last_attack, at_name)
                motion, last_attack = clock_f - delay_f[step], shown
            else:
                motion += FRAMES_PER_STEP
        else:
            motion += FRAMES_PER_STEP
        motion_f[step] = motion
    return BossScript(name, at_frame, delay_f, motion_f)


def _delay_f(attacks: NDArray[Any], last_attack: int, at_name_f: int) -> int:
    """Frames of the last attack's motion that still ran when the next was named; 0 for a link of its chain."""
    if last_attack == NO_NAME:
        return 0
    last = attacks[last_attack]
    if abs(at_name_f - int(last["combo_f"])) <= _CHAIN_SLACK_F:
        return 0
    return max(0, int(last["next_motion_f"]) - at_name_f)

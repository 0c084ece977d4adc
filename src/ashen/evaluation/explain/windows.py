"""A hit window of the boss in one frame: where the player stood, and whether and how it hit him."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from ashen.core.geometry import bearing_rad, distance_m, wrap
from ashen.evaluation.explain.events import Names
from ashen.sim.hits import is_hit_by
from ashen.sim.records import B_PARRIED, MODE_ATTACK, P_PARRY
from ashen.sim.trace import BlowTrace

HIT: Final = "hit"
GRABBED: Final = "grabbed"
PARRIED: Final = "parried"
HALF_PARRIED: Final = "half parried"
ROLLED: Final = "rolled"
OUT_OF_REACH: Final = "out of reach"
IN_DEAD_ZONE: Final = "inside the dead zone"
OUT_OF_ARC: Final = "out of arc"


@dataclass(frozen=True)
class Test:
    """One blow against one body in one frame.

    Args:
        clock_f: frame of the attack's motion or of the swing.
        away_m: distance between the centres.
        off_deg: angle off the middle of the shape.
        verdict: how it hit or why it missed.
        i_frame: which of how many safe frames of his move the body was in, if that saved it.
    """

    clock_f: int
    away_m: float
    off_deg: float
    verdict: str
    i_frame: tuple[int, int] | None = None


@dataclass(frozen=True)
class Shape:
    """Where and when a blow can hit.

    Args:
        what: the attack with its window, or the swing.
        frames: first frame, and the first after the last.
        reach_m: of centre distance.
        inner_m: dead zone, nearer than which it does not hit.
        half_arc_deg: to either side.
    """

    what: str
    frames: tuple[int, int]
    reach_m: float
    inner_m: float
    half_arc_deg: float

    def miss(self, away_m: float, off_deg: float) -> str:
        """Why a body outside the shape is outside it."""
        if away_m > self.reach_m:
            return OUT_OF_REACH
        if away_m < self.inner_m:
            return IN_DEAD_ZONE
        return OUT_OF_ARC if off_deg > self.half_arc_deg else ""


def tested(blow: BlowTrace, table: np.void, names: Names) -> tuple[Shape, Test] | None:
    """What a hit window was tested for in this frame; None if it is not open or has hit before.

    Args:
        blow: the window in this frame.
        table: the packed TABLE record.
        names: what things are called.
    """
    world, slot = blow.before, blow.slot
    attack = table["attacks"][world["phase"] - 1, world["attack"]]
    window = int(attack["hit_from_f"][slot]), int(attack["hit_to_f"][slot])
    if world["hits_done"] >> slot & 1 or not window[0] <= world["motion_f"] < window[1]:
        return None
    what = f"{names.boss(world['attack'])} window {slot + 1}"
    figures = float(attack["reach_m"][slot]), float(attack["inner_m"][slot])
    shape = Shape(what, window, *figures, math.degrees(attack["half_arc_rad"][slot]))
    away = distance_m(*(world[f"{body}_{axis}"] for body in ("boss", "player") for axis in "xy"))
    off = bearing_rad(*(world[key] for key in ("boss_x", "boss_y", "boss_yaw", "player_x", "player_y")))
    off_deg = abs(math.degrees(wrap(off - attack["bearing_rad"][slot])))
    move, i_frame = table["moves"][world["move"]], None
    if blow.has_landed:
        verdict = _landing(blow, table)
    elif not is_hit_by(world, attack, slot):
        verdict = shape.miss(away, off_deg)
    elif world["is_falling"]:
        verdict = "he falls"
    else:
        first, last = int(move["safe_from_f"]), int(move["safe_to_f"])
        verdict = ROLLED if move["rolling"] else f"invulnerable in {names.move(world['move'])}"
        i_frame = int(world["move_f"]) - first + 1, last - first
    return shape, Test(int(world["motion_f"]), away, off_deg, verdict, i_frame)


def _landing(blow: BlowTrace, table: np.void) -> str:
    """How a blow landed."""
    before, after = blow.before, blow.after
    if table["attacks"][before["phase"] - 1, before["attack"]]["is_throw"]:
        return GRABBED
    if after["name"] == table["ids"][B_PARRIED] and after["mode"] != MODE_ATTACK:
        return PARRIED
    goes_on = after["move"] == before["move"] == table["ids"][P_PARRY] and after["move_f"] == before["move_f"]
    return HALF_PARRIED if goes_on else HIT

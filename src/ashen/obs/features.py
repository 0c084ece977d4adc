"""Every quantity an encoder may show, by name, computed once a row. One list yields the record, its units and docs."""

import math
from typing import NamedTuple

import numpy as np

from ashen.core.arena import cliff_clearance_m, wall_clearance_m
from ashen.core.compiled import njit
from ashen.core.fight import LAST_ACTIONS, MAX_BOSS_ANIMATIONS
from ashen.core.geometry import wrap

NEAR_M = 3.0
"""Scale of ``nearness``, about the reach of both."""
ROLL_M = 3.5
"""How far off the four cliff probes lie, about one roll."""
NO_STRIKE_S, NO_STRIKE_M = 4.0, 10.0
"""What is shown while no hit is to come."""


class Feature(NamedTuple):
    """One named quantity of a FIGHT_STATE row."""

    name: str
    unit: str
    doc: str
    size: int = 1


_SHOWN = (
    Feature("phase", "", "boss phase, 1 or 2"),
    Feature("player_hp", "points", "player's hit points"),
    Feature("player_max_hp", "points", "player's full hit points"),
    Feature("player_sp", "points", "player's stamina, may be negative"),
    Feature("player_max_sp", "points", "player's full stamina"),
    Feature("boss_hp", "points", "boss's hit points"),
    Feature("boss_max_hp", "points", "boss's full hit points"),
    Feature("player_x_m", "m", "player's place, east"),
    Feature("player_y_m", "m", "player's place, north"),
    Feature("player_z_m", "m", "player's height"),
    Feature("player_yaw_rad", "rad", "player's yaw"),
    Feature("boss_x_m", "m", "boss's place, east"),
    Feature("boss_y_m", "m", "boss's place, north"),
    Feature("boss_z_m", "m", "boss's height"),
    Feature("boss_yaw_rad", "rad", "boss's yaw"),
    Feature("camera_x_m", "m", "camera's place, east"),
    Feature("camera_y_m", "m", "camera's place, north"),
    Feature("camera_z_m", "m", "camera's height"),
    Feature("camera_nx", "", "camera's view direction, east"),
    Feature("camera_ny", "", "camera's view direction, north"),
    Feature("camera_nz", "", "camera's view direction, up"),
    Feature("player_animation_s", "s", "reported clock of the player's animation"),
    Feature("boss_animation_s", "s", "reported clock of the boss's animation"),
    Feature("lock_on", "", "1 while the camera is locked on the boss"),
)
_DERIVED = (
    Feature("player_hp_share", "", "player's hit points, share of full"),
    Feature("player_sp_share", "", "player's stamina, share of full"),
    Feature("boss_hp_share", "", "boss's hit points, share of full"),
    Feature("distance_m", "m", "player to boss in the plane"),
    Feature("player_sin", "", "sine of the player's yaw"),
    Feature("player_cos", "", "cosine of the player's yaw"),
    Feature("boss_sin", "", "sine of the boss's yaw"),
    Feature("boss_cos", "", "cosine of the boss's yaw"),
    Feature("camera_sin", "", "sine of the camera's bearing, clockwise from north"),
    Feature("camera_cos", "", "cosine of the camera's bearing"),
)
_NAMES = (
    Feature("player_animation", "id", "player's animation, our id, -1 unknown"),
    Feature("boss_animation", "id", "boss's animation, our id, -1 unknown"),
    Feature("player_soulsgym", "id", "player's animation, SoulsGym's id, -1 where it has none"),
    Feature("boss_soulsgym", "id", "boss's animation, SoulsGym's id, -1 where it has none"),
    Feature("player_bin", "id", "SoulsAI's bin of the player's animation, -1 unknown"),
    Feature("boss_bin", "id", "SoulsAI's bin of the boss's animation, -1 unknown"),
)
_MEMORY = (
    Feature("boss_bin_s", "s", "boss's clock, running on over walks and turns"),
    Feature("previous_player_animation_s", "s", "clock at which the player's previous animation was last shown"),
    Feature("previous_boss_animation_s", "s", "clock at which the boss's previous animation was last shown"),
    Feature("previous_boss_attack", "id", "the boss's attack before the present animation, -1 none"),
    Feature("previous_boss_attack_since_s", "s", "time since that attack's name appeared"),
    Feature("boss_seen_since_s", "s", "time since this animation of the boss was last shown", MAX_BOSS_ANIMATIONS),
    Feature("last_actions", "id", "what the agent chose, newest first, -1 none", LAST_ACTIONS),
)
_GEOMETRY = (
    Feature("nearness", "", f"1 in contact, falling by e every {NEAR_M:g} m"),
    Feature("boss_ahead_m", "m", "boss in the player's frame, ahead"),
    Feature("boss_left_m", "m", "boss in the player's frame, left"),
    Feature("boss_ahead", "", "cosine of the boss's bearing from the player"),
    Feature("boss_left", "", "sine of the boss's bearing from the player"),
    Feature("player_ahead_m", "m", "player in the boss's frame, ahead"),
    Feature("player_left_m", "m", "player in the boss's frame, left"),
    Feature("player_ahead", "", "cosine of the player's bearing from the boss"),
    Feature("player_left", "", "sine of the player's bearing from the boss"),
    Feature("boss_view_ahead", "", "cosine of the boss's bearing from the player against the camera's view"),
    Feature("boss_view_left", "", "sine of the boss's bearing from the player against the camera's view"),
    Feature("player_view_ahead", "", "cosine of where the player faces against the camera's view"),
    Feature("player_view_left", "", "sine of where the player faces against the camera's view"),
    Feature("centre_view_ahead_m", "m", "arena's centre seen by the player, along the camera's view"),
    Feature("centre_view_left_m", "m", "arena's centre seen by the player, left of the camera's view"),
    Feature("player_centre_x_m", "m", "player's place from the arena's centre, east"),
    Feature("player_centre_y_m", "m", "player's place from the arena's centre, north"),
    Feature("height_m", "m", "player's height above the floor"),
    Feature("boss_height_m", "m", "boss's height above the player"),
    Feature("wall_m", "m", "player to the nearest wall"),
    Feature("cliff_m", "m", "player to the cliff's edge, negative beyond it"),
    Feature("cliff_ahead_m", "m", f"cliff's edge from {ROLL_M:g} m ahead in the camera's view"),
    Feature("cliff_right_m", "m", f"cliff's edge from {ROLL_M:g} m to the right in the camera's view"),
    Feature("cliff_back_m", "m", f"cliff's edge from {ROLL_M:g} m back in the camera's view"),
    Feature("cliff_left_m", "m", f"cliff's edge from {ROLL_M:g} m to the left in the camera's view"),
    Feature("free_attack_s", "s", "time until an attack is accepted"),
    Feature("free_roll_s", "s", "time until a roll is accepted"),
    Feature("free_move_s", "s", "time until walking is accepted"),
)
_STRIKE = (
    Feature("strike_in_s", "s", "time until the next hit of the boss's attack, 0 during it; by his table"),
    Feature("strike_over_in_s", "s", "time until that hit is over"),
    Feature("strike_room_m", "m", "how far the player is beyond that hit's reach"),
    Feature("strike_room_rad", "rad", "how far the player is beside that hit's arc"),
)

FEATURES = {feature.name: feature for feature in (*_SHOWN, *_DERIVED, *_NAMES, *_MEMORY, *_GEOMETRY, *_STRIKE)}
GEOMETRY = frozenset(feature.name for feature in (*_GEOMETRY, *_STRIKE))
"""The costly ones, computed only for encoders that show one of them."""
MEASURED = np.dtype([
    (f.name, np.float32, (f.size,)) if f.size > 1 else (f.name, np.float32) for f in FEATURES.values()
])
"""One record a row, all float32, so that it can also be read as a plain vector."""


def feature_index(name: str) -> int:
    """Where a feature stands in MEASURED read as a vector."""
    names = list(FEATURES)
    return sum(FEATURES[earlier].size for earlier in names[: names.index(name)])


@njit
def measure(row, facts, out):
    """Compute all features of a row.

    Args:
        row: FIGHT_STATE record with its memory filled in.
        facts: FACTS record; says whether GEOMETRY is wanted too.
        out: MEASURED record, changed in place.
    """
    _copy_shown(row, out)
    _derive(row, out)
    _name_animations(row, facts, out)
    _copy_memory(row, facts, out)
    if facts.with_geometry != 0:
        _relate(row, facts.arena, out)
        _probe_ground(row, facts.arena, out)
        _time_to_free(row, facts, out)
        _foresee_strike(row, facts, out)


@njit
def _copy_shown(row, out):
    out.phase = row.phase
    out.player_hp, out.player_max_hp = row.player_hp, row.player_max_hp
    out.player_sp, out.player_max_sp = row.player_sp, row.player_max_sp
    out.boss_hp, out.boss_max_hp = row.boss_hp, row.boss_max_hp
    out.player_x_m, out.player_y_m, out.player_z_m = row.player_x_m, row.player_y_m, row.player_z_m
    out.boss_x_m, out.boss_y_m, out.boss_z_m = row.boss_x_m, row.boss_y_m, row.boss_z_m
    out.player_yaw_rad, out.boss_yaw_rad = row.player_yaw_rad, row.boss_yaw_rad
    out.camera_x_m, out.camera_y_m, out.camera_z_m = row.camera_x_m, row.camera_y_m, row.camera_z_m
    out.camera_nx, out.camera_ny, out.camera_nz = row.camera_nx, row.camera_ny, row.camera_nz
    out.player_animation_s, out.boss_animation_s = row.player_animation_s, row.boss_animation_s
    out.lock_on = row.lock_on


@njit
def _derive(row, out):
    out.player_hp_share = row.player_hp / row.player_max_hp
    out.player_sp_share = row.player_sp / row.player_max_sp
    out.boss_hp_share = row.boss_hp / row.boss_max_hp
    dx, dy = row.boss_x_m - row.player_x_m, row.boss_y_m - row.player_y_m
    out.distance_m = math.sqrt(dx * dx + dy * dy)
    out.player_sin, out.player_cos = math.sin(row.player_yaw_rad), math.cos(row.player_yaw_rad)
    out.boss_sin, out.boss_cos = math.sin(row.boss_yaw_rad), math.cos(row.boss_yaw_rad)
    out.camera_cos, out.camera_sin = _unit(row.camera_ny, row.camera_nx)


@njit
def _name_animations(row, facts, out):
    out.player_animation, out.boss_animation = row.player_animation, row.boss_animation
    out.player_soulsgym = row.player_animation if row.player_animation < facts.player_known else -1
    out.boss_soulsgym = row.boss_animation if row.boss_animation < facts.boss_known else -1
    out.player_bin = facts.player_bin[row.player_animation] if row.player_animation >= 0 else -1
    out.boss_bin = facts.boss_bin[row.boss_animation] if row.boss_animation >= 0 else -1


@njit
def _copy_memory(row, facts, out):
    out.boss_bin_s = row.boss_bin_s
    out.previous_player_animation_s = row.previous_player_animation_s
    out.previous_boss_animation_s = row.previous_boss_animation_s
    out.previous_boss_attack = row.previous_boss_attack
    out.previous_boss_attack_since_s = row.previous_boss_attack_since_s
    if facts.with_seen != 0:
        for k in range(facts.boss_count):
            out.boss_seen_since_s[k] = row.boss_seen_since_s[k]
    for k in range(LAST_ACTIONS):
        out.last_actions[k] = row.last_actions[k]


@njit
def _unit(x, y):
    """The same direction with length 1; (1, 0) if it has none."""
    length = math.sqrt(x * x + y * y)
    if length < 1e-6:
        return 1.0, 0.0
    return x / length, y / length


@njit
def _relate(row, arena, out):
    """Where things stand, seen along a facing (fx, fy): ahead is d . f, left is d . (-fy, fx)."""
    dx, dy = row.boss_x_m - row.player_x_m, row.boss_y_m - row.player_y_m
    view_x, view_y = out.camera_sin, out.camera_cos
    facing_x, facing_y = -out.player_sin, -out.player_cos
    out.nearness = math.exp(-out.distance_m / NEAR_M)
    out.boss_ahead_m, out.boss_left_m = dx * facing_x + dy * facing_y, dy * facing_x - dx * facing_y
    out.boss_ahead, out.boss_left = _unit(out.boss_ahead_m, out.boss_left_m)
    out.player_ahead_m, out.player_left_m = dx * out.boss_sin + dy * out.boss_cos, dy * out.boss_sin - dx * out.boss_cos
    out.player_ahead, out.player_left = _unit(out.player_ahead_m, out.player_left_m)
    out.boss_view_ahead, out.boss_view_left = _unit(dx * view_x + dy * view_y, dy * view_x - dx * view_y)
    out.player_view_ahead = facing_x * view_x + facing_y * view_y
    out.player_view_left = facing_y * view_x - facing_x * view_y
    cx, cy = row.player_x_m - arena.center_x_m, row.player_y_m - arena.center_y_m
    out.player_centre_x_m, out.player_centre_y_m = cx, cy
    out.centre_view_ahead_m, out.centre_view_left_m = -cx * view_x - cy * view_y, cx * view_y - cy * view_x
    out.height_m = row.player_z_m - arena.floor_z_m
    out.boss_height_m = row.boss_z_m - row.player_z_m


@njit
def _probe_ground(row, arena, out):
    x, y = row.player_x_m, row.player_y_m
    ahead_x, ahead_y = ROLL_M * out.camera_sin, ROLL_M * out.camera_cos
    out.wall_m = wall_clearance_m(arena, x, y)
    out.cliff_m = cliff_clearance_m(arena, x, y)
    out.cliff_ahead_m = cliff_clearance_m(arena, x + ahead_x, y + ahead_y)
    out.cliff_right_m = cliff_clearance_m(arena, x + ahead_y, y - ahead_x)
    out.cliff_back_m = cliff_clearance_m(arena, x - ahead_x, y - ahead_y)
    out.cliff_left_m = cliff_clearance_m(arena, x - ahead_y, y + ahead_x)


@njit
def _time_to_free(row, facts, out):
    out.free_attack_s, out.free_roll_s, out.free_move_s = 0.0, 0.0, 0.0
    if row.player_animation >= 0:
        locks_s = facts.lock_s[row.player_animation]
        out.free_attack_s = max(0.0, locks_s[0] - row.player_animation_s)
        out.free_roll_s = max(0.0, locks_s[1] - row.player_animation_s)
        out.free_move_s = max(0.0, locks_s[2] - row.player_animation_s)


@njit
def _foresee_strike(row, facts, out):
    """The next hit of the shown animation. The boss's table knows it, whatever the fight's own varied numbers are."""
    out.strike_in_s, out.strike_over_in_s = NO_STRIKE_S, NO_STRIKE_S
    out.strike_room_m, out.strike_room_rad = NO_STRIKE_M, math.pi
    if row.boss_animation < 0:
        return
    strikes = facts.strikes[row.phase - 1, row.boss_animation]
    for slot in range(strikes.count):
        if row.boss_animation_s < strikes.to_s[slot]:
            off = math.atan2(out.player_left_m, out.player_ahead_m) - strikes.bearing_rad[slot]
            out.strike_in_s = max(0.0, strikes.from_s[slot] - row.boss_animation_s)
            out.strike_over_in_s = strikes.to_s[slot] - row.boss_animation_s
            out.strike_room_m = out.distance_m - strikes.reach_m[slot]
            out.strike_room_rad = abs(wrap(off)) - strikes.half_arc_rad[slot]
            return

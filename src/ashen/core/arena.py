"""The ground of a fight: a round floor, one sector open to a cliff, one corridor back to the fog wall.

The outline is a guess that the evidence bounds (see the boss's table). Compiled, shared by simulator and encoders.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.compiled import njit
from ashen.core.geometry import wrap
from ashen.core.tables import plain

ARENA = np.dtype([
    ("center_x_m", np.float64),
    ("center_y_m", np.float64),
    ("wall_radius_m", np.float64),
    ("cliff_radius_m", np.float64),
    ("open_angle_rad", np.float64),
    ("open_half_width_rad", np.float64),
    ("open_x", np.float64),
    ("open_y", np.float64),
    ("open_cos", np.float64),
    ("corridor_x", np.float64),
    ("corridor_y", np.float64),
    ("corridor_half_width_m", np.float64),
    ("corridor_end_m", np.float64),
    ("floor_z_m", np.float64),
    ("floor_rise_from_m", np.float64),
    ("floor_rise", np.float64),
    ("fall_z_m", np.float64),
])
"""Angles are mathematical, counter-clockwise from +x, about the centre; (open_x, open_y) and (corridor_x, corridor_y)
are unit vectors from the centre into the middle of the open sector and along the corridor; ``open_cos`` is the cosine
of the sector's half width, ``corridor_end_m`` is measured from the centre."""

NO_CLIFF_M = 1000.0
"""How far off the edge is where there is none: farther than any encoder shows."""


def make_arena(table: dict[str, Any]) -> NDArray[Any]:
    """Pack the ``[arena]`` part of a boss's table into an ARENA record, [1]."""
    values = plain(table)
    arena = np.zeros(1, ARENA)
    arena["center_x_m"], arena["center_y_m"] = values["center_m"]
    for name in set(ARENA.names or ()) & set(values):
        arena[name] = values[name]
    arena["open_angle_rad"] = math.radians(values["open_angle_deg"])
    arena["open_half_width_rad"] = math.radians(values["open_half_width_deg"])
    arena["open_x"], arena["open_y"] = np.cos(arena["open_angle_rad"]), np.sin(arena["open_angle_rad"])
    arena["open_cos"] = np.cos(arena["open_half_width_rad"])
    corridor = math.radians(values["corridor_angle_deg"])
    arena["corridor_x"], arena["corridor_y"] = math.cos(corridor), math.sin(corridor)
    return arena


def without_cliff(records: NDArray[Any]) -> NDArray[Any]:
    """A copy of records with a field ``arena``, in which the round wall goes on where the sector was open."""
    closed = records.copy()
    arena = closed["arena"]
    # Narrower than nothing: no direction lies in the sector, and no place in it is nearest to anything.
    arena["open_half_width_rad"], arena["open_cos"] = -0.5 * math.pi, np.inf
    arena["cliff_radius_m"] = NO_CLIFF_M
    return closed


@njit
def radius_m(arena, x, y):
    """Distance from the centre."""
    dx, dy = x - arena.center_x_m, y - arena.center_y_m
    return math.sqrt(dx * dx + dy * dy)


@njit
def polar(arena, x, y):
    """Distance from the centre and angle off the middle of the open sector."""
    angle = math.atan2(y - arena.center_y_m, x - arena.center_x_m)
    return radius_m(arena, x, y), wrap(angle - arena.open_angle_rad)


@njit
def corridor_position(arena, x, y):
    """Distance along the corridor from the arena's centre, and sideways from its middle line."""
    dx, dy = x - arena.center_x_m, y - arena.center_y_m
    return dx * arena.corridor_x + dy * arena.corridor_y, dy * arena.corridor_x - dx * arena.corridor_y


@njit
def floor_z_m(arena, x, y):
    """Height of the ground."""
    return arena.floor_z_m + arena.floor_rise * max(0.0, radius_m(arena, x, y) - arena.floor_rise_from_m)


@njit
def is_open(arena, x, y, radius):
    """Whether this place, ``radius`` from the centre, lies in the sector that ends at the cliff."""
    dx, dy = x - arena.center_x_m, y - arena.center_y_m
    return dx * arena.open_x + dy * arena.open_y >= radius * arena.open_cos


@njit
def is_in_corridor(arena, x, y):
    """Whether this place lies in the corridor or its continuation to the centre."""
    along, aside = corridor_position(arena, x, y)
    return 0.0 <= along <= arena.corridor_end_m and abs(aside) <= arena.corridor_half_width_m


@njit
def is_over_cliff(arena, x, y):
    """Whether there is no ground at this place."""
    radius = radius_m(arena, x, y)
    return radius > arena.cliff_radius_m and is_open(arena, x, y, radius)


@njit
def confine(arena, x, y, edge_m):
    """The nearest place inside the walls and at least ``edge_m`` before the cliff (negative lets a body step over it).

    Returns:
        x, y of that place.
    """
    radius, limit = radius_m(arena, x, y), arena.cliff_radius_m - edge_m
    if radius <= arena.wall_radius_m:
        return x, y
    if radius <= limit if is_open(arena, x, y, radius) else is_in_corridor(arena, x, y):
        return x, y
    return _nearest_inside(arena, x, y, limit)


@njit
def _nearest_inside(arena, x, y, limit):
    """The nearest of three places: in the round floor, in the open sector within ``limit``, in the corridor."""
    radius, off = polar(arena, x, y)
    shrink = min(1.0, arena.wall_radius_m / radius)
    best_x = arena.center_x_m + (x - arena.center_x_m) * shrink
    best_y = arena.center_y_m + (y - arena.center_y_m) * shrink
    best = (best_x - x) ** 2 + (best_y - y) ** 2
    half = arena.open_half_width_rad
    angle = arena.open_angle_rad + max(-half, min(half, off))
    reach = min(radius, limit) * (
        math.cos(off - max(-half, min(half, off))) if abs(off) < half + 0.5 * math.pi else 0.0
    )
    sector_x = arena.center_x_m + reach * math.cos(angle)
    sector_y = arena.center_y_m + reach * math.sin(angle)
    if (sector_x - x) ** 2 + (sector_y - y) ** 2 < best:
        best, best_x, best_y = (sector_x - x) ** 2 + (sector_y - y) ** 2, sector_x, sector_y
    along, aside = corridor_position(arena, x, y)
    along = max(0.0, min(arena.corridor_end_m, along))
    aside = max(-arena.corridor_half_width_m, min(arena.corridor_half_width_m, aside))
    c, s = arena.corridor_x, arena.corridor_y
    hall_x = arena.center_x_m + along * c - aside * s
    hall_y = arena.center_y_m + along * s + aside * c
    if (hall_x - x) ** 2 + (hall_y - y) ** 2 < best:
        best_x, best_y = hall_x, hall_y
    return best_x, best_y


@njit
def cliff_clearance_m(arena, x, y):
    """Distance to the cliff's edge, negative beyond it."""
    radius, off = polar(arena, x, y)
    half = arena.open_half_width_rad
    if abs(off) <= half:
        return arena.cliff_radius_m - radius
    corner = off - half if off > 0.0 else off + half
    edge = arena.cliff_radius_m
    return math.sqrt(radius * radius + edge * edge - 2.0 * radius * edge * math.cos(corner))


@njit
def wall_clearance_m(arena, x, y):
    """Distance to the nearest wall, 0 at it."""
    radius, off = polar(arena, x, y)
    along, aside = corridor_position(arena, x, y)
    hall = arena.corridor_half_width_m
    in_hall = along > 0.0 and abs(aside) < hall
    if radius > arena.wall_radius_m and in_hall:
        return max(0.0, min(hall - abs(aside), arena.corridor_end_m - along))
    half = arena.open_half_width_rad
    if abs(off) <= half:
        if radius > arena.wall_radius_m:
            return radius * math.sin(min(half - abs(off), 0.5 * math.pi))
        corner = half - abs(off)
        wall = arena.wall_radius_m
        return math.sqrt(radius * radius + wall * wall - 2.0 * radius * wall * math.cos(corner))
    if in_hall:
        mouth = math.sqrt(max(0.0, arena.wall_radius_m**2 - hall * hall))
        return math.sqrt((mouth - along) ** 2 + (hall - abs(aside)) ** 2)
    return max(0.0, arena.wall_radius_m - radius)

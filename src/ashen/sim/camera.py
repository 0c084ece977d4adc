"""The lock-on camera, whose view the movement keys are relative to: it lags behind player and boss."""

import math

from ashen.core.compiled import njit
from ashen.core.geometry import wrap

_SETTLE_STEPS = 20


@njit
def advance_camera(world, rules, boss_z):
    """One step (0.1 s): the pivot follows the player, the view turns towards the boss."""
    gain = rules.camera_pivot_gain
    world.pivot_x += gain * (world.player_x - world.pivot_x)
    world.pivot_y += gain * (world.player_y - world.pivot_y)
    world.pivot_z += gain * (world.player_z + rules.camera_pivot_height_m - world.pivot_z)
    if world.is_thrown:
        return
    dx = world.boss_x - world.pivot_x + rules.camera_distance_m * world.view_nx
    dy = world.boss_y - world.pivot_y + rules.camera_distance_m * world.view_ny
    dz = boss_z + rules.camera_target_height_m - world.pivot_z + rules.camera_distance_m * world.view_nz
    world.view_yaw += rules.camera_view_gain * wrap(math.atan2(dy, dx) - world.view_yaw)
    pitch = math.atan2(dz, math.sqrt(dx * dx + dy * dy))
    world.view_pitch += rules.camera_view_gain * (pitch - world.view_pitch)
    _point(world)


@njit
def _point(world):
    level = math.cos(world.view_pitch)
    world.view_nx, world.view_ny = level * math.cos(world.view_yaw), level * math.sin(world.view_yaw)
    world.view_nz = math.sin(world.view_pitch)


@njit
def settle_camera(world, rules, boss_z):
    """Put the camera where it comes to rest behind a player who stands still."""
    world.pivot_x, world.pivot_y = world.player_x, world.player_y
    world.pivot_z = world.player_z + rules.camera_pivot_height_m
    world.view_yaw = math.atan2(world.boss_y - world.player_y, world.boss_x - world.player_x)
    world.view_pitch = 0.0
    _point(world)
    for _ in range(_SETTLE_STEPS):
        advance_camera(world, rules, boss_z)

"""The boss's body, frame by frame: walking, turning, the motion of attacks, and the tail of the motion before."""

import math

from ashen.core.arena import confine
from ashen.core.compiled import njit
from ashen.core.geometry import distance_m
from ashen.sim.boss_ai import after_attack, attack_if_near, chain_on, decide, idle, player_bearing
from ashen.sim.records import (
    ACT_ATTACK,
    B_LEFT90,
    B_LEFT180,
    B_RIGHT90,
    B_RIGHT180,
    B_WALK,
    B_WALK_LEFT,
    B_WALK_RIGHT,
    MAX_STRETCHES,
    MODE_APPROACH,
    MODE_ATTACK,
    MODE_DECIDE,
    MODE_HELD,
    MODE_SIDE_WALK,
    MODE_TURN,
    MOTION_FRAMES,
)

_EDGE_M = 1.0
"""The boss never steps nearer to the cliff than this."""


@njit
def advance_boss(world, table):
    """One frame of the boss."""
    world.name_f += 1
    world.clock_f += 1
    if world.tail_f > 0:
        world.tail_f -= 1
    if world.mode == MODE_ATTACK:
        _advance_attack(world, table)
    elif world.mode == MODE_HELD:
        _advance_held(world, table)
    elif world.mode == MODE_SIDE_WALK:
        _advance_side_walk(world, table)
    elif world.tail_f == 0:
        if world.mode == MODE_TURN:
            _advance_turn(world, table)
        elif world.mode == MODE_APPROACH:
            _advance_approach(world, table)
    else:
        _turn(world, table.rules.tail_turn_rad)
    if world.mode == MODE_DECIDE:
        decide(world, table)
    world.boss_x, world.boss_y = confine(table.arena, world.boss_x, world.boss_y, _EDGE_M)


@njit
def _turn(world, limit_rad, dead_zone_rad=0.0):
    """Turn towards the player, by ``limit_rad`` at most, unless he stands within the dead zone."""
    off = player_bearing(world)
    if abs(off) > dead_zone_rad:
        world.boss_yaw -= max(-limit_rad, min(limit_rad, off))


@njit
def _move(world, forward_m, left_m):
    s, c = math.sin(world.boss_yaw), math.cos(world.boss_yaw)
    world.boss_x += -s * forward_m + c * left_m
    world.boss_y += -c * forward_m - s * left_m


@njit
def _show(world, name):
    if world.name != name:
        world.name, world.name_f = name, 0


@njit
def _advance_attack(world, table):
    """Root motion stretched to its target, turning windows, then the chain or the end."""
    attack = table.attacks[world.phase - 1, world.attack]
    world.motion_f += 1
    if world.motion_f <= 0:
        _turn(world, table.rules.tail_turn_rad)
        return
    frame = world.motion_f - 1
    if frame < MOTION_FRAMES:
        if attack.turn_rad[frame] > 0.0:
            _turn(world, attack.turn_rad[frame])
        _move(world, attack.forward_m[frame] * _stretch(world, attack, frame), attack.left_m[frame])
    if world.motion_f == attack.combo_f and chain_on(world, table):
        return
    if world.motion_f >= attack.name_end_f:
        world.tail_f = max(0, attack.next_motion_f - attack.name_end_f)
        after_attack(world, table)


@njit
def _stretch(world, attack, frame):
    """Scale of the forward motion in this frame; each window aims anew when it begins."""
    for slot in range(MAX_STRETCHES):
        if frame == attack.stretch_from_f[slot]:
            way = distance_m(world.boss_x, world.boss_y, world.player_x, world.player_y) - attack.standoff_m[slot]
            way = max(attack.stretch_least_m[slot], min(attack.stretch_most_m[slot], attack.stretch_share[slot] * way))
            world.stretch[slot] = way / max(1e-6, attack.stretch_natural_m[slot])
        if attack.stretch_from_f[slot] <= frame < attack.stretch_to_f[slot]:
            return world.stretch[slot]
    return 1.0


@njit
def _advance_held(world, table):
    world.mode_f -= 1
    if world.mode_f <= 0:
        idle(world, table)
        world.mode = MODE_DECIDE


@njit
def _advance_turn(world, table):
    """Turn on the spot: a dead time, then fast; afterwards go on with what the turn was for."""
    rules, ids = table.rules, table.ids
    off = player_bearing(world)
    if world.turn_f == 0:
        is_far = abs(off) > rules.turn_180_from_rad
        left, right = (ids[B_LEFT180], ids[B_RIGHT180]) if is_far else (ids[B_LEFT90], ids[B_RIGHT90])
        world.name, world.name_f = left if off > 0.0 else right, 0
    world.turn_f += 1
    if world.turn_f > rules.turn_lead_f:
        is_half_turn = world.name == ids[B_LEFT180] or world.name == ids[B_RIGHT180]
        _turn(world, rules.turn_rad * (2.0 if is_half_turn else 1.0))
    if world.turn_f >= rules.turn_end_f:
        world.turn_f = 0
        idle(world, table)
        world.mode = world.mode_after_turn
        world.mode_after_turn = MODE_DECIDE


@njit
def _must_turn_first(world, table, walk_name):
    """Whether a walk would start too far off the player: then the turn comes first."""
    if world.is_forced or world.name == walk_name or abs(player_bearing(world)) <= table.rules.turn_before_walk_rad:
        return False
    world.mode_after_turn, world.mode, world.turn_f = world.mode, MODE_TURN, 0
    return True


@njit
def _advance_approach(world, table):
    rules, ids = table.rules, table.ids
    if _must_turn_first(world, table, ids[B_WALK]):
        return
    _show(world, ids[B_WALK])
    _turn(world, rules.walk_turn_rad, rules.walk_dead_zone_rad)
    _move(world, rules.walk_forward_m, 0.0)
    world.mode_f -= 1
    if world.is_forced:
        return
    is_attack = table.acts[world.phase - 1, world.act].kind == ACT_ATTACK
    if is_attack and attack_if_near(world, table):
        return
    phase = table.phases[world.phase - 1]
    near = distance_m(world.boss_x, world.boss_y, world.player_x, world.player_y) - rules.surface_offset_m
    if world.mode_f <= 0 or (not is_attack and near <= phase.down_walk_to_m):
        world.mode = MODE_DECIDE


@njit
def _advance_side_walk(world, table):
    """The walk aside: counted from the name change, seen once the old motion is over."""
    rules, ids = table.rules, table.ids
    world.mode_f -= 1
    if world.mode_f <= 0:
        world.mode = MODE_DECIDE
        return
    if world.tail_f > 0:
        _turn(world, rules.tail_turn_rad)
        return
    name = ids[B_WALK_LEFT] if world.walk_side > 0 else ids[B_WALK_RIGHT]
    if _must_turn_first(world, table, name):
        return
    _show(world, name)
    _turn(world, rules.walk_turn_rad)
    _move(world, 0.0, rules.walk_left_m if world.walk_side > 0 else -rules.walk_right_m)

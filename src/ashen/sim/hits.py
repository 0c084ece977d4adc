"""Who hits whom: the sword's swing, the boss's hit windows, and what a hit does."""

import math

from ashen.core.compiled import njit
from ashen.core.geometry import bearing_rad, distance_m, wrap
from ashen.sim.player import start_move
from ashen.sim.records import (
    B_IDLE,
    B_PARRIED,
    B_STAGGER,
    B_THROW,
    MODE_HELD,
    NO_ATTACK,
    P_ADDITIVE,
    P_PARRY,
    P_RIPOSTE,
    P_THROWN,
)


@njit
def hold_boss(world, name, frames):
    """Take the boss's own will for some frames, showing the animation ``name``."""
    world.name, world.name_f = name, 0
    world.mode, world.mode_f = MODE_HELD, frames
    world.attack, world.tail_f = NO_ATTACK, 0


@njit
def swing_sword(world, table):
    """The player's hit window against the boss, once a swing."""
    rules, move = table.rules, table.moves[world.move]
    if world.sword_has_hit or not move.hit_from_f <= world.move_f < move.hit_to_f:
        return
    if distance_m(world.player_x, world.player_y, world.boss_x, world.boss_y) > rules.sword_reach_m:
        return
    off = bearing_rad(world.player_x, world.player_y, world.player_yaw, world.boss_x, world.boss_y)
    if abs(off) > rules.sword_half_arc_rad:
        return
    world.sword_has_hit = 1
    world.boss_hp = max(0.0, world.boss_hp - move.damage)
    world.poise -= move.poise_damage
    if world.poise <= 0.0 and (world.mode != MODE_HELD or world.name == table.ids[B_IDLE]):
        world.poise = rules.boss_poise
        hold_boss(world, table.ids[B_STAGGER], rules.stagger_f)


@njit
def is_hit_by(world, attack, slot):
    """Whether the player's centre is inside a hit's shape: a ring sector about the boss."""
    distance = distance_m(world.player_x, world.player_y, world.boss_x, world.boss_y)
    if not attack.inner_m[slot] <= distance <= attack.reach_m[slot]:
        return False
    off = bearing_rad(world.boss_x, world.boss_y, world.boss_yaw, world.player_x, world.player_y)
    return abs(wrap(off - attack.bearing_rad[slot])) <= attack.half_arc_rad[slot]


@njit
def strike(world, table, attack):
    """The boss's hit windows of this frame; each window hits once, after any invulnerability is over."""
    rules, ids = table.rules, table.ids
    for slot in range(attack.num_hits):
        if world.hits_done & (1 << slot) or not attack.hit_from_f[slot] <= world.motion_f < attack.hit_to_f[slot]:
            continue
        move = table.moves[world.move]
        if world.is_falling or move.safe_from_f <= world.move_f < move.safe_to_f or not is_hit_by(world, attack, slot):
            continue
        world.hits_done |= 1 << slot
        if attack.is_throw:
            _throw(world, ids, attack)
            return
        if world.move == ids[P_PARRY] and attack.parryable[slot] and _faces_boss(world, rules.parry_half_arc_rad):
            if rules.parry_window_f[0] <= world.move_f < rules.parry_window_f[1]:
                hold_boss(world, ids[B_PARRIED], rules.parry_stun_f)
                return
            if rules.partial_parry_from_f <= world.move_f < rules.parry_window_f[0]:
                world.player_hp = max(
                    0.0, world.player_hp - math.floor(attack.damage[slot] * rules.partial_parry_damage_rate)
                )
                world.stamina_halves = max(2 * rules.stamina_min, world.stamina_halves - rules.partial_parry_halves)
                continue
        _hurt(world, rules, move, ids, attack, slot)


@njit
def _faces_boss(world, half_arc_rad):
    off = bearing_rad(world.player_x, world.player_y, world.player_yaw, world.boss_x, world.boss_y)
    return abs(off) <= half_arc_rad


@njit
def _hurt(world, rules, move, ids, attack, slot):
    level = attack.level[slot]
    world.player_hp = max(0.0, world.player_hp - attack.damage[slot])
    dx, dy = world.player_x - world.boss_x, world.player_y - world.boss_y
    length = max(1e-6, math.sqrt(dx * dx + dy * dy))
    if move.rolling and level <= rules.additive_up_to_level:
        start_move(world, ids[P_ADDITIVE], attack.knockback_m[slot], dx / length, dy / length)
        return
    amplitude = attack.knockback_m[slot] + rules.reaction_own_m[level]
    start_move(world, rules.reaction_move[level], amplitude, dx / length, dy / length)


@njit
def _throw(world, ids, attack):
    hold_boss(world, ids[B_THROW], attack.throw_f)
    world.throw_damage, world.throw_damage_f = attack.throw_damage, attack.throw_damage_f
    world.is_thrown = 1
    start_move(world, ids[P_THROWN], 1.0, -math.sin(world.boss_yaw), -math.cos(world.boss_yaw))


@njit
def advance_throws(world, table):
    """Damage that falls due inside a throw: the boss's on the player, a riposte's on the boss."""
    if world.throw_damage_f > 0:
        world.throw_damage_f -= 1
        if world.throw_damage_f == 0:
            world.player_hp = max(0.0, world.player_hp - world.throw_damage)
    if world.riposte_damage_f > 0:
        world.riposte_damage_f -= 1
        if world.riposte_damage_f == 0:
            riposte = table.moves[table.ids[P_RIPOSTE]]
            world.boss_hp = max(0.0, world.boss_hp - riposte.damage)

"""The player's rules: which keys do something, what they start, and how a move runs frame by frame."""

import math

from ashen.core.arena import confine, is_over_cliff
from ashen.core.compiled import njit
from ashen.core.fight import HEAVY_ATTACK, LIGHT_ATTACK, NOTHING, PARRY, REPORTED_STEP_S
from ashen.core.geometry import bearing_rad, distance_m
from ashen.sim.records import (
    B_PARRIED,
    B_THROWN,
    FRAMES_PER_S,
    FRAMES_PER_STEP,
    MODE_HELD,
    MOTION_FRAMES,
    P_FALL,
    P_HEAVY1,
    P_HEAVY1_END,
    P_HEAVY2,
    P_IDLE,
    P_LIGHT1,
    P_LIGHT2,
    P_LIGHT3,
    P_LIGHT_STEP,
    P_MOVE,
    P_PARRY,
    P_RIPOSTE,
    P_RISE,
    P_ROLL,
    P_ROLL2,
)

_GRAVITY_M_PER_F2 = 9.81 / FRAMES_PER_S**2
_REPORTED_FRAME_S = REPORTED_STEP_S / FRAMES_PER_STEP


@njit
def shown_clock_s(world, rules, move):
    """The clock the game shows for the player's animation."""
    delay = rules.press_delay_s if move.pressed else 0.0
    return max(0.0, world.move_f * _REPORTED_FRAME_S - delay)


@njit
def is_valid(world, rules, move, action):
    """SoulsGym's rule: the animation's lock is over and, for all but walking, stamina is left."""
    if action == NOTHING:
        return True
    clock = shown_clock_s(world, rules, move)
    if action < 8:
        return clock >= move.lock_move_s
    if world.stamina_halves <= 1:
        return False
    return clock >= (move.lock_roll_s if action < 16 else move.lock_attack_s)


@njit
def start_move(world, move, amplitude, dir_x, dir_y):
    """Begin a move; ``amplitude`` scales its travel along (dir_x, dir_y)."""
    world.move = move
    world.move_f = 0
    world.amplitude = amplitude
    world.dir_x, world.dir_y = dir_x, dir_y
    world.is_running, world.run_x, world.run_y = 0, 0.0, 0.0
    world.sword_has_hit = 0


@njit
def press(world, table, action):
    """Take one action at the start of a step. An invalid one releases all keys and does nothing else."""
    rules, move, ids = table.rules, table.moves[world.move], table.ids
    was_running = world.is_running
    world.is_running = 0
    if action == NOTHING or world.is_falling or not is_valid(world, rules, move, action):
        return
    if action < 16:
        angle = world.view_yaw - (action % 8) * 0.25 * math.pi
        if action < 8:
            if not was_running:
                _start_walk(world, move, ids)
            world.dir_x, world.dir_y = math.cos(angle), math.sin(angle)
            world.is_running, world.still_f = 1, 0
        else:
            _roll(world, rules, move, ids, math.cos(angle), math.sin(angle))
        return
    facing_x, facing_y = -math.sin(world.player_yaw), -math.cos(world.player_yaw)
    if action == LIGHT_ATTACK:
        start_move(world, _light_attack(world, rules, move, ids), 1.0, facing_x, facing_y)
    elif action == HEAVY_ATTACK:
        heavy = P_HEAVY2 if world.move == ids[P_HEAVY1_END] else P_HEAVY1
        start_move(world, ids[heavy], 1.0, facing_x, facing_y)
    elif action == PARRY:
        start_move(world, ids[P_PARRY], 1.0, facing_x, facing_y)


@njit
def _start_walk(world, move, ids):
    """Break off a move: its speed is carried on, and full speed comes after its ramp."""
    world.run_f, world.ramp_f = 0, move.walk_ramp_f
    if world.move == ids[P_MOVE]:
        return
    speed = world.amplitude * move.travel[world.move_f] if world.move_f < MOTION_FRAMES else 0.0
    run_x, run_y = speed * world.dir_x, speed * world.dir_y
    was_resting = move.regen_from_f == 0 or world.move_f > move.regen_from_f
    start_move(world, ids[P_MOVE], 0.0, 0.0, 0.0)
    world.run_x, world.run_y, world.was_resting = run_x, run_y, was_resting


@njit
def _roll(world, rules, move, ids, dir_x, dir_y):
    if move.lying:
        start_move(world, ids[P_RISE], 1.0, dir_x, dir_y)
        return
    chained = world.since_roll_f <= rules.chain_roll_f
    world.rolled_second = 1 - world.rolled_second if chained else 0
    start_move(world, ids[P_ROLL2] if world.rolled_second else ids[P_ROLL], 1.0, dir_x, dir_y)
    world.since_roll_f = 0


@njit
def _light_attack(world, rules, move, ids):
    """Which move a light attack is: a riposte, out of a roll, or the next of its combo."""
    if world.name == ids[B_PARRIED] and world.mode == MODE_HELD and _can_riposte(world, rules):
        world.name, world.name_f, world.mode_f = ids[B_THROWN], 0, rules.riposte_f
        world.riposte_damage_f = rules.riposte_damage_f
        return ids[P_RIPOSTE]
    if move.rolling:
        return ids[P_LIGHT_STEP]
    if world.move == ids[P_LIGHT1]:
        return ids[P_LIGHT2]
    if world.move == ids[P_LIGHT2]:
        return ids[P_LIGHT3]
    return ids[P_LIGHT1]


@njit
def _can_riposte(world, rules):
    near = distance_m(world.player_x, world.player_y, world.boss_x, world.boss_y) <= rules.riposte_reach_m
    ahead = bearing_rad(world.boss_x, world.boss_y, world.boss_yaw, world.player_x, world.player_y)
    return near and abs(ahead) <= 0.5 * math.pi


@njit
def advance_player(world, table):
    """One frame of the player's move: travel, stamina, turning, what follows."""
    rules, move, ids = table.rules, table.moves[world.move], table.ids
    world.since_roll_f += 1
    if world.move == ids[P_MOVE]:
        _run(world, rules)
    elif world.move_f < MOTION_FRAMES:
        length = world.amplitude * move.travel[world.move_f]
        world.player_x += world.dir_x * length
        world.player_y += world.dir_y * length
    world.move_f += 1
    if world.move != ids[P_MOVE] or world.was_resting or world.move_f > 1:
        _spend_stamina(world, rules, move)
    if world.move == ids[P_IDLE] or world.move == ids[P_MOVE] or not move.turn_to_f < world.move_f < move.turn_again_f:
        off = bearing_rad(world.player_x, world.player_y, world.player_yaw, world.boss_x, world.boss_y)
        world.player_yaw -= max(-rules.player_turn_rad, min(rules.player_turn_rad, off))
    if world.move == ids[P_MOVE]:
        world.still_f = 0 if world.is_running else world.still_f + 1
        if world.still_f >= rules.move_name_f:
            start_move(world, ids[P_IDLE], 0.0, 0.0, 0.0)
    elif move.length_f > 0 and world.move_f >= move.length_f:
        start_move(world, move.next, world.amplitude, world.dir_x, world.dir_y)


@njit
def _run(world, rules):
    """Velocity follows the keys, or fades when they are released."""
    goal_x, goal_y, gain = 0.0, 0.0, rules.stop_gain
    if world.is_running:
        world.run_f += 1
        speed = rules.run_m * min(1.0, world.run_f / max(1, world.ramp_f))
        goal_x, goal_y, gain = speed * world.dir_x, speed * world.dir_y, rules.run_gain
    world.run_x += gain * (goal_x - world.run_x)
    world.run_y += gain * (goal_y - world.run_y)
    world.player_x += world.run_x
    world.player_y += world.run_y


@njit
def _spend_stamina(world, rules, move):
    if world.move_f == move.cost_f:
        world.stamina_halves = max(2 * rules.stamina_min, world.stamina_halves - move.cost_halves)
    if world.move_f > move.regen_from_f or move.regen_from_f == 0:
        world.stamina_halves = min(2 * rules.stamina_max, world.stamina_halves + rules.stamina_halves)


@njit
def keep_player_on_ground(world, table):
    """Walls hold the player, the cliff does not: he falls, and is dead below the fall height."""
    arena = table.arena
    if world.is_falling:
        world.fall_m_per_f += _GRAVITY_M_PER_F2
        world.player_z -= world.fall_m_per_f
        if world.player_z < arena.fall_z_m:
            world.player_hp = 0.0
        return
    world.player_x, world.player_y = confine(arena, world.player_x, world.player_y, -1000.0)
    if is_over_cliff(arena, world.player_x, world.player_y):
        world.is_falling, world.fall_m_per_f = 1, 0.0
        start_move(world, table.ids[P_FALL], 0.0, 0.0, 0.0)

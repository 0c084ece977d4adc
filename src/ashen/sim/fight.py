"""One fight: how it starts, one step of it, and what the game shows of it. The order of a frame stands here."""

import math

from ashen.core.arena import confine, floor_z_m
from ashen.core.compiled import njit
from ashen.core.fight import MAX_STEPS, REPORTED_STEP_S, Outcome
from ashen.core.geometry import distance_m, wrap, yaw_towards
from ashen.sim.boss_ai import step_aside
from ashen.sim.boss_body import advance_boss
from ashen.sim.camera import advance_camera, settle_camera
from ashen.sim.hits import advance_throws, strike, swing_sword
from ashen.sim.inputs import delivered, jitter, plug_in
from ashen.sim.player import advance_player, keep_player_on_ground, press, shown_clock_s, start_move
from ashen.sim.random import uniform, uniform_between
from ashen.sim.records import (
    B_IDLE,
    FRAMES_PER_STEP,
    MAX_ACTS,
    MODE_APPROACH,
    MODE_ATTACK,
    MODE_DECIDE,
    NO_ATTACK,
    P_IDLE,
    P_RISE,
    P_THROWN,
)

RUNNING, WIN, LOSS, TIMEOUT = (
    int(outcome) for outcome in (Outcome.RUNNING, Outcome.WIN, Outcome.LOSS, Outcome.TIMEOUT)
)
_REPORTED_FRAME_S = REPORTED_STEP_S / FRAMES_PER_STEP


@njit
def start_fight(world, table, first_phase, may_change_phase, random_start):
    """Put both bodies at their start. The stream of random numbers must be set."""
    rules, ids = table.rules, table.ids
    world.draws = 0
    world.outcome, world.step, world.is_forced = RUNNING, 0, 0
    world.phase, world.may_change_phase = first_phase, may_change_phase
    pose = int(uniform(world) * rules.num_player_poses) if random_start else 0
    world.player_x, world.player_y = rules.player_poses[pose, 0], rules.player_poses[pose, 1]
    world.player_yaw = rules.player_poses[pose, 3]
    world.player_z = floor_z_m(table.arena, world.player_x, world.player_y)
    world.player_hp, world.stamina_halves = rules.player_hp, 2 * rules.stamina_max
    start_move(world, ids[P_IDLE], 0.0, 0.0, 0.0)
    world.still_f, world.rolled_second = 0, 0
    world.since_roll_f = 10000
    world.is_falling, world.fall_m_per_f, world.is_thrown = 0, 0.0, 0
    world.throw_damage, world.throw_damage_f, world.riposte_damage_f = 0.0, 0, 0
    world.boss_x, world.boss_y, world.boss_yaw = rules.boss_pose[0], rules.boss_pose[1], rules.boss_pose[3]
    world.boss_hp, world.poise = rules.boss_hp, rules.boss_poise
    _start_boss(world, table)
    settle_camera(world, rules, floor_z_m(table.arena, world.boss_x, world.boss_y))
    plug_in(world, rules)


@njit
def _start_boss(world, table):
    """A reset teleports the boss while his AI runs on: he finishes some walk, some acts are still cooling."""
    rules = table.rules
    world.name, world.name_f = table.ids[B_IDLE], 0
    world.attack, world.motion_f, world.tail_f, world.hits_done = NO_ATTACK, 0, 0, 0
    world.clock_f = 0
    world.chain, world.link, world.turn_f, world.mode_after_turn = 0, 0, 0, MODE_DECIDE
    for act in range(MAX_ACTS):
        cooling = uniform(world) < rules.leftover_cooldown_odds
        most = table.acts[world.phase - 1, act].cooldown_f
        world.ready_f[act] = int(uniform(world) * most) if cooling else 0
    world.act = table.phases[world.phase - 1].walk_act
    life = uniform_between(world, rules.leftover_walk_f)
    draw = uniform(world)
    if draw < 0.5:
        world.mode, world.mode_f = MODE_APPROACH, int(life)
    else:
        step_aside(world, draw < 0.75, life)


@njit
def step_fight(world, table, action):
    """One agent step: the keys, then three frames, then what is seen once a step."""
    if world.outcome != RUNNING:
        return
    press(world, table, delivered(world, table.rules, action))
    for _ in range(FRAMES_PER_STEP):
        advance_frame(world, table)
        if world.player_hp <= 0.0:
            world.outcome = LOSS
            break
        if world.boss_hp <= 0.0:
            world.outcome = WIN
            break
    end_step(world, table)
    if world.outcome == RUNNING and world.step >= MAX_STEPS:
        world.outcome = TIMEOUT


@njit
def end_step(world, table):
    """Heights, camera and clocks, which nothing in a frame depends on."""
    if not world.is_falling:
        world.player_z = floor_z_m(table.arena, world.player_x, world.player_y)
    advance_camera(world, table.rules, floor_z_m(table.arena, world.boss_x, world.boss_y))
    jitter(world, table.rules)
    world.step += 1


@njit
def advance_frame(world, table):
    """One frame of both bodies: motion, contact, ground, hits, throws."""
    advance_boss(world, table)
    advance_player(world, table)
    _keep_apart(world, table)
    keep_player_on_ground(world, table)
    swing_sword(world, table)
    if world.mode == MODE_ATTACK and world.motion_f > 0:
        strike(world, table, table.attacks[world.phase - 1, world.attack])
    advance_throws(world, table)
    if world.is_thrown:
        _restore_lock_on(world, table)


@njit
def _keep_apart(world, table):
    """Bodies do not overlap: the boss pushes the player, and gives way only where a wall holds the player."""
    rules, arena = table.rules, table.arena
    if world.move == table.ids[P_THROWN] or world.is_falling:
        return
    if distance_m(world.boss_x, world.boss_y, world.player_x, world.player_y) >= rules.min_distance_m:
        return
    yaw = yaw_towards(world.player_x - world.boss_x, world.player_y - world.boss_y)
    out_x, out_y = -math.sin(yaw) * rules.min_distance_m, -math.cos(yaw) * rules.min_distance_m
    world.player_x, world.player_y = confine(arena, world.boss_x + out_x, world.boss_y + out_y, -1000.0)
    world.boss_x, world.boss_y = world.player_x - out_x, world.player_y - out_y


@njit
def _restore_lock_on(world, table):
    rules, ids = table.rules, table.ids
    is_rising = world.move == ids[P_RISE] and world.move_f < rules.lock_off_after_throw_f
    if world.move != ids[P_THROWN] and not is_rising:
        world.is_thrown = 0


@njit
def show_fight(world, table, state):
    """Write what the game shows into a FIGHT_STATE row; its memory fields stay untouched."""
    rules, arena = table.rules, table.arena
    move = table.moves[world.move]
    state.phase, state.step = world.phase, world.step
    state.player_hp, state.player_max_hp = math.floor(world.player_hp), rules.player_hp
    state.player_sp, state.player_max_sp = world.stamina_halves // 2, rules.stamina_max
    state.boss_hp, state.boss_max_hp = math.floor(world.boss_hp), rules.boss_hp
    state.player_x_m, state.player_y_m, state.player_z_m = world.player_x, world.player_y, world.player_z
    state.player_yaw_rad = wrap(world.player_yaw)
    state.boss_x_m, state.boss_y_m = world.boss_x, world.boss_y
    state.boss_z_m = floor_z_m(arena, world.boss_x, world.boss_y)
    state.boss_yaw_rad = wrap(world.boss_yaw)
    state.camera_nx, state.camera_ny, state.camera_nz = world.view_nx, world.view_ny, world.view_nz
    state.camera_x_m = world.pivot_x - rules.camera_distance_m * world.view_nx
    state.camera_y_m = world.pivot_y - rules.camera_distance_m * world.view_ny
    state.camera_z_m = world.pivot_z - rules.camera_distance_m * world.view_nz
    state.player_animation = move.shown
    state.player_animation_s = max(0.0, shown_clock_s(world, rules, move) + world.clock_off_s)
    state.boss_animation = world.name
    state.boss_animation_s = max(0.0, world.name_f * _REPORTED_FRAME_S + world.clock_off_s)
    state.lock_on = 0 if world.is_thrown else 1

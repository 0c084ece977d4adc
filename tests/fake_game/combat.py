"""The fight itself: our own simulator, frame by frame, under the flags that soulsgym sets in the game's memory.

All functions work in place on one WORLD, TABLE and FIGHT_STATE record each, in arrays of one.
"""

import math

from ashen.core.arena import floor_z_m
from ashen.core.compiled import njit
from ashen.core.fight import NOTHING
from ashen.sim.camera import settle_camera
from ashen.sim.fight import advance_frame, end_step, show_fight, start_fight
from ashen.sim.player import press
from ashen.sim.random import next_stream
from ashen.sim.records import FOREVER_F, MAX_LINKS, MODE_DECIDE, MODE_HELD

_SAME_PLACE_M = 1e-3


@njit
def start(worlds, tables, states, phase):
    """A fight of this phase begins, or is prepared at the bonfire: the simulator's own start."""
    start_fight(worlds[0], tables[0], phase, 1, 0)
    show_fight(worlds[0], tables[0], states[0])


@njit
def begin(worlds, tables, states):
    """The flags let the fight go: a new stream, the simulator's start, and the player where he was put."""
    world, table = worlds[0], tables[0]
    x, y, yaw = world.player_x, world.player_y, world.player_yaw
    world.stream = next_stream(world.stream)
    start_fight(world, table, world.phase, 1, 0)
    if abs(world.player_x - x) + abs(world.player_y - y) > _SAME_PLACE_M:
        world.player_x, world.player_y, world.player_yaw = x, y, yaw
        world.player_z = floor_z_m(table.arena, x, y)
        settle_camera(world, table.rules, floor_z_m(table.arena, world.boss_x, world.boss_y))
    show_fight(world, table, states[0])


@njit
def show(worlds, tables, states):
    """What the game shows, after something changed outside a frame."""
    show_fight(worlds[0], tables[0], states[0])


@njit
def _hold(world, no_attack, no_hit):
    """A boss that may not attack ends what he does and decides nothing; nobody can be hit."""
    if no_attack:
        world.is_forced, world.link = 1, MAX_LINKS
    elif world.is_forced:
        world.is_forced = 0
        if world.mode == MODE_HELD and world.mode_f > FOREVER_F // 2:
            world.mode = MODE_DECIDE
    if no_hit:
        world.hits_done, world.sword_has_hit = 3, 1
        world.throw_damage_f, world.riposte_damage_f = 0, 0


@njit
def frame(worlds, tables, states, action, no_attack, no_hit, no_move, no_death):
    """One frame of 1/30 s with the keys that are down now.

    Args:
        action: 0..19.
        no_attack: nobody attacks.
        no_hit: nobody is hit.
        no_move: nobody leaves his place.
        no_death: bit 0: the player keeps his last hit point, bit 1: so does the boss.
    """
    world, table = worlds[0], tables[0]
    _hold(world, no_attack, no_hit)
    x, y, yaw = world.player_x, world.player_y, world.player_yaw
    boss_x, boss_y, boss_yaw = world.boss_x, world.boss_y, world.boss_yaw
    hp, boss_hp = world.player_hp, world.boss_hp
    press(world, table, NOTHING if no_move else action)
    advance_frame(world, table)
    if no_move:
        world.player_x, world.player_y, world.player_yaw = x, y, yaw
        world.boss_x, world.boss_y, world.boss_yaw = boss_x, boss_y, boss_yaw
    # The simulator ends a fight where soulsgym sees a fall; the game's own ground for falling to death lies deeper.
    if world.is_falling and world.player_hp <= 0.0:
        world.player_hp = hp
    if no_death & 1 and world.player_hp <= 0.0 < hp:
        world.player_hp = 1.0
    if no_death & 2 and world.boss_hp <= 0.0 < boss_hp:
        world.boss_hp = 1.0
    show_fight(world, table, states[0])


@njit
def settle(worlds, tables, states, is_locked):
    """What the simulator does once a step: heights, camera, clocks. A free camera follows the player and looks on."""
    world, table = worlds[0], tables[0]
    is_thrown = world.is_thrown
    if not is_locked:
        world.is_thrown = 1
    end_step(world, table)
    world.is_thrown = is_thrown
    show_fight(world, table, states[0])


@njit
def look(worlds, tables, states, right_rad, up_rad):
    """Turn the free camera, and keep it behind the player."""
    world, rules = worlds[0], tables[0].rules
    world.view_yaw -= right_rad
    world.view_pitch = max(-1.2, min(1.2, world.view_pitch + up_rad))
    level = math.cos(world.view_pitch)
    world.view_nx, world.view_ny = level * math.cos(world.view_yaw), level * math.sin(world.view_yaw)
    world.view_nz = math.sin(world.view_pitch)
    world.pivot_x, world.pivot_y = world.player_x, world.player_y
    world.pivot_z = world.player_z + rules.camera_pivot_height_m
    show_fight(world, tables[0], states[0])

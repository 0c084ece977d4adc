"""A fight whose boss does what a recording did: for comparing the simulated motion with a recorded one."""

from typing import Any

import numpy as np

from ashen.core.compiled import njit
from ashen.core.fight import REPORTED_STEP_S
from ashen.sim.boss_ai import hold_idle, start_attack
from ashen.sim.fight import RUNNING, advance_frame, end_step
from ashen.sim.hits import hold_boss
from ashen.sim.player import press
from ashen.sim.records import (
    B_IDLE,
    B_LEFT90,
    B_LEFT180,
    B_RIGHT90,
    B_RIGHT180,
    B_WALK,
    B_WALK_LEFT,
    B_WALK_RIGHT,
    FOREVER_F,
    FRAMES_PER_STEP,
    MODE_APPROACH,
    MODE_DECIDE,
    MODE_SIDE_WALK,
    MODE_TURN,
)

NO_NAME = -1
_FRAMES_PER_REPORTED_S = FRAMES_PER_STEP / REPORTED_STEP_S


def frames_of_clock(clock_s: float, delay_s: float = 0.0) -> int:
    """Frames since an animation's name appeared, from its reported clock."""
    return round((clock_s + delay_s) * _FRAMES_PER_REPORTED_S)


def put_fight(world: np.void, table: np.void, state: np.void, moves_like: dict[str, Any]) -> None:
    """Put a started world where a FIGHT_STATE row stands, as far as the row tells.

    Args:
        world: WORLD record, started by ``start_fight``.
        table: its TABLE record.
        state: the FIGHT_STATE row.
        moves_like: what the row does not tell: ``dir_x``, ``dir_y``, ``amplitude`` of the player's move,
            ``since_roll_f``, his walk, and ``motion_f`` of the boss's attack.
    """
    world["is_forced"], world["phase"] = 1, state["phase"]
    for body in ("player", "boss"):
        world[f"{body}_x"], world[f"{body}_y"] = state[f"{body}_x_m"], state[f"{body}_y_m"]
        world[f"{body}_yaw"], world[f"{body}_hp"] = state[f"{body}_yaw_rad"], state[f"{body}_hp"]
    world["player_z"] = state["player_z_m"]
    world["stamina_halves"] = 2 * int(state["player_sp"])
    world["move"] = state["player_animation"]
    pressed = bool(table["moves"]["pressed"][world["move"]])
    delay_s = float(table["rules"]["press_delay_s"]) if pressed else 0.0
    world["move_f"] = frames_of_clock(state["player_animation_s"], delay_s)
    world["is_thrown"] = not state["lock_on"]
    for key, value in moves_like.items():
        world[key] = value
    rules = table["rules"]
    pitch = float(np.arcsin(np.clip(state["camera_nz"], -1.0, 1.0)))
    world["view_yaw"], world["view_pitch"] = np.arctan2(state["camera_ny"], state["camera_nx"]), pitch
    for axis in "xyz":
        world[f"view_n{axis}"] = state[f"camera_n{axis}"]
        world[f"pivot_{axis}"] = state[f"camera_{axis}_m"] + rules["camera_distance_m"] * state[f"camera_n{axis}"]
    motion_f = moves_like.get("motion_f", 0)
    force_act(world, table, int(state["boss_animation"]), -motion_f)
    world["motion_f"] = motion_f
    world["name_f"] = frames_of_clock(state["boss_animation_s"])
    if world["mode"] == MODE_TURN:
        world["turn_f"] = world["name_f"]


@njit
def force_act(world, table, name, delay_f):
    """Let the boss begin what the animation ``name`` shows; an attack's motion starts after ``delay_f`` frames."""
    ids = table.ids
    world.act = table.phases[world.phase - 1].walk_act
    if table.attacks[world.phase - 1, name].name_end_f > 0:
        start_attack(world, name, delay_f)
    elif name == ids[B_WALK]:
        world.mode, world.mode_f, world.name, world.name_f = MODE_APPROACH, FOREVER_F, name, 0
    elif name == ids[B_WALK_LEFT] or name == ids[B_WALK_RIGHT]:
        world.mode, world.mode_f, world.name, world.name_f = MODE_SIDE_WALK, FOREVER_F, name, 0
        world.walk_side = 1 if name == ids[B_WALK_LEFT] else -1
    elif name == ids[B_LEFT90] or name == ids[B_LEFT180] or name == ids[B_RIGHT90] or name == ids[B_RIGHT180]:
        world.mode, world.turn_f, world.mode_after_turn = MODE_TURN, 0, MODE_DECIDE
    elif name == ids[B_IDLE]:
        hold_idle(world, table, FOREVER_F)
    elif world.name != name:
        hold_boss(world, name, FOREVER_F)


@njit
def step_forced(world, table, action, name, at_frame, delay_f):
    """One step in which the boss's animation changes to ``name`` (NO_NAME: not) before frame ``at_frame``."""
    if world.outcome != RUNNING:
        return
    press(world, table, action)
    for frame in range(FRAMES_PER_STEP):
        if name != NO_NAME and frame == at_frame and world.name != name:
            force_act(world, table, name, delay_f)
        advance_frame(world, table)
    end_step(world, table)

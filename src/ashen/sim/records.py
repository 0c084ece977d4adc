"""The records the rules run on: packed tables, and the world of one fight with all that only the simulator knows.

Times ending in ``_f`` are whole frames of 1/30 s.
"""

from typing import Final

import numpy as np

from ashen.core.arena import ARENA
from ashen.core.fight import MAX_BOSS_ANIMATIONS, MAX_HITS

FRAMES_PER_STEP: Final = 3
FRAMES_PER_S: Final = 30
MOTION_FRAMES: Final = 190
"""Longest root motion kept, 6.3 s; a body stands still after it."""
FOREVER_F: Final = 1_000_000
MAX_STRETCHES: Final = 2
MAX_ACTS: Final = 16
MAX_CHAINS: Final = 4
MAX_LINKS: Final = 3
NO_ATTACK: Final = -1

SIDE_ANY, SIDE_LEFT, SIDE_RIGHT = 0, 1, 2
ACT_ATTACK, ACT_TURN, ACT_WALK = 0, 1, 2
MODE_DECIDE, MODE_APPROACH, MODE_SIDE_WALK, MODE_TURN, MODE_ATTACK, MODE_HELD = range(6)
"""What the boss is doing. HELD: nothing of his own (throwing, staggered, parried) until ``mode_f`` frames are over."""
LEVELS: Final = ("None", "Small", "Middle", "Large", "ExLarge", "Push", "Fling", "SmallBlow", "Upper")

RULES: Final = np.dtype([
    # boss
    ("boss_hp", np.float64),
    ("boss_poise", np.float64),
    ("min_distance_m", np.float64),
    ("surface_offset_m", np.float64),
    ("walk_forward_m", np.float64),  # a frame
    ("walk_left_m", np.float64),
    ("walk_right_m", np.float64),
    ("walk_turn_rad", np.float64),  # a frame
    ("walk_dead_zone_rad", np.float64),
    ("turn_before_walk_rad", np.float64),
    ("turn_180_from_rad", np.float64),
    ("turn_lead_f", np.int64),
    ("turn_end_f", np.int64),
    ("turn_rad", np.float64),  # a frame
    ("tail_turn_rad", np.float64),
    ("leftover_walk_f", np.float64, (2,)),
    ("leftover_cooldown_odds", np.float64),
    ("phase_change_hp", np.float64),
    ("stagger_f", np.int64),
    ("parry_stun_f", np.int64),
    ("riposte_f", np.int64),
    ("riposte_damage_f", np.int64),
    ("riposte_reach_m", np.float64),
    ("player_down_weight", np.float64),
    # player
    ("player_hp", np.float64),
    ("stamina_max", np.int64),
    ("stamina_min", np.int64),
    ("stamina_halves", np.int64),  # regained a frame, in half points
    ("run_m", np.float64),  # a frame
    ("run_gain", np.float64),  # share of the way to the wanted velocity a frame
    ("stop_gain", np.float64),  # the same once the keys are released
    ("player_turn_rad", np.float64),  # a frame
    ("press_delay_s", np.float64),
    ("chain_roll_f", np.int64),
    ("move_name_f", np.int64),
    ("additive_up_to_level", np.int64),
    ("parry_window_f", np.int64, (2,)),
    ("parry_half_arc_rad", np.float64),
    ("partial_parry_from_f", np.int64),
    ("partial_parry_damage_rate", np.float64),
    ("partial_parry_halves", np.int64),
    ("lock_off_after_throw_f", np.int64),
    ("sword_reach_m", np.float64),
    ("sword_half_arc_rad", np.float64),
    ("reaction_move", np.int64, (len(LEVELS),)),
    ("reaction_own_m", np.float64, (len(LEVELS),)),
    # camera
    ("camera_distance_m", np.float64),
    ("camera_pivot_gain", np.float64),
    ("camera_view_gain", np.float64),
    ("camera_pivot_height_m", np.float64),
    ("camera_target_height_m", np.float64),
    # what a real machine does to keys and clocks
    ("late_odds", np.float64),
    ("drop_odds", np.float64),
    ("clock_jitter_s", np.float64),
    # start
    ("boss_pose", np.float64, (4,)),
    ("player_poses", np.float64, (11, 4)),
    ("num_player_poses", np.int64),
])
"""Everything that is one number."""

MOVE: Final = np.dtype([
    ("shown", np.int64),  # the animation id the game shows
    ("length_f", np.int64),  # 0: lasts
    ("next", np.int64),  # move that follows
    ("lock_attack_s", np.float64),
    ("lock_roll_s", np.float64),
    ("lock_move_s", np.float64),
    ("pressed", np.int64),  # started by a key: the shown clock lags by the press delay
    ("rolling", np.int64),
    ("lying", np.int64),
    ("walk_ramp_f", np.int64),  # a walk that breaks it off takes this long to full speed
    ("regen_from_f", np.int64),
    ("safe_from_f", np.int64),  # cannot be hit from this frame ...
    ("safe_to_f", np.int64),  # ... up to but not including this one
    ("cost_halves", np.int64),
    ("cost_f", np.int64),
    ("hit_from_f", np.int64),
    ("hit_to_f", np.int64),
    ("damage", np.float64),
    ("poise_damage", np.float64),
    ("turn_to_f", np.int64),
    ("turn_again_f", np.int64),
    ("travel", np.float64, (MOTION_FRAMES,)),  # a frame
])
"""The player's moves: ids of the player's vocabulary, then moves that show another's name."""

ATTACK: Final = np.dtype([
    ("name_end_f", np.int64),
    ("next_motion_f", np.int64),
    ("combo_f", np.int64),
    ("num_hits", np.int64),
    ("hit_from_f", np.int64, (MAX_HITS,)),
    ("hit_to_f", np.int64, (MAX_HITS,)),
    ("reach_m", np.float64, (MAX_HITS,)),
    ("inner_m", np.float64, (MAX_HITS,)),
    ("half_arc_rad", np.float64, (MAX_HITS,)),
    ("bearing_rad", np.float64, (MAX_HITS,)),
    ("damage", np.float64, (MAX_HITS,)),
    ("knockback_m", np.float64, (MAX_HITS,)),
    ("level", np.int64, (MAX_HITS,)),
    ("parryable", np.int64, (MAX_HITS,)),
    ("is_throw", np.int64),
    ("throw_damage", np.float64),
    ("throw_damage_f", np.int64),
    ("throw_f", np.int64),
    ("stretch_from_f", np.int64, (MAX_STRETCHES,)),
    ("stretch_to_f", np.int64, (MAX_STRETCHES,)),
    ("stretch_natural_m", np.float64, (MAX_STRETCHES,)),
    ("stretch_share", np.float64, (MAX_STRETCHES,)),
    ("stretch_least_m", np.float64, (MAX_STRETCHES,)),
    ("stretch_most_m", np.float64, (MAX_STRETCHES,)),
    ("standoff_m", np.float64, (MAX_STRETCHES,)),
    ("forward_m", np.float32, (MOTION_FRAMES,)),  # a frame
    ("left_m", np.float32, (MOTION_FRAMES,)),
    ("turn_rad", np.float32, (MOTION_FRAMES,)),
])
"""The boss's attacks, [2, B] by phase and boss animation id."""

ACT: Final = np.dtype([
    ("kind", np.int64),
    ("approach_m", np.float64),
    ("approach_life_f", np.int64),
    ("cooldown_f", np.int64),
    ("weight_factor", np.float64),
    ("after_move_odds", np.float64),
    ("num_chains", np.int64),
    ("chain_odds", np.float64, (MAX_CHAINS,)),
    ("chain", np.int64, (MAX_CHAINS, MAX_LINKS)),
    ("within_m", np.float64, (MAX_CHAINS, MAX_LINKS)),
])
"""What the boss's AI may decide to do, [2, MAX_ACTS]."""

DECISION: Final = np.dtype([
    ("side", np.int64),
    ("bearing_from_rad", np.float64),
    ("bearing_to_rad", np.float64),
    ("distance_from_m", np.float64),
    ("distance_to_m", np.float64),
    ("weights", np.float64, (MAX_ACTS,)),
])
"""The weighted draws, first rule that fits decides, [2, MAX_DECISIONS]; unused rows have an empty distance band."""

PHASE: Final = np.dtype([
    ("after_near_m", np.float64),
    ("after_near_f", np.float64, (2,)),
    ("after_far_f", np.float64, (2,)),
    ("down_walk_to_m", np.float64),
    ("down_walk_f", np.float64, (2,)),
    ("walk_act", np.int64),
])
"""What is left of a phase, [2]."""

MAX_MOVES: Final = 64
MAX_DECISIONS: Final = 12
MAX_IDS: Final = 32

TABLE: Final = np.dtype(
    [
        ("rules", RULES),
        ("arena", ARENA),
        ("moves", MOVE, (MAX_MOVES,)),
        ("attacks", ATTACK, (2, MAX_BOSS_ANIMATIONS)),
        ("acts", ACT, (2, MAX_ACTS)),
        ("decisions", DECISION, (2, MAX_DECISIONS)),
        ("phases", PHASE, (2,)),
        ("ids", np.int64, (MAX_IDS,)),
    ],
    align=True,
)
"""Everything about one boss and his player. One record, of one shape for every boss: rules get a pointer to it, and
nothing is counted or copied on the way. ``ids`` are the ids that the rules name, see :data:`IDS`."""

WORLD: Final = np.dtype([
    ("stream", np.uint64),
    ("draws", np.uint64),
    ("variant", np.int64),  # row of the pool
    ("outcome", np.int64),
    ("step", np.int64),
    ("phase", np.int64),
    ("may_change_phase", np.int64),
    ("is_forced", np.int64),  # the boss does what a recording did, nothing of his own
    # player
    ("player_x", np.float64),
    ("player_y", np.float64),
    ("player_z", np.float64),
    ("player_yaw", np.float64),
    ("player_hp", np.float64),
    ("stamina_halves", np.int64),
    ("move", np.int64),
    ("move_f", np.int64),
    ("amplitude", np.float64),
    ("dir_x", np.float64),
    ("dir_y", np.float64),
    ("is_running", np.int64),
    ("run_x", np.float64),  # metres a frame
    ("run_y", np.float64),
    ("run_f", np.int64),  # since the walking keys were pressed
    ("ramp_f", np.int64),
    ("was_resting", np.int64),  # stamina was coming back when the walk began
    ("still_f", np.int64),
    ("since_roll_f", np.int64),
    ("rolled_second", np.int64),
    ("sword_has_hit", np.int64),
    ("is_thrown", np.int64),
    ("fall_m_per_f", np.float64),
    ("is_falling", np.int64),
    # boss
    ("boss_x", np.float64),
    ("boss_y", np.float64),
    ("boss_yaw", np.float64),
    ("boss_hp", np.float64),
    ("poise", np.float64),
    ("name", np.int64),
    ("name_f", np.int64),
    ("mode", np.int64),
    ("mode_f", np.int64),
    ("tail_f", np.int64),
    ("turn_f", np.int64),
    ("mode_after_turn", np.int64),
    ("act", np.int64),
    ("chain", np.int64),
    ("link", np.int64),
    ("attack", np.int64),
    ("motion_f", np.int64),
    ("hits_done", np.int64),
    ("walk_side", np.int64),
    ("stretch", np.float64, (MAX_STRETCHES,)),
    ("clock_f", np.int64),
    ("ready_f", np.int64, (MAX_ACTS,)),
    ("throw_damage", np.float64),
    ("throw_damage_f", np.int64),
    ("riposte_damage_f", np.int64),
    # camera
    ("pivot_x", np.float64),
    ("pivot_y", np.float64),
    ("pivot_z", np.float64),
    ("view_yaw", np.float64),
    ("view_pitch", np.float64),
    ("view_nx", np.float64),  # the same as a unit vector
    ("view_ny", np.float64),
    ("view_nz", np.float64),
    # inputs
    ("is_late", np.int64),
    ("pending", np.int64),  # the action of a late fight's step before
    ("clock_off_s", np.float64),
])
"""One fight, with all that the game does not show."""


IDS: Final = (
    "Idle", "Move", "RollingMedium", "RollingMediumSelftra", "AttackRightLight1", "AttackRightLight2",
    "AttackRightLight3", "AttackRightLightStep", "AttackRightHeavy1Sta", "AttackRightHeavy1End",
    "AttackRightHeavy2Sta", "AttackRightHeavy2End", "ParryLeftStart", "AddDamageStartFront", "ThrowAtk", "ThrowDef",
    "EStepDown", "FallStart",
)  # fmt: skip
"""Player moves the rules name; ``TABLE.ids`` holds their indices in this order, then those of :data:`BOSS_IDS`."""
BOSS_IDS: Final = (
    "ThrowAtk", "ThrowDef", "WalkFrontBattle", "WalkLeftBattle", "WalkRightBattle", "IdleBattle", "TurnBattle_Right90",
    "TurnBattle_Right180", "TurnBattle_Left90", "TurnBattle_Left180", "SABreak", "DamageParryEnemy1", "Attack1500",
)  # fmt: skip

(
    P_IDLE, P_MOVE, P_ROLL, P_ROLL2, P_LIGHT1, P_LIGHT2, P_LIGHT3, P_LIGHT_STEP, P_HEAVY1, P_HEAVY1_END, P_HEAVY2,
    P_HEAVY2_END, P_PARRY, P_ADDITIVE, P_RIPOSTE, P_THROWN, P_RISE, P_FALL,
) = range(len(IDS))  # fmt: skip
(
    B_THROW, B_THROWN, B_WALK, B_WALK_LEFT, B_WALK_RIGHT, B_IDLE, B_RIGHT90, B_RIGHT180, B_LEFT90, B_LEFT180, B_STAGGER,
    B_PARRIED, B_CHANGE,
) = range(len(IDS), len(IDS) + len(BOSS_IDS))  # fmt: skip

"""FIGHT_STATE: what the game shows of a fight, one record a fight, and the words around it.

Everything that produces or reads a fight goes through this record: the simulator's kernel and the game adapter write
it; encoders, rewards, the recorder, films and tests read it. It never holds what only a simulator knows.
"""

from enum import IntEnum
from typing import Final

import numpy as np

STEP_S: Final = 0.1
"""Game time of one step, in seconds."""
REPORTED_STEP_S: Final = 0.097
"""What the game's own timer, and so every observed animation clock, grows by in a step."""
MAX_STEPS: Final = 3000
"""A fight is cut off (TIMEOUT) after this many steps."""
GAME_SPEEDS: Final = (1.0, 3.0)
"""How many times faster than real the game may run; above, a PC that draws 60 pictures a second makes longer steps."""
GAME_TABLES: Final = "game"
"""Table hash of fights on the real game, whose numbers no table holds."""
NEVER_S: Final = 30.0
"""Cap of every "time since" clock; also stands for never."""
MAX_BOSS_ANIMATIONS: Final = 48
NUM_PHASES: Final = 2
MAX_HITS: Final = 2
"""Hit windows in one attack."""
LAST_ACTIONS: Final = 4
UNKNOWN_ANIMATION: Final = -1
NO_ACTION: Final = -1

_DIRECTIONS = ("forward", "forward_right", "right", "back_right", "back", "back_left", "left", "forward_left")
ACTION_NAMES: Final = (
    *(f"walk_{d}" for d in _DIRECTIONS),
    *(f"roll_{d}" for d in _DIRECTIONS),
    "light_attack",
    "heavy_attack",
    "parry",
    "nothing",
)
NUM_ACTIONS: Final = len(ACTION_NAMES)
LIGHT_ATTACK, HEAVY_ATTACK, PARRY, NOTHING = range(16, 20)

ACTION_SETS: Final = {
    "all": ACTION_NAMES,
    "diary16": (*ACTION_NAMES[:8], *ACTION_NAMES[8:16:2], *ACTION_NAMES[16:]),
    "diary15": (*ACTION_NAMES[:8], *ACTION_NAMES[8:16:2], *ACTION_NAMES[16:19]),
    "no_shield": tuple(name for name in ACTION_NAMES if name != "parry"),
}
"""Named subsets of the 20 actions. "No shield" in the diary's sense is a set of actions: all but parry."""


class Outcome(IntEnum):
    """How a fight stands. WIN and LOSS terminate, TIMEOUT truncates, FAULT is dropped from learning."""

    RUNNING = 0
    WIN = 1
    LOSS = 2
    TIMEOUT = 3
    FAULT = 4


FIGHT_STATE: Final = np.dtype(
    [
        ("phase", np.int32),
        ("step", np.int32),
        ("player_hp", np.float32),
        ("player_max_hp", np.float32),
        ("player_sp", np.float32),
        ("player_max_sp", np.float32),
        ("boss_hp", np.float32),
        ("boss_max_hp", np.float32),
        ("player_x_m", np.float32),
        ("player_y_m", np.float32),
        ("player_z_m", np.float32),
        ("player_yaw_rad", np.float32),
        ("boss_x_m", np.float32),
        ("boss_y_m", np.float32),
        ("boss_z_m", np.float32),
        ("boss_yaw_rad", np.float32),
        ("camera_x_m", np.float32),
        ("camera_y_m", np.float32),
        ("camera_z_m", np.float32),
        ("camera_nx", np.float32),
        ("camera_ny", np.float32),
        ("camera_nz", np.float32),
        ("player_animation", np.int32),
        ("player_animation_s", np.float32),
        ("boss_animation", np.int32),
        ("boss_animation_s", np.float32),
        ("lock_on", np.int32),
        # Memory: computed from the fields above by ashen.obs.memory, the same way for simulator and game.
        ("previous_player_animation", np.int32),
        ("previous_player_animation_s", np.float32),
        ("previous_boss_animation", np.int32),
        ("previous_boss_animation_s", np.float32),
        ("previous_boss_attack", np.int32),
        ("previous_boss_attack_since_s", np.float32),
        ("boss_bin_offset_s", np.float32),
        ("boss_bin_s", np.float32),
        ("last_actions", np.int32, (LAST_ACTIONS,)),
        ("boss_seen_since_s", np.float32, (MAX_BOSS_ANIMATIONS,)),
    ],
    align=True,
)
"""One record a fight.

What the game shows: ``phase`` 1 or 2; ``step`` since the fight began; hit and stamina points (whole numbers, stamina
may be negative); poses in metres and radians (a body with yaw ``a`` faces ``(-sin a, -cos a)``; the camera looks along
``(nx, ny, nz)``); animations as ids of :mod:`ashen.core.vocabulary` (-1 unknown) with their reported clocks;
``lock_on`` 0 or 1.

Memory: the animation shown before the present one and the last clock it showed; the boss attack shown before the
present animation and the time since its name appeared; SoulsAI's binned boss clock (``boss_bin_s``, which
runs on over walks and turns; ``boss_bin_offset_s`` is what it adds to the shown clock);
``last_actions`` newest first, -1 before the first; for every boss animation the reported seconds since its name was
last shown, 0 while it is, capped at ``NEVER_S``.
"""

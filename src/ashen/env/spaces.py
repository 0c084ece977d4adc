"""Gymnasium spaces of the encoders."""

import numpy as np
from gymnasium import spaces

from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.obs.dictionary import KEYS
from ashen.obs.encoders import LONGEST_S, Encoder

PLAYER_MAX_HP, PLAYER_MAX_SP, BOSS_MAX_HP = 454, 95, 1037
"""SoulsGym's constants for Iudex."""
BOX_LOW, BOX_HIGH = (110.0, 540.0, -73.0), (190.0, 640.0, -55.0)
"""SoulsGym's box of coordinates in metres."""
MARGIN_M = 60.0
"""Added around that box: the camera and a fall leave it, and an observation must lie in its space."""


def observation_space(encoder: Encoder) -> spaces.Space:
    """The space of one observation."""
    if encoder.is_dictionary:
        return _dictionary_space(encoder)
    return spaces.Box(encoder.low, encoder.high, dtype=np.float32)


def _dictionary_space(encoder: Encoder) -> spaces.Dict:
    """SoulsGym's dictionary: its keys, shapes and types, with bounds that every observation keeps."""
    player, boss = player_vocabulary(), boss_vocabulary(encoder.boss)
    parts = {
        "phase": spaces.Discrete(2, start=1),
        "player_hp": spaces.Box(0, PLAYER_MAX_HP),
        "player_max_hp": spaces.Discrete(1, start=PLAYER_MAX_HP),
        "player_sp": spaces.Box(-PLAYER_MAX_SP, PLAYER_MAX_SP),
        "player_max_sp": spaces.Discrete(1, start=PLAYER_MAX_SP),
        "boss_hp": spaces.Box(0, BOSS_MAX_HP),
        "boss_max_hp": spaces.Discrete(1, start=BOSS_MAX_HP),
        "player_pose": _pose([10.0]),
        "boss_pose": _pose([10.0]),
        "camera_pose": _pose([2.0, 2.0, 2.0]),
        "player_animation": spaces.Discrete(player.soulsgym_count + 1, start=-1),
        "player_animation_duration": spaces.Box(0, LONGEST_S),
        "boss_animation": spaces.Discrete(boss.soulsgym_count + 1, start=-1),
        "boss_animation_duration": spaces.Box(0, LONGEST_S),
        "lock_on": spaces.Discrete(2),
    }
    return spaces.Dict({key: parts[key] for key in KEYS})


def _pose(turns: list[float]) -> spaces.Box:
    low = [value - MARGIN_M for value in BOX_LOW] + [-value for value in turns]
    high = [value + MARGIN_M for value in BOX_HIGH] + turns
    return spaces.Box(np.array(low, np.float32), np.array(high, np.float32))

"""SoulsGym's GitHub head as our door sees it, without a game: its names, types and orders, and a fight that is written
down. Its source cannot be installed here; what stands in it decides what these say.
"""

from copy import copy, deepcopy
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

NUM_ACTIONS = 20


@dataclass
class HeadState:
    """Its ``GameState``: names as strings, poses as arrays of float64, hit points as integers."""

    phase: int = 1
    player_hp: int = 483
    player_max_hp: int = 483
    player_sp: int = 97
    player_max_sp: int = 97
    boss_hp: int = 1328
    boss_max_hp: int = 1328
    player_pose: np.ndarray = field(default_factory=lambda: np.array([28.24, 37.0, -26.0, 0.0]))
    boss_pose: np.ndarray = field(default_factory=lambda: np.array([27.0, 2.0, -25.0, 3.1]))
    camera_pose: np.ndarray = field(default_factory=lambda: np.array([28.3, 41.0, -24.0, 0.0, -1.0, 0.0]))
    player_animation: str = "Idle"
    player_animation_duration: float = 0.0
    boss_animation: str = "IdleBattle"
    boss_animation_duration: float = 0.0
    lock_on: bool = True


class HeadGame:
    """Its access to the game, which changes nothing here."""

    gravity = allow_moves = allow_attacks = allow_hits = allow_deaths = allow_player_death = True
    allow_weapon_durability_dmg, is_ingame = True, True
    lock_on_bonus_range, los_lock_on_deactivate_time = 0.0, 2.0
    player_hp, player_animation = 483, "Idle"

    def __init__(self):
        self.mem = SimpleNamespace(pymem=SimpleNamespace(), pid=1)
        self._game_input = head_input()
        self._speed, self._time_ms = 1.0, 0

    @property
    def game_speed(self):
        return self._speed

    @game_speed.setter
    def game_speed(self, value):
        assert value >= 0
        self._speed = value

    @property
    def time(self):
        return self._time_ms

    @time.setter
    def time(self, value):
        assert isinstance(value, int)
        self._time_ms = value

    def clear_cache(self):
        """Nothing is kept."""

    def reload(self):
        """The world is always new."""

    def sleep(self, seconds):
        assert self.game_speed > 0, "asleep in a paused game"


def head_input():
    """Its ``GameInput``: whether each action's key is down."""
    return SimpleNamespace(state=dict.fromkeys(("forward", "roll", "lock_on"), False), reset=lambda: None)


class HeadWindow:
    """Its window, in front."""

    focused = True

    def focus(self):
        """It is."""


class HeadEnv:
    """Its ``SoulsEnv``.

    Args:
        game_speed: of steps.
    """

    ARENA_LIM_LOW, ARENA_LIM_HIGH = [110.0, 540.0, -73.0, -3.1416], [190.0, 640.0, -55.0, 3.1416]
    shows = (HeadState(),)
    """What a fight shows, from the first observation on; ``valid`` are the valid actions of each."""
    valid = (tuple(range(NUM_ACTIONS)),)

    def __init__(self, game_speed=1.0):
        self.game, self._game_input, self._game_window = HeadGame(), head_input(), HeadWindow()
        self._game_speed, self._game_state = game_speed, None
        self._is_init = self.terminated = False
        self._arena_init = self._phase_init = False

    @property
    def obs(self):
        return deepcopy(vars(self._game_state))

    def current_valid_actions(self):
        return list(self.valid[self._shown])

    def reset(self, seed=None, options=None):
        self._shown, self.terminated, self._arena_init = 0, False, True
        self._game_state = copy(self.shows[0])
        self.game.game_speed = 0
        return self.obs, self.info

    def step(self, action):
        assert not self.terminated
        self.game.game_speed = self._game_speed
        self.game.time += 97
        self.game.game_speed = 0
        self._shown += 1
        self._game_state = copy(self.shows[self._shown])
        self.terminated = 0 in (self._game_state.player_hp, self._game_state.boss_hp)
        return self.obs, 0.0, self.terminated, False, self.info


class HeadIudex(HeadEnv):
    """Its ``IudexEnv``."""

    def __init__(self, game_speed=1.0, phase=1, random_player_pose=False, skip_steps=False):
        super().__init__(game_speed)
        self.given = {"game_speed": game_speed, "phase": phase, "skip_steps": skip_steps}
        self._random_player_pose = random_player_pose

    @property
    def info(self):
        mask = np.zeros(NUM_ACTIONS, dtype=bool)
        mask[self.current_valid_actions()] = True
        return {"action_mask": mask}


class HeadIudexDemo(HeadIudex):
    """Its ``IudexEnvDemo``, which takes no phase."""

    def __init__(self, game_speed=1.0, random_player_pose=False):
        super().__init__(game_speed, random_player_pose=random_player_pose)


class HeadVordt(HeadEnv):
    """Its ``VordtEnv``: without random poses, the valid actions as a list, and two numbers more to see."""

    ARENA_LIM_LOW, ARENA_LIM_HIGH = [13.0, -7.0, -27.0, -3.1416], [42.0, 46.0, -15.0, 3.1416]

    def __init__(self, game_speed=1.0, phase=1):
        super().__init__(game_speed)
        self.given = {"game_speed": game_speed, "phase": phase}

    @property
    def obs(self):
        return super().obs | {"frost_resistance": np.ones(1, np.float32), "frost_effect": np.zeros(1, np.float32)}

    @property
    def info(self):
        return {"allowed_actions": self.current_valid_actions()}

    shows = (
        HeadState(),
        HeadState(
            player_pose=np.array([28.24, 36.5, -26.0, 0.0]), player_animation="Move", player_animation_duration=0.097,
            boss_pose=np.array([27.0, 30.0, -25.9, 3.1]), boss_animation="RunBattle", boss_animation_duration=0.097,
        ),
        HeadState(player_sp=77, player_animation="AttackRightLight1", player_animation_duration=0.3,
                  boss_animation="Attack3000", boss_animation_duration=0.097),
        HeadState(player_sp=77, player_animation="AttackRightLight1", player_animation_duration=0.4, boss_hp=1228,
                  boss_animation="Attack3000", boss_animation_duration=0.194),
        HeadState(player_sp=77, player_animation="AttackRightLight1", player_animation_duration=0.5, boss_hp=1128,
                  boss_animation="Attack3018", boss_animation_duration=0.097),
        HeadState(player_hp=301, player_animation="DamageLarge", boss_hp=1128, boss_animation="SABreak"),
        HeadState(player_hp=301, boss_hp=0),
    )  # fmt: skip
    valid = (*(tuple(range(NUM_ACTIONS)),) * 2, (19,), (19,), (16, 17, 18, 19), (19,), (19,))

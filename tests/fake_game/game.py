"""The game: where the player is, what a tick does, what soulsgym's writes mean, and what stands in memory after it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ashen.core.fight import FIGHT_STATE, REPORTED_STEP_S
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.sim.pack import load_tables
from ashen.sim.records import WORLD
from fake_game import combat
from fake_game.clock import Clock
from fake_game.keyboard import Keyboard
from fake_game.layout import MOVING
from fake_game.process import Process
from fake_game.records import Records

TICKS_PER_STEP = 6
PLAY_MS = 1000 * REPORTED_STEP_S / TICKS_PER_STEP
"""What the game's own timer counts in a tick of 1/60 s."""
MAX_PLAY_MS = 3_599_999_000
"""The timer stops at 999:59:59."""
DYING, LOADING, RISING, GATE, BONFIRE, ARENA, MENU = (
    "dying", "loading", "rising", "gate", "bonfire", "arena", "menu",
)  # fmt: skip
SCENE_TICKS = {DYING: 150, LOADING: 180, RISING: 120, GATE: 150}
"""How long what the player cannot influence takes; guesses."""
_DEATH_NAME_TICKS = 12
_SCENE_NAMES = {RISING: "Event63000", GATE: "FogGateWalk"}
ENCOUNTERED, DEFEATED = 0x60, 0x80
_FLINCH, _FLINCH_FRAMES = "SABlend_Add_Front", 12
"""What a boss who is struck in an attack shows in place of it; soulsgym then reads the attack's number."""
_LOCK_RANGE_M, _LOCK_COSINE, _GATE_REACH_M = 15.0, 0.5, 2.0
_CAMERA_RAD_PER_TICK = 1.5 / 60
_MOVES = ("roll", "lightattack", "heavyattack", "parry")
_DIRECTIONS = ("forward", "backward", "left", "right")


class Game:
    """One game that runs, dies, loads and fights.

    Args:
        process: whose memory it fills.
        keyboard: the keys it listens to.
        clock: told when a fight goes on.
        static: the module ``soulsgym.core.static``: places and the keys of each action.
        seed: of the fights' random streams, as in :class:`ashen.sim.backend.SimBackend`.
        table: of the boss, by name or file; another than Iudex's own makes a game that differs from the simulator.
    """

    def __init__(
        self, process: Process, keyboard: Keyboard, clock: Clock, static: Any, seed: int, table: str = "iudex"
    ) -> None:
        self.process, self.keyboard, self.clock = process, keyboard, clock
        self.records = Records(process)
        self.worlds, self.states = np.zeros(1, WORLD), np.zeros(1, FIGHT_STATE)
        boss = boss_file(table)
        self.tables = load_tables(boss)[0].copy()
        self.worlds["stream"] = seed
        self._player_names, self._boss_names = player_vocabulary(), boss_vocabulary(boss)
        self.places = static.coordinates["DarkSoulsIII"]["iudex"]
        self._actions = {frozenset(keys): action for action, keys in static.actions["DarkSoulsIII"].items()}
        self._bonfire_id = static.bonfires["DarkSoulsIII"]["Cemetery of Ash"]
        self.play_ms = 3_600_000.0
        self.scene_names: dict[str, str | bytes] = dict(_SCENE_NAMES)
        self.on_tick: Callable[[], None] = lambda: None
        self.is_hung = self.is_time_still = self.is_frozen = self.is_zombie = False
        self.is_teleport_refused = self.is_gate_deadly = False
        self.can_lock, self.can_pass_gate, self.lag_ticks = True, True, 0
        self.arrive()

    @property
    def world(self) -> Any:
        """The fight's WORLD record, with all that the game does not show."""
        return self.worlds[0]

    @property
    def is_in_fight(self) -> bool:
        """Whether the fight goes on, in a step; not while soulsgym puts the bodies back."""
        return bool(self.is_live and not self.records.get("AllNoMove"))

    def arrive(self) -> None:
        """The save has been loaded: the player sits at the bonfire."""
        self.is_locked = self.is_live = self._was_held = False
        self._ticks = self._flinch_frames = 0
        self.scene, self._left = BONFIRE, 0
        combat.start(self.worlds, self.tables, self.states, 1)
        self._put_player([*self.places["bonfire"], 0.0])
        self.records.put("IudexDefeated", ENCOUNTERED)
        self.records.put("LastBonfire", self._bonfire_id)
        self.publish()

    def _put_player(self, pose: Any) -> None:
        for name, value in zip(("x", "y", "z", "yaw"), pose, strict=True):
            self.worlds[f"player_{name}"] = value
        combat.look(self.worlds, self.tables, self.states, 0.0, 0.0)

    # time

    def tick(self) -> None:
        """1/60 s of game time."""
        self.on_tick()
        if self.lag_ticks > 0:
            self.lag_ticks -= 1
        if self.is_hung or self.lag_ticks > 0:
            return
        self.keyboard.tick()
        if not self.is_time_still:
            self.play_ms = min(self.play_ms + PLAY_MS, float(MAX_PLAY_MS))
            self.records.put("Time", int(self.play_ms))
        self._ticks += 1
        if self._left > 0:
            self._wait()
        elif self.scene in (BONFIRE, ARENA):
            self._play()

    def _wait(self) -> None:
        if self.scene == GATE and not self.can_pass_gate:
            return
        self._left -= 1
        if self.scene == DYING and self._left == SCENE_TICKS[DYING] - _DEATH_NAME_TICKS:
            self.publish()
        if self._left == 0:
            {DYING: self._load, LOADING: self._rise, RISING: self._stand, GATE: self._enter}[self.scene]()

    def go(self, scene: str) -> None:
        """What comes next."""
        self.scene, self._left = scene, SCENE_TICKS.get(scene, 0)
        self.process.is_waited_for = scene in (DYING, LOADING, RISING)
        self.publish()

    def die(self) -> None:
        """The player has no hit points left."""
        self.is_live = False
        self.go(DYING)

    def _load(self) -> None:
        for base in MOVING:
            self.process.layout.unload(base, readable=self.is_zombie)
        self.go(LOADING)

    def _rise(self) -> None:
        for base in MOVING:
            self.process.layout.load(base)
        boss_flags = self.records.get("IudexDefeated")
        self.arrive()
        self.records.put("IudexDefeated", boss_flags)
        self.go(RISING)

    def _stand(self) -> None:
        self.go(BONFIRE)

    def _enter(self) -> None:
        if self.is_gate_deadly:
            self.die()
            return
        self._put_player(self.places["post_fog_wall"])
        self.go(ARENA)

    def _play(self) -> None:
        self._use_keys()
        if self.world["player_hp"] <= 0.0:
            self.die()
        elif self.is_live and self._ticks % 2 == 1:
            self._frame()

    def _frame(self) -> None:
        flags = [int(self.records.get(name)) for name in ("AllNoAttack", "AllNoHit", "AllNoMove", "AllNoDeath")]
        no_death = 3 * flags.pop() | self.records.get("NoDeath")
        boss_hp = float(self.world["boss_hp"])
        no_attack = flags[0] or boss_hp <= 0.0
        combat.frame(self.worlds, self.tables, self.states, self._action(), no_attack, *flags[1:], no_death)
        if self._ticks % TICKS_PER_STEP == TICKS_PER_STEP - 1:
            combat.settle(self.worlds, self.tables, self.states, self.is_locked)
        self._flinch_frames = _FLINCH_FRAMES if self.world["boss_hp"] < boss_hp else max(0, self._flinch_frames - 1)
        if self.world["boss_hp"] <= 0.0:
            self.is_locked = False
            self.mark_defeated()
        if self.world["player_hp"] <= 0.0:
            self.die()
        self.publish()
        if not any(flags) and not self.is_time_still:
            self.clock.progress()

    def mark_defeated(self) -> None:
        """The save keeps that the boss is dead."""
        self.records.put("IudexDefeated", ENCOUNTERED | DEFEATED)

    # keys

    def _action(self) -> int:
        held = self.keyboard.held & set(_DIRECTIONS)
        pressed = self.keyboard.take(*_MOVES)
        for keys in (held | pressed, pressed, held):
            if frozenset(keys) in self._actions:
                return self._actions[frozenset(keys)]
        return self._actions[frozenset()]

    def _use_keys(self) -> None:
        if self.keyboard.take("interact") and self.scene == BONFIRE:
            self._try_gate()
        if self.keyboard.take("lockon"):
            self.is_locked = not self.is_locked and self._can_lock()
            self.publish()
        held = self.keyboard.held
        right = ("cameraright" in held) - ("cameraleft" in held)
        up = ("cameraup" in held) - ("cameradown" in held)
        if not self.is_locked and not self.world["is_thrown"] and (right or up or not self.is_live):
            self.look(right, up)

    def look(self, right: int, up: int) -> None:
        """The free camera turns for a tick, -1, 0 or 1 each way."""
        rates = right * _CAMERA_RAD_PER_TICK, up * _CAMERA_RAD_PER_TICK
        combat.look(self.worlds, self.tables, self.states, *rates)
        self.publish()

    def _try_gate(self) -> None:
        way = self._player() - self.places["fog_wall"][:3]
        if np.linalg.norm(way) < _GATE_REACH_M and self.records.get("IudexDefeated") == ENCOUNTERED:
            self.go(GATE)

    def _player(self) -> Any:
        return np.array([float(self.world[f"player_{axis}"]) for axis in "xyz"])

    def _can_lock(self) -> bool:
        if self.scene != ARENA or not self.can_lock or self.world["is_thrown"] or self.world["boss_hp"] <= 0.0:
            return False
        way = np.array([float(self.world[f"boss_{axis}"] - self.world[f"player_{axis}"]) for axis in "xy"])
        view = np.array([float(self.world[f"view_n{axis}"]) for axis in "xy"])
        away_m = np.linalg.norm(way)
        is_near = away_m <= _LOCK_RANGE_M + self.records.get("LockOnBonusRange")
        return bool(is_near and view @ way > _LOCK_COSINE * away_m)

    # memory

    def absorb(self) -> None:
        """Something was written into memory: take over what differs from what the game put there."""
        records = self.records
        if (play_ms := records.news("Time")) is not None:
            self.play_ms = float(play_ms)
        if (hp := records.news("PlayerHP")) is not None:
            self.worlds["player_hp"] = hp
        if (points := records.news("PlayerSP")) is not None:
            self.worlds["stamina_halves"] = 2 * points
        if (hp := records.news("IudexHP")) is not None:
            self.worlds["boss_hp"] = hp
        for name, field in (("IudexPoseX", "boss_x"), ("IudexPoseY", "boss_y"), ("IudexPoseA", "boss_yaw")):
            if (value := records.news(name)) is not None:
                self.worlds[field] = value
        pose = [records.news(f"Player{axis}") for axis in "XYZA"]
        if any(value is not None for value in pose):
            self._teleport(pose)
        is_held = bool(records.get("AllNoMove"))
        if self.scene == ARENA and is_held:
            self.is_live = True  # the boss wakes, and does what the flags allow
        elif self.scene == ARENA and self._was_held:
            self._begin()
        self._was_held = is_held

    def _teleport(self, pose: list[float | None]) -> None:
        if self.is_teleport_refused:
            self.publish()
            return
        for field, value in zip(("player_x", "player_y", "player_z", "player_yaw"), pose, strict=True):
            if value is not None:
                self.worlds[field] = value
        if self.world["is_falling"]:
            self.worlds["is_falling"], self.worlds["fall_m_per_f"] = 0, 0.0
            self.worlds["move"], self.worlds["move_f"] = self._player_names.id("Idle"), 0

    def _begin(self) -> None:
        combat.begin(self.worlds, self.tables, self.states)
        self.is_live, self._ticks = True, 0
        self.publish()

    def publish(self) -> None:
        """Write what the game shows into its memory."""
        if self.is_frozen:
            return
        combat.show(self.worlds, self.tables, self.states)
        state, put = self.states[0], self.records.put
        put("PlayerHP", int(state["player_hp"]))
        put("PlayerMaxHP", int(state["player_max_hp"]))
        put("PlayerSP", int(state["player_sp"]))
        put("PlayerMaxSP", int(state["player_max_sp"]))
        put("IudexHP", int(state["boss_hp"]))
        for axis, field in (("X", "x_m"), ("Y", "y_m"), ("Z", "z_m"), ("A", "yaw_rad")):
            put(f"Player{axis}", state[f"player_{field}"])
            put(f"IudexPose{axis}", state[f"boss_{field}"])
        put("CamQx", *(state[f"camera_{name}"] for name in ("nx", "nz", "ny", "x_m", "z_m", "y_m")))
        put("LockOn", self.is_locked and bool(state["lock_on"]))
        put("PlayerAnimation", self._player_name(int(state["player_animation"])))
        put("PlayerAnimationTime", state["player_animation_s"])
        boss = self._boss_names.name(int(state["boss_animation"]))
        is_attack = boss.startswith("Attack")
        put("IudexAnimation", _FLINCH if is_attack and self._flinch_frames else boss)
        put("IudexAnimationTime", state["boss_animation_s"])
        put("IudexAttackID", int(boss[6:]) if is_attack else -1, -1)

    def _player_name(self, animation: int) -> str | bytes:
        if self.scene == DYING and self._left <= SCENE_TICKS[DYING] - _DEATH_NAME_TICKS:
            return "DeathIdle"
        return self.scene_names.get(self.scene, self._player_names.name(animation))

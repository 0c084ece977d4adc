"""Everything that can go wrong, by name. Most faults last until they are mended; those that happen once need not be."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fake_game.game import LOADING, MAX_PLAY_MS, MENU, RISING
from fake_game.layout import MOVING

Undo = Callable[[], None]
NO_UTF16 = b"\x00\xd8A\x00"
"""Half of a character, then a letter."""

FAULTS: dict[str, Callable[..., Undo | None]] = {}
"""Name -> what provokes it in a FakeGame and returns how to end it, None if it is over at once."""


def fault(function: Callable[..., Undo | None]) -> Callable[..., Undo | None]:
    """Enter a fault under its function's name."""
    FAULTS[function.__name__] = function
    return function


def switch(name: str, part: str, **values: Any) -> None:
    """A fault that is nothing but some attributes of a part of the fake game."""

    def provoke(fake: Any) -> Undo:
        target, before = getattr(fake, part), {key: getattr(getattr(fake, part), key) for key in values}
        target.__dict__.update(values)
        return lambda: target.__dict__.update(before)

    FAULTS[name] = provoke


def shown(name: str, **values: Any) -> None:
    """A fault that is nothing but wrong values in the game's memory."""
    FAULTS[name] = lambda fake: _show(fake, values)


def _show(fake: Any, values: dict[str, Any]) -> Undo:
    instead = fake.game.records.instead
    instead.update(values)
    fake.game.publish()

    def undo() -> None:
        for name in values:
            instead.pop(name, None)
        fake.game.publish()

    return undo


switch("no_window", "window", exists=False)
switch("wrong_window_size", "window", width=640, height=360)
switch("allocation_refused", "kernel", is_allocation_refused=True)
switch("pipe_missing", "kernel", is_pipe_missing=True)
switch("pipe_busy", "kernel", is_pipe_busy=True)
switch("focus_lost", "window", is_focused=False)
switch("focus_denied", "window", is_focused=False, may_be_focused=False)
switch("input_blocked", "keyboard", is_blocked=True)
switch("teleport_refused", "game", is_teleport_refused=True)
switch("lock_on_never", "game", can_lock=False, is_locked=False)
switch("dies_at_gate", "game", is_gate_deadly=True)
switch("process_hung", "game", is_hung=True)
switch("time_stands_still", "game", is_time_still=True)
switch("time_saturated", "game", play_ms=float(MAX_PLAY_MS))
switch("frozen", "game", is_frozen=True)
shown("boss_stuck", IudexAnimation="Attack3000", IudexAttackID=(3000, -1))
shown("hp_zero", PlayerHP=0)
shown("out_of_bounds", PlayerX=100.0)
shown("nan_player", PlayerX=float("nan"))
shown("nan_boss", IudexPoseX=float("nan"))
shown("stamina_negative", PlayerSP=-90)
shown("other_max_hp", PlayerMaxHP=500)
shown("death_idle", PlayerAnimation="DeathIdle")
shown("player_animation_broken", PlayerAnimation=NO_UTF16)


@fault
def no_process(fake: Any) -> Undo:
    """The game has not been started."""
    return process_exits(fake)


@fault
def pattern_missing(fake: Any) -> Undo:
    """Another patch of the game."""
    fake.process.layout.break_pattern()
    return fake.restart


@fault
def main_menu(fake: Any) -> Undo:
    """Nobody has loaded the save."""
    _unload(fake, MENU)

    def load_save() -> None:
        for base in MOVING:
            fake.process.layout.load(base)
        fake.game.arrive()

    return load_save


@fault
def loading_screen(fake: Any) -> None:
    """The world is being loaded; it is there again after three seconds of game time."""
    _unload(fake, LOADING)


def _unload(fake: Any, scene: str) -> None:
    for base in MOVING:
        fake.process.layout.unload(base, readable=False)
    fake.game.go(scene)


@fault
def found_paused(fake: Any) -> None:
    """Somebody crashed before us and left the game stopped."""
    fake.process.has_dll = True
    fake.clock.set_speed(0.0)


@fault
def key_lost(fake: Any, key: str = "interact", times: int = 1_000_000) -> Undo:
    """A key that does not arrive, the first ``times`` times."""
    left = [times]

    def lets_through(name: str, is_down: bool) -> bool:
        left[0] -= name == key and is_down
        return name != key or left[0] < 0

    return _filter(fake, lets_through)


@fault
def keys_lost(fake: Any, share: float = 0.3, seed: int = 0) -> Undo:
    """Some presses get lost, at random."""
    rng = np.random.default_rng(seed)
    return _filter(fake, lambda _name, is_down: not is_down or rng.random() >= share)


@fault
def key_up_lost(fake: Any) -> Undo:
    """Keys that go down stay down."""
    return _filter(fake, lambda _name, is_down: is_down)


def _filter(fake: Any, lets_through: Callable[[str, bool], bool]) -> Undo:
    fake.keyboard.lets_through = lets_through
    return lambda: setattr(fake.keyboard, "lets_through", lambda _name, _is_down: True)


@fault
def keys_late(fake: Any, ticks: int = 12) -> Undo:
    """Every key reaches the game that much later."""
    fake.keyboard.delay_ticks = ticks
    return lambda: setattr(fake.keyboard, "delay_ticks", 0)


@fault
def other_layout(fake: Any, name: str = "azerty") -> Undo:
    """Windows changes the keyboard's layout."""
    before, fake.keyboard.layout = fake.keyboard.layout, name
    return lambda: setattr(fake.keyboard, "layout", before)


@fault
def gate_stuck(fake: Any) -> Undo:
    """Who goes through the fog does not come out of it."""
    fake.game.can_pass_gate = False
    return lambda: setattr(fake.game, "can_pass_gate", True)


@fault
def boss_defeated(fake: Any) -> None:
    """The save says that the boss is dead."""
    fake.game.mark_defeated()


@fault
def broken_name_in_respawn(fake: Any) -> Undo:
    """While the player rises his animation's name is no UTF-16."""
    before = fake.game.scene_names[RISING]
    fake.game.scene_names[RISING] = NO_UTF16
    return lambda: fake.game.scene_names.update({RISING: before})


@fault
def hard_reset_due(fake: Any) -> None:
    """More than 15 minutes have gone by since the last reload."""
    fake.clock.wall_s += 901.0
    fake.clock.progress()


@fault
def read_error(fake: Any, at: str = "PlayerAnimation", times: int = 1) -> Undo:
    """Reading a record fails."""
    fake.kernel.read_errors[at] = times
    return lambda: fake.kernel.read_errors.clear()


@fault
def write_error(fake: Any, at: str = "PlayerHP", times: int = 1) -> Undo:
    """Writing a record fails."""
    fake.kernel.write_errors[at] = times
    return lambda: fake.kernel.write_errors.clear()


@fault
def player_animation(fake: Any, name: str = "NeverSeen") -> Undo:
    """The player shows this and nothing else: unknown, empty, longer than its place, or one for too long."""
    return _show(fake, {"PlayerAnimation": name})


@fault
def boss_animation(fake: Any, name: str = "NeverSeen", attack: int = -1) -> Undo:
    """The boss shows this and nothing else."""
    return _show(fake, {"IudexAnimation": name, "IudexAttackID": (attack, -1)})


@fault
def fall(fake: Any) -> None:
    """The player falls, far below the ground."""
    fake.game.worlds["is_falling"], fake.game.worlds["player_z"] = 1, -80.0
    fake.game.publish()


@fault
def falls_dead(fake: Any) -> Undo:
    """The player falls, and lies dead at the same time."""
    fall(fake)
    return _show(fake, {"PlayerAnimation": "DeathIdle"})


@fault
def player_killed(fake: Any, is_zombie: bool = False) -> None:
    """The player dies where nobody expects it; as a zombie's, his old memory stays readable afterwards."""
    fake.game.is_zombie = is_zombie
    fake.game.worlds["player_hp"] = 0.0
    fake.game.publish()
    fake.game.die()


@fault
def process_exits(fake: Any) -> Undo:
    """The game crashes to the desktop; what ends it is that the player starts it again."""
    fake.process.exit()
    fake.window.exists = fake.window.is_focused = False
    return fake.restart


@fault
def process_restarts(fake: Any) -> None:
    """The game crashes, and is started again and the save loaded."""
    process_exits(fake)
    fake.restart()


@fault
def lock_on_lost(fake: Any, camera_degrees: float = 0.0) -> None:
    """The lock breaks, perhaps with the camera turned away."""
    fake.game.is_locked = False
    fake.game.worlds["view_yaw"] += np.radians(camera_degrees)
    fake.game.look(0, 0)


@fault
def time_jumps(fake: Any) -> None:
    """The play time begins anew."""
    fake.game.play_ms = 0.0


@fault
def lag(fake: Any, seconds: float = 2.0) -> None:
    """The game stands still for a while."""
    fake.game.lag_ticks = int(60 * seconds)


@fault
def speed_ignored(fake: Any, speed: float = 1.0) -> Undo:
    """The game runs at this speed whatever it is told, unless told to stop."""
    fake.process.on_speed = lambda wish: fake.clock.set_speed(min(wish, speed))
    fake.clock.set_speed(min(fake.clock.speed, speed))
    return lambda: setattr(fake.process, "on_speed", fake.clock.set_speed)


@fault
def sword_lost(fake: Any, damage: float = 20.0) -> Undo:
    """The player fights with his fists."""
    damages = fake.game.tables["moves"]["damage"]
    before = damages.copy()
    damages[damages > 0.0] = damage
    return lambda: np.copyto(damages, before)


@fault
def other_boss_hp(fake: Any, hp: float = 1500.0) -> Undo:
    """A later journey: the boss has more hit points from his next start on."""
    rules = fake.game.tables["rules"]
    before = float(rules["boss_hp"][0])
    rules["boss_hp"] = hp
    return lambda: rules["boss_hp"].fill(before)


@fault
def door_dies(_fake: Any, once: str = "") -> None:
    """The process that plays ends at once; ``once``: a file that keeps whether it has."""
    if not once or not Path(once).exists():
        if once:
            Path(once).touch()
        os._exit(3)


@fault
def door_blocks(_fake: Any) -> None:
    """A call of the operating system does not return."""
    time.sleep(600.0)

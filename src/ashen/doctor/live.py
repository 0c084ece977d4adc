"""Checks that take the game over for a minute: keys told by what they do, and the speed the game really runs at.

They run in a process of their own with an end to every wait, since what they look for is what makes SoulsGym wait for
ever. The game is left playable.
"""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

from ashen.core.errors import said_by
from ashen.doctor.findings import Finding, Line, State, failed, ok, warning
from ashen.doctor.pc import Pc

START, WALK, ROLL, LOCK_ON, SPEED = "fight begins", "walking keys", "roll key", "lock-on key", "game speed"
LIVE: Final = (
    Line(START, "SoulsGym brings player and boss into the arena and locks on, within a minute: a key that does not "
         "arrive makes it wait for ever"),
    Line(WALK, "W, A, S and D move the player: on azerty W and A do not"),
    Line(ROLL, "a roll starts RollingMedium: other gear than the Knight's rolls in another way"),
    Line(LOCK_ON, "Q lets go of the boss and takes him again: without it no fight begins"),
    Line(SPEED, "the game's clock against the PC's at 1x, 2x and 3x: a PC that is too slow, or a speed hack that is "
         "not there, makes other steps than asked for"),
)  # fmt: skip
WARNING: Final = "taking the game over for a minute: leave mouse, keyboard and the game's window alone"
SPEEDS: Final = (1.0, 2.0, 3.0)
LEAST_MOVE_M: Final = 0.3
_START_S: Final = 60.0
_LOOK_S: Final = 20.0
_ALL_S: Final = 180.0
_WALK_S: Final = 0.5
_PRESS_S: Final = 0.05
_SPEED_S: Final = 1.5
_SPEED_ERROR: Final = 0.1
_MARK: Final = "finding: "
_CHILD: Final = "from ashen.doctor.live import main\nmain(use_scan_codes={})"
_UNSTICK: Final = "from ashen.game.unstick import unstick\nunstick()"
KEYS_FIX: Final = "close menus in the game, reset its keys to the defaults, have English (US) as the only layout"


def look_live(pc: Pc, use_scan_codes: bool = True) -> dict[str, Finding]:
    """Make the checks in another process, with keys by place or else by letter; what they found, by their names."""
    nothing = Finding(State.ELSEWHERE, "needs the Windows PC")
    if not pc.is_windows:
        return {line.name: nothing for line in LIVE}
    answer = pc.run_python(_CHILD.format(use_scan_codes), _ALL_S)
    if answer.code != 0:
        pc.run_python(_UNSTICK, _LOOK_S)
    lines = (line.removeprefix(_MARK) for line in answer.text.splitlines() if line.startswith(_MARK))
    told = {name: Finding(State(state), found, fix) for name, state, found, fix in map(json.loads, lines)}
    said = next((line for line in reversed(answer.text.splitlines()) if line.strip()), "nothing")
    for line in LIVE:
        if line.name not in told:
            told[line.name] = failed(f"no answer; what was said last: {said}", "ashen unstick, or start the game again")
            break
    missing = Finding(State.ELSEWHERE, "needs an answer to what came before")
    return {line.name: told.get(line.name, missing) for line in LIVE}


def main(use_scan_codes: bool) -> None:
    """Make the checks in this process and print what they found, a line each."""
    from ashen.game.owner import Ownership

    ownership = Ownership()
    try:
        for name, finding in take_over(use_scan_codes):
            print(_MARK + json.dumps([name, *finding]), flush=True)
    finally:
        ownership.release()


def take_over(use_scan_codes: bool = True) -> Iterator[tuple[str, Finding]]:
    """Make the checks on the running game; every one of :data:`LIVE` is answered.

    Args:
        use_scan_codes: False presses keys as SoulsGym itself would.
    """
    from ashen.game import keys
    from ashen.game import soulsgym_builds as builds
    from ashen.game.options import GameOptions
    from ashen.game.unstick import restore
    from ashen.game.watchdog import Watchdog, watch

    watchdog = Watchdog()
    builds.load()
    with keys.scan_codes(use_scan_codes):
        try:
            env = builds.make_env(builds.fight_spec("iudex", "phase1", GameOptions(game_speed=1.0)))
        except Exception as error:
            yield START, _trouble(error)
            yield from ((line.name, Finding(State.ELSEWHERE, "needs the game taken over")) for line in LIVE[1:])
            return
        watch(env, watchdog)
        try:
            watchdog.allow(_START_S)
            start = guarded(lambda: begin(env))
            yield START, start
            checks = {WALK: walk, ROLL: roll, LOCK_ON: lock_on, SPEED: speed}
            for name, check in checks.items():
                watchdog.allow(_LOOK_S)
                if name == LOCK_ON and start.state != State.OK:
                    yield name, Finding(State.ELSEWHERE, "needs a fight, with the boss to lock on")
                elif name != SPEED and not env._game_window.focused:
                    yield name, failed("another window is in front and would get the keys", "leave the game in front")
                else:
                    yield name, guarded(lambda check=check: check(env))
        finally:
            watchdog.allow(_LOOK_S)
            restore(env.game)


def guarded(check: Callable[[], Finding]) -> Finding:
    """What a check found; what it raised is told as such."""
    try:
        return check()
    except Exception as error:
        return _trouble(error)


def begin(env: Any) -> Finding:
    """Start a fight, and then keep the boss from attacking."""
    try:
        env.reset()
    finally:  # keys can be tried without a fight too
        with suppress(Exception):
            env.game.game_speed = 1.0
            env.game.allow_attacks, env.game.allow_moves = False, True
    return ok("player and boss are in the arena, locked on")


def walk(env: Any) -> Finding:
    """Walk in all four directions."""
    moved_m = {}
    for key, action in (("W", "forward"), ("A", "left"), ("S", "backward"), ("D", "right")):
        before = env.game.player_pose[:2].copy()
        _hold(env, [action], _WALK_S)
        moved_m[key] = math.dist(before, env.game.player_pose[:2])
        _hold(env, [], _WALK_S)
    found = ", ".join(f"{key} {metres:.1f} m" for key, metres in moved_m.items())
    lost = [key for key, metres in moved_m.items() if metres < LEAST_MOVE_M]
    if not lost:
        return ok(found)
    return failed(f"{found}: as on azerty" if lost == ["W", "A"] else found, KEYS_FIX)


def roll(env: Any) -> Finding:
    """Roll ahead, and see how."""
    seen = ""
    env._game_input.add_action("forward")
    env._game_input.update_input()
    env._game_input.single_action("roll", _PRESS_S)
    for _ in range(20):
        env.game.sleep(0.05)
        seen = env.game.player_animation
        if seen.startswith("Rolling"):
            break
    _hold(env, [], 1.0)
    if not seen.startswith("Rolling"):
        return failed(f"no roll, but {seen}", KEYS_FIX)
    if seen != "RollingMedium":
        return warning(f"{seen}, not RollingMedium", "wear the Knight's own gear: other rolls dodge at other times")
    return ok(seen)


def lock_on(env: Any) -> Finding:
    """Let go of the boss, and lock on again."""
    states = [bool(env.game.lock_on)]
    for _ in range(2):
        env._game_input.single_action(_name(env, "lockon", "lock_on"), _PRESS_S)
        env.game.sleep(0.5)
        states.append(bool(env.game.lock_on))
    found = ", ".join("locked on" if state else "free" for state in states)
    return ok(found) if states == [True, False, True] else failed(found, KEYS_FIX)


def speed(env: Any) -> Finding:
    """Play time against the PC's clock."""
    import soulsgym.games.darksouls3 as soulsgym_game

    clock, game, measured = soulsgym_game.time, env.game, {}
    for asked in SPEEDS:
        game.game_speed = asked
        before_s, before_ms = clock.time(), game.time
        clock.sleep(_SPEED_S)
        measured[asked] = game.timed(game.time, before_ms) / (clock.time() - before_s)
    game.game_speed = 1.0
    found = ", ".join(f"{asked:g}x runs at {real:.2f}" for asked, real in measured.items())
    true = [asked for asked, real in measured.items() if abs(real / asked - 1.0) <= _SPEED_ERROR]
    if len(true) == len(SPEEDS):
        return ok(found)
    if 1.0 not in true or measured[3.0] < 1.5:
        return failed(found, "the speed hack has no grip: start the game again, and allow its dll in the virus scanner")
    return warning(found, f"train with --game-speed {max(true):g}, or lower the game's graphics settings")


def _hold(env: Any, actions: list[str], seconds: float) -> None:
    """Keep keys down, those of ``actions`` and no others, for so much game time."""
    env._game_input.add_actions(actions)
    env._game_input.update_input()
    env.game.sleep(seconds)


def _name(env: Any, *names: str) -> str:
    """The one of two builds' names of an action."""
    return next(name for name in names if name in env._game_input.state)


def _trouble(error: Exception) -> Finding:
    from ashen.game.faults import classify

    return failed(said_by(error), classify(error).advice)

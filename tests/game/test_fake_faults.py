"""What soulsgym 1.1.0 makes of every fault, over the fake game: the table that the game's door is built on."""

import gc
import re

import numpy as np
import pytest

pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")
pytest.importorskip("pymem", reason="pymem is not installed: python bootstrap.py test installs it")

from fake_game import FakeHang, install
from fake_game.faults import FAULTS
from fake_game.game import BONFIRE
from fake_game.gym import make
from pymem.exception import MemoryReadError, WinAPIError

pytestmark = pytest.mark.game
WALK, NOTHING = 0, 19
BUDGET_S = 25.0

AT_START = [
    ("no_process", {}, "RuntimeError: Process DarkSoulsIII.exe not open"),
    ("pattern_missing", {}, "RuntimeError: Pattern for"),
    ("no_window", {}, "Exception: Window not found"),
    ("wrong_window_size", {}, "RuntimeError: Image autocrop failed"),
    ("allocation_refused", {}, "InjectionFailure"),
    ("pipe_missing", {}, r"error: \(2, 'CreateFile'"),
    ("pipe_busy", {}, r"error: \(231, 'CreateFile'"),
    ("main_menu", {}, "GameStateError"),
    ("loading_screen", {}, "GameStateError"),
    ("found_paused", {}, None),
]
IN_RESET = [
    ("key_lost", {}, "RetriesExceededError"),
    ("key_lost", {"times": 1}, None),
    ("keys_lost", {}, None),
    ("boss_defeated", {}, None),
    ("focus_lost", {}, None),
    ("hard_reset_due", {}, None),
    ("focus_denied", {}, r"error: \(0, 'SetForegroundWindow'"),
    ("teleport_refused", {}, "FakeHang|RecursionError"),
    ("boss_stuck", {}, "FakeHang|RecursionError"),
    ("lock_on_never", {}, "FakeHang"),
    ("process_hung", {}, "FakeHang"),
    ("time_saturated", {}, "FakeHang"),
    ("dies_at_gate", {}, "MemoryReadError"),
    ("gate_stuck", {}, "FakeHang"),
    ("loading_screen", {}, "GameStateError"),
    ("read_error", {"at": "PlayerA"}, "GameStateError"),
]
IN_STEP = [
    ("hp_zero", {}, "InvalidPlayerStateError"),
    ("out_of_bounds", {}, "InvalidPlayerStateError"),
    ("nan_player", {}, "InvalidPlayerStateError"),
    ("player_animation_broken", {}, "UnicodeDecodeError"),
    ("read_error", {}, "MemoryReadError"),
    ("write_error", {}, "WinAPIError"),
    ("process_exits", {}, "MemoryReadError"),
    ("process_restarts", {}, "MemoryReadError"),
    ("process_hung", {}, "FakeHang"),
    ("time_stands_still", {}, "FakeHang"),
    ("fall", {}, "terminated"),
    ("death_idle", {}, "terminated"),
    ("falls_dead", {}, "ResetNeeded"),
    ("player_animation", {}, None),
    ("player_animation", {"name": ""}, None),
    ("player_animation", {"name": "None"}, None),
    ("player_animation", {"name": "RollingMediumSelftra"}, None),
    ("boss_animation", {}, None),
    ("boss_animation", {"name": "Attack9999", "attack": 9999}, None),
    ("boss_animation", {"name": ""}, None),
    ("boss_animation", {"name": "SABlend_NoAdd"}, None),
    ("nan_boss", {}, None),
    ("stamina_negative", {}, None),
    ("other_max_hp", {}, None),
    ("time_jumps", {}, None),
    ("lag", {}, None),
    ("focus_lost", {}, None),
    ("input_blocked", {}, None),
    ("key_up_lost", {}, None),
    ("keys_late", {}, None),
    ("other_layout", {}, None),
    ("lock_on_lost", {}, None),
    ("lock_on_lost", {"camera_degrees": 150.0}, None),
    ("frozen", {}, None),
    ("speed_ignored", {}, None),
    ("sword_lost", {}, None),
    ("other_boss_hp", {}, None),
]
ELSEWHERE = {"broken_name_in_respawn", "player_killed", "door_dies", "door_blocks"}


def _check(expected, act):
    """Do something and say whether it ended as expected: "Exception: its words" as a pattern, or None for well."""
    try:
        act()
    except Exception as problem:
        said = f"{type(problem).__name__}: {problem}"
        assert expected and re.match(expected, said), said
    else:
        assert expected is None


def _id(value):
    return value if isinstance(value, str) and value in FAULTS else None


def test_every_fault_is_provoked():
    """Breaks if a fault is added that nobody has seen to do anything."""
    assert {row[0] for row in AT_START + IN_RESET + IN_STEP} | ELSEWHERE == set(FAULTS)


@pytest.mark.parametrize(("fault", "details", "expected"), AT_START, ids=_id)
def test_at_the_start(fault, details, expected):
    """Breaks if soulsgym meets another end than on record while it starts."""
    with install(budget_s=BUDGET_S) as fake:
        fake.fault(fault, **details)
        _check(expected, make)


@pytest.mark.parametrize(("fault", "details", "expected"), IN_RESET, ids=_id)
def test_in_a_reset(fault, details, expected):
    """Breaks if soulsgym meets another end than on record while it resets for the first time."""
    with install(budget_s=BUDGET_S) as fake:
        env = make()
        fake.fault(fault, **details)
        _check(expected, env.reset)


@pytest.mark.parametrize(("fault", "details", "expected"), IN_STEP, ids=_id)
def test_in_a_step(fault, details, expected):
    """Breaks if soulsgym meets another end than on record within ten steps."""
    with install(budget_s=BUDGET_S) as fake:
        env = make()
        env.reset()
        fake.fault(fault, after_ticks=8, **details)
        ends = []

        def act():
            for _ in range(10):
                ends.append(env.step(WALK)[2])
                if ends[-1]:
                    break

        _check(None if expected == "terminated" else expected, act)
        assert expected != "terminated" or ends[-1]


def test_a_broken_name_while_the_player_rises():
    """Breaks if soulsgym's reload does not get over it, the only place where it may."""
    with install(budget_s=BUDGET_S) as fake:
        env = make()
        fake.fault("broken_name_in_respawn")
        fake.fault("boss_defeated")
        env.reset()
        assert fake.game.world["player_hp"] == 454


@pytest.mark.parametrize(
    ("fault", "details", "key", "shown"),
    [
        ("player_animation", {}, "player_animation", -1),
        ("player_animation", {"name": ""}, "player_animation", -1),
        ("player_animation", {"name": "None"}, "player_animation", 19),
        ("player_animation", {"name": "RollingMediumSelftra"}, "player_animation", 22),  # fills its place to the end
        ("boss_animation", {}, "boss_animation", -1),
        ("boss_animation", {"name": "Attack9999", "attack": 9999}, "boss_animation", -1),
        ("boss_animation", {"name": "SABlend_NoAdd"}, "boss_animation", 23),  # IdleBattle
        ("boss_animation", {"name": "SABlend_NoAdd", "attack": 3002}, "boss_animation", 2),
        ("stamina_negative", {}, "player_sp", -90.0),
        ("other_max_hp", {}, "player_max_hp", 454),  # kept since the first step
    ],
)
def test_wrong_values_pass_silently(fault, details, key, shown):
    """Breaks if soulsgym shows something else than on record where the game's memory holds what it does not know."""
    with install() as fake:
        env = make()
        env.reset()
        fake.fault(fault, **details)
        env.step(NOTHING)
        assert env.step(NOTHING)[0][key] == shown


@pytest.mark.parametrize("is_zombie", [False, True])
def test_an_unexpected_death(is_zombie):
    """Breaks if a death outside a reload does not leave soulsgym with a stale cache: read errors, or a frozen fight."""
    with install(budget_s=BUDGET_S) as fake:
        env = make()
        env.reset()
        fake.fault("player_killed", is_zombie=is_zombie)
        with pytest.raises(Exception, match=r"Player HP is 0|Could not read memory"):
            list(map(env.step, [NOTHING] * 100))


def test_only_a_cleared_cache_helps_after_an_unexpected_death():
    """Breaks if soulsgym's own reset gets over memory that moved, or what is known to repair it does not."""
    with install(budget_s=BUDGET_S) as fake:
        env = make()
        env.reset()
        fake.fault("player_killed")
        for act in (
            lambda: list(map(env.step, [NOTHING] * 100)),
            lambda: list(map(env.step, [NOTHING] * 100)),
            env.reset,
        ):
            with pytest.raises(Exception, match=r"Player HP is 0|Could not read memory|api error"):
                act()
        game, soulsgym = env.unwrapped.game, env.unwrapped
        game.resume_game()
        while fake.game.scene != BONFIRE:
            game.sleep(0.05)
        game.clear_cache()
        soulsgym._is_init = soulsgym.terminated = False
        assert env.reset()[0]["player_hp"] == 454


def test_only_a_new_environment_helps_after_a_restart():
    """Breaks if the old environment finds the new process, or a new one does not once the old is gone."""
    with install(budget_s=BUDGET_S) as fake:
        env = make()
        env.reset()
        fake.fault("process_restarts")
        for act in (env.reset, env.close):
            with pytest.raises(Exception, match=r"The pipe is being closed|Could not read memory"):
                act()
        del env, act
        gc.collect()
        assert make().reset()[0]["lock_on"]


@pytest.mark.parametrize(("fault", "said"), [("process_exits", "The pipe is being closed"), ("loading_screen", "api")])
def test_closing_without_a_game(fault, said):
    """Breaks if soulsgym closes quietly over a game that is gone or loading."""
    with install() as fake:
        env = make()
        env.reset()
        fake.fault(fault)
        with pytest.raises(Exception, match=said):
            env.close()


def test_a_demo_that_resets_on_the_loading_screen():
    """Breaks if soulsgym's demo gets over the loading screen after a death."""
    with install() as fake:
        env = make("SoulsGymIudexDemo-v0")
        env.reset()
        fake.fault("loading_screen")
        with pytest.raises(WinAPIError):
            env.reset()


@pytest.mark.parametrize("fault", ["focus_lost", "input_blocked", "other_layout"])
def test_lost_keys_are_silent(fault):
    """Breaks if a player whose keys go elsewhere moves, or soulsgym notices."""
    with install() as fake:
        env = make()
        before = env.reset()[0]["player_pose"]
        fake.fault(fault)
        after = [env.step(WALK)[0]["player_pose"] for _ in range(5)][-1]
        np.testing.assert_array_equal(after[:2], before[:2])
        fake.mend(fault)
        assert np.linalg.norm(env.step(WALK)[0]["player_pose"] - before) > 0.1


def test_a_lost_lock_comes_back():
    """Breaks if soulsgym's own way to lock on again does not work on the fake camera and keys."""
    with install() as fake:
        env = make()
        env.reset()
        fake.fault("lock_on_lost", camera_degrees=100.0)
        locks = [env.step(NOTHING)[0]["lock_on"] for _ in range(20)]
        assert not locks[0] and locks[-1]


def test_a_fault_for_a_time():
    """Breaks if a fault that is to last some ticks goes on, or begins at once."""
    with install() as fake:
        env = make()
        env.reset()
        fake.fault("focus_lost", after_ticks=6, for_ticks=6)
        focus = []
        for _ in range(4):
            env.step(NOTHING)
            focus.append(fake.window.is_focused)
        assert focus == [True, False, True, True] or focus == [False, True, True, True]


def test_hang_is_no_exception_that_soulsgym_catches():
    """Breaks if FakeHang could be taken for something that soulsgym waits out."""
    from soulsgym.exception import SoulsGymException

    assert not issubclass(FakeHang, (SoulsGymException, MemoryReadError, UnicodeDecodeError))

"""The fake game under soulsgym's own code: it starts, fights, dies, loads, and hears the keys a layout means."""

import json
import os
import subprocess
import sys
from ctypes import byref, sizeof

import numpy as np
import pytest

pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")
pytest.importorskip("pymem", reason="pymem is not installed: python bootstrap.py test installs it")

import pymem.ressources.kernel32
from fake_game import FakeHang, install, install_from_environment  # noqa: F401
from fake_game.game import ARENA, ENCOUNTERED
from fake_game.gym import make

pytestmark = pytest.mark.game
DEMO = "SoulsGymIudexDemo-v0"
FORWARD, NOTHING = 0, 19


def _moved_m(env, steps=10, action=FORWARD):
    before = env.reset()[0]["player_pose"]
    for _ in range(steps):
        now = env.step(action)[0]["player_pose"]
    return float(np.linalg.norm((now - before)[:2]))


def _play(env, steps, seed=0):
    """Random actions with new fights in between; all observations in one row of numbers, and the fights that ended."""
    rng = np.random.default_rng(seed)
    rows, ended = [env.reset()[0]], 0
    for _ in range(steps):
        obs, _, terminated, truncated, _ = env.step(int(rng.integers(20)))
        rows.append(obs)
        if terminated or truncated:
            ended += 1
            rows.append(env.reset()[0])
    return np.concatenate([np.ravel(value) for row in rows for value in row.values()]), ended


def test_soulsgym_starts_and_resets():
    """Breaks if soulsgym's own start fails: process, patterns, window, dll, bonfire, fog gate, poses, lock-on."""
    with install() as fake:
        env = make()
        obs, info = env.reset()
        assert fake.game.scene == ARENA and fake.clock.speed == 0
        assert obs["lock_on"] and obs["player_hp"] == 454 and obs["boss_hp"] == 1037 and obs["phase"] == 1
        np.testing.assert_allclose(obs["player_pose"][:2], (132.176, 575.064), atol=1e-3)
        np.testing.assert_allclose(obs["boss_pose"][:2], (141.3, 591.9), atol=1e-3)
        assert info["allowed_actions"] == list(range(20))


@pytest.mark.parametrize("phase", [1, 2])
def test_many_random_steps(phase):
    """Breaks if any step or any reset between fights raises, hangs or shows what cannot be."""
    with install(seed=3) as fake:
        env = make(phase=phase)
        numbers, ended = _play(env, 1000)
        assert np.isfinite(numbers).all() and ended >= 2
        assert fake.game.world["phase"] == phase


def test_the_same_seed_gives_the_same_fights():
    """Breaks if anything but the seed and the actions decides a fight in poll mode."""
    runs = []
    for seed in (5, 5, 6):
        with install(seed=seed):
            env = make()
            runs.append(_play(env, 300)[0])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert runs[0].shape != runs[2].shape or (runs[0] != runs[2]).any()


def test_a_step_is_three_frames_and_97_ms():
    """Breaks if a step takes another number of frames, with or without keys that are pressed and released."""
    with install() as fake:
        env = make()
        env.reset()
        start_ms = env.unwrapped.game.time
        for step, action in enumerate([NOTHING, 8, NOTHING, FORWARD, 18, *[NOTHING] * 20], 1):
            env.step(action)
            assert fake.game.world["step"] == step
            assert env.unwrapped.game.time - start_ms == 97 * step


def test_a_reload_moves_the_player_but_not_the_clock():
    """Breaks if pointer chains stay where they were, so that a stale address cache would go unnoticed."""
    with install() as fake:
        env = make()
        game = env.unwrapped.game
        before = dict(fake.process.layout.addresses)
        game.reload()
        after = fake.process.layout.addresses
        moved = {name for name in before if before[name] != after[name]}
        assert {"PlayerHP", "PlayerX", "IudexHP", "CamQx"} <= moved
        assert not moved & {"Time", "LockOn", "LastBonfire", "IudexDefeated", "AllNoMove"}
        assert game.player_hp == 454 and game.player_animation == "Idle"
        assert fake.process.layout.space.read(before["PlayerHP"], 4) is None


@pytest.mark.parametrize("clock", ["fuzz", "real"])
def test_other_clocks(clock):
    """Breaks if soulsgym cannot step a game whose frames fall where they like."""
    with install(clock=clock) as fake:
        env = make(game_speed=3.0)
        env.reset()
        fake.game.worlds["boss_x"] += 20.0  # he cannot disturb the walk
        before = env.unwrapped.game.time
        for _ in range(20):
            env.step(FORWARD)
        assert env.unwrapped.game.time - before >= 20 * 90
        assert fake.game.world["step"] >= 19


@pytest.mark.parametrize(("layout", "is_moving"), [("qwerty", True), ("qwertz", True), ("azerty", False)])
def test_virtual_keys_under_a_layout(layout, is_moving):
    """Breaks if azerty does not turn W into another key, as it does in reality; the diary lost a month to that."""
    with install() as fake:
        env = make()
        env.reset()
        fake.fault("other_layout", name=layout)
        before = env.unwrapped.game.player_pose
        for _ in range(10):
            obs = env.step(FORWARD)[0]
        moved_m = np.linalg.norm((obs["player_pose"] - before)[:2])
        assert moved_m > 3.0 if is_moving else moved_m == 0.0


def test_lock_on_never_comes_under_azerty():
    """Breaks if an endless wait of soulsgym does not end as FakeHang."""
    with install(layout="azerty", budget_s=20.0):
        env = make()
        with pytest.raises(FakeHang):
            env.reset()


@pytest.mark.parametrize("layout", ["qwerty", "azerty", "qwertz"])
def test_scan_codes_mean_the_same_key_everywhere(layout):
    """Breaks if a scan code is sent through the layout."""
    with install(layout=layout) as fake:
        from soulsgym.core import game_input

        for flags, held in ((0x8, {"forward"}), (0x8 | 0x2, set())):
            event = game_input._INPUT(type=1, ki=game_input._KEYBDINPUT(wVk=0, dwFlags=flags))
            event.ki.wScan = 0x11
            game_input.USER32.SendInput(1, byref(event), sizeof(event))
            assert fake.keyboard.held == held


def test_the_demo_goes_through_both_phases_and_starts_anew():
    """Breaks if the boss's change of phase, his death or the fight after it does not come through soulsgym."""
    with install() as fake:
        env = make(DEMO)
        assert env.reset()[0]["phase"] == 1
        fake.game.worlds["boss_hp"] = 500.0
        phases = [env.step(NOTHING)[0]["phase"] for _ in range(60)]
        assert phases[0] == 1 and phases[-1] == 2
        fake.game.worlds["boss_hp"], fake.game.worlds["player_hp"] = 0.0, 454.0
        obs, _, terminated, _, _ = env.step(NOTHING)
        assert terminated and obs["boss_hp"] == 0 and fake.game.records.get("IudexDefeated") != ENCOUNTERED
        obs = env.reset()[0]
        assert obs["boss_hp"] == 1037 and obs["phase"] == 1 and fake.game.world["phase"] == 1


def test_the_player_really_dies_in_the_demo():
    """Breaks if a death does not end the fight, or the game is not at the bonfire afterwards and fights again."""
    with install() as fake:
        env = make(DEMO)
        env.reset()
        fake.game.worlds["player_hp"] = 1.0
        for _ in range(400):
            obs, _, terminated, _, _ = env.step(FORWARD)
            if terminated:
                break
        assert terminated and obs["player_hp"] == 0
        assert env.reset()[0]["player_hp"] == 454
        assert _moved_m(env) > 1.0


def test_closing_leaves_the_game_playable():
    """Breaks if closing does not reach the game: speed 1, flags off, keys up, the player killed."""
    with install() as fake:
        env = make()
        env.reset()
        env.step(FORWARD)
        env.close()
        assert fake.clock.speed == 1 and not fake.keyboard.held
        assert not any(fake.game.records.get(name) for name in ("AllNoMove", "AllNoAttack", "AllNoHit", "AllNoDeath"))
        assert fake.game.world["player_hp"] == 0


def test_removing_it_gives_everything_back():
    """Breaks if a fake leaves its functions in pymem or soulsgym, where the real game would find them."""
    from soulsgym.core.speedhack import speedhack as module

    before = pymem.ressources.kernel32.ReadProcessMemory, set(vars(module)), module.time
    with install():
        assert pymem.ressources.kernel32.ReadProcessMemory is not before[0]
    assert (pymem.ressources.kernel32.ReadProcessMemory, set(vars(module)), module.time) == before


def test_another_process_installs_it_by_name():
    """Breaks if a child process cannot fake its game by a dotted name, with options, before soulsgym is imported."""
    code = (
        "from importlib import import_module\n"
        "fake = import_module('fake_game.install').install_from_environment()\n"
        "from fake_game.gym import make\n"
        "env = make()\n"
        "env.reset()\n"
        "assert fake.keyboard.layout == 'qwertz' and fake.keyboard.delay_ticks == 2\n"
    )
    options = {"seed": 4, "layout": "qwertz", "faults": [{"fault": "keys_late", "after_ticks": 5, "ticks": 2}]}
    path = os.pathsep.join(sys.path)
    variables = os.environ | {"ASHEN_FAKE_GAME": json.dumps(options), "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

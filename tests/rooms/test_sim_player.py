"""The player's rules against hand-worked numbers from the tables."""

import numpy as np
import pytest

from ashen.core.fight import ACTION_NAMES, HEAVY_ATTACK, LIGHT_ATTACK, NOTHING, PARRY, Outcome
from ashen.sim.backend import SimBackend
from ashen.sim.boss_ai import start_attack

WALK_FORWARD, ROLL_FORWARD, ROLL_LEFT = 0, 8, 14
ONE = np.ones(1, np.bool_)


def fight_at(distance_m: float, kind: str = "phase1", boss_waits_f: int = 100_000) -> SimBackend:
    """One fight in the arena's middle: the boss faces the player at ``distance_m`` and does nothing for a while."""
    backend = SimBackend("iudex", kind, 1)
    backend.reset(ONE, np.zeros(1, np.uint64))
    world = backend.snapshot()
    world["boss_x"], world["boss_y"], world["boss_yaw"] = 139.0, 596.0, 0.0  # facing -y
    world["player_x"], world["player_y"], world["player_yaw"] = 139.0, 596.0 - distance_m, np.pi  # facing +y
    world["view_yaw"], world["view_nx"], world["view_ny"] = 0.5 * np.pi, 0.0, 1.0
    world["mode"], world["mode_f"] = 5, boss_waits_f  # held
    backend.restore(world)
    return backend


def act(backend: SimBackend, *actions: int) -> np.void:
    """Take the actions one by one; returns the state after the last."""
    for action in actions:
        backend.step(np.array([action]))
    return backend.states[0].copy()


def attack_now(backend: SimBackend, name: str, motion_f: int = 0) -> None:
    """Let the boss begin an attack, ``motion_f`` frames into its motion."""
    world = backend.snapshot()
    start_attack(world[0], backend.boss_vocabulary.id(name), -motion_f)
    world["act"], world["link"] = 0, 3  # no chain follows
    backend.restore(world)


def test_a_roll_travels_and_costs_what_was_measured():
    """Breaks if the roll's curve, its 0.02 s press delay or its stamina cost changes."""
    backend = fight_at(12.0)
    y = backend.states["player_y_m"][0]
    state = act(backend, ROLL_FORWARD)
    assert state["player_animation_s"] == pytest.approx(0.077, abs=2e-3)
    assert state["player_sp"] == 95 - 16
    assert state["player_y_m"] - y == pytest.approx(0.23, abs=0.01)
    state = act(backend, *[NOTHING] * 7)
    assert state["player_y_m"] - y == pytest.approx(3.57, abs=0.02)
    assert state["player_animation_s"] == pytest.approx(0.757, abs=2e-3)


def test_the_mask_follows_soulsgyms_lock_table():
    """Breaks if a lock is compared on the wrong clock: a roll locks everything for 8 steps."""
    backend = fight_at(12.0)
    locked = []
    act(backend, ROLL_FORWARD)
    for _ in range(8):
        locked.append(not backend.valid_actions()[0, ROLL_FORWARD])
        act(backend, NOTHING)
    assert locked == [True] * 7 + [False]


def test_walking_starts_slow_and_is_relative_to_the_camera():
    """Breaks if the first step, the run speed or the direction of the keys is wrong."""
    backend = fight_at(12.0)
    x, y = backend.states["player_x_m"][0], backend.states["player_y_m"][0]
    state = act(backend, WALK_FORWARD)
    assert state["player_y_m"] - y == pytest.approx(0.30, abs=0.01)
    state = act(backend, WALK_FORWARD)
    assert state["player_y_m"] - y == pytest.approx(0.69, abs=0.02)
    state = act(backend, ACTION_NAMES.index("walk_right"))
    assert state["player_x_m"] - x == pytest.approx(0.3, abs=0.05)  # the view looks along +y, so right is +x


def test_a_walk_out_of_a_roll_gains_speed_slowly_and_rests_a_frame_later():
    """Breaks if a walk breaks off a roll at full speed, or stamina returns in its first frame (recorded: 3)."""
    backend = fight_at(12.0)
    act(backend, ROLL_FORWARD, *[NOTHING] * 9)
    before = backend.states[0].copy()
    ways, points = [], []
    for _ in range(3):
        state = act(backend, ACTION_NAMES.index("walk_right")).copy()
        ways.append(np.hypot(*(state[key] - before[key] for key in ("player_x_m", "player_y_m"))))
        points.append(state["player_sp"] - before["player_sp"])
        before = state
    assert ways[0] < 0.13 < ways[1] < 0.28 < ways[2] < 0.4
    assert points[0] == 3


def test_a_runner_slides_when_the_keys_are_released():
    """Breaks if a runner stops dead, or slides on for more than two steps."""
    backend = fight_at(12.0)
    y = act(backend, *[WALK_FORWARD] * 4)["player_y_m"]
    first, second, third, fourth = (act(backend, NOTHING)["player_y_m"] for _ in range(4))
    assert 0.15 < first - y < 0.25
    assert 0.03 < second - first < 0.1
    assert fourth - third < 0.03


def test_an_invalid_action_releases_the_keys_and_does_nothing():
    """Breaks if an action outside the mask has an effect."""
    backend = fight_at(12.0)
    act(backend, LIGHT_ATTACK)
    twin = fight_at(12.0)
    act(twin, LIGHT_ATTACK)
    assert act(backend, ROLL_LEFT).tobytes() == act(twin, NOTHING).tobytes()


def test_a_runner_stops_on_an_invalid_action():
    """Breaks if keys stay held when SoulsGym would release them."""
    ends = []
    for last in (LIGHT_ATTACK, NOTHING):
        backend = fight_at(12.0)
        world = backend.snapshot()
        world["stamina_halves"] = -60
        backend.restore(world)
        ends.append(act(backend, WALK_FORWARD, WALK_FORWARD, last).tobytes())
    assert ends[0] == ends[1]


def test_stamina_returns_at_45_a_second_in_whole_points():
    """Breaks if regeneration is not 4.5 a step, shown as 4, 5, 4, 5."""
    backend = fight_at(12.0)
    world = backend.snapshot()
    world["stamina_halves"] = 0
    backend.restore(world)
    shown = [act(backend, NOTHING)["player_sp"] for _ in range(4)]
    assert shown == [4, 9, 13, 18]


def test_a_light_attack_deals_52_and_costs_20_when_it_lands():
    """Breaks if the swing's window, damage or the time its stamina leaves changes."""
    backend = fight_at(2.5)
    state = act(backend, LIGHT_ATTACK, *[NOTHING] * 3)
    assert (state["player_sp"], state["boss_hp"]) == (95, 1037)
    state = act(backend, NOTHING, NOTHING)
    assert (state["player_sp"], state["boss_hp"]) == (75, 1037 - 52)


def test_a_swing_out_of_reach_or_away_misses():
    """Breaks if reach or arc of the sword is ignored."""
    backend = fight_at(5.0)
    assert act(backend, LIGHT_ATTACK, *[NOTHING] * 8)["boss_hp"] == 1037


def test_heavy_attack_and_attack_out_of_a_roll_have_their_own_damage():
    """Breaks if one move's damage is used for another."""
    assert act(fight_at(2.5), HEAVY_ATTACK, *[NOTHING] * 9)["boss_hp"] == 1037 - 64
    backend = fight_at(5.0)
    state = act(backend, ROLL_FORWARD, *[NOTHING] * 7, LIGHT_ATTACK, *[NOTHING] * 6)
    assert state["boss_hp"] == 1037 - 33
    assert backend.player_vocabulary.name(int(state["player_animation"])) == "AttackRightLightStep"


def test_chained_rolls_take_the_other_name():
    """Breaks if chained rolls do not alternate between the two names of the recording."""
    backend = fight_at(12.0)
    names = []
    for _ in range(3):
        state = act(backend, ROLL_LEFT)
        names.append(backend.player_vocabulary.name(int(state["player_animation"])))
        act(backend, *[NOTHING] * 7)
    assert names == ["RollingMedium", "RollingMediumSelftra", "RollingMedium"]


@pytest.mark.parametrize(("rolled_f_before", "is_hit"), [(3, False), (9, False), (12, True)])
def test_a_roll_is_invulnerable_for_its_first_thirteen_frames(rolled_f_before, is_hit):
    """Breaks if i-frames are longer or shorter than the table's 0.42 s (13 frames), by one step of 3 frames.

    The step strikes at the roll's frames ``rolled_f_before`` + 1 to + 3; 13 is the first that can be hit.
    """
    backend = fight_at(3.2)
    act(backend, ACTION_NAMES.index("roll_back"), *[NOTHING] * (rolled_f_before // 3 - 1))
    world = backend.snapshot()
    world["boss_y"] = world["player_y"] + 3.2
    backend.restore(world)
    attack_now(backend, "Attack3014", motion_f=40)  # its window opens at frame 41
    hp = act(backend, NOTHING)["player_hp"]
    assert hp == (454 - 135 if is_hit else 454)


def test_a_parry_in_its_window_stuns_and_a_riposte_follows():
    """Breaks if the parry window, the stun or the riposte is lost."""
    backend = fight_at(2.0)
    act(backend, PARRY, NOTHING, NOTHING)  # 9 frames in: the window is 7 to 13
    attack_now(backend, "Attack3014", motion_f=40)
    state = act(backend, NOTHING)
    assert backend.boss_vocabulary.name(int(state["boss_animation"])) == "DamageParryEnemy1"
    assert state["player_hp"] == 454
    state = act(backend, *[NOTHING] * 7, LIGHT_ATTACK, *[NOTHING] * 11)
    assert state["boss_hp"] == 1037 - 195


def test_struck_just_before_the_parry_opens():
    """Breaks if the recorded partial parry (108 of 135, 68 stamina) is not reproduced."""
    backend = fight_at(3.4)
    act(backend, PARRY)
    attack_now(backend, "Attack3014", motion_f=40)
    state = act(backend, NOTHING)
    assert state["player_hp"] == 454 - 108
    assert state["player_sp"] == 95 - 68


def test_the_grab_throws_damages_late_and_takes_the_lock():
    """Breaks if the throw's damage, its time or the lost lock-on changes."""
    backend = fight_at(1.9)
    attack_now(backend, "Attack3010", motion_f=41)
    state = act(backend, NOTHING)
    assert backend.player_vocabulary.name(int(state["player_animation"])) == "ThrowDef"
    assert (state["player_hp"], state["lock_on"]) == (454, 0)
    assert act(backend, *[NOTHING] * 18)["player_hp"] == 454
    assert act(backend, NOTHING, NOTHING)["player_hp"] == 454 - 174
    state = act(backend, *[NOTHING] * 52, ROLL_LEFT)
    assert backend.player_vocabulary.name(int(state["player_animation"])) == "EStepDown"
    assert state["lock_on"] == 0
    assert act(backend, *[NOTHING] * 9)["lock_on"] == 1


def test_struck_while_rolling_out_shows_a_phantom_roll():
    """Breaks if the additive reaction and the roll's name after it are lost."""
    backend = fight_at(4.0)
    act(backend, ACTION_NAMES.index("roll_back"), *[NOTHING] * 4)
    world = backend.snapshot()
    world["boss_y"] = world["player_y"] + 4.0
    backend.restore(world)
    attack_now(backend, "Attack3012", motion_f=28)
    names = []
    for _ in range(8):
        state = act(backend, NOTHING)
        names.append(backend.player_vocabulary.name(int(state["player_animation"])))
    assert names[0] == "AddDamageStartFront"
    assert names[-1] == "RollingMedium"
    assert not backend.valid_actions()[0, ROLL_LEFT]


def test_beyond_the_cliff_the_player_falls_to_his_death():
    """Breaks if the cliff holds a body or a fall does not end the fight."""
    backend = fight_at(8.0)
    world = backend.snapshot()
    angle = np.radians(-35.0)
    world["player_x"], world["player_y"] = 139.0 + 26.0 * np.cos(angle), 596.0 + 26.0 * np.sin(angle)
    backend.restore(world)
    steps = 0
    while backend.outcome()[0] == Outcome.RUNNING:
        state = act(backend, NOTHING)
        steps += 1
    assert backend.outcome()[0] == Outcome.LOSS
    assert state["player_z_m"] < -73.0
    assert state["player_hp"] == 0
    assert 5 <= steps <= 20

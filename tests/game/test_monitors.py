"""Monitors: what fails without an exception is noticed under its right name, and an undisturbed fight is left alone."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from ashen.core.fight import ACTION_NAMES, FIGHT_STATE, LIGHT_ATTACK, NOTHING
from ashen.core.tables import boss_file, player_facts
from ashen.core.vocabulary import player_vocabulary
from ashen.evaluation.recording import recorded_fights
from ashen.game.door import Failed
from ashen.game.faults import FAULTS, Kind, NoticedError, fault_named
from ashen.game.monitors import shown
from ashen.game.monitors.glance import Glance
from ashen.game.monitors.monitors import MONITORS, SILENT_FAULTS, Monitors
from ashen.game.monitors.pace import SPEED_STEPS, WrongSpeed
from ashen.game.monitors.pressed import LATE_PRESSES, PRESSES_WITHOUT_EFFECT, WALKS_WITHOUT_EFFECT, InputLate, KeysLost
from ashen.game.options import GameOptions
from ashen.game.soulsgym_builds import fight_spec

pytestmark = pytest.mark.game
LIMIT_S = 60.0
FORWARD, BACK, LEFT, BACK_LEFT = (ACTION_NAMES.index(f"walk_{way}") for way in ("forward", "back", "left", "back_left"))
IUDEX = boss_file("iudex")
NAMES = player_vocabulary()
UNKNOWN_SPEED = SimpleNamespace(speed=math.nan, set_speed=math.nan)


def hunt(rng, step, game):
    """Go up to the boss and strike."""
    row = game.states[0]
    away_m = math.hypot(row["boss_x_m"] - row["player_x_m"], row["boss_y_m"] - row["player_y_m"])
    return LIGHT_ATTACK if away_m < 2.8 else FORWARD


POLICIES = {
    "random": lambda rng, step, game: int(rng.integers(len(ACTION_NAMES))),
    "waits": lambda rng, step, game: NOTHING,
    "walks": lambda rng, step, game: step // 7 % 8,
    "against a wall": lambda rng, step, game: BACK,
    "along a wall": lambda rng, step, game: BACK_LEFT if step % 4 else BACK,
    "attacks": lambda rng, step, game: LIGHT_ATTACK,
    "hunts": hunt,
}


def play(door, fake, policy, steps, fight="phase1", trouble=None, fault=None, details=None, **options):
    """So many steps, over fights; (the first failure or None, steps until then). A fault comes in step 5."""
    spec, rng = fight_spec("iudex", fight, GameOptions(**options)), np.random.default_rng(0)
    begun = door.answer(("reset", LIMIT_S, spec, trouble))
    for step in range(steps):
        assert not isinstance(begun, Failed), begun
        if fault is not None and step == 5:
            fake.fault(fault, **details)
        answer = door.answer(("step", LIMIT_S, POLICIES[policy](rng, step, fake.game)))
        if isinstance(answer, Failed):
            return answer, step - 5
        state = door._env._internal_state
        if state.player_hp == 0 or state.boss_hp == 0:
            begun = door.answer(("reset", LIMIT_S, spec, None))
    return None, steps


NOTICED = [
    ("focus_lost", {}, "random", "focus_lost", 0),
    ("lock_on_never", {}, "random", "lock_lost", 30),
    ("frozen", {}, "random", "frozen", 52),
    ("speed_ignored", {}, "waits", "wrong_speed", 55),
    ("sword_lost", {}, "hunts", "other_damage", 200),
    ("input_blocked", {}, "random", "keys_lost", 150),
    ("input_blocked", {}, "attacks", "keys_lost", 60),
    ("key_up_lost", {}, "random", "keys_lost", 250),
    ("keys_late", {"ticks": 24}, "random", "input_late", 500),
    ("other_max_hp", {}, "waits", "other_character", 1),
]


@pytest.mark.parametrize(
    ("fault", "details", "policy", "name", "within_steps"), NOTICED, ids=[f"{row[0]}-{row[2]}" for row in NOTICED]
)
def test_what_fails_silently_is_noticed(fake, door, fault, details, policy, name, within_steps):
    """Breaks if a silent fault goes on for longer than this, is called another, or the next fight cannot begin."""
    failed, steps = play(door, fake, policy, within_steps + 6, fault=fault, details=details)
    assert failed is not None and failed.fault == name, (failed, steps)
    assert fake.clock.speed == 0.0
    fake.mend(fault)
    assert play(door, fake, "random", 5, trouble=fault_named(name).kind) == (None, 5)


def test_another_keyboard_layout_is_noticed(fake, door):
    """Breaks if keys that go to other places, where they go by letter, train an agent that cannot walk."""
    failed, _ = play(door, fake, "random", 300, fault="other_layout", details={}, use_scan_codes=False)
    assert failed.fault in ("keys_lost", "lock_lost")
    assert "English (US)" in fault_named(failed.fault).advice


@pytest.mark.parametrize("fight", ["phase1", "full"])
def test_a_later_journey_is_not_taken_for_a_fluke(fake, door, fight):
    """Breaks if a boss with more hit points is met by new attempts for ever, or the user is not told."""
    fake.fault("other_boss_hp")
    failed = door.answer(("reset", LIMIT_S, fight_spec("iudex", fight, GameOptions()), None))
    assert failed.fault == "other_character", failed
    assert failed.message == "the boss has 1500 hit points, more than 1037"


def test_the_focus_is_taken_back_or_asked_for(fake, door):
    """Breaks if a fight goes on over a time without focus, or the game runs while the user is asked for it."""
    failed, _ = play(door, fake, "random", 6, fault="focus_lost", details={})
    assert failed.message == "the game's window lost the focus, and has it again"
    assert fake.window.is_focused
    failed, _ = play(door, fake, "random", 6, trouble=Kind.TRANSIENT, fault="focus_denied", details={})
    assert failed.message == "the game's window lost the focus, and cannot take it back"
    again = door.answer(("reset", LIMIT_S, fight_spec("iudex", "phase1", GameOptions()), Kind.TRANSIENT))
    assert again == Failed("focus_lost", "another window is in front of the game's")
    assert fake.clock.speed == 0.0
    assert door.answer(("is_in_front", LIMIT_S)) is False
    fake.mend("focus_denied")
    assert door.answer(("is_in_front", LIMIT_S)) is True
    assert play(door, fake, "random", 5, trouble=Kind.TRANSIENT) == (None, 5)


@pytest.mark.parametrize("fight", ["phase1", "phase2", "full"])
@pytest.mark.parametrize("policy", POLICIES)
def test_an_undisturbed_fight_is_left_alone(fake, door, fight, policy):
    """Breaks if a monitor finds something where nothing is: one false alarm an hour would ruin a night."""
    assert play(door, fake, policy, 150, fight) == (None, 150)


@pytest.mark.slow
@pytest.mark.parametrize("fight", ["phase1", "phase2", "full"])
@pytest.mark.parametrize("policy", POLICIES)
def test_an_undisturbed_hour_is_left_alone(fake, door, fight, policy):
    """Breaks if a monitor's counts add up over many fights."""
    assert play(door, fake, policy, 2_000, fight) == (None, 2_000)


def test_the_recorded_real_fights_are_left_alone():
    """Breaks if what the real game shows would be called a fault, or its presses are not followed: 0.022 s each."""
    latencies_s = []
    for fight in recorded_fights():
        monitors = Monitors(IUDEX, 1.0)
        monitors.begin(fight.states[:1], fight.masks[0])
        for step in range(1, len(fight.states)):
            monitors.look(int(fight.actions[step]), fight.states[step : step + 1], fight.masks[step], UNKNOWN_SPEED)
            if monitors.latency_s is not None:
                latencies_s.append(monitors.latency_s)
    assert len(latencies_s) > 20
    assert np.median(latencies_s) == pytest.approx(0.022, abs=0.001)


# each monitor by hand


def glance(action=NOTHING, before="Idle", now="Idle", moved=(0.0, 0.0), clock_s=0.1, cost=0.0, **rest):
    """A step of a player at (0, 0) who looks along x, 10 m from a boss with 500 hit points."""
    rows = np.zeros(2, FIGHT_STATE)
    rows["camera_nx"], rows["boss_x_m"], rows["lock_on"] = 1.0, 10.0, 1
    rows["player_animation"] = NAMES.id(before), NAMES.id(now)
    rows["player_animation_s"] = 0.0, clock_s
    rows["player_x_m"][1], rows["player_y_m"][1] = moved
    rows["boss_hp"] = 500.0, 500.0 - cost
    for name, value in rest.items():
        rows[name][1] = value
    return Glance(rows[0], rows[1], action)


def first_said(monitor, *steps):
    """Show a monitor steps; (at which it said something, what), counted from 1."""
    for number, step in enumerate(steps, 1):
        if said := monitor.look(step):
            return number, said
    return None


def test_a_key_is_judged_by_the_way_it_leads():
    """Breaks if walking against a wall counts, a key that moves nobody does not, or its fellow is blamed."""
    many = WALKS_WITHOUT_EFFECT
    silent = glance(FORWARD)
    assert first_said(KeysLost(), *[silent] * many) == (many, f"W moved nobody {many} times: " + _BLOCKED)
    wall = glance(FORWARD, now="Move")
    assert first_said(KeysLost(), *[wall] * 500) is None
    ahead = glance(FORWARD, "Move", "Move", (0.4, 0.0))
    assert first_said(KeysLost(), *([silent] * (many - 1) + [ahead]) * 3) is None
    left = glance(LEFT, "Move", "Move", (0.0, 0.4))
    assert first_said(KeysLost(), left, *[silent] * many)[1] == f"W moved nobody {many} times, while A did: " + _LAYOUT
    walks_on = glance(BACK, "Move", "Move", (0.4, 0.0))
    assert first_said(KeysLost(), *[walks_on] * 50)[1].startswith("S moved nobody")
    pushed = glance(BACK, "Move", "Move", (0.4, 0.0), boss_x_m=2.0)
    assert first_said(KeysLost(), *[pushed] * 500) is None
    # Back and left along a wall behind that turns the player to the right; and back and right in their place.
    slides, other = (glance(BACK_LEFT, "Move", "Move", moved) for moved in ((-0.17, -0.08), (-0.28, -0.28)))
    assert first_said(KeysLost(), *[slides] * 500) is None
    assert first_said(KeysLost(), *[other] * 50)[1].startswith("A moved nobody")


_BLOCKED = "Windows lets no key through to the game, or another window takes them"
_LAYOUT = "another keyboard layout or key setting"


def test_a_player_who_walks_without_keys_is_noticed():
    """Breaks if a key that stays down goes unnoticed, or sliding to a stop counts."""
    alone = glance(NOTHING, "Move", "Move", (0.4, 0.0))
    assert "one stays down" in first_said(KeysLost(), *[alone] * 50)[1]
    assert first_said(KeysLost(), *([alone] * 7 + [glance(NOTHING)]) * 9) is None


def test_presses_without_effect_are_counted():
    """Breaks if lost presses are not noticed, one that works does not count, or one that cannot be told apart does."""
    lost, works = glance(LIGHT_ATTACK), glance(LIGHT_ATTACK, now="AttackRightLight1")
    many = PRESSES_WITHOUT_EFFECT
    assert first_said(KeysLost(), *[lost] * many) == (
        many,
        f"{many} presses to roll, attack or parry started nothing: " + _BLOCKED,
    )
    assert first_said(KeysLost(), *([lost] * (many - 1) + [works]) * 3) is None
    same_name = glance(LIGHT_ATTACK, "AttackRightLight1", "AttackRightLight1")
    assert first_said(KeysLost(), *[same_name] * 500) is None


def test_latency_is_the_time_from_the_press_to_the_animation():
    """Breaks if the clock it has run by then is not taken off, waits add up wrongly, or a slow one alone is called.

    Pressed in a step, the attack has run for 0.078 s at its end: 0.022 s. Three steps later: 0.322 s.
    """
    monitor = InputLate()
    at_once = glance(LIGHT_ATTACK, now="AttackRightLight1", clock_s=0.078)
    monitor.look(at_once)
    assert monitor.latency_s == pytest.approx(0.022)
    late = [glance(LIGHT_ATTACK), glance(), glance(), glance(NOTHING, "Idle", "AttackRightLight1", clock_s=0.078)]
    for step in late:
        assert monitor.look(step) is None
    assert monitor.latency_s == pytest.approx(0.322)
    assert first_said(InputLate(), *late * LATE_PRESSES)[0] == len(late) * LATE_PRESSES
    assert first_said(InputLate(), *(late * (LATE_PRESSES - 1) + [at_once]) * 3) is None
    hit = [glance(LIGHT_ATTACK), glance(), glance(now="DamageSmall"), late[-1]]
    assert first_said(InputLate(), *hit * 20) is None
    lost_once = [glance(LIGHT_ATTACK), glance(), glance(), at_once]
    assert first_said(InputLate(), *lost_once * 20) is None
    assert monitor.look(lost_once[0]) is monitor.look(at_once) is monitor.latency_s is None


def test_damage_is_that_of_the_tables():
    """Breaks if a sword that is off is not told by two hits, or a hit of another move, or the last one, is judged."""
    usual = player_facts(IUDEX)["moves"]["AttackRightLight1"]["damage"].value
    swing = {"before": "AttackRightLight1", "now": "AttackRightLight1", "clock_s": 0.5}
    right, fist = (glance(**swing, cost=cost) for cost in (usual, 20.0))
    assert first_said(shown.OtherDamage(IUDEX), fist, fist) == (
        2,
        f"light attacks cost the boss 20 and 20, not {usual:g}",
    )
    others = [
        glance(**swing | {"before": "AttackRightHeavy1End"}, cost=64.0),
        glance(before="RollingMedium", now="AttackRightLightStep", cost=33.0),
        glance(**swing | {"clock_s": -0.1}, cost=20.0),
        glance(**swing, cost=500.0),
    ]
    assert first_said(shown.OtherDamage(IUDEX), *([fist, right] * 5 + others) * 5) is None


def test_the_lock_may_be_lost_for_a_while_and_in_a_throw():
    """Breaks if SoulsGym gets no time to lock on again, or is blamed for a throw."""
    lost, held = glance(lock_on=0), glance()
    assert first_said(shown.LockLost(), *[lost] * 99)[0] == shown.LOCK_STEPS
    assert first_said(shown.LockLost(), *([lost] * 12 + [held]) * 9) is None
    assert first_said(shown.LockLost(), *[glance(now="ThrowDef", lock_on=0)] * 99) is None


def test_one_slow_step_is_no_other_speed():
    """Breaks if a lag is called another speed, or another speed is not noticed within the steps that are said."""
    right, slow = glance()._replace(speed=2.9, set_speed=3.0), glance()._replace(speed=1.0, set_speed=3.0)
    assert first_said(WrongSpeed(3.0), *([right] * 9 + [slow]) * 99) is None
    number, said = first_said(WrongSpeed(3.0), *[slow] * 99)
    assert (number, said) == (SPEED_STEPS, "the game runs at 1.0 times its speed, not 3")
    assert first_said(WrongSpeed(2.0), right) == (1, "soulsgym lets the game run at 3, not 2")


def test_a_finding_is_a_row_of_the_list_and_everything_begins_anew():
    """Breaks if a monitor names a fault that is none, or goes on finding what has been mended."""
    assert {row.fault for row in MONITORS} <= {fault.name for fault in FAULTS}
    assert {name for name in SILENT_FAULTS if fault_named(name).kind == Kind.NEEDS_YOU} == {"other_damage"}
    monitors, lost = Monitors(IUDEX, 1.0), glance(lock_on=0).now.reshape(1)
    mask = np.ones(len(ACTION_NAMES), np.bool_)
    monitors.begin(lost, mask)
    for _ in range(2):
        for _ in range(shown.LOCK_STEPS - 1):
            monitors.look(NOTHING, lost, mask, UNKNOWN_SPEED)
        with pytest.raises(NoticedError) as found:
            monitors.look(NOTHING, lost, mask, UNKNOWN_SPEED)
        assert found.value.fault == "lock_lost"

"""The room that owns the game, in this process: translation, faults, repairs, and how the game is left."""

import numpy as np
import pytest

from ashen.core.fight import FIGHT_STATE, NOTHING
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.game import keys
from ashen.game.door import Door, Failed, Shown
from ashen.game.faults import FAULTS, Kind, fault_named
from ashen.game.options import GameOptions
from ashen.game.soulsgym_builds import fight_spec
from ashen.game.translate import SHOWN_BYTES

pytestmark = pytest.mark.game
LIMIT_S = 60.0
WALK = 0


def spec(fight="phase1", **changes):
    """A fight against Iudex at three times the speed."""
    return fight_spec("iudex", fight, GameOptions(**changes))


def begin(door, fight="phase1", trouble=None, limit_s=LIMIT_S, **changes):
    """Start a fight."""
    return door.answer(("reset", limit_s, spec(fight, **changes), trouble))


def step(door, action=NOTHING, limit_s=LIMIT_S):
    """One step."""
    return door.answer(("step", limit_s, action))


def row_of(shown):
    """The row in an answer."""
    assert isinstance(shown, Shown), shown
    rows = np.zeros(1, FIGHT_STATE)
    rows.view(np.uint8)[:SHOWN_BYTES] = np.frombuffer(shown.row, np.uint8)
    return rows[0]


def test_a_row_says_what_the_game_shows(fake, door):
    """Breaks if a field is taken from the wrong place, or an animation by SoulsGym's number instead of its name."""
    row, truth = row_of(begin(door)), fake.game.states[0]
    for _ in range(30):
        row, truth = row_of(step(door, WALK)), fake.game.states[0].copy()
    for name in FIGHT_STATE.names[: FIGHT_STATE.names.index("previous_player_animation")]:
        if name not in ("step", "player_hp", "boss_hp", "player_animation_s", "boss_animation_s"):
            assert row[name] == pytest.approx(truth[name], abs=1e-3), name
    for name in ("player_animation_s", "boss_animation_s"):
        assert row[name] == pytest.approx(truth[name], abs=0.12), name


def test_another_table_of_the_same_boss_is_taken(fake, door, tmp_path):
    """Breaks if a fight goes on being told by the table of the one before, without the animations it has learned."""
    begin(door)
    overlay = tmp_path / "learned.toml"
    overlay.write_text('base = "iudex"\n[animations]\nextra = ["Attack1501"]', encoding="utf-8")
    door.answer(("reset", LIMIT_S, fight_spec(str(overlay), "phase1", GameOptions()), None))
    fake.fault("boss_animation", name="Attack1501", attack=1501)
    shown = step(door)
    assert row_of(shown)["boss_animation"] == boss_vocabulary(overlay).id("Attack1501") and shown.unknown == []


def test_a_boss_that_this_build_lacks_is_told(fake, door, tmp_path):
    """Breaks if SoulsGym of PyPI, which has no Vordt, ends in a traceback, or the game is asked for before that."""
    fake.fault("no_process")
    table = tmp_path / "vordt.toml"
    table.write_text(boss_file("iudex").read_text(encoding="utf-8"), encoding="utf-8")
    answer = door.answer(("open", LIMIT_S, fight_spec(str(table), "phase1", GameOptions())))
    how = "docs/windows.md says under Vordt how to put that in its place"
    assert answer == Failed("set_up", f"this build of soulsgym has no vordt, its GitHub head has; {how}")


def test_lost_hit_points_are_counted(fake, door):
    """Breaks if the hit points are the game's, which SoulsGym fills up after every step."""
    begin(door)
    while (hp := row_of(step(door))["player_hp"]) == 454:
        pass
    assert 0 <= hp < 454
    assert fake.game.records.get("PlayerHP") == 454
    assert row_of(step(door))["player_hp"] <= hp


def test_our_names_begin_with_soulsgyms_in_its_order(fake):
    """Breaks if an agent trained on SoulsGym's own numbers would read other animations here."""
    from soulsgym.core.static import boss_animations, player_animations

    for ours, theirs in (
        (player_vocabulary(), player_animations["DarkSoulsIII"]),
        (boss_vocabulary(boss_file("iudex")), boss_animations["DarkSoulsIII"]["iudex"]["all"]),
    ):
        assert {name: entry["ID"] for name, entry in theirs.items()} == dict(
            zip(ours.names[: ours.soulsgym_count], range(ours.soulsgym_count), strict=True)
        )


@pytest.mark.parametrize(("fight", "phase"), [("phase1", 1), ("phase2", 2), ("full", 1)])
def test_the_phase_is_right(door, fight, phase):
    """Breaks if fights of phase 2 say 1, as SoulsGym does."""
    assert row_of(begin(door, fight))["phase"] == phase
    assert row_of(step(door))["phase"] == phase


def test_the_mask_is_soulsgyms(door):
    """Breaks if an action that has no effect now is called valid."""
    shown = begin(door)
    assert np.frombuffer(shown.mask, np.bool_).all()
    shown = step(door, 8)
    assert np.flatnonzero(np.frombuffer(shown.mask, np.bool_)).tolist() == [NOTHING]


def test_keys_go_by_letter_or_by_place_as_each_fight_wants(fake, door):
    """Breaks if the first fight's way to press keys stays for those that follow."""
    for use_scan_codes in (True, False, True):
        row_of(begin(door, use_scan_codes=use_scan_codes))
        assert bool(keys._replaced) == use_scan_codes


def test_random_starts_differ(door):
    """Breaks if random_start does not reach the environment, or needs a new one for every change."""
    poses = {row_of(begin(door, random_start=True))["player_x_m"].item() for _ in range(5)}
    assert len(poses) > 1
    assert row_of(begin(door))["player_x_m"] == pytest.approx(132.176, abs=0.01)


MID_FIGHT = [
    ("hp_zero", "player_state", Kind.NEEDS_RELOAD, 60),
    ("out_of_bounds", "player_state", Kind.NEEDS_RELOAD, 60),
    ("nan_player", "player_state", Kind.NEEDS_RELOAD, 60),
    ("nan_boss", "impossible_value", Kind.TRANSIENT, 60),
    ("stamina_negative", None, None, 60),
    ("player_animation_broken", "memory", Kind.TRANSIENT, 60),
    ("read_error", "memory", Kind.TRANSIENT, 0),
    ("write_error", "memory", Kind.TRANSIENT, 0),
    ("player_killed", "player_state", Kind.NEEDS_RELOAD, 0),
    ("process_restarts", "game_gone", Kind.NEEDS_GAME_RESTART, 0),
    ("other_max_hp", "other_character", Kind.NEEDS_YOU, 60),
]


@pytest.mark.parametrize(("fault", "name", "kind", "for_ticks"), MID_FIGHT, ids=[row[0] for row in MID_FIGHT])
def test_a_fault_is_told_apart_and_recovered_from(fake, door, fault, name, kind, for_ticks):
    """Breaks if a fault becomes data, is called another, or the next fight cannot begin after it."""
    begin(door)
    step(door)
    fake.fault(fault, after_ticks=1, for_ticks=for_ticks)
    answers = [step(door) for _ in range(2)]
    failed = next((answer for answer in answers if isinstance(answer, Failed)), None)
    if name is None:
        assert failed is None
        return
    assert failed is not None and failed.fault == name, failed
    assert fault_named(name).kind == kind
    assert kind == Kind.NEEDS_GAME_RESTART or fake.clock.speed == 0.0
    fake.mend(fault)
    row_of(begin(door, trouble=kind))
    row_of(step(door))


@pytest.mark.parametrize("fault", ["process_hung", "time_stands_still"])
def test_what_would_wait_for_ever_ends_in_time(fake, door, fault):
    """Breaks if a loop of soulsgym that waits for the game goes on beyond the deadline."""
    fake.clock.budget_s = float("inf")
    begin(door)
    fake.fault(fault)
    failed = step(door, limit_s=0.3)
    assert failed.fault == "no_answer"
    assert "_step" in failed.message
    fake.mend(fault)
    row_of(begin(door, trouble=Kind.NEEDS_RELOAD))


def test_a_lock_on_that_never_takes_ends_in_time(fake, door):
    """Breaks if a keyboard layout that hides Q hangs the first reset, as it did for a month."""
    fake.clock.budget_s = float("inf")
    fake.fault("lock_on_never")
    failed = begin(door, limit_s=2.0)
    assert failed.fault == "no_answer"
    assert "English (US)" in fault_named(failed.fault).advice


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("no_process", "game_gone"),
        ("pattern_missing", "other_version"),
        ("no_window", "no_window"),
        ("wrong_window_size", "window_size"),
        ("allocation_refused", "no_speed_dll"),
        ("pipe_missing", "no_speed_dll"),
        ("pipe_busy", "pipe_busy"),
        ("main_menu", "not_in_game"),
    ],
)
def test_what_is_missing_at_the_start_is_told_apart(fake, door, fault, name):
    """Breaks if the user is not told what to mend before a training begins."""
    fake.fault(fault)
    assert door.answer(("open", LIMIT_S, spec())).fault == name


def test_unknown_animations_are_told_by_name(fake, door):
    """Breaks if an animation that no table knows becomes another one, or nobody learns its name."""
    begin(door)
    fake.fault("boss_animation", name="Roar")
    shown = step(door)
    assert row_of(shown)["boss_animation"] == -1
    assert shown.unknown == ["boss Roar"]
    fake.fault("boss_animation", name="Attack1500", attack=1500)
    assert row_of(step(door))["boss_animation"] == boss_vocabulary(boss_file("iudex")).id("Attack1500") >= 0


def test_full_fights_follow_each_other(fake, door):
    """Breaks if the second fight after a death begins at the bonfire, or on the loading screen."""
    for _ in range(2):
        assert row_of(begin(door, "full"))["player_x_m"] == pytest.approx(132.176, abs=0.5)
        fake.game.worlds["player_hp"] = 1.0
        for _ in range(300):
            row = row_of(step(door, WALK))
            if row["player_hp"] == 0:
                break
        assert row["player_hp"] == 0


def test_the_game_is_left_playable(fake, door):
    """Breaks if a run leaves the game stopped or fast, the player immortal or floating, or a key down."""
    begin(door)
    step(door, WALK)
    door.leave()
    assert fake.clock.speed == 1.0
    assert fake.keyboard.held == set()
    flags = ("NoDeath", "AllNoDeath", "AllNoHit", "AllNoAttack", "AllNoMove", "NoDurability")
    assert {name: int(fake.game.records.get(name)) for name in flags} == dict.fromkeys(flags, 0)


def test_a_game_that_a_crash_left_stopped_is_freed(fake):
    """Breaks if unstick cannot reach a game whose clocks stand still."""
    fake.fault("found_paused")
    assert Door().answer(("unstick", LIMIT_S)) == {}
    assert fake.clock.speed == 1.0


def test_every_fault_says_what_to_do():
    """Breaks if a row of the list is unreachable by name, or tells the user nothing."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert all(fault.advice for fault in FAULTS)
    assert FAULTS[-1].signs == (("builtins.Exception", ""),)

"""The figures of a report, worked out by hand on small fights."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ashen.core.fight import ACTION_NAMES, FIGHT_STATE, NOTHING, PARRY, Outcome
from ashen.evaluation.explain.attacks import MadeAttack
from ashen.evaluation.match import FightResult
from ashen.evaluation.report.attacks import attack_table, before_hits
from ashen.evaluation.report.budget import fight_time, training_time
from ashen.evaluation.report.curves import curves
from ashen.evaluation.report.fleet import fleet
from ashen.evaluation.report.phases import phase_change, win_rates
from ashen.evaluation.report.places import arena_maps, arena_outline, distances
from ashen.evaluation.report.scores import chosen_fights, scores_of
from ashen.evaluation.report.subject import LOCKED, Missing, Subject, action_kinds
from ashen.reports.page.fleet import draw_fleet
from ashen.runs.fights import WAITED, FightRecord
from ashen.runs.folder import RunFolder

ROLL, LIGHT = ACTION_NAMES.index("roll_left"), ACTION_NAMES.index("light_attack")


def a_fight(actions: list[int], outcome: str = "WIN", changes_at: int | None = None, **columns: Any) -> FightRecord:
    """A fight of these actions, all valid, in one place; columns of its states can be given, one number each."""
    count = len(actions)
    states = np.zeros(count + 1, FIGHT_STATE)
    states["phase"], states["step"] = 1, np.arange(count + 1)
    states["player_hp"] = states["player_max_hp"] = 454
    states["boss_hp"], states["boss_max_hp"] = 1000, 1000
    states["player_x_m"], states["player_y_m"] = 139.5, 590.5
    states["boss_x_m"], states["boss_y_m"] = 139.5, 593.7
    if changes_at is not None:
        states["phase"][changes_at:] = 2
    for name, values in columns.items():
        states[name] = values
    return FightRecord(
        states=states,
        actions=np.array(actions, np.int16),
        masks=np.ones((count, 20), np.bool_),
        reward_terms=np.zeros((count, 1), np.float32),
        rewards=np.zeros(count, np.float32),
        scores=np.tile(np.arange(20, dtype=np.float32), (count, 1)),
        meta={"outcome": outcome, "action_names": ACTION_NAMES, "num_steps": count, "score_kind": "q_values"},
    )


def a_result(record: FightRecord) -> FightResult:
    """What a fight came to."""
    return FightResult(
        Outcome[record.meta["outcome"]], 1.0, len(record.actions), 0.0, bool((record.states["phase"] == 2).any()),
        {}, {}, 0.0, True,
    )  # fmt: skip


def a_subject(
    records: list[FightRecord], attacks: list[list[MadeAttack]] | None = None, fight: str = "full", path: Path = Path()
) -> Subject:
    """A report's subject of these fights."""
    subject = Subject(
        run=RunFolder(path), env_options={"fight": fight, "boss": "iudex"}, figures={},
        results=[a_result(record) for record in records], records=records, rivals=[], no_parent="", fights_dir=Path(),
        is_filmed=False, show=lambda part, done, total: None,
    )  # fmt: skip
    if attacks is not None:
        subject.__dict__["attacks"] = attacks
    return subject


def an_attack(name: str, *verdicts: str, hit_step: int | None = None, hp_lost: float = 0.0, **more: Any) -> MadeAttack:
    """An attack with one hit window that came to its end."""
    own = {"phase": 1, "is_drawn": True, "step": 0, "windows": 1, "last_f": 30, "motion_f": 40} | more
    return MadeAttack(name, **own, verdicts=list(verdicts), hit_step=hit_step, hp_lost=hp_lost)


def test_win_rates_are_of_those_that_came_so_far():
    """Breaks if fights lost in phase 1 count against phase 2, or a fault counts at all."""
    fights = [a_fight([0] * 9, "WIN", 3), a_fight([0] * 9, "WIN", 3), a_fight([0] * 9, "LOSS", 3)]
    fights += [a_fight([0] * 9, "LOSS"), a_fight([0] * 9, "FAULT", 3)]
    figures = win_rates(a_subject(fights))
    found = {name: (rate["count"], rate["n"]) for name, rate in figures["rates"].items()}
    assert found == {"whole fight": (2, 4), "phase 1": (3, 4), "phase 2, once reached": (2, 3)}
    assert figures["outcomes"] == {"WIN": 2, "LOSS": 2, "FAULT": 1}
    whole = figures["rates"]["whole fight"]
    # Wilson by hand for 2 of 4: (0.5 + 0.48) / 1.96 -+ 0.35.
    assert (whole["low"], whole["high"]) == pytest.approx((0.15, 0.85), abs=0.005)
    assert list(win_rates(a_subject(fights, fight="phase2"))["rates"]) == ["phase 2 alone"]


def test_hit_points_at_the_change_are_those_of_its_first_state():
    """Breaks if hit points are read before or after the change, or fall into the wrong third."""
    hp = np.array([454, 300, 151, 100, 50], np.float32)
    fights = [a_fight([0] * 4, "LOSS", 2, player_hp=hp), a_fight([0] * 4, "WIN", 1, player_hp=hp + 10)]
    figures = phase_change(a_subject([*fights, a_fight([0] * 4, "LOSS")]))
    assert figures["hp"] == [151.0, 310.0] and figures["won"] == [False, True]
    assert [(band["count"], band["n"]) for band in figures["bands"].values()] == [(0, 1), (0, 0), (1, 1)]
    with pytest.raises(Missing, match="none of the 1 fights came into phase 2"):
        phase_change(a_subject([a_fight([0] * 4, "LOSS")]))
    with pytest.raises(Missing, match="fights phase1 alone"):
        phase_change(a_subject(fights, fight="phase1"))


def test_attacks_are_counted_by_phase_and_what_became_of_them():
    """Breaks if an attack's phases are mixed, a fate is lost, or hit points of falls are put down to attacks."""
    made = [
        an_attack("Attack3000", "hit", hit_step=3, hp_lost=100.0),
        an_attack("Attack3000", "out of reach", "rolled"),
        an_attack("Attack3000", "out of arc", is_drawn=False),
        an_attack("Attack3000", "parried", phase=2),
        an_attack("Attack3001", motion_f=3),
    ]
    record = a_fight([0] * 4, player_hp=np.array([454, 454, 454, 454, 254]))
    figures = attack_table(a_subject([record], [made]))
    first, *others = figures["attacks"]
    assert (first["name"], first["phase"], first["made"], first["drawn"], first["hp_lost"]) == (
        "Attack3000",
        1,
        3,
        2,
        100,
    )
    assert first["fates"] == {"hit": 1, "rolled": 1, "walked out": 1} and first["misses"] == {"out of arc": 1}
    assert (first["hit"]["count"], first["hit"]["n"]) == (1, 3)
    assert [(row["name"], row["phase"], dict(row["fates"])) for row in others] == [
        ("Attack3001", 1, {"broken off": 1}),
        ("Attack3000", 2, {"parried": 1}),
    ]
    assert (figures["hp_lost"], figures["falls"]) == (200.0, 100.0)


def test_the_actions_before_a_hit_are_those_of_its_last_seven_steps():
    """Breaks if the window is off by a step, reaches before the fight, or a step without a choice counts as one."""
    actions = [ROLL] * 3 + [LIGHT] + [NOTHING] * 3 + [WAITED, PARRY, ROLL]
    record = a_fight(actions, player_animation=5)
    record.masks[4:7, :NOTHING] = False  # nothing but nothing is valid
    assert action_kinds(record) == ["roll"] * 3 + ["light attack"] + [LOCKED] * 4 + ["parry", "roll"]
    hits = [an_attack("A", "hit", hit_step=8, hp_lost=10.0), an_attack("B", "hit", hit_step=1, hp_lost=30.0)]
    figures = before_hits(a_subject([record], [hits]))
    second, first = figures["attacks"]
    assert (first["name"], second["name"]) == ("A", "B")
    shares = {kind: share for kind, share in first["actions"].items() if share}
    assert shares == pytest.approx({"parry": 1 / 7, LOCKED: 4 / 7, "light attack": 1 / 7, "roll": 1 / 7})
    assert second["actions"]["roll"] == 1.0 and first["caught_in"].total() == 1
    at = dict(zip(figures["kinds"], figures["by_lag"], strict=True))
    assert figures["lags_s"] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    # Two hits 0 and 0.1 s before, only the later one had a step 0.2 s before.
    assert at["roll"] == [0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 1.0]
    assert at[LOCKED] == [0.0, 0.5, 1.0, 1.0, 1.0, 0.0, 0.0]
    with pytest.raises(Missing, match="no blow landed in 1 fights"):
        before_hits(a_subject([record], [[]]))


def test_maps_put_things_where_the_player_stood():
    """Breaks if x and y are swapped, or a map is not per fight."""
    x = np.array([139.5, 139.5, 140.5, 140.5, 140.5])
    record = a_fight([0, ROLL, ROLL, LIGHT], player_x_m=x, player_hp=np.array([454, 454, 454, 400, 400]))
    figures = arena_maps(a_subject([record, a_fight([0, 0])]))
    assert (figures["x_m"], figures["y_m"]) == ([139.5, 140.5], [590.5])
    maps = {name: values[0] for name, values in figures["maps"].items()}
    assert maps["time (s a fight)"] == pytest.approx([0.2, 0.1])
    assert (maps["rolls a fight"], maps["light attacks a fight"]) == ([0.5, 0.5], [0.0, 0.5])
    assert maps["HP lost a fight"] == [0.0, 27.0]
    # 3.2 m along y; a metre aside makes 3.35 m.
    assert maps["distance to the boss (m)"] == pytest.approx([3.2, np.hypot(3.2, 1.0)], abs=1e-3)


def test_the_outline_is_that_of_the_table():
    """Breaks if the cliff is drawn as a wall, or off the arena's centre."""
    lines = arena_outline("iudex")
    for line in lines[:-1]:
        radius = np.hypot(np.array(line["x_m"]) - 139.0, np.array(line["y_m"]) - 596.0)
        assert radius == pytest.approx(25.0 if line["kind"] == "cliff" else 23.0)
    assert {line["kind"] for line in lines} == {"wall", "cliff"}


def test_shares_by_distance_are_of_steps_with_a_choice():
    """Breaks if locked steps count as decisions, or a distance falls into the wrong band."""
    record = a_fight([LIGHT, ROLL, WAITED, 0], boss_y_m=np.array([593.7, 593.7, 593.7, 600.0, 600.0]))
    figures = distances(a_subject([record]))
    steps = {band: count for band, count in zip(figures["bands"], figures["steps"], strict=True) if count}
    assert steps == {"3-4 m": 2, "8-10 m": 1}
    column = [row[figures["bands"].index("3-4 m")] for row in figures["shares"]]
    assert dict(zip(figures["kinds"], column, strict=True))["roll"] == 0.5
    assert figures["shares"][0][0] is None


def test_time_is_added_up(tmp_path: Path):
    """Breaks if a part of the training's time is lost, or a phase's seconds are spread over fights without it."""
    rows = [
        '{"kind": "train", "env_step": 10, "episode": 1, "seconds/world": 1.0, "seconds/evaluation": 2.0}',
        '{"kind": "evaluation", "env_step": 10, "seconds": 2.0}',
        '{"kind": "train", "env_step": 36000, "episode": 3, "game_steps": 72000, "seconds/world": 3.0}',
        '{"kind": "final", "env_step": 36000, "seconds": 5.0}',
    ]
    (tmp_path / "metrics.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    fights = [a_fight([0, 0, ROLL, ROLL], changes_at=3), a_fight([0, 0, 0])]
    subject = a_subject(fights, path=tmp_path)
    figures = training_time(subject)
    assert figures["seconds"] == {"world": 4.0, "evaluation": 7.0} and figures["game_hours"] == 2.0
    phases = fight_time(subject)["phases"]
    assert (phases[1]["steps"], phases[1]["seconds"], phases[1]["shares"]["walk"]) == (6, pytest.approx(0.3), 5 / 6)
    assert (phases[2]["steps"], phases[2]["seconds"], phases[2]["shares"]["roll"]) == (1, pytest.approx(0.1), 1.0)
    with pytest.raises(Missing, match="not trained here"):
        training_time(a_subject(fights, path=tmp_path / "none"))


def test_a_fleet_is_told_by_player(tmp_path: Path):
    """Breaks if a silent player passes for a fast one, if a short row counts as much as a long one, or if restarts
    before a resume are forgotten or counted twice.
    """
    rows = []
    for step, speeds, restarts in ((30, {"a": 20.0, "b": 10.0}, 1.0), (50, {"a": 20.0}, 2.0), (90, {"a": 20.0}, 1.0)):
        lasted_s = {"seconds/world": 0.5, "seconds/learning": 1.5 if step == 90 else 0.5}
        row = {"kind": "train", "env_step": step} | lasted_s
        row |= {f"fleet/steps_per_s/{name}": s for name, s in speeds.items()}
        row |= {"fleet/staleness_mean": 1.5, "fleet/staleness_max": 4.0, "fleet/waiting": step / 30}
        amiss = {"fleet/left_out_steps": 5.0, "fleet/lost_batches": 2.0}
        rows.append(json.dumps(row | amiss | {"fleet/restarts": restarts}))
    (tmp_path / "metrics.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    figures = fleet(a_subject([a_fight([0])], path=tmp_path))
    assert figures["players"]["b"] == {"x": [30, 50, 90], "y": [10.0, None, None], "mean": pytest.approx(10 / 4)}
    assert (figures["restarts"], figures["left_out_steps"], figures["waiting_max"]) == (3.0, 15.0, 3.0)
    told, table, speeds, _ = draw_fleet(figures)
    assert "3 players were replaced, 15 steps left out, 6 batches lost" in told.text
    assert table.rows == [("a", "20.0"), ("b", "2.5")] and [trace["name"] for trace in speeds.traces] == ["a", "b"]
    with pytest.raises(Missing, match="--actors"):
        fleet(a_subject([a_fight([0])], path=tmp_path / "none"))


def test_curves_come_with_their_intervals(tmp_path: Path):
    """Breaks if a match is drawn without its interval, or a run without training gives empty charts."""
    match = '"win_rate": 0.5, "win_rate_low": 0.4, "win_rate_high": 0.6, "phase_change_rate": 0.5, "fights": 4'
    rows = [f'{{"kind": "evaluation", "env_step": 10, "episode": 1, {match}}}']
    rows += ['{"kind": "train", "env_step": 20, "episode": 1, "term/win": 1.0, "win_rate": null}']
    rows += ['{"kind": "warning", "state": "begun", "env_step": 20, "episode": 1, "message": "look"}'] * 2
    rows += [f'{{"kind": "final", "env_step": 30, "checkpoint_step": 10, "episode": 1, {match}}}']
    (tmp_path / "metrics.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    figures = curves(a_subject([], path=tmp_path))
    judged, final = figures["panels"]["win rate"]
    assert (judged["x"], judged["y"], judged["low"], judged["high"]) == ([10], [0.5], [0.4], [0.6])
    assert (final["kind"], final["x"]) == ("final", [10])
    assert figures["panels"]["phase 2 reached"][0]["low"] == [pytest.approx(0.15, abs=0.005)]
    assert figures["panels"]["reward terms of a fight"][0]["name"] == "win"
    assert figures["warnings"] == ["look"]
    (tmp_path / "metrics.jsonl").write_text(rows[0] + "\n", encoding="utf-8")
    with pytest.raises(Missing, match="not trained here"):
        curves(a_subject([], path=tmp_path))


def test_the_best_the_median_and_the_worst_fight():
    """Breaks if a slow win passes for the best, or one fight is shown twice."""
    fights = [a_fight([0] * steps, outcome) for outcome, steps in
              (("LOSS", 9), ("WIN", 5), ("LOSS", 2), ("WIN", 8), ("TIMEOUT", 30))]  # fmt: skip
    chosen = {name: len(record.actions) for name, record in chosen_fights(fights).items()}
    assert chosen == {"best": 5, "median": 30, "worst": 2}
    assert [list(chosen_fights(fights[:count])) for count in (1, 2)] == [["best"], ["best", "worst"]]


def test_scores_are_shown_where_somebody_was_asked():
    """Breaks if an action that was not valid, or a wait, is shown with a value."""
    record = a_fight([LIGHT, WAITED, ROLL])
    record.masks[2, LIGHT] = False
    scores = record.scores.copy()
    scores[0, 0] = np.nan
    figures = scores_of(replace(record, scores=scores))
    assert figures["chosen"] == [float(LIGHT), None, float(ROLL)]
    assert figures["action"] == ["light_attack", "waits", "roll_left"]
    values = dict(zip(figures["actions"], figures["values"], strict=True))
    assert set(figures["actions"][:2]) == {"light_attack", "roll_left"}
    assert values["light_attack"] == [float(LIGHT), None, None] and values["walk_forward"] == [None, None, 0.0]

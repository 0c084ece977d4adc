import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ashen.cli import main
from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE
from ashen.core.tables import Fact, boss_file, load_facts, player_facts, walk
from ashen.display import calibration_table, calibration_text, calibration_warning
from ashen.evaluation.calibrate.clocks import most_common
from ashen.evaluation.calibrate.fights import fights_from
from ashen.evaluation.calibrate.fit import calibrate
from ashen.evaluation.calibrate.motion import clamped_line, curve, turn_windows
from ashen.evaluation.calibrate.numbers import Numbers
from ashen.evaluation.calibrate.overlay import overlay_text
from ashen.evaluation.calibrate.rehearsal import hidden_boss, rehearsal_fights, rehearse
from ashen.evaluation.calibrate.report import CALIBRATED, judged_calibration
from ashen.evaluation.calibrate.shapes import Cases, Sector, best_sector
from ashen.evaluation.calibrate.trial import Alignment, changed
from ashen.evaluation.calibrate.windows import opening
from ashen.evaluation.fights import as_recording
from ashen.runs.fights import save_fight, write_fight
from ashen.runs.files import check_out
from ashen.sim.pack import load_tables, per_frame
from ashen.sim.records import MOTION_FRAMES

IUDEX = boss_file("iudex")


@pytest.fixture(scope="module")
def hidden(tmp_path_factory) -> Path:
    """The overlay of a boss with hidden numbers."""
    return hidden_boss(0, tmp_path_factory.mktemp("hidden") / "hidden.toml")


@pytest.fixture(scope="module")
def records(hidden):
    """Four minutes of fights against him."""
    return rehearsal_fights(hidden, 2_400, 0)


@pytest.fixture(scope="module")
def folder(records, tmp_path_factory) -> Path:
    """The same, saved."""
    path = tmp_path_factory.mktemp("fights")
    for record in records:
        save_fight(record, path)
    return path


def test_bounds_intersect():
    """Breaks if the frame in which a window opens is not the one most blows agree on, or lies after a blow."""
    # By hand: later than 28 and by 31, later than 30 and by 33, later than 29 and by 32 leave 31 alone.
    assert opening([(28, 31), (30, 33), (29, 32)]) == (31, 31)
    # Two agree on 40 to 42; the third came late, as out of a roll, and may not pull the opening.
    assert opening([(39, 42), (39, 42), (43, 46)]) == (40, 42)
    # More came late than were prompt, but a blow that came before an opening speaks against it twice.
    assert opening([(19, 22), (19, 22), (22, 25), (22, 25), (22, 25)])[1] <= 22


def test_the_most_common_time_ignores_a_stray():
    """Breaks if a time is drawn off by an outlier, or by a neighbour seen less often."""
    assert most_common([50, 50, 51, 80]) == 50
    assert most_common([7]) == 7


def test_a_shape_is_read_from_hits_and_misses():
    """Breaks if reach, arc or dead zone leave the gap between the outermost hit and the nearest miss."""
    hit_m, hit_deg = np.array([2.0, 3.0, 3.9, 3.0, 1.1]), np.array([0.0, 10.0, 5.0, 48.0, 3.0])
    miss_m = np.array([[4.3, 9.0], [6.0, 9.0], [3.0, 9.0], [2.5, 9.0], [0.5, 9.0]])
    miss_deg = np.array([[0.0, 0.0], [5.0, 0.0], [56.0, 0.0], [90.0, 0.0], [0.0, 0.0]])
    cases = Cases(hit_m, hit_deg, miss_m, miss_deg)
    found = best_sector(cases, Sector(6.0, 90.0, 0.0))
    assert 3.9 <= found["reach_m"][0] <= 4.3
    assert 48.0 <= found["half_arc_deg"][0] <= 56.0
    assert 0.5 <= found["inner_m"][0] <= 1.1
    for value, low, high in found.values():
        assert low <= value <= high
    assert cases.wrong(Sector(*(found[key][0] for key in ("reach_m", "half_arc_deg", "inner_m")))) == 0


def test_a_shape_that_the_cases_do_not_contradict_stays():
    """Breaks if a number of a shape moves without need, or one without evidence is given out as found."""
    cases = Cases(np.array([2.0]), np.array([0.0]), np.array([[6.0]]), np.array([[0.0]]))
    found = best_sector(cases, Sector(4.0, 60.0, 0.0))
    assert found["reach_m"][0] == 4.0
    assert set(found) == {"reach_m"}


def test_a_curve_comes_back_from_its_points():
    """Breaks if written motion is not packed again as what was fitted."""
    forward, left = np.zeros(MOTION_FRAMES), np.zeros(MOTION_FRAMES)
    forward[10:30], left[20:25] = 0.12, -0.05
    points = [[round(value, 3) for value in point] for point in curve(forward, left)]
    assert len(points) < 10
    assert np.abs(np.cumsum(per_frame(points)) - np.cumsum(forward)).max() < 0.02
    assert np.abs(np.cumsum(per_frame(points, 2)) - np.cumsum(left)).max() < 0.02
    rates = np.zeros(MOTION_FRAMES)
    rates[6:12] = np.radians(90.0) / 30
    assert turn_windows(rates) == [[0.2, 0.4, 90.0]]


def test_a_lunge_follows_the_distance():
    """Breaks if share, least and most way or stand-off of a lunge are not found from ways and distances."""
    apart = np.linspace(1.0, 9.0, 40)
    ways = np.clip(0.8 * (apart - 1.5), 0.5, 4.0)
    share, least, most, standoff = clamped_line(apart, ways, [0.0, 1.0, 1.0, 0.2, 5.0, 1.0])
    assert [share, least, most, standoff] == pytest.approx([0.8, 0.5, 4.0, 1.5], abs=0.02)


def test_an_overlay_is_read_as_it_was_written(tmp_path):
    """Breaks if a number, its interval or its confidence changes on the way through the file."""
    found = {
        "boss": {"arena.wall_radius_m": Fact(21.5, "own fights", "M", (21.4, 21.6))},
        "player": {"camera.view_gain": Fact(0.5, "own fights", "I")},
    }
    path = tmp_path / "own.toml"
    path.write_text(overlay_text("iudex", found, ["a comment"]), encoding="utf-8")
    facts, player = dict(walk(load_facts(path))), dict(walk(player_facts(path)))
    assert facts["arena.wall_radius_m"] == found["boss"]["arena.wall_radius_m"]
    assert player["camera.view_gain"] == found["player"]["camera.view_gain"]


def test_only_what_was_seen_changes(records, tmp_path):
    """Breaks if an attack that no fight shows gets new numbers, or the overlay is not the table that was fitted."""
    fights = [as_recording(record, "here") for record in records[:1]]
    numbers = calibrate(fights, IUDEX)
    shown = {numbers.attack_path(*pair) for pair in zip(*seen_in(fights[0].states), strict=True)}
    changed = {".".join(path.split(".")[:4]) for path in numbers.found["boss"] if ".attacks." in path}
    assert changed and changed <= shown
    path = tmp_path / "own.toml"
    path.write_text(overlay_text("iudex", numbers.found), encoding="utf-8")
    assert load_tables(path)[0][0] == numbers.table()
    for part in numbers.found:
        assert all(
            fact.source == f"own fights (1 fights, {len(fights[0].states) - 1:,} steps)"
            for fact in numbers.found[part].values()
        )


def seen_in(states: np.ndarray) -> tuple[list[int], list[int]]:
    """Phases and boss animations of a fight, step by step."""
    assert states.dtype == FIGHT_STATE
    return states["phase"].tolist(), states["boss_animation"].tolist()


def test_numbers_that_no_table_can_hold_are_left_out():
    """Breaks if a number without a place in the table, or an impossible one, stops a calibration or is written."""
    numbers = Numbers(IUDEX, "own fights")
    numbers.put("phases.1.attacks.Attack3000.no_such_s", 1.0, seen=9)
    numbers.put("body.walk_left_m_s", float("nan"), seen=9)
    numbers.put("phases.1.attacks.Attack3000.hits.0.window_s", [1.7, 1.6], seen=9)
    assert not numbers.found["boss"]
    numbers.put("body.walk_left_m_s", 0.01, (-0.02, 0.04), seen=9)
    assert numbers.found["boss"]["body.walk_left_m_s"].range == (0.0, 0.04)


def test_the_command_writes_an_overlay(folder, tmp_path, capsys):
    """Breaks if figures or overlay are wrong, if it works in silence, writes over another file, or refuses its own."""
    out = tmp_path / "own.toml"
    out.write_text("mine", encoding="utf-8")
    words = ["calibrate", "--from", str(folder), "--out", str(out)]
    assert main(words) == 2
    assert "is no overlay of a calibration" in capsys.readouterr().err and out.read_text(encoding="utf-8") == "mine"
    out.unlink()
    assert main([*words, "--json"]) == 0
    said = capsys.readouterr()
    figures = json.loads(said.out)
    for line in ("judging the table on", "fitting to the other", "trying without the speeds", "fitting to all"):
        assert f"ashen: {line}" in said.err
    assert figures["boss"] == "iudex" and figures["refitted"] > 50 and figures["guesses_kept"]
    assert figures["held_out"]["boss_m"]["after"] < figures["held_out"]["boss_m"]["before"]
    assert "motion of attacks" not in figures["left_out"], "a group that helps a lot"
    assert load_tables(out)[1] != load_tables(IUDEX)[1]
    assert calibration_table(figures).row_count == len(figures["held_out"])
    count = f"{len(figures['guesses_kept'])} inferred or guessed ones stayed"
    assert count in calibration_text(figures) and count in out.read_text(encoding="utf-8")
    check_out(out, CALIBRATED.encode(), "overlay")


def test_numbers_left_out_are_those_of_before(records):
    """Breaks if a group that is left out stays in the table or the overlay, or takes another with it."""
    numbers = calibrate([as_recording(record, "here") for record in records], IUDEX)
    assert {"clocks", "hit windows", "motion of attacks", "speeds"} <= set(numbers.groups)
    none = numbers.without(numbers.groups)
    assert none.table() == load_tables(IUDEX)[0][0]
    assert none.found == {"boss": {}, "player": {}} and not none.groups
    rest = numbers.without(["speeds"])
    lost = set(numbers.found["boss"]) - set(rest.found["boss"])
    assert lost and all(path.startswith("body.") for path in lost)
    assert "speeds" in numbers.groups and "speeds" not in rest.groups


def test_numbers_that_foretell_worse_are_left_out(records):
    """Breaks if numbers that do not hold in the fights held out are kept, or left out without a word."""
    others = iter(rehearsal_fights(IUDEX, 2_400, 1))  # the table's own boss: whatever is refitted is wrong of him
    mixed = [next(others) if number % 5 == 4 else record for number, record in enumerate(records)]
    calibration = judged_calibration([as_recording(record, "here") for record in mixed], "iudex")
    assert "motion of attacks" in calibration.left_out
    assert not any(path.endswith("motion_s_m") for path in calibration.numbers.found["boss"])
    assert "Left out, since those fights are foretold better without: " in calibration.overlay
    assert "motion of attacks" in calibration_warning(calibration.figures)


def test_what_got_worse_is_said():
    """Breaks if a figure that got worse is not named, one that did not is, or nobody says that nothing was gained."""
    rows = {"boss_m": {"before": 0.1, "after": 0.05}, "wrong_strikes": {"before": 0.2, "after": 0.25}}
    figures = {"left_out": [], "held_out": rows, "better": ["boss_m"], "worse": ["wrong_strikes"]}
    assert calibration_warning(figures) == "still worse on fights held out: wrong_strikes 0.2 -> 0.25"
    assert not calibration_warning(figures | {"worse": []})
    assert "nothing gained on fights held out: keep the table" in calibration_warning(figures | {"better": []})


@pytest.mark.parametrize(
    ("figure", "before", "after", "verdict"),
    [
        ("boss_m", 6.1e-05, 6.29e-05, None),
        ("boss_m", 0.001, 0.0021, "worse"),
        ("boss_m", 0.1, 0.1015, None),
        ("boss_m", 0.1, 0.097, "better"),
        ("boss_yaw_deg", 0.3, 0.39, None),
        ("boss_yaw_deg", 0.3, 0.41, "worse"),
        ("wrong_strikes", 0.0, 0.009, None),
        ("wrong_strikes", 0.2, 0.18, "better"),
    ],
)
def test_what_matters_is_better_or_worse(figure, before, after, verdict):
    """Breaks if what is below 1 mm, 0.1 degrees, 1 % or 2 % of the figure counts, or if more does not."""
    alike = Alignment(*[0.5] * 6)
    better, worse = changed(replace(alike, **{figure: after}), replace(alike, **{figure: before}))
    assert (better, worse) == ([figure] if verdict == "better" else [], [figure] if verdict == "worse" else [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"boss": "gone.toml"},
            "npz was fought against gone.toml, which is gone; put that table back, or say",
        ),
        ({"randomise": "facts"}, "was fought against a varied boss"),
        ({"action_names": ["dance"]}, "holds an action that there is not"),
    ],
)
def test_fights_that_cannot_be_used(change, message, records, tmp_path, capsys):
    """Breaks if fights that would spoil the numbers are taken, or refused in more than a line."""
    for number, record in enumerate(records):
        meta = (
            record.meta
            | {"kind": "evaluation", "env_step": 0, "fight_number": number}
            | (change if number == 2 else {})
        )
        save_fight(replace(record, meta=meta), tmp_path)
    assert main(["calibrate", "--from", str(tmp_path), "--out", str(tmp_path / "own.toml")]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert not (tmp_path / "own.toml").exists()


def test_places_without_enough_fights(folder, tmp_path, capsys):
    """Breaks if no, few or damaged fights, or another boss's, are not told in a line."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.npz").write_bytes(b"x")
    other = tmp_path / "other.toml"
    other.write_text(IUDEX.read_text(encoding="utf-8").replace('["Attack1500"]', '["Attack1501"]'), encoding="utf-8")
    first = str(sorted(folder.iterdir())[0])
    for places, message in (
        ([str(tmp_path / "empty")], "no recorded fights in"),
        ([first], "are too few"),
        ([first, str(tmp_path / "bad.npz")], "is not a fight recorded by ashen"),
        (["no-such-run"], "unknown run 'no-such-run'"),
        ([first, "--boss", str(other)], "is a fight against"),
    ):
        words = ["calibrate", "--out", str(tmp_path / "own.toml"), "--runs-dir", str(tmp_path), "--from", *places]
        assert main(words) == 2
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1, said


def test_fights_are_found_by_run_folder_and_file(folder, tmp_path):
    """Breaks if a run's name, a folder and files give other fights, or another boss than the overlay's base."""
    run = tmp_path / "mine"
    run.mkdir()
    (run / "config.json").write_text("{}", encoding="utf-8")
    folder.rename(run / "fights")
    try:
        files = [str(path) for path in sorted((run / "fights").iterdir())]
        ways = [fights_from(places, tmp_path, None) for places in (["mine"], [str(run)], [str(run / "fights")], files)]
    finally:
        (run / "fights").rename(folder)
    assert {boss for _, boss in ways} == {"iudex"}
    assert len({tuple(len(fight.states) for fight in fights) for fights, _ in ways}) == 1


def test_a_table_can_stand_in_for_the_boss_who_is_asked_for(records, tmp_path):
    """Breaks if fights against a copy of a boss's table cannot refit the boss, or do unasked, or mixed with his own."""
    copy, folder = tmp_path / "copy.toml", tmp_path / "fights"
    copy.write_text(IUDEX.read_text(encoding="utf-8"), encoding="utf-8")
    folder.mkdir()
    for number, record in enumerate(records):
        meta = {"boss": str(copy), "kind": "evaluation", "env_step": 0, "fight_number": number}
        last = save_fight(replace(record, meta=record.meta | meta), folder)
    assert fights_from([str(folder)], tmp_path, "iudex")[1] == "iudex"
    assert fights_from([str(folder)], tmp_path, None)[1] == str(copy.resolve())
    write_fight(replace(record, meta=record.meta | meta | {"boss": "iudex"}), last)
    with pytest.raises(UserError, match=r"copy\.toml, not iudex; give fights of one boss at a time"):
        fights_from([str(folder)], tmp_path, "iudex")


def test_a_table_that_was_moved_is_pointed_to(records, hidden, tmp_path):
    """Breaks if fights against a table that lies elsewhere now are lost, or any table passes for it."""
    moved, folder = tmp_path / "moved.toml", tmp_path / "fights"
    shutil.copy(hidden, moved)
    folder.mkdir()
    for number, record in enumerate(records):
        meta = {"boss": "gone.toml", "kind": "evaluation", "env_step": 0, "fight_number": number}
        save_fight(replace(record, meta=record.meta | meta), folder)
    assert fights_from([str(folder)], tmp_path, str(moved))[1] == "iudex"
    with pytest.raises(UserError, match=r"npz was fought against gone\.toml, which is gone; put that table back"):
        fights_from([str(folder)], tmp_path, "iudex")


def test_a_fight_counts_once(folder, tmp_path):
    """Breaks if a fight given twice is counted twice: held out, it would be judged by its own twin."""
    copies = tmp_path / "copies"
    shutil.copytree(folder, copies)
    once, _ = fights_from([str(folder)], tmp_path, None)
    twice, _ = fights_from([str(folder), str(copies), str(folder)], tmp_path, None)
    assert len(twice) == len(once)


@pytest.mark.slow
def test_hidden_numbers_are_found_again(tmp_path):
    """Breaks if half an hour of fights no longer finds hidden hit times to 0.05 s, or halves the alignment error."""
    figures = rehearse(0, 18_000, tmp_path)
    assert figures["hit_times"] >= 15
    assert figures["hit_time_max_s"] <= 0.05 < figures["hit_time_max_before_s"]
    assert all(figures["ratios"][name] <= 0.5 for name in ("boss_m", "player_m", "boss_yaw_deg"))

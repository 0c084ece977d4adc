import csv
import pickle
from datetime import datetime

import numpy as np
import pytest

from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE
from ashen.runs.fights import Tape, list_fights, load_fight, load_meta, save_fight, typical_fight
from ashen.runs.files import append_line, write_bytes, write_text
from ashen.runs.folder import create_run, open_run, run_names
from ashen.runs.metrics import MetricsLog, read_metrics, trim_metrics

META = {
    "outcome": "LOSS",
    "kind": "evaluation",
    "env_step": 250_000,
    "fight_number": 7,
    "action_names": ["a", "b"],
    "term_names": ["one"],
    "score_kind": "q_values",
}


@pytest.fixture
def run(tmp_path):
    """A run folder with a config."""
    run = create_run(tmp_path, "first", "iudex-full")
    run.write_config({"recipe": {"seed": 3}})
    return run


def _record(steps, **meta):
    tape = Tape()
    rng = np.random.default_rng(steps)
    for step in range(steps):
        states = np.zeros(2, FIGHT_STATE)
        states["step"], states["boss_hp"] = step, rng.random(2)
        parts = rng.integers(0, 2, 2), rng.random((2, 2)) < 0.5, rng.random((2, 1)), rng.random(2), rng.random((2, 2))
        tape.add(states, *parts)
    final = np.zeros(1, FIGHT_STATE)[0]
    final["step"] = steps
    return tape.cut(1, final, META | meta)


def test_a_record_comes_back_as_it_was(tmp_path):
    """Breaks if a recorded fight loses a field, a bit or its meta on the way through the file."""
    record = _record(20)
    path = save_fight(record, tmp_path)
    assert path.name == "evaluation-000250000-007-loss.npz"
    again = load_fight(path)
    for name in ("states", "actions", "masks", "reward_terms", "rewards", "scores"):
        assert np.array_equal(getattr(again, name), getattr(record, name)), name
        assert getattr(again, name).dtype == getattr(record, name).dtype, name
    assert again.meta == record.meta == load_meta(path)
    assert again.states["step"].tolist() == list(range(21))
    assert datetime.fromisoformat(again.meta["recorded_at"]).tzinfo is not None


def test_damaged_and_missing_fights_are_told(tmp_path):
    """Breaks if a cut, old or missing record is a traceback, or is read as if it were whole."""
    path = save_fight(_record(50), tmp_path)
    whole = path.read_bytes()
    for damage in (whole[: len(whole) // 2], whole[:40], b"", whole[:300] + b"\xff" * 200 + whole[500:]):
        path.write_bytes(damage)
        with pytest.raises(UserError, match="damaged"):
            load_fight(path)
    with pytest.raises(UserError, match="no recorded fight"):
        load_fight(tmp_path / "none.npz")
    old = save_fight(_record(3, schema_version=0), tmp_path)
    with pytest.raises(UserError, match="schema 0"):
        load_fight(old)


def test_a_foreign_file_is_no_fight(tmp_path):
    """Breaks if a file with other things in it is a traceback, or gets NumPy's advice to unpickle it."""
    path = tmp_path / "mine.npz"
    foreign = [{"a": np.zeros(3)}, {"meta": np.array([{}])}, {"meta": np.array("[1]")}, {"meta": np.array("x")}]
    foreign += [{"meta": np.array('{"schema_version": 1}'), "states": np.array([{}])}]
    files = [b"text", pickle.dumps({})]
    for arrays in foreign:
        np.savez(path, **arrays)
        files.append(path.read_bytes())
    np.save(tmp_path / "mine.npy", np.zeros(3))
    for content in (*files, (tmp_path / "mine.npy").read_bytes()):
        path.write_bytes(content)
        with pytest.raises(
            UserError, match="is not a fight recorded by ashen; give one from the fights folder"
        ) as told:
            load_fight(path)
        assert "pickle" not in str(told.value)


def test_typical_fight_is_the_median_of_the_commonest_outcome(tmp_path):
    """Breaks if the fight shown is a lucky or an odd one."""
    lengths = [(10, "LOSS"), (30, "LOSS"), (12, "LOSS"), (11, "WIN"), (5, "WIN")]
    for number, (steps, outcome) in enumerate(lengths):
        save_fight(_record(steps, outcome=outcome, fight_number=number), tmp_path)
    assert load_meta(typical_fight(list_fights(tmp_path)))["num_steps"] == 12


def test_fights_are_listed_by_step(tmp_path):
    """Breaks if training and evaluation fights are mixed up, or not in the order of training."""
    for kind, step in (("training", 10), ("evaluation", 9), ("evaluation", 200_000_000)):
        save_fight(_record(2, kind=kind, env_step=step), tmp_path)
    assert [load_meta(path)["env_step"] for path in list_fights(tmp_path)] == [9, 10, 200_000_000]
    assert [load_meta(path)["env_step"] for path in list_fights(tmp_path, "evaluation")] == [9, 200_000_000]


def test_names_are_made_counted_and_never_reused(tmp_path, run):
    """Breaks if a run could overwrite another, or if a made name does not say date, label and number."""
    first, second = create_run(tmp_path, None, "iudex-full"), create_run(tmp_path, None, "iudex-full")
    assert first.name.endswith("-iudex-full-1")
    assert second.name.endswith("-iudex-full-2")
    assert datetime.fromisoformat(first.name[:10])
    before = run.config_file.read_bytes()
    with pytest.raises(UserError, match="already a run 'first'"):
        create_run(tmp_path, "first", "iudex-full")
    assert run.config_file.read_bytes() == before
    for name in ("a/b", "..", "", ".trash", "players", "journal.md", "con", "NUL.x", "a:b", "b.", " c"):
        with pytest.raises(UserError, match="cannot be a run's name"):
            create_run(tmp_path, name, "iudex-full")
    (tmp_path / "films").mkdir()
    with pytest.raises(UserError, match="something else called 'films'"):
        create_run(tmp_path, "films", "iudex-full")
    assert create_run(tmp_path, "α 1.5", "iudex-full").name == "α 1.5"


def test_runs_are_found_by_name_and_by_folder(tmp_path, run):
    """Breaks if a run is not found, or an unknown one does not name the nearest."""
    assert open_run("first", tmp_path).name == "first"
    assert open_run(str(run.path), tmp_path / "elsewhere").name == "first"
    assert run_names(tmp_path) == ["first"]
    with pytest.raises(UserError, match="did you mean 'first'"):
        open_run("fist", tmp_path)
    with pytest.raises(UserError, match="did you mean 'random'"):
        open_run("randon", tmp_path, ("random",))
    with pytest.raises(UserError, match="choose from: first; or give a file"):
        open_run("x", tmp_path, or_else="a file")
    with pytest.raises(UserError, match="there are none"):
        open_run("x", tmp_path / "empty")


def test_a_damaged_config_is_told(run):
    """Breaks if a broken or foreign config.json is a traceback."""
    assert run.read_config()["recipe"] == {"seed": 3}
    for text in ("{", "[]", '{"schema_version": 99}'):
        run.config_file.write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=r"config\.json"):
            run.read_config()


def test_metrics_rows_and_spreadsheet_agree(run):
    """Breaks if a row is lost, or if the spreadsheet's columns do not grow with a new number."""
    log = MetricsLog(run)
    log.write("train", 10, 1, {"return_mean": 0.5})
    log.write("train", 20, 2, {"return_mean": float("nan"), "loss": 1.0})
    log.write("evaluation", 20, 2, {"win_rate": 0.25, "damage_per_attack": {"Attack3000": 1.0}})
    MetricsLog(run).write("train", 30, 3, {"loss": 2.0})
    rows = read_metrics(run)
    assert [row["env_step"] for row in rows] == [10, 20, 20, 30]
    assert rows[1]["return_mean"] is None
    assert rows[2]["damage_per_attack"] == {"Attack3000": 1.0}
    assert all(datetime.fromisoformat(row["time"]).tzinfo for row in rows)
    with run.csv_file.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["loss"] for row in table] == ["", "1.0", "", "2.0"]
    assert table[2]["win_rate"] == "0.25"
    assert [row["win_rate"] for row in read_metrics(run, "evaluation")] == [0.25]


def test_later_rows_are_trimmed(run):
    """Breaks if rows of a crashed stretch stand beside those of its repetition, or a column of theirs stays."""
    log = MetricsLog(run)
    for step in (10, 20):
        log.write("train", step, 0, {"win_rate": 0.5})
    before = [file.read_bytes() for file in (run.metrics_file, run.csv_file)]
    assert log.sync() == 2
    log.write("train", 30, 0, {"entropy": 1.0})
    trim_metrics(run, 2)
    assert [file.read_bytes() for file in (run.metrics_file, run.csv_file)] == before
    MetricsLog(run).write("train", 30, 0, {"win_rate": 0.6})
    assert [row["env_step"] for row in read_metrics(run)] == [10, 20, 30]
    with pytest.raises(UserError, match="has lost 2 of 5 rows"):
        trim_metrics(run, 5)


def test_half_a_line_left_by_a_crash_harms_nothing(run):
    """Breaks if a line cut off by a crash makes the rows around it unreadable; damage elsewhere must be told."""
    log = MetricsLog(run)
    log.write("train", 10, 0, {})
    with run.metrics_file.open("a", encoding="utf-8") as file:
        file.write('{"kind": "train", "env_')
    assert [row["env_step"] for row in read_metrics(run)] == [10]
    trim_metrics(run, 1)
    log.write("train", 20, 0, {})
    assert [row["env_step"] for row in read_metrics(run)] == [10, 20]
    lines = run.metrics_file.read_text(encoding="utf-8").splitlines()
    run.metrics_file.write_text("\n".join(["{broken", *lines]), encoding="utf-8")
    with pytest.raises(UserError, match="line 1 is damaged"):
        read_metrics(run)


def test_files_are_replaced_whole_and_leave_nothing_beside(tmp_path):
    """Breaks if a write leaves its unfinished file behind, when it works and when it cannot."""
    write_text(tmp_path / "a.txt", "old")
    write_bytes(tmp_path / "a.txt", b"new")
    append_line(tmp_path / "a.txt", "line")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new\nline\n"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_bytes(tmp_path / "folder", b"a folder is in the way")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "folder"]

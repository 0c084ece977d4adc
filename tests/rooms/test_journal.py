"""The journal: what a run says it changes, what came of it, and the lines of all runs."""

import json
import re
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Thread

import pytest

from ashen.agents import PPOConfig
from ashen.cli import main
from ashen.core.errors import LoggedError
from ashen.core.tables import table_hash
from ashen.runs.folder import create_run, open_run
from ashen.runs.log import read_log
from ashen.runs.metrics import MetricsLog, read_metrics
from ashen.training import code_version
from ashen.training.history import history_of, worked_s
from ashen.training.journal import with_line, write_journal
from ashen.training.lineage import changes, with_lineage
from ashen.training.loop import Training
from ashen.training.recipe import load_recipe
from ashen.training.session import session
from ashen.training.start import resumed, run_config

BEGIN = datetime.fromisoformat("2026-01-02T10:00:00.000+01:00")
SMALL = {
    "num-envs": 2, "total-steps": 64, "evaluate-every": 32, "evaluation-fights": 1, "final-fights": 1,
    "checkpoint-every": 32, "log-every": 32, "ppo.rollout-steps": 16, "ppo.width": 16,
}  # fmt: skip
WORDS = [word for name, value in SMALL.items() for word in (f"--{name}", str(value))]


def _recipe(**settings):
    own = {name.replace("-", "_"): value for name, value in SMALL.items() if "." not in name}
    return replace(
        load_recipe("phase1"), **own | settings, ppo=PPOConfig(rollout_steps=16, width=16, precision="float32")
    )


def _made(runs_dir, name, recipe, origin=None, parent=None):
    """A run that nothing was trained in yet."""
    run = create_run(runs_dir, name, "x")
    training = Training(recipe)
    run.log("started by hand")
    training.begin(run)
    run.write_config(with_lineage(run, run_config(training) | (origin or {}), parent))
    return run, training


def _log(run, *lines):
    """Lines of a log, each some minutes after the begin."""
    text = [f"{(BEGIN + timedelta(minutes=minutes)).isoformat()}  INFO     {said}\n" for minutes, said in lines]
    run.log_file.write_text("".join(text), encoding="utf-8")


def _row(run, kind, minutes, step, **values):
    """A row of metrics, some minutes after the begin."""
    MetricsLog(run).write(kind, step, 0, values)
    lines = run.metrics_file.read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1]) | {"time": (BEGIN + timedelta(minutes=minutes)).isoformat()}
    run.metrics_file.write_text("\n".join([*lines[:-1], json.dumps(last), ""]), encoding="utf-8")


def test_a_training_opens_and_closes_its_journal(tmp_path):
    """Breaks if the journal is not there while a run is trained, or does not tell what came of it when it ends."""
    first, training = _made(tmp_path, "first", _recipe())
    with session(first):
        opened = first.journal_file.read_text(encoding="utf-8")
        list(training.run(first, lambda: training.env_step >= 32))
    assert read_log(first.log_file)[-1].message == "stopped at step 32"
    assert "- running\n" in opened and "What changed" not in opened
    stopped = first.journal_file.read_text(encoding="utf-8")
    assert f"- stopped at step 32 of 64; it goes on with: ashen resume {first.word}\n" in stopped
    first.journal_file.write_text(f"{stopped}\nmine\n", encoding="utf-8")
    with session(first):
        list(resumed(first).run(first, lambda: False))
    closed = first.journal_file.read_text(encoding="utf-8")
    final = read_metrics(first, "final")[-1]
    assert read_log(first.log_file)[-1].message == "ended at step 64"
    assert f"- complete\n- final match: {final['wins']} of 1 won" in closed
    assert "cost: 64 steps, " in closed and " 2 updates, " in closed
    assert closed.endswith("## Notes\n\nmine\n")
    lines = (tmp_path / "journal.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3 and "[first](first/journal.md) iudex, phase1: complete, " in lines[2]


def test_without_a_parent_the_newest_alike_is_compared_with(tmp_path):
    """Breaks if a run is compared with another fight, itself or an older run, or does not say why with that one."""
    runs = [
        _made(tmp_path, f"run-{n}", _recipe(fight=fight))[0] for n, fight in enumerate(("phase1", "phase1", "full"))
    ]
    assert ["against" in run.read_config() for run in runs] == [False, True, False]
    newest, _ = _made(tmp_path, "newest", _recipe(seed=4, actions=("nothing", "roll_left")))
    write_journal(newest)
    against = newest.read_config()["against"]
    assert (against["run"], against["settings"]) == (
        "run-1",
        {"actions": ["all", ["nothing", "roll_left"]], "seed": [0, 4]},
    )
    text = newest.journal_file.read_text(encoding="utf-8")
    assert "Against run-1, the newest training before it of this boss and fight; it has no parent." in text
    assert "| seed | 0 | 4 |\n" in text
    assert "Against run-1: actions all -> nothing, roll_left; seed 0 -> 4" in (tmp_path / "journal.md").read_text(
        "utf-8"
    )


def test_a_precision_that_a_trial_chose_is_a_change(tmp_path):
    """Breaks if two trainings of one recipe are called alike whose trial chose different precisions."""
    recipe = replace(_recipe(), ppo=PPOConfig(rollout_steps=16, width=16))
    first, _ = _made(tmp_path, "first", recipe)
    first.config_file.write_text(json.dumps(first.read_config() | {"precision": "float64"}), encoding="utf-8")
    second, _ = _made(tmp_path, "second", recipe)
    write_journal(second)
    text = second.journal_file.read_text(encoding="utf-8")
    now = second.read_config()["precision"]
    assert now in ("float32", "bfloat16")
    assert f"| ppo.precision | float64 | {now} |\n" in text and f"- learns in {now}\n" in text


@pytest.mark.parametrize("is_older", [False, True])
def test_another_seed_is_no_change_of_varied_tables(tmp_path, is_older):
    """Breaks if the variants that a seed draws count as changed tables, or other tables or an older run do not."""
    first, _ = _made(tmp_path, "first", _recipe(randomise="wide"))
    config = first.read_config()
    if is_older:
        del config["unvaried_table_hash"]
        first.config_file.write_text(json.dumps(config), encoding="utf-8")
    second, _ = _made(tmp_path, "second", _recipe(randomise="wide", seed=1))
    write_journal(second)
    assert config["table_hash"] != second.read_config()["table_hash"]
    line = (tmp_path / "journal.md").read_text("utf-8").splitlines()[-1]
    assert line.endswith(". Against first: seed 0 -> 1")
    other = with_lineage(second, {"recipe": {}, "unvaried_table_hash": table_hash("vordt")}, first)
    assert other["against"]["table_hash"] == [None if is_older else table_hash("iudex"), table_hash("vordt")]


def test_a_parent_is_compared_with_wherever_it_lies(tmp_path):
    """Breaks if a child is compared with another run than its parent, or what changed is lost when that is gone."""
    parent, _ = _made(tmp_path / "there", "old", _recipe())
    _made(tmp_path, "newer", _recipe())
    origin = {"parent": {"run": "old", "checkpoint_step": 32, "sha256": "0123456789abcdef"}}
    child, _ = _made(tmp_path, "child", _recipe(total_steps=96), origin, parent)
    config = json.loads(parent.config_file.read_text(encoding="utf-8"))
    parent.config_file.unlink()
    write_journal(child)
    text = child.journal_file.read_text(encoding="utf-8")
    assert "Against old, its parent." in text and "| total_steps | 64 | 96 |\n" in text
    assert "- parent: old at step 32 (checkpoint 0123456789ab)" in text
    assert f"- tables: {config['table_hash']}" in text


def test_settings_of_the_idle_learner_and_paths_of_overlays_change_nothing(tmp_path):
    """Breaks if settings that have no effect, or each run's own copy of one overlay, are told as changes."""
    overlay = tmp_path / "own.toml"
    overlay.write_text('base = "iudex"\n[overlay]\n', encoding="utf-8")
    for name in ("a", "b"):
        run = create_run(tmp_path, name, "x")
        run.keep_overlay(overlay, None)
        learner = {"algorithm": "ppo", "dqn": {"width": len(name) + ord(name)}, "ppo": {"width": 8}}
        recipe = {"boss": str(run.overlay_file), "fight": "full"} | learner
        run.write_config(with_lineage(run, {"recipe": recipe, "table_hash": "0"}))
    write_journal(run)
    assert "Nothing: settings, tables and code are the same." in run.journal_file.read_text(encoding="utf-8")
    assert "iudex with overlay, full" in run.journal_file.read_text(encoding="utf-8")
    assert changes({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2}) == {"a.b": [1, 3]}


def test_time_between_sittings_costs_nothing(tmp_path):
    """Breaks if nights between sittings count, or up to a failed attempt, or work that a crash made vain does not."""
    run = create_run(tmp_path, "a", "x")
    run.write_config({"recipe": {"boss": "iudex", "fight": "full", "total_steps": 1000}})
    _log(run, (0, "started"), (10, "saved"), (600, "resumed at step 1"), (630, "ended at step 2"), (900, "ended by it"))
    for minutes, step, rate in ((5, 100, 0.2), (20, 200, 0.6), (615, 300, 0.9)):
        match = {"wins": 1, "fights": 10, "win_rate": rate, "win_rate_low": 0.0, "win_rate_high": 1.0}
        _row(run, "evaluation", minutes, step, return_mean=rate, **match)
    history = history_of(run)
    assert history.cost.hours == pytest.approx(50 / 60)
    reached = {label: (step, minutes) for label, step, minutes in history.milestones}
    assert reached["win rate above 10 %"] == (100, pytest.approx(5.0))
    assert reached["win rate above 50 %"] == (200, pytest.approx(20.0))
    assert reached["win rate above 80 %"] == (300, pytest.approx(35.0))
    assert "win rate above 95 %" not in reached
    log = read_log(run.log_file)
    assert worked_s(BEGIN - timedelta(hours=1), [], log) == 0.0
    assert worked_s(BEGIN, [], []) == 0.0


def test_warnings_and_errors_are_told(tmp_path):
    """Breaks if a guard's warning, a win rate that does not count, or the error that ended a run is left out."""
    run = create_run(tmp_path, "a", "x")
    run.write_config({"recipe": {"boss": "iudex", "fight": "full", "total_steps": 1000}})
    for step, state, said in ((10, "begun", "too slow"), (20, "lasting", "slower"), (30, "over", "over")):
        _row(run, "warning", step, step, guard="speed", state=state, message=f"speed: {said}")
    _row(run, "train", 40, 40, faults=3)
    with pytest.raises(LoggedError), session(run):
        raise RuntimeError("broken")
    history = history_of(run)
    assert history.warnings == [
        "speed: slower (from step 10, over at step 30)", "fights that ended in a fault of the game: 3",
    ]  # fmt: skip
    assert history.error == "RuntimeError: broken"
    assert "- stopped by RuntimeError: broken at step 40" in run.journal_file.read_text(encoding="utf-8")
    run.log("resumed at step 40")
    assert history_of(run).error is None


def test_lines_stand_by_date_and_notes_between_them_stay():
    """Breaks if a run gets a second line, an older run stands last, or what its owner wrote is moved or lost."""
    text, dates = "# mine\n", {"b": "2026-02-02 00:00", "c": "2026-03-03 00:00", "a": "2026-01-01 00:00"}
    for name, date in dates.items():
        text = with_line(text, f"- {date} [{name}](x) begun", f"- {date} [{name}](")
    text = text.replace("- 2026-03", "a note\n- 2026-03")
    text = with_line(text, f"- {dates['b']} [b](x) ended", f"- {dates['b']} [b](")
    assert re.findall(r"\[(\w)\]\(x\) (\w+)|(note)", text) == [
        ("a", "begun", ""), ("b", "ended", ""), ("", "", "note"), ("c", "begun", ""),
    ]  # fmt: skip
    assert text.startswith("# mine\n")


def test_runs_that_end_at_once_all_stand_in_the_journal(tmp_path):
    """Breaks if of trainings side by side one writes over the other's line."""
    runs = [create_run(tmp_path, f"run-{number}", "x") for number in range(8)]
    for run in runs:
        run.write_config({"recipe": {"boss": "iudex", "fight": "full", "total_steps": 1}})
    threads = [Thread(target=lambda run=run: [write_journal(run) for _ in range(5)]) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = (tmp_path / "journal.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\[(run-\d)\]", text)) == [run.name for run in runs]


def test_the_commit_is_told_only_of_ashens_own_checkout(tmp_path, monkeypatch):
    """Breaks if a folder that is no checkout, a broken one, or a machine without git is an error."""
    monkeypatch.setattr(code_version, "ROOT", tmp_path)
    assert code_version.commit() is None
    (tmp_path / ".git").mkdir()
    assert code_version.commit() is None
    monkeypatch.setenv("PATH", "")
    assert code_version.commit() is None
    assert code_version.code_versions().keys() == {"ashen", "commit"}


def test_the_commit_says_whether_the_code_was_changed_since(tmp_path, monkeypatch):
    """Breaks if changed code goes by the name of the commit it was made from."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    try:
        subprocess.run([*git, "init", "-q"], check=True, capture_output=True)
    except OSError:
        pytest.skip("there is no git here")
    (tmp_path / "src").mkdir()
    file = tmp_path / "src" / "code.py"
    file.write_text("1", encoding="utf-8")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "a"], check=True)
    monkeypatch.setattr(code_version, "ROOT", tmp_path)
    clean = code_version.commit()
    assert re.fullmatch("[0-9a-f]{12}", clean)
    file.write_text("2", encoding="utf-8")
    assert code_version.commit() == f"{clean}+changes"


@pytest.mark.slow
def test_every_way_to_a_run_ends_in_the_journal(tmp_path, capsys):
    """Breaks if a run of train, of a parent, or of two that were joined has no journal, or not where it comes from."""
    folder = ["--runs-dir", str(tmp_path)]
    assert main(["train", "phase1", "--name", "one", *WORDS, *folder]) == 0
    assert main(["train", "phase1", "--name", "two", "--parent", "one", "--seed", "3", *WORDS, *folder]) == 0
    assert main(["join", "one", "two", "--name", "both", "--fights", "1", *folder]) == 0
    told = {name: open_run(name, tmp_path).journal_file.read_text(encoding="utf-8") for name in ("one", "two", "both")}
    assert "iudex, phase1, recipe phase1, begun 20" in told["one"] and "- started by ashen " in told["one"]
    assert "Against one, its parent." in told["two"] and "| seed | 0 | 3 |" in told["two"]
    assert "- joined: one plays phase 1, two phase 2" in told["both"] and "- complete\n- match at step " in told["both"]
    assert (tmp_path / "journal.md").read_text(encoding="utf-8").count("\n- ") == 3
    capsys.readouterr()
    assert main(["runs", "--json", *folder]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["name"], row["parents"]) for row in rows] == [("one", []), ("two", ["one"]), ("both", ["one", "two"])]
    assert {row["state"] for row in rows} == {"complete"}

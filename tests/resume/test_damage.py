"""What lies in a run is damaged, the disk fills up, the clock goes back: it is said in a line, and the run goes on."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from equal_runs import assert_equal_runs

from ashen.agents import DQNConfig
from ashen.cli import main
from ashen.core.errors import UserError
from ashen.runs.folder import RunFolder, create_run
from ashen.runs.log import read_log
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import BEST, SET_ASIDE, latest_checkpoint, load_checkpoint, newest_checkpoints
from ashen.training.history import history_of
from ashen.training.journal_text import journal_text
from ashen.training.loop import Training
from ashen.training.recipe import Recipe
from ashen.training.run_list import run_row
from ashen.training.start import forked, resumed, run_config
from ashen.training.trained import trained

pytestmark = pytest.mark.resume
RECIPE = Recipe(
    fight="phase1",
    encoder="onehot74",
    algorithm="dqn",
    num_envs=2,
    total_steps=1200,
    evaluate_every=600,
    evaluation_fights=1,
    final_fights=1,
    checkpoint_every=200,
    log_every=200,
    dqn=DQNConfig(learning_starts=100, batch_size=16, width=16, depth=1, replay_capacity=700, n_step=3),
)


def _trained(folder: Path, name: str, until: int) -> RunFolder:
    training, run = Training(RECIPE), create_run(folder, name, "x")
    training.begin(run)
    run.write_config(run_config(training))
    list(training.run(run, lambda: training.env_step >= until))
    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One training that went through, and one that was stopped."""
    folder = tmp_path_factory.mktemp("runs")
    _trained(folder, "unbroken", 1200)
    _trained(folder, "stopped", 900)
    return folder


@pytest.fixture
def run(folder, tmp_path) -> RunFolder:
    """A copy of the one that was stopped, to be damaged."""
    shutil.copytree(folder / "stopped", tmp_path / "run")
    return RunFolder(tmp_path / "run")


def _go_on(run: RunFolder, folder: Path, step: int) -> None:
    """It goes on from a step, and ends as the unbroken one."""
    training = resumed(run)
    assert training.env_step == step
    list(training.run(run, lambda: False))
    assert_equal_runs(RunFolder(folder / "unbroken"), run)


def _flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign", "gone"])
def test_a_damaged_checkpoint_costs_no_more_than_itself(run, folder, damage, capsys):
    """Breaks if a newest checkpoint that cannot be read ends the run, is deleted, or is passed over without a word."""
    path = latest_checkpoint(run)
    whole = path.read_bytes()
    data = {"truncated": whole[: len(whole) // 2], "empty": b"", "foreign": b"PK no", "gone": b""}[damage]
    path.write_bytes(data)
    if damage == "gone":
        path.unlink()
    _go_on(run, folder, 800)
    if damage == "gone":
        return
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"ashen: {path} is damaged (") and said.endswith("and gone on from step 800 in its place")
    warned = [line.message for line in read_log(run.log_file) if line.level == "WARNING"]
    assert warned == [said.removeprefix("ashen: ")]
    assert (run.checkpoints / SET_ASIDE / path.name).read_bytes() == data


def test_a_damaged_checkpoint_counts_for_nothing(run):
    """Breaks if a run is told to be where a damaged checkpoint stood, or if that takes the place of a whole one."""
    latest_checkpoint(run).write_bytes(b"half")
    assert run_row(run)["env_steps"] == 800
    assert "stopped at step 800 of 1,200" in journal_text(history_of(run))
    training = resumed(run)
    list(training.run(run, lambda: training.env_step >= 1000))
    assert [path.name[-7:-3] for path in newest_checkpoints(run)] == ["1000", "0800", "0600"]
    assert run_row(run)["env_steps"] == 1000


def test_checkpoints_set_aside_twice_are_both_kept(run):
    """Breaks if a damaged checkpoint replaces one of the same step that was set aside before."""
    for damage in (b"one", b"two"):
        (run.checkpoints / "step-000000000900.pt").write_bytes(damage)
        resumed(run).env.close()
    assert sorted(path.read_bytes() for path in (run.checkpoints / SET_ASIDE).iterdir()) == [b"one", b"two"]


def test_a_damaged_newest_checkpoint_is_passed_over_by_every_verb(run, capsys):
    """Breaks if evaluating or forking refuses what resuming takes, says nothing of it, or moves files of the run."""
    newest = latest_checkpoint(run)
    newest.write_bytes(b"half")
    (run.checkpoints / BEST).unlink()
    run.metrics_file.unlink()  # no match has chosen a best agent, so that the newest is it
    before = {path: path.read_bytes() for path in run.checkpoints.rglob("*") if path.is_file()}
    for words in (["evaluate", str(run.path), "--fights", "1"], ["fork", str(run.path), "--name", "child"]):
        assert main([*words, "--runs-dir", str(run.path.parent)]) == 0
        said = [line for line in capsys.readouterr().err.splitlines() if "is damaged" in line]
        assert len(said) == 1 and said[0].startswith(f"ashen: {newest} is damaged (its digest is another); ")
        assert said[0].endswith("the newest whole one, of step 800, is taken")
    assert before == {path: path.read_bytes() for path in run.checkpoints.rglob("*") if path.is_file()}
    assert RunFolder(run.path.parent / "child").read_config()["parent"]["checkpoint_step"] == 800


@pytest.mark.parametrize("damage", ["is damaged (its digest is another)", "is missing"])
def test_a_lost_best_agent_is_told(run, damage, capsys):
    """Breaks if another agent than the best one plays without a word."""
    best = run.checkpoints / BEST
    assert trained(run).path == best
    assert capsys.readouterr().err == ""
    best.unlink() if "missing" in damage else best.write_bytes(b"half")
    assert trained(run).env_step == 900
    said = f"ashen: {best} {damage}; the best agent is lost, and that of step 900, the newest, is taken\n"
    assert capsys.readouterr().err == said


def test_every_flipped_bit_is_noticed_or_harmless(run):
    """Breaks if a checkpoint with a wrong bit is read as another state than was saved."""
    path = latest_checkpoint(run)
    whole, state = path.read_bytes(), load_checkpoint(path)
    noticed = 0
    for place in np.linspace(0, len(whole) - 1, 150).astype(int):
        _flip(path, int(place))
        try:
            _assert_same(load_checkpoint(path), state)
        except UserError as error:
            noticed += "is damaged" in str(error)
        path.write_bytes(whole)
    assert noticed > 100


def _assert_same(one, other):
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            _assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            _assert_same(*pair)
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one.nan_to_num(), other.nan_to_num())
    else:
        assert one == other or (one != one and other != other)


@pytest.mark.parametrize("damage", ["flipped", "truncated", "gone"])
def test_a_damaged_replay_costs_no_more_than_a_checkpoint(run, folder, damage):
    """Breaks if a replay with wrong transitions is learned from, or ends the run though older ones are whole."""
    newest = max((run.checkpoints / "replay").glob("*.rows"))
    if damage == "flipped":
        _flip(newest, 1000)
    elif damage == "truncated":
        newest.write_bytes(newest.read_bytes()[:-100])
    else:
        newest.unlink()
    _go_on(run, folder, 800)


def test_what_cannot_be_gone_on_from_is_told_and_left(run):
    """Breaks if a run whose checkpoints are all damaged is changed, or the reason is not said."""
    for path in newest_checkpoints(run):
        path.write_bytes(b"half")
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=r"cannot go on from .*step-000000000900\.pt: .* is damaged"):
        resumed(run)
    assert before == {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def test_half_written_logs_are_trimmed(run, folder):
    """Breaks if rows after the checkpoint, or half a row, stay in the metrics of a run that goes on."""
    with run.metrics_file.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"kind": "train", "time": "", "env_step": 1000, "episode": 9}) + '\n{"kind": "tr')
    run.csv_file.write_text("kind,time\ntr", encoding="utf-8")
    _go_on(run, folder, 900)


def test_lost_rows_are_written_again(run, folder):
    """Breaks if a run goes on with fewer rows of metrics than it had."""
    lines = run.metrics_file.read_text(encoding="utf-8").splitlines(keepends=True)
    run.metrics_file.write_text("".join(lines[:-1]), encoding="utf-8")
    _go_on(run, folder, 600)
    assert "metrics.jsonl has lost 1 of" in run.log_file.read_text(encoding="utf-8")


def test_a_clock_that_went_back_changes_nothing(run, folder, tmp_path, capsys):
    """Breaks if a run that was made in what is now the future cannot be gone on with, drawn or compared."""
    text = run.metrics_file.read_text(encoding="utf-8")
    run.metrics_file.write_text(text.replace('"time": "20', '"time": "21'), encoding="utf-8")
    _go_on(run, folder, 900)
    times = [row["time"] for row in read_metrics(run)]
    assert times != sorted(times)
    assert main(["plot", str(run.path), "--out", str(tmp_path / "curves.png")]) == 0


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A small disk of its own; needs Linux and root."""
    place = tmp_path / "disk"
    place.mkdir()
    if _mount("-t", "tmpfs", "-o", "size=4m", "ashen-test", str(place)):
        pytest.skip("a small disk can be mounted by root on Linux only")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def _mount(*words: str) -> int:
    try:
        return subprocess.run(["mount", *words], capture_output=True, check=False).returncode
    except FileNotFoundError:
        return 1


def _ashen(*words: str) -> tuple[int, str]:
    ended = subprocess.run([sys.executable, "-m", "ashen", *words], capture_output=True, text=True, check=False)
    return ended.returncode, ended.stderr


@pytest.mark.skipif(os.name == "nt", reason="mounts are POSIX")
def test_a_full_and_a_read_only_disk(disk, folder):
    """Breaks if a disk that fills up, or may not be written, is a traceback, or costs what was saved before."""
    shutil.copytree(folder / "stopped", disk / "run")
    run, words = RunFolder(disk / "run"), ("resume", str(disk / "run"))
    (disk / "other").write_bytes(b"0" * (shutil.disk_usage(disk).free - 50_000))
    code, said = _ashen(*words)
    assert code == 2, said
    assert "Traceback" not in said
    assert "the disk is full" in said.splitlines()[-1] and said.splitlines()[-1].endswith("then: ashen resume RUN")
    assert _mount("-o", "remount,ro", str(disk)) == 0
    code, said = _ashen(*words)
    assert code == 2, said
    assert "Traceback" not in said
    assert "cannot be written" in said.splitlines()[-1]
    assert _mount("-o", "remount,rw,size=8m", str(disk)) == 0
    assert _ashen(*words)[0] == 0
    assert_equal_runs(RunFolder(folder / "unbroken"), run)


def test_a_fork_keeps_its_lineage(run, capsys):
    """Breaks if a fork touches its parent, forgets what was changed, counts anew, or has an untrained agent."""
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    words = ["fork", str(run.path), "--name", "child", "--runs-dir", str(run.path.parent)]
    assert main([*words, "--dqn.learning-rate", "0.001", "--total-steps", "1000"]) == 0
    said = capsys.readouterr().err
    assert "goes on from step 900 of run for 100 steps, to step 1,000\n" in said
    assert "learning rate: 0.001 all along; --dqn.learning-rate says another" in said
    assert before == {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    child = RunFolder(run.path.parent / "child")
    parent = child.read_config()["parent"]
    assert (parent["run"], parent["checkpoint_step"]) == ("run", 900)
    assert parent["changes"] == {"dqn.learning_rate": [3e-4, 1e-3], "total_steps": [1200, 1000]}
    (row,) = read_metrics(child, "train")
    counted = load_checkpoint(latest_checkpoint(run))["training"]["tally"]
    assert (row["env_step"], row["game_steps"]) == (1000, counted["game_steps"] + 100)
    assert row["episode"] == counted["episodes"] + row["fights"] > row["fights"]
    assert load_checkpoint(latest_checkpoint(child))["replay"]["written"] > 700
    journal = child.journal_file.read_text(encoding="utf-8")
    assert "parent: run at step 900 (" in journal and "; schedules begin there anew" in journal


def test_settings_that_do_not_fit_a_fork_are_told(run):
    """Breaks if a fork with another network is a traceback, or leaves a folder."""
    with pytest.raises(UserError, match="cannot fork"):
        forked(run, replace(RECIPE, dqn=replace(RECIPE.dqn, width=24)))


def test_a_fork_without_steps_left_is_refused(folder, capsys):
    """Breaks if forking a complete run plays its matches again and says that it has trained."""
    words = ["fork", str(folder / "unbroken"), "--name", "idle", "--runs-dir", str(folder)]
    assert main(words) == 2
    assert "stands at step 1,200 and would train no further; give more --total-steps" in capsys.readouterr().err
    assert not (folder / "idle").exists()

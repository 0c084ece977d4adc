import os
import re
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from equal_runs import assert_equal_runs

from ashen.agents import DQNConfig, PPOConfig
from ashen.core.signals import StopOnSignal
from ashen.evaluation.judge import judge
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import RunFolder, create_run
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import PARENT, copy_checkpoint, latest_checkpoint, load_checkpoint
from ashen.training.loop import Training
from ashen.training.recipe import Recipe
from ashen.training.start import forked, resumed, run_config
from ashen.training.whole import best_checkpoint

SMALL = Recipe(
    fight="phase1",
    num_envs=4,
    total_steps=800,
    evaluate_every=800,
    evaluation_fights=2,
    final_fights=2,
    checkpoint_every=400,
    record_every=400,
    log_every=200,
    ppo=PPOConfig(rollout_steps=32, epochs=2, minibatch_size=64, width=16, precision="float32"),
    dqn=DQNConfig(
        learning_starts=100, batch_size=16, width=16, depth=1, replay_capacity=2000, n_step=3, prioritised=True
    ),
)


def _train(training, run, until=None):
    should_stop = (lambda: False) if until is None else (lambda: training.env_step >= until)
    return list(training.run(run, should_stop))


@pytest.mark.parametrize("algorithm", ["ppo", "dqn"])
@pytest.mark.parametrize("until", [212, 400])
def test_resumed_equals_unbroken_bit_for_bit(tmp_path, algorithm, until):
    """Breaks if a training that stops anywhere and goes on differs from one that never stopped."""
    recipe = replace(SMALL, algorithm=algorithm, phase2_starts=0.3, fight="full")
    runs = [create_run(tmp_path, name, "x") for name in ("unbroken", "broken")]
    _train(Training(recipe), runs[0])
    _train(Training(recipe), runs[1], until=until)
    resumed = Training(recipe)
    resumed.resume(runs[1], load_checkpoint(latest_checkpoint(runs[1])))
    assert resumed.env_step == until
    _train(resumed, runs[1])
    assert load_checkpoint(latest_checkpoint(runs[0]))["env_step"] == 800
    assert_equal_runs(*runs)


def test_a_stop_within_a_later_recorded_fight_can_be_gone_on_from(tmp_path):
    """Breaks if a checkpoint made while any but the first fight is recorded holds what its reader refuses."""
    recipe, run = replace(SMALL, num_envs=1, record_every=1, total_steps=2000), create_run(tmp_path, "run", "x")
    training = Training(recipe)
    run.write_config(run_config(training))
    rows = training.run(run, lambda: training._tally.episodes >= 2 and training._player.recorder._is_taping)
    list(rows)
    checkpoint = load_checkpoint(latest_checkpoint(run))
    assert checkpoint["training"]["recorder"]["_is_taping"] is True
    assert resumed(run).env_step == checkpoint["env_step"] < 2000


@pytest.mark.parametrize("algorithm", ["ppo", "dqn"])
def test_a_resumed_fork_equals_an_unbroken_one(tmp_path, algorithm):
    """Breaks if a fork's schedules do not begin at the fork, or begin anew where it is resumed."""
    recipe, parent = replace(SMALL, algorithm=algorithm), create_run(tmp_path, "parent", "x")
    training = Training(recipe)
    parent.write_config(run_config(training))
    _train(training, parent, until=400)
    runs = [create_run(tmp_path, name, "x") for name in ("unbroken", "broken")]
    for run, until in zip(runs, (None, 700), strict=True):
        fork, origin = forked(parent, replace(recipe, total_steps=1000))
        run.write_config(run_config(fork) | {"parent": origin})
        _train(fork, run, until)
    assert (origin["checkpoint_step"], origin["schedules_from"]) == (400, 400)
    _train(resumed(runs[1]), runs[1])
    assert_equal_runs(*runs)
    rows = {row["env_step"]: row for row in read_metrics(runs[1], "train")}
    if algorithm == "ppo":
        rates = [rows[step]["learning_rate"] for step in (600, 800, 1000)]
        assert rates == pytest.approx([5e-4 * 2 / 3, 5e-4 / 3, 0.0])
    else:
        assert [rows[step]["priority_beta"] for step in (600, 800, 1000)] == pytest.approx([0.6, 0.8, 1.0])


def test_a_run_folder_holds_all_that_was_promised(tmp_path):
    """Breaks if rows, fights, checkpoints or event files are missing, or miscounted, in a run folder."""
    run = create_run(tmp_path, "run", "x")
    recipe = replace(SMALL, total_steps=1200, num_envs=2, checkpoint_every=1200, record_every=1)
    rows = _train(Training(recipe), run)
    assert rows == read_metrics(run)
    assert [row["env_step"] for row in rows if row["kind"] == "train"] == list(range(200, 1201, 200))
    assert [row["env_step"] for row in rows if row["kind"] == "evaluation"] == [800, 1200]
    assert rows[-1]["kind"] == "final"
    last = [row for row in rows if row["kind"] == "train"][-1]
    assert last["episode"] == sum(row["fights"] for row in rows if row["kind"] == "train") > 0
    assert {"steps_per_s", "entropy", "learning_rate", "term/damage_dealt", "seconds/world"} <= set(last)
    recorded = [load_fight(path) for path in list_fights(run.fights)]
    kinds = [record.meta["kind"] for record in recorded]
    assert kinds.count("evaluation") == 4
    assert kinds.count("final") == recipe.final_fights
    assert kinds.count("training") >= 1
    for record in recorded:
        assert record.meta["table_hash"] == rows[-1]["table_hash"]
        assert record.masks[np.arange(len(record.actions)), record.actions].all()
        assert record.reward_terms.sum() == pytest.approx(record.rewards.sum(), abs=1e-4)
        assert (record.states["step"][1:] > record.states["step"][:-1]).all()
        assert record.states["step"][0] == 0
    assert list(run.path.glob("events.out.tfevents.*"))
    assert best_checkpoint(run)[0].name == "best.pt"


def test_stopping_early_saves_and_skips_the_final_match(tmp_path):
    """Breaks if a stopped training is not saved where it stopped, or is judged as if it were complete."""
    run = create_run(tmp_path, "run", "x")
    training = Training(SMALL)
    rows = _train(training, run, until=300)
    assert load_checkpoint(latest_checkpoint(run))["env_step"] == training.env_step == 300
    assert [row["env_step"] for row in rows] == [200]


@pytest.mark.parametrize("algorithm", ["ppo", "dqn"])
@pytest.mark.parametrize(
    ("match", "has_parent"),
    [(1, False), (2, False), (3, False), (5, True)],
    ids=["on the way", "last", "final", "final after the parent's"],
)
def test_a_match_that_ctrl_c_breaks_off_is_played_anew(tmp_path, monkeypatch, algorithm, match, has_parent):
    """Breaks if Ctrl-C waits for a match to end, or if a training stopped in one ends as another than unbroken."""
    recipe = replace(SMALL, algorithm=algorithm, evaluate_every=400)
    runs = [create_run(tmp_path, name, "x") for name in ("unbroken", "broken")]
    if has_parent:
        _train(Training(recipe), parent := create_run(tmp_path, "parent", "x"), until=400)
        for run in runs:
            copy_checkpoint(best_checkpoint(parent)[0], run, PARENT)
    _train(Training(recipe), runs[0])
    begun = []

    def judge_until_ctrl_c(*words, progress, **more):
        begun.append(more["facts"]["kind"])

        def heard(results):
            if len(results) == 1 and len(begun) == match:
                signal.raise_signal(signal.SIGINT)
            progress(results)

        return judge(*words, progress=heard, **more)

    monkeypatch.setattr("ashen.training.matches.judge", judge_until_ctrl_c)
    with StopOnSignal() as stop:
        rows = list(Training(recipe).run(runs[1], stop))
    played = sum(row["kind"] == "evaluation" for row in rows)
    assert len(begun) == match == 1 + played + (match == 5)
    resumed = Training(recipe)
    resumed.resume(runs[1], load_checkpoint(latest_checkpoint(runs[1])))
    _train(resumed, runs[1])
    assert len(begun) == (7 if has_parent else 4)
    assert_equal_runs(*runs)


def test_ctrl_c_saves_and_ends_well(tmp_path):
    """Breaks if Ctrl-C loses the training, or ends it with an error."""
    words = ["train", "smoke", "--name", "cut", "--runs-dir", str(tmp_path), "--total-steps", "100000000"]
    words += ["--evaluate-every", "100000000", "--checkpoint-every", "100000000"]
    own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {}
    command = [sys.executable, "-m", "ashen", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **own_group) as training:
        while not training.stderr.readline().startswith("step"):
            assert training.poll() is None
        training.send_signal(signal.CTRL_BREAK_EVENT if os.name == "nt" else signal.SIGINT)
        said = training.communicate()[1]
    assert training.returncode == 0, said
    run = RunFolder(tmp_path / "cut")
    assert re.search(r"stopped and saved at step [\d,]+; go on with: ashen resume ", said) and run.word in said
    rows = read_metrics(run, "train")
    assert load_checkpoint(latest_checkpoint(run))["env_step"] >= rows[-1]["env_step"] > 0
    assert run.curves_file.is_file()

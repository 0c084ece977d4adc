"""Fine-tuning that refits the boss's table to the agent's own fights first, in the simulator."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ashen
from ashen.agents import PPOConfig
from ashen.cli import main
from ashen.core.errors import UserError
from ashen.core.tables import base_file, boss_file
from ashen.display import refit_lines
from ashen.evaluation.shifted import shifted_boss
from ashen.obs.encoders import make_encoder
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import RunFolder, create_run
from ashen.runs.metrics import read_metrics
from ashen.sim.pack import load_tables
from ashen.training.calibrating import KIND, is_before_training, record, steps_to_record
from ashen.training.checkpoints import has_numbered
from ashen.training.loop import Training
from ashen.training.recipe import load_recipe, recipe_of, training_recipe
from ashen.training.tables import to_table
from ashen.tutor import read_finetune_options

SMALL = {"num_envs": 2, "total_steps": 64, "evaluate_every": 64, "evaluation_fights": 1, "final_fights": 1}
WORDS = ["--calibrate", "--total-steps", "1064", "--calibrate-steps", "1000", "--num-envs", "2"]
WORDS += ["--ppo.rollout-steps", "32", "--evaluate-every", "64", "--evaluation-fights", "1", "--final-fights", "2"]


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory) -> Path:
    """A folder with a small trained run, named ``old``, and a boss who is not as it knows him."""
    folder = tmp_path_factory.mktemp("runs")
    recipe = replace(load_recipe("phase1"), **SMALL, ppo=PPOConfig(rollout_steps=32, width=16))
    run = create_run(folder, "old", "x")
    training = Training(recipe)
    run.write_config({"recipe": to_table(recipe), "action_names": list(training.env.action_names)})
    list(training.run(run, lambda: False))
    return folder


@pytest.fixture(scope="module")
def shifted(tmp_path_factory) -> Path:
    """The overlay of a boss whose times are off."""
    return shifted_boss(0, tmp_path_factory.mktemp("shifted") / "shifted.toml")


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    """The whole table of a boss who hits a seventh later."""

    def later(match: re.Match) -> str:
        return f"window_s = {{ v = {[round(1.15 * float(time), 3) for time in match[1].split(',')]}"

    text, path = boss_file("iudex").read_text(encoding="utf-8"), tmp_path_factory.mktemp("other") / "other.toml"
    path.write_text(re.sub(r"window_s = \{ v = \[(.+?)\]", later, text), encoding="utf-8")
    return path


def stopped_after(count):
    """Says to stop once it has been asked so often."""
    asked = iter(range(count))
    return lambda: next(asked, None) is None


def test_the_agent_sees_one_boss_and_fights_another(shifted):
    """Breaks if a rehearsal of a game that differs shows the agent what it is not to know, or fights the wrong boss."""
    env = ashen.make_vec("iudex", real_boss=str(shifted), num_envs=2, seed=0)
    assert env.backend.table_hash == load_tables(shifted)[1]
    assert env.encoder is make_encoder("ashen", "iudex")
    with pytest.raises(UserError, match=r"real_boss = .* must be empty on the game"):
        ashen.make_vec("iudex", real_boss=str(shifted), backend="game")


def test_another_boss_is_no_stand_in(tmp_path):
    """Breaks if animation ids of one boss are read as those of another."""
    text = boss_file("iudex").read_text(encoding="utf-8").replace('["Attack1500"]', '["Attack1500", "X"]')
    (tmp_path / "other.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="has other animations than iudex"):
        ashen.make_vec("iudex", real_boss=str(tmp_path / "other.toml"))


def test_what_is_asked_for_becomes_the_default_of_where_it_is_fought(runs_dir):
    """Breaks if fine-tuning on the game does not refit by itself, or begins with settings that the game refuses."""
    folder = ["--runs-dir", str(runs_dir)]
    options, _ = read_finetune_options(["old", *folder])
    assert not options.calibrate and options.recorded_steps == 0 and options.recipe.num_envs == 8
    options, _ = read_finetune_options(["old", "--backend", "game", *folder])
    assert options.calibrate and options.recorded_steps == 10_000 and options.recipe.num_envs == 1
    assert options.recipe.ppo.rollout_steps == 1024
    assert options.recipe.evaluation_fights + options.recipe.final_fights < 100
    options, _ = read_finetune_options(["old", "--backend=game", "--no-calibrate", *folder])
    assert not options.calibrate and options.recorded_steps == 0


def test_a_run_refits_its_table_and_goes_on(runs_dir, other, capsys):
    """Breaks if fights against a whole table refit nothing, the old one stays, or nothing says what was found."""
    words = ["finetune", "old", "--boss", str(other), "--name", "new", "--runs-dir", str(runs_dir)]
    assert main([*words, *WORDS]) == 0
    said = capsys.readouterr()
    assert "steps, at least 1,000 are asked for" in said.err and "the parent agent is deployed" in said.out
    run = RunFolder(runs_dir / "new")
    config = run.read_config()
    assert config["calibrate"] == {"steps": 1000} and config["recipe"]["total_steps"] == 64
    assert (config["recipe"]["boss"], config["recipe"]["real_boss"]) == ("iudex", str(other.resolve()))
    fights = [load_fight(path) for path in list_fights(run.fights, KIND)]
    assert len(fights) >= 5 and sum(len(fight.actions) for fight in fights) >= 1000
    assert {fight.meta["table_hash"] for fight in fights} == {load_tables(other)[1]}
    (row,) = read_metrics(run, KIND)
    assert row["refitted"] > 0 and row["is_used"] and row["hit_times"]
    assert list(refit_lines(row))[-1] == "goes on with the refitted table"
    assert all(line in said.err and line in run.log_file.read_text(encoding="utf-8") for line in refit_lines(row))
    assert training_recipe(run).boss == str(run.calibrated_file.resolve())
    assert base_file(run.calibrated_file) == boss_file("iudex"), "it is the parent's boss whose numbers are refitted"
    assert recipe_of(run).boss == "iudex", "the parent stays, with its own table"
    finals = [load_fight(path) for path in list_fights(run.fights, "evaluation")]
    assert {fight.meta["boss"] for fight in finals} == {str(other.resolve())}
    assert main(["evaluate", "new", "--fights", "1", "--json", "--runs-dir", str(runs_dir)]) == 0
    assert load_tables(other)[1] in capsys.readouterr().out
    assert main(["evaluate", "new", "--boss", "iudex", "--fights", "1", "--json", "--runs-dir", str(runs_dir)]) == 0
    assert load_tables(boss_file("iudex"))[1] in capsys.readouterr().out


@pytest.mark.slow
def test_it_goes_on_wherever_it_was_stopped(runs_dir, shifted, monkeypatch, capsys):
    """Breaks if a stop loses fights or the refitted table, or changes what is fought afterwards."""
    words = ["--boss", str(shifted), "--runs-dir", str(runs_dir), *WORDS]
    resume = ["resume", "b", "--runs-dir", str(runs_dir)]
    assert main(["finetune", "old", "--name", "a", *words]) == 0
    with monkeypatch.context() as patch:
        patch.setattr("ashen.coach.record", lambda run, stop, say: record(run, stopped_after(2), say))
        assert main(["finetune", "old", "--name", "b", *words]) == 0
    a, b = RunFolder(runs_dir / "a"), RunFolder(runs_dir / "b")
    assert f"go on with: ashen resume {b.word}\n" in capsys.readouterr().err
    assert len(list_fights(b.fights)) == 2 and steps_to_record(b) == 1000
    with monkeypatch.context() as patch:  # stopped between the table and the training
        patch.setattr("ashen.coach.begun_training", lambda run: (_ for _ in ()).throw(UserError("stopped")))
        assert main(resume) == 2
    assert steps_to_record(b) == 0 and is_before_training(b) and not has_numbered(b)
    for mine, other in zip(*(list_fights(run.fights, KIND) for run in (a, b)), strict=True):
        assert np.array_equal(load_fight(mine).states, load_fight(other).states)
    assert a.calibrated_file.read_bytes() == b.calibrated_file.read_bytes()
    assert main(resume) == 0
    assert len(read_metrics(b, KIND)) == 1
    wins = [[row["win_rate"] for row in read_metrics(run, "evaluation")] for run in (a, b)]
    assert wins[0] == wins[1]
    assert main(resume) == 0 and "is complete" in capsys.readouterr().err

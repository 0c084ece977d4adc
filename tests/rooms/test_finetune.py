import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ashen.agents import PPOConfig
from ashen.cli import main
from ashen.core.fight import Outcome
from ashen.core.tables import boss_file, load_facts, player_facts, walk
from ashen.evaluation.match import FightResult
from ashen.evaluation.shifted import shifted_boss
from ashen.runs.folder import RunFolder, create_run, open_run
from ashen.runs.metrics import read_metrics
from ashen.sim.pack import load_tables
from ashen.training.checkpoints import BEST, CANDIDATE, PARENT, load_checkpoint, save_best, save_checkpoint
from ashen.training.finetune import finetuning_recipe
from ashen.training.gate import judge_best
from ashen.training.loop import Training
from ashen.training.recipe import load_recipe, recipe_of
from ashen.training.tables import to_table
from ashen.training.trained import trained

SMALL = {"num_envs": 2, "total_steps": 64, "evaluate_every": 64, "evaluation_fights": 1, "final_fights": 1}
REFITTED = 'base = "iudex"\n[overlay]\n"body.hp" = { v = 1000.0, s = "own fights", c = "M" }\n'
SMALL_WORDS = ["--num-envs", "2", "--total-steps", "64", "--ppo.rollout-steps", "32"]
SMALL_WORDS += ["--evaluate-every", "64", "--evaluation-fights", "1", "--final-fights", "2"]


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory) -> Path:
    """A folder with one small trained run, named ``old``."""
    folder = tmp_path_factory.mktemp("runs")
    recipe = replace(load_recipe("phase1"), **SMALL, ppo=PPOConfig(rollout_steps=32, width=16))
    run = create_run(folder, "old", "x")
    training = Training(recipe)
    run.write_config({"recipe": to_table(recipe), "action_names": list(training.env.action_names)})
    list(training.run(run, lambda: False))
    return folder


def result(outcome: Outcome) -> FightResult:
    """A fight that ended so."""
    return FightResult(outcome, 0.0, 1, 0.0, False, {}, {}, longest_boss_idle_s=0.0, ended_in_blow=True)


@pytest.mark.parametrize(
    ("parent_wins", "tuned_wins", "deployed"),
    [
        ("1000000000", "1111110000", "tuned"),  # 5 gained, none lost: 1 in 32
        ("1000000000", "1111100000", "parent"),  # 4 gained: 1 in 16, too few to tell
        ("1111000000", "0000111111", "parent"),  # 6 gained, 4 lost
        ("1111111111", "0000000000", "parent"),
        ("10000000FF", "111111FF00", "tuned"),  # faults on either side do not count
    ],
)
def test_the_gate_lets_through_only_who_wins_more(parent_wins, tuned_wins, deployed, tmp_path):
    """Breaks if an agent that is worse, or only better by chance, becomes the run's best, or a better one does not."""
    run = create_run(tmp_path, "run", "x")
    (run.checkpoints / PARENT).write_bytes(save_checkpoint(run, 900, {"wins": parent_wins}).read_bytes())
    assert save_best(run, 64, {"wins": tuned_wins}).name == CANDIDATE
    run.calibrated_file.write_text(REFITTED, encoding="utf-8")

    def play(checkpoint, progress=None, as_parent=False):
        assert as_parent == (checkpoint["env_step"] == 900)
        outcomes = [{"1": Outcome.WIN, "0": Outcome.LOSS, "F": Outcome.FAULT}[mark] for mark in checkpoint["wins"]]
        progress([result(outcome) for outcome in outcomes])
        rate = outcomes.count(Outcome.WIN) / len(outcomes)
        return {"win_rate": rate, "checkpoint_step": checkpoint["env_step"]}

    row = judge_best(run, play)
    assert row["deployed"] == deployed
    assert load_checkpoint(run.checkpoints / BEST)["wins"] == (tuned_wins if deployed == "tuned" else parent_wins)
    assert run.overlay_file.is_file() == (deployed == "tuned"), "a refitted table goes with the agent tuned with it"
    assert row["win_rate"] == row[f"{deployed}_win_rate"]
    assert row["checkpoint_step"] == (64 if deployed == "tuned" else 0)


def test_finetuning_makes_a_run_that_names_its_parent(runs_dir, tmp_path, capsys):
    """Breaks if the new run does not say whence it came, keeps no frozen copy or overlay, or cannot be judged alone."""
    overlay = shifted_boss(3, tmp_path / "shifted.toml")
    words = ["finetune", "old", "--overlay", str(overlay), "--name", "new", "--runs-dir", str(runs_dir), *SMALL_WORDS]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "the parent agent is deployed" in said, "64 steps cannot make a better agent"
    run, old = RunFolder(runs_dir / "new"), RunFolder(runs_dir / "old")
    digest = hashlib.sha256((old.checkpoints / BEST).read_bytes()).hexdigest()
    assert run.read_config()["parent"] == {"run": "old", "checkpoint_step": 64, "sha256": digest}
    for name in (PARENT, BEST):
        assert hashlib.sha256((run.checkpoints / name).read_bytes()).hexdigest() == digest
    assert load_tables(run.overlay_file)[1] == load_tables(overlay)[1] != load_tables(boss_file("iudex"))[1]
    rows = read_metrics(run)
    assert [row["env_step"] for row in rows if row["kind"] == "evaluation"] == [0, 64]
    final = rows[-1]
    assert final["deployed"] == "parent" and final["win_rate"] == final["parent_win_rate"]
    assert {row["table_hash"] for row in rows if "table_hash" in row} == {load_tables(overlay)[1]}
    overlay.unlink()
    assert main(["evaluate", "new", "--fights", "1", "--runs-dir", str(runs_dir)]) == 0
    assert main(["finetune", "new", "--name", "third", "--runs-dir", str(runs_dir), *SMALL_WORDS]) == 0
    assert recipe_of(RunFolder(runs_dir / "third")).boss == str((runs_dir / "third" / "overlay.toml").resolve())


def test_what_the_parent_knew_is_kept(runs_dir):
    """Breaks if networks or statistics are lost, if a fine-tuning inherits counters, or if nothing holds it back."""
    parent = trained(open_run("old", runs_dir))
    training = Training(replace(finetuning_recipe(parent.recipe), **SMALL))
    parent.hand_over(training)
    old, agent = parent.checkpoint["agent"], training.agent
    state = agent.state_dict()
    for name, value in old["network"].items():
        assert torch.equal(state["network"][name], value) and torch.equal(state["parent"][name], value), name
    assert agent.network.normaliser.count == 64
    assert agent.reward_scaler.scale == pytest.approx(np.sqrt(old["reward_scaler"]["squares"] / 64))
    assert (agent.steps, agent.updates, training.env_step) == (0, 0, 0)


def test_statistics_go_on_and_a_resumed_tuning_keeps_its_parent(runs_dir, tmp_path):
    """Breaks if observation statistics stand still or start anew, or if a checkpoint forgets the frozen policy."""
    parent = trained(open_run("old", runs_dir))
    tuned = replace(finetuning_recipe(parent.recipe), **SMALL)
    recipe = replace(tuned, ppo=replace(tuned.ppo, rollout_steps=32, learning_rate=0.01, learning_rate_final_share=1.0))
    training = Training(recipe)
    parent.hand_over(training)
    run = create_run(tmp_path, "run", "x")
    rows = list(training.run(run, lambda: False))
    assert training.agent.network.normaliser.count == 64 + 64
    assert next(row for row in rows if row["kind"] == "train")["kl_to_parent"] > 0.0
    resumed = Training(recipe)
    resumed.resume(run, load_checkpoint(tmp_path / "run" / "checkpoints" / "step-000000000064.pt"))
    for name, value in parent.checkpoint["agent"]["network"].items():
        assert torch.equal(resumed.agent.parent.state_dict()[name], value)


def test_a_shifted_boss_differs_in_all_attacks_and_nothing_else(tmp_path):
    """Breaks if a time is not off by 15 %, a hit does not hurt 20 % more, or anything but attacks changes."""
    path = shifted_boss(0, tmp_path / "shifted.toml")
    base, shifted = (dict(walk(load_facts(file))) for file in (boss_file("iudex"), path))
    changed = {where for where in base if shifted[where] != base[where]}
    assert changed and all(".attacks." in where for where in changed)
    windows = [where for where in base if where.endswith(".window_s")]
    paces = {round(shifted[where].value[0] / base[where].value[0], 6) for where in windows}
    assert paces == {0.85, 1.15} and changed >= set(windows)
    hurts = [where for where in base if ".hits." in where and where.endswith(".damage") and base[where].value > 0.0]
    assert {round(shifted[where].value / base[where].value, 6) for where in hurts} == {1.2}
    assert player_facts(path) == player_facts(boss_file("iudex"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["finetune"], "finetune which run?"),
        (["finetune", "odl"], "unknown run 'odl'"),
        (["finetune", "old", "--encoder", "raw26"], "has encoder = ashen, not raw26"),
        (["finetune", "old", "--actions", "diary16"], "has actions = all, not diary16"),
        (["finetune", "old", "--ppo.width", "24"], "another network"),
        (["finetune", "old", "--algorithm", "dqn"], "checkpoint holds a ppo agent"),
        (["finetune", "old", "--boss", "none.toml"], "no boss table at none.toml"),
        (["finetune", "old", "--overlay", "none.toml"], "none.toml; give the path of a TOML file, as ashen calibrate"),
        (["finetune", "old", "--name", "old"], "already a run 'old'"),
        (["finetune", "old", "--totl-steps", "3"], "did you mean --total-steps"),
        (["finetune", "old", "--calibrate-steps", "9"], "add --calibrate"),
        (["finetune", "old", "--calibrate", "--calibrate-steps", "20000"], "must be less than --total-steps 20000"),
        (["finetune", "old", "--backend", "game", "--num-envs", "8"], "--num-envs 8 must be 1 on the game"),
        (["finetune", "old", "--backend=game", "--real-boss", "iudex"], "--real-boss iudex must be empty on the game"),
        (["train", "phase1", "--parent", "odl"], "unknown run 'odl'"),
        (["train", "phase1", "--parent", "old"], "another network"),
        (["train", "phase1", "--ppo.kl-to-parent", "1"], "give --parent RUN"),
    ],
)
def test_what_cannot_be_tuned_is_told_in_one_line(words, message, runs_dir, capsys):
    """Breaks if a mistake is a traceback, costs a run folder, or does not say what to do."""
    before = sorted(path.name for path in runs_dir.iterdir())
    assert main([*words, "--runs-dir", str(runs_dir)]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1, said
    assert sorted(path.name for path in runs_dir.iterdir()) == before

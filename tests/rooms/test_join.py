import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from ashen.agents import DQNConfig, PPOConfig
from ashen.cli import main
from ashen.core.fight import ACTION_NAMES, FIGHT_STATE
from ashen.core.protocols import Decision
from ashen.env.view import View
from ashen.evaluation.explain.fight import explain_fight
from ashen.evaluation.judge import judge
from ashen.evaluation.policies import GuestAgent, PhaseSwitch
from ashen.runs.fights import WAITED
from ashen.runs.folder import RunFolder, create_run, run_names
from ashen.training.contenders import run_contender
from ashen.training.imported import import_checkpoint
from ashen.training.joined import join
from ashen.training.loop import Training
from ashen.training.recipe import load_recipe
from ashen.training.tables import to_table

DISTANCE = View("iudex", "onehot74", "all").encoder.names.index("boss_distance_xy/50")
# Weak enough to be brought to his second phase, but not to be killed in the first.
WEAK_BOSS = """base = "iudex"
[overlay]
"body.hp" = { v = 400.0, s = "test", c = "G" }
"""


def train(runs_dir, name, **changes):
    """A small run of the smallest training."""
    small = {"num_envs": 2, "total_steps": 64, "evaluate_every": 64, "evaluation_fights": 1, "final_fights": 1}
    recipe = replace(load_recipe("phase1"), **small, **changes)
    run = create_run(runs_dir, name, "x")
    run.write_config({"recipe": to_table(recipe)})
    list(Training(recipe).run(run, lambda: False))
    return run


def imported(runs_dir, name, fight, biases, towards=None):
    """A run of a network with given Q-values; that of ``towards`` is the distance to the boss, 1 for 50 m."""
    distance = torch.zeros(1, 74)
    distance[0, DISTANCE] = 1.0
    network = {
        "0.weight": distance,
        "0.bias": torch.zeros(1),
        "2.weight": torch.tensor([[float(action == towards)] for action in ACTION_NAMES]),
        "2.bias": torch.tensor([biases.get(action, 0.0) for action in ACTION_NAMES]),
    }
    file = runs_dir / f"{name}.pth"
    torch.save({"model_state_dict": network, "step": 1000}, file)
    return import_checkpoint(file, "onehot74", "all", fight, runs_dir, name)


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory):
    """Two small runs that share neither algorithm, actions nor waiting; one that attacks, and one that rolls."""
    folder = tmp_path_factory.mktemp("runs")
    train(folder, "ppo", skip_steps=False, ppo=PPOConfig(rollout_steps=32, width=16))
    other = {"algorithm": "dqn", "actions": "diary15", "skip_steps": True, "reward": "diary", "seed": 2}
    train(folder, "dqn", **other, dqn=DQNConfig(width=16, replay_capacity=1000))
    imported(folder, "attacks", "phase1", {"light_attack": 2.5 / 50}, towards="walk_forward")
    imported(folder, "rolls", "phase2", {"roll_back": 1.0})
    return folder


def match(run, fights=3, **changes):
    """Figures and records of a run's fights."""
    records, contender = [], run_contender(run)
    facts = {"kind": "evaluation", "env_step": 0}
    options = contender.env_options | {"fight": "full", "reward": "soulsgym"} | changes
    figures = judge(contender.make_policy, options, fights=fights, seed=3, record=records.append, facts=facts)
    return figures, records


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_a_run_joined_with_itself_plays_as_it_does_alone(name, runs_dir, tmp_path):
    """Breaks if encoder, memory, actions, masks or waiting of a joined agent differ from those of its own training."""
    alone = RunFolder(runs_dir / name)
    joined = join(alone, alone, tmp_path, "twice")
    figures, fights = match(alone)
    figures_joined, fights_joined = match(joined)
    assert figures_joined["return_mean"] == pytest.approx(figures["return_mean"], abs=1e-5)
    shown = [field for field in FIGHT_STATE.names if field != "last_actions"]
    for fight, again in zip(fights, fights_joined, strict=True):
        assert (fight.states[shown] == again.states[shown]).all()
        own, names = fight.meta["action_names"], again.meta["action_names"]
        asked = fight.actions != WAITED
        assert [own[action] for action in fight.actions[asked]] == [names[action] for action in again.actions[asked]]
        assert len(set(fight.actions[asked].tolist())) > 2, "the test says little of an agent with one action"
        assert {names[action] for action in again.actions[~asked]} == ({"nothing"} if name == "dqn" else set())


def test_the_phase_shown_decides_who_plays(runs_dir, tmp_path):
    """Breaks if an agent acts in the other's phase, or if such a fight cannot be played again."""
    run = join(RunFolder(runs_dir / "attacks"), RunFolder(runs_dir / "rolls"), tmp_path, "both")
    weak = tmp_path / "weak.toml"
    weak.write_text(WEAK_BOSS, encoding="utf-8")
    figures, fights = match(run, fights=8, boss=str(weak))
    assert figures["phase_change_rate"] > 0
    for fight in fights:
        actions = np.array(fight.meta["action_names"])[fight.actions]
        in_phase2 = fight.states["phase"][:-1] == 2
        assert set(actions[~in_phase2]) == {"walk_forward", "light_attack"}
        assert set(actions[in_phase2]) <= {"roll_back"}
        assert explain_fight(fight, "x").events


class Always:
    """An agent that always does one thing."""

    def __init__(self, score_kind, actions, scores):
        self.score_kind, self._actions, self._scores = score_kind, actions, scores

    def act(self, obs, mask, explore):
        """The same in every fight."""
        count = len(obs)
        return Decision(np.full(count, self._actions), np.tile(np.float32(self._scores), (count, 1)))


def test_scores_say_what_is_known_of_all_actions():
    """Breaks if an action that an agent lacks gets a Q-value, or if Q-values are shown as probabilities."""
    states = np.zeros(3, FIGHT_STATE)
    states["phase"] = [1, 2, 1]
    few = ["roll_back", "light_attack"]
    q_values = GuestAgent(Always("q_values", 1, [-2.0, 3.0]), "q", View("iudex", "raw26", few))
    chances = GuestAgent(Always("probabilities", 0, [0.75, 0.25]), "p", View("iudex", "ashen", few))
    roll, hit = (ACTION_NAMES.index(action) for action in few)

    def act(first, second):
        policy = PhaseSwitch("both", {1: first, 2: second})
        policy.begin(np.arange(3, dtype=np.uint64))
        return policy.score_kind, policy.act(states, None, np.ones((3, 20), bool))

    kind, decision = act(q_values, q_values)
    assert kind == "q_values" and decision.actions.tolist() == [hit] * 3
    assert np.flatnonzero(~np.isnan(decision.scores[0])).tolist() == sorted([roll, hit])
    assert decision.scores[0, [roll, hit]].tolist() == [-2.0, 3.0]
    kind, decision = act(q_values, chances)
    assert kind == "probabilities" and decision.actions.tolist() == [hit, roll, hit]
    assert decision.scores[:, [roll, hit]].tolist() == [[0.0, 1.0], [0.75, 0.25], [0.0, 1.0]]
    assert decision.scores.sum(axis=1).tolist() == [1.0, 1.0, 1.0]


def test_a_joined_run_stands_on_its_own(runs_dir, tmp_path, capsys, monkeypatch):
    """Breaks if a joined run needs the runs it was made of, or if a command does not accept it."""
    monkeypatch.setenv("ASHEN_RUNS", str(tmp_path))
    for name in ("ppo", "dqn"):
        shutil.copytree(runs_dir / name, tmp_path / name)
    assert main(["join", "ppo", "dqn", "--name", "both", "--fights", "3"]) == 0
    told = capsys.readouterr()
    assert "ashen: dqn plays phase 2, but was trained on phase1 alone" in told.err and "ppo plays" not in told.err
    said = told.out.splitlines()
    assert said[0].startswith("result  0 of 3 won") and said[1] == f"run     {tmp_path / 'both'}"
    assert main(["fork", "both"]) == 2
    assert "cannot go on; make a new run: ashen fork ppo or ashen fork dqn\n" in capsys.readouterr().err
    for name in ("ppo", "dqn"):
        shutil.rmtree(tmp_path / name)
    assert run_names(tmp_path) == ["both"]
    config = RunFolder(tmp_path / "both").read_config()
    assert config["joined"] == {"rule": "phase", "phase1": "ppo", "phase2": "dqn"}
    assert config["trained_here"] is False
    assert main(["evaluate", "both", "--fights", "3", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["policy"], figures["fight"], figures["reward"]) == ("both", "full", "diary")
    row = json.loads((tmp_path / "both" / "metrics.jsonl").read_text(encoding="utf-8"))
    assert (row["kind"], row["env_step"], row["return_mean"]) == ("evaluation", 128, figures["return_mean"])
    for verb, out in (("film", "fight.png"), ("plot", "curves.png"), ("explain", "why.txt")):
        assert main([verb, "both", "--out", str(tmp_path / out)]) == 0
        assert (tmp_path / out).stat().st_size > 1000
    assert main(["explain", "both", "--seed", "5", "--fight", "phase2"]) == 0
    capsys.readouterr()
    assert main(["resume", "both"]) == 2
    assert "both was joined or imported, not trained here" in capsys.readouterr().err
    for words in (["train", "--parent", "both"], ["finetune", "both"]):
        assert main(words) == 2
        assert f"name one of the two, by its folder in {tmp_path / 'both'}" in capsys.readouterr().err
    assert main(["fork", "both"]) == 2
    copies = " or ".join(f"ashen finetune {tmp_path / 'both' / place}" for place in ("phase1", "phase2"))
    assert f"make a new run: {copies}\n" in capsys.readouterr().err


def test_two_imported_runs_joined_are_no_training_to_fork(runs_dir, tmp_path, capsys):
    """Breaks if forking them is advised, which fails."""
    for name in ("attacks", "rolls"):
        shutil.copytree(runs_dir / name, tmp_path / name)
    join(RunFolder(tmp_path / "attacks"), RunFolder(tmp_path / "rolls"), tmp_path, "both")
    assert main(["fork", "both", "--runs-dir", str(tmp_path)]) == 2
    assert "make a new run: ashen finetune attacks or ashen finetune rolls\n" in capsys.readouterr().err


def test_an_overlay_goes_along(runs_dir, tmp_path):
    """Breaks if a joined run forgets the numbers of the boss that its runs were trained against."""
    weak, runs = tmp_path / "weak.toml", []
    weak.write_text(WEAK_BOSS, encoding="utf-8")
    for name in ("ppo", "dqn"):
        shutil.copytree(runs_dir / name, tmp_path / name)
        runs.append(RunFolder(tmp_path / name))
        runs[-1].keep_overlay(weak, None)
    joined = join(*runs, tmp_path, "both")
    shutil.rmtree(tmp_path / "ppo")
    _, fights = match(joined, fights=1)
    assert fights[0].states["boss_max_hp"][0] == 400


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("both", "ppo", "both is joined of two runs; name one of the two, by its folder in"),
        ("ppo", "both", "both is joined of two runs"),
        ("rolls", "attacks", "rolls was trained for phase 2 and attacks for phase 1; name them the other way round"),
        ("weak", "ppo", "which has other numbers; join runs against one boss"),
        ("human", "ppo", "has no recipe, so nothing was trained in it"),
        ("ppo", "half", "half/checkpoints/step-"),
        ("ppo", "other", "other/checkpoints/best.pt does not fit"),
        ("ppo", "none", "unknown run 'none'"),
    ],
)
def test_runs_that_cannot_be_joined_are_told(first, second, message, runs_dir, tmp_path, capsys, monkeypatch):
    """Breaks if a pair that makes no sense is joined, is a traceback, or leaves half a run behind."""
    monkeypatch.setenv("ASHEN_RUNS", str(tmp_path))
    for name in ("ppo", "attacks", "rolls"):
        shutil.copytree(runs_dir / name, tmp_path / name)
    for name in ("weak", "half", "other"):
        shutil.copytree(runs_dir / "ppo", tmp_path / name)
    (tmp_path / "weak" / "overlay.toml").write_text(WEAK_BOSS, encoding="utf-8")
    for path in (tmp_path / "half" / "checkpoints").glob("*.pt"):
        path.write_bytes(b"half")
    shutil.copy(runs_dir / "dqn" / "checkpoints" / "best.pt", tmp_path / "other" / "checkpoints" / "best.pt")
    create_run(tmp_path, "human", "x").write_config({"policy": "human"})
    join(RunFolder(tmp_path / "ppo"), RunFolder(tmp_path / "rolls"), tmp_path, "both")
    before = run_names(tmp_path)
    assert main(["join", first, second, "--name", "new"]) == 2
    said = capsys.readouterr().err
    assert message in said.replace("\\", "/") and said.count("\n") == 1
    assert run_names(tmp_path) == before and not (tmp_path / "new").exists()
    assert main(["join", "ppo", "rolls", "--name", "both"]) == 2
    assert "already a run 'both'" in capsys.readouterr().err


def test_a_rule_of_another_ashen_is_told(runs_dir, tmp_path):
    """Breaks if a joined run is played by another rule than its config states."""
    run = join(RunFolder(runs_dir / "ppo"), RunFolder(runs_dir / "ppo"), tmp_path, "both")
    run.write_config({"joined": {"rule": "distance"}})
    with pytest.raises(Exception, match=r"unknown rule 'distance' in .*config\.json"):
        run_contender(run)

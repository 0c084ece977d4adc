import json
import os
import pickle
import random
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from ashen.cli import main
from ashen.core.errors import UserError
from ashen.runs.folder import run_names
from ashen.training.imported import import_checkpoint
from ashen.training.recipe import recipe_of, view_of
from ashen.training.trained import trained


def mlp(*sizes):
    """A ReLU network as torch builds one, from a fixed seed."""
    torch.manual_seed(0)
    layers = [module for pair in pairwise(sizes) for module in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def saved(path, parameters, **others):
    """A checkpoint as the diary's project wrote them; returns its path."""
    torch.save({"model_state_dict": parameters} | others, path)
    return path


def imported(file, runs_dir, encoder="onehot74", actions="all", fight="phase1", name="run"):
    """The run that a file becomes."""
    return import_checkpoint(file, encoder, actions, fight, runs_dir, name)


def q_values(run, obs):
    """What a run's agent makes of observations [B, D]."""
    own = trained(run)
    agent = own.agent(view_of(own.recipe, own.recipe.boss))
    return agent.act(obs, np.ones((len(obs), agent.num_actions), bool), explore=False).scores


@pytest.mark.parametrize("wrapped", ["policy", "actor", "exploring", "module", "mlp"])
def test_the_networks_of_torchrl_give_the_same_q_values(wrapped, tmp_path):
    """Breaks if a TorchRL network, however it is wrapped, is refused, or its layers are put in another order."""
    modules, nodes = pytest.importorskip("torchrl.modules"), pytest.importorskip("tensordict.nn")
    data = pytest.importorskip("torchrl.data")
    torch.manual_seed(0)
    network = modules.MLP(in_features=74, out_features=20, num_cells=[256, 256, 256], activation_class=nn.ReLU)
    module = nodes.TensorDictModule(network, in_keys=["observation"], out_keys=["action_value"])
    policy = nodes.TensorDictSequential(module, modules.QValueModule(spec=data.OneHot(20)))
    files = {
        "policy": policy,
        "actor": modules.QValueActor(network, in_keys=["observation"], action_space="one-hot"),
        "exploring": nodes.TensorDictSequential(policy, modules.EGreedyModule(data.OneHot(20))),
        "module": module,
        "mlp": network,
    }
    optimizer = torch.optim.AdamW(policy.parameters())
    file = saved(
        tmp_path / "dqn.pth", files[wrapped].state_dict(), optimizer_state_dict=optimizer.state_dict(), step=1_990_000
    )
    run = imported(file, tmp_path)
    obs = np.random.default_rng(0).normal(size=(32, 74)).astype(np.float32)
    with torch.inference_mode():
        np.testing.assert_allclose(q_values(run, obs), network(torch.from_numpy(obs)).numpy(), rtol=1e-4, atol=1e-5)
    recipe = recipe_of(run)
    assert (recipe.dqn.width, recipe.dqn.depth, recipe.dqn.use_mask, recipe.dqn.normalise_obs) == (256, 3, False, False)
    assert trained(run).env_step == 1_990_000


@pytest.mark.parametrize(
    ("sizes", "encoder", "actions"),
    [
        ((74, 8, 20), "onehot74", "all"),
        ((26, 64, 16, 32, 15), "raw26", "diary15"),
        ((74, 4, 9, 16), "onehot74", "diary16"),
    ],
)
def test_networks_of_other_sizes_give_the_same_q_values(sizes, encoder, actions, tmp_path):
    """Breaks if hidden layers of unequal width, other encoders or other action sets change what the network says."""
    network = mlp(*sizes)
    run = imported(saved(tmp_path / "net.pth", network.state_dict()), tmp_path, encoder, actions)
    obs = np.random.default_rng(0).normal(size=(32, sizes[0])).astype(np.float32)
    with torch.inference_mode():
        np.testing.assert_allclose(q_values(run, obs), network(torch.from_numpy(obs)).numpy(), rtol=1e-4, atol=1e-5)
    assert trained(run).env_step == 0


def test_an_imported_run_says_where_it_came_from(tmp_path):
    """Breaks if the config does not name the file, its hash and its date, or claims a training."""
    file = saved(tmp_path / "dqn_phase2.pth", mlp(74, 8, 20).state_dict())
    os.utime(file, (1_750_000_000, 1_750_000_000))
    run = imported(file, tmp_path, fight="phase2", name=None)
    config = run.read_config()
    assert run.name.endswith("-iudex-phase2-1")
    assert config["trained_here"] is False
    assert config["imported"]["file"] == "dqn_phase2.pth"
    assert config["imported"]["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert datetime.fromisoformat(config["imported"]["modified_at"]).timestamp() == 1_750_000_000
    assert config["recipe"]["fight"] == "phase2"


class Evil:
    """What writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("form", ["zip", "legacy", "pickle"])
def test_code_in_a_file_is_named_and_never_run(form, tmp_path):
    """Breaks if unpickling a foreign file executes what it holds, or if the line does not name it."""
    written, file, runs_dir = tmp_path / "written", tmp_path / "evil.pth", tmp_path / "runs"
    content = {"model_state_dict": mlp(74, 8, 20).state_dict(), "step": Evil(written)}
    if form == "pickle":
        file.write_bytes(pickle.dumps(content["step"], protocol=2))
    else:
        torch.save(content, file, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(UserError, match=r"evil\.pth holds code, \S+\.open, which is never run"):
        imported(file, runs_dir)
    assert not written.exists() and not runs_dir.exists()
    if form != "pickle":  # the file is what it claims to be
        torch.load(file, weights_only=False)["step"].close()
        assert written.exists()


def test_files_that_torch_did_not_write_are_told(tmp_path):
    """Breaks if half a file, another kind of file or none is a traceback, or leaves a run behind."""
    whole = saved(tmp_path / "whole.pth", mlp(74, 64, 20).state_dict()).read_bytes()
    file, runs_dir = tmp_path / "file.pth", tmp_path / "runs"
    for data in (whole[: len(whole) // 2], whole[:100], b"", b"no checkpoint", b"<!DOCTYPE html>", bytes(1000)):
        file.write_bytes(data)
        with pytest.raises(UserError, match=r"file\.pth is no whole file of torch\.save"):
            imported(file, runs_dir)
    for place in (tmp_path, tmp_path / "none.pth"):
        with pytest.raises(UserError, match="cannot read"):
            imported(place, runs_dir)
    assert not runs_dir.exists()


def test_no_damage_to_a_file_is_a_traceback(tmp_path):
    """Breaks if any changed byte of a checkpoint gets past the checks as another error than a UserError."""
    whole, rng = saved(tmp_path / "whole.pth", mlp(74, 2, 20).state_dict(), step=3).read_bytes(), random.Random(0)
    file, refused = tmp_path / "file.pth", 0
    for number in range(60):
        data = bytearray(whole)
        for _ in range(8):
            data[rng.randrange(len(data))] = rng.randrange(256)
        file.write_bytes(data)
        try:
            imported(file, tmp_path / "runs", name=f"run-{number}")
        except UserError:
            refused += 1
    assert 0 < refused == 60 - len(run_names(tmp_path / "runs"))


GOOD = mlp(74, 8, 20).state_dict()
HUGE = {
    "0.weight": torch.zeros(1).expand(10**9, 74),
    "0.bias": torch.zeros(1).expand(10**9),
    "2.weight": torch.zeros(1).expand(20, 10**9),
    "2.bias": torch.zeros(20),
}
"""A network of a few bytes in its file and of hundreds of gigabytes in memory."""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.zeros(3)], "holds a list, no dictionary with model_state_dict"),
        ({"agent": 1, "env_step": 2}, "no parameters under model_state_dict, it has agent, env_step"),
        ({"model_state_dict": torch.zeros(3)}, "no parameters under model_state_dict"),
        ({"model_state_dict": {}}, r"at least two linear layers with biases: it has no tensors"),
        ({"model_state_dict": mlp(74, 20).state_dict()}, r"at least two linear layers .*0\.weight \[20, 74\]"),
        (
            {"model_state_dict": mlp(26, 8, 20).state_dict()},
            r"network of 26-8-20, but encoder onehot74 .* want 74-\.\.\.-20",
        ),
        (
            {"model_state_dict": mlp(74, 8, 15).state_dict()},
            r"network of 74-8-15, but .* actions all want 74-\.\.\.-20",
        ),
        ({"model_state_dict": {k: v for k, v in GOOD.items() if k != "2.bias"}}, r"with biases \(2\.bias\)"),
        ({"model_state_dict": GOOD | {"1.weight": torch.ones(8)}}, r"\(1\.weight\)"),
        ({"model_state_dict": GOOD | {"2.bias": torch.zeros(7)}}, "do not follow one another"),
        ({"model_state_dict": GOOD | mlp(74, 9).state_dict()}, "do not follow one another"),
        ({"model_state_dict": GOOD | {"2.bias": torch.full((20,), torch.nan)}}, "no plain finite numbers"),
        ({"model_state_dict": GOOD | {"2.bias": torch.zeros(20, dtype=torch.int64)}}, "no plain finite numbers"),
        ({"model_state_dict": GOOD | {"2.weight": torch.zeros(20, 8).to_sparse()}}, "no plain finite numbers"),
        ({"model_state_dict": HUGE}, "no plain finite numbers"),
        ({"model_state_dict": GOOD, "step": np.float64(3.0)}, r"holds code, numpy\.\S*scalar"),
    ],
)
def test_other_contents_are_told(content, message, tmp_path):
    """Breaks if a file that holds no such network is a traceback, is loaded in part, or leaves a run behind."""
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(UserError, match=message) as raised:
        imported(tmp_path / "odd.pth", tmp_path / "runs")
    assert "odd.pth" in str(raised.value)
    assert not (tmp_path / "runs").exists()


def test_the_command_makes_a_run_that_the_others_accept(capsys, tmp_path, monkeypatch):
    """Breaks if an imported run cannot be judged, filmed, explained or plotted, or if a training goes on with it."""
    monkeypatch.setenv("ASHEN_RUNS", str(tmp_path / "runs"))
    file = saved(tmp_path / "dqn.pth", GOOD, step=5000)
    assert main(["import-checkpoint", str(file), "--name", "diary", "--fight", "phase2", "--fights", "3"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("result  ") and said[0].endswith("of 3 won, 0% (0%-56%)")
    assert said[1] == f"run     {tmp_path / 'runs' / 'diary'}"
    assert main(["evaluate", "diary", "--fights", "3", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    first = json.loads((tmp_path / "runs" / "diary" / "metrics.jsonl").read_text(encoding="utf-8"))
    assert (first["kind"], first["env_step"], first["fight"]) == ("evaluation", 5000, "phase2")
    assert first["return_mean"] == pytest.approx(figures["return_mean"])
    for verb, out in (("film", "fight.png"), ("plot", "curves.png"), ("explain", "why.txt")):
        assert main([verb, "diary", "--out", str(tmp_path / out)]) == 0
        assert (tmp_path / out).stat().st_size > 1000
    capsys.readouterr()
    for verb in ("resume", "fork"):
        assert main([verb, "diary"]) == 2
        said = capsys.readouterr().err
        assert "diary was joined or imported, not trained here" in said
        assert said.endswith("make a new run: ashen finetune diary or ashen train RECIPE --parent diary\n")
    assert main(["import-checkpoint", str(file), "--name", "diary"]) == 2
    assert "already a run 'diary'" in capsys.readouterr().err

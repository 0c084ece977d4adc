"""What the tests of the command share: one small trained run, and what is said to wrong words."""

from dataclasses import replace

import pytest

from ashen.agents import PPOConfig
from ashen.cli import main
from ashen.runs.folder import create_run
from ashen.training.loop import Training
from ashen.training.recipe import load_recipe
from ashen.training.tables import to_table


@pytest.fixture(scope="session")
def runs_dir(tmp_path_factory):
    """A folder with one small trained run, named ``done``."""
    folder = tmp_path_factory.mktemp("runs")
    small = {"num_envs": 2, "total_steps": 64, "evaluate_every": 64, "evaluation_fights": 1, "final_fights": 1}
    recipe = replace(load_recipe("phase1"), **small, ppo=PPOConfig(rollout_steps=32, width=16))
    run = create_run(folder, "done", "x")
    run.write_config({"recipe": to_table(recipe)})
    list(Training(recipe).run(run, lambda: False))
    return folder


@pytest.fixture
def here(runs_dir, monkeypatch):
    """The folder of the run ``done`` as that of all runs."""
    monkeypatch.setenv("ASHEN_RUNS", str(runs_dir))


@pytest.fixture
def complaint(capsys):
    """Gives what ``ashen`` says on standard error to words that are wrong."""

    def complaint_to(words):
        capsys.readouterr()
        assert main([str(word) for word in words]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1, said.err
        assert said.err.startswith("ashen: ")
        return said.err

    return complaint_to

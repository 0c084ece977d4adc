"""The verbs on the game, over a fake one."""

import json

import numpy as np
import pytest

import ashen
from ashen.cli import main
from ashen.coach import read_train_options
from ashen.core.errors import UserError
from ashen.core.fight import Outcome
from ashen.game.options import expected_s
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import open_run
from ashen.runs.metrics import read_metrics
from ashen.training.recipe import env_options, recipe_of

pytestmark = pytest.mark.game
OPTIONS = {
    "fight": "phase1",
    "total-steps": 120,
    "evaluate-every": 60,
    "evaluation-fights": 1,
    "final-fights": 1,
    "checkpoint-every": 120,
    "record-every": 60,
    "log-every": 60,
    "world-steps-per-s": 0,
    "ppo.rollout-steps": 30,
    "ppo.minibatch-size": 15,
    "ppo.width": 16,
}
SHORT = [word for name, value in OPTIONS.items() for word in (f"--{name}", str(value))]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("full --backend game", "--num-envs 256 must be 1 on the game"),
        ("game --backend game --randomise facts", "--randomise facts must be none on the game"),
        ("game --backend game --phase2-starts 0.5", "--phase2-starts 0.5 must be 0.0 on the game"),
        ("game --backend game --game-speed 4", r"--game-speed 4.0 must lie in 1\.\.3"),
    ],
)
def test_what_the_game_cannot_do_is_told(words, message):
    """Breaks if a setting of the simulator is silently left out on the game, or the user is not told what to set."""
    with pytest.raises(UserError, match=message):
        read_train_options(words.split())


def test_the_recipe_says_where_it_is_fought():
    """Breaks if a run's folder does not say that it was trained on the game, or at which speed."""
    recipe = read_train_options(["game", "--backend", "game", "--game-speed", "2"]).recipe
    assert env_options(recipe).items() >= {"backend": "game", "game_speed": 2.0}.items()
    assert read_train_options(["game"]).recipe.backend == "sim"
    with pytest.raises(UserError, match="did you mean 'game'"):
        ashen.make_vec(backend="gaem")
    with pytest.raises(UserError, match="num_envs = 2 must be 1 on the game"):
        ashen.make_vec(backend="game", num_envs=2)


def test_two_hundred_fights_take_forty_minutes():
    """Breaks if the estimate before a match on the game is far from what it takes."""
    assert expected_s(200, "phase1", 3.0) == pytest.approx(40 * 60)


@pytest.mark.slow
def test_a_run_trained_on_the_game_is_a_run_like_any_other(elsewhere, tmp_path, capsys):
    """Breaks if training on the game hangs, mixes its matches with its fights, or leaves a folder nothing can read."""
    elsewhere({"fault": "read_error", "after_ticks": 1500})
    folder = ["--runs-dir", str(tmp_path)]
    assert main(["train", "game", "--backend", "game", "--name", "a", *SHORT, *folder]) == 0
    run = open_run("a", tmp_path)
    assert recipe_of(run).backend == "game"
    assert [row["faults"] for row in read_metrics(run, "final")] == [0]
    assert sum(row["faults"] for row in read_metrics(run, "train")) <= 1
    assert json.loads(run.game_file.read_text(encoding="utf-8"))["faults"] == {"memory": 1}
    for path in list_fights(run.fights):
        record = load_fight(path)
        assert record.meta["table_hash"] == "game"
        shown = record.states["step"]
        if record.meta["outcome"] == Outcome.FAULT.name:
            shown = shown[:-1]  # the step that failed showed nothing new
        assert np.diff(shown).min() >= 1
    assert main(["explain", "a", "--which", "last", *folder]) == 2
    assert "was fought on the real game" in capsys.readouterr().err
    assert main(["evaluate", "a", "--backend", "sim", "--fights", "2", "--json", *folder]) == 0
    assert json.loads(capsys.readouterr().out)["table_hash"] != "game"
    assert main(["evaluate", "a", "--fights", "1", "--json", *folder]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["table_hash"] == "game"
    assert "1 fights on the game take about" in said.err


@pytest.mark.slow
def test_a_training_that_only_the_user_can_help_is_saved(elsewhere, tmp_path, capsys):
    """Breaks if what was learned is lost when the game cannot go on, or the user is not told how to."""
    elsewhere({"fault": "write_error", "at": "Time", "times": 99, "after_ticks": 600})
    folder = ["--runs-dir", str(tmp_path)]
    assert main(["train", "game", "--backend", "game", "--name", "a", *SHORT, *folder]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("ashen: the game: ") and said.endswith("saved, then go on with: ashen resume a")
    run = open_run("a", tmp_path)
    assert list(run.checkpoints.glob("step-*.pt"))
    assert json.loads(run.game_file.read_text(encoding="utf-8"))["faults"]["memory"] >= 4
    fights = [load_fight(path) for path in list_fights(run.fights)]
    assert [fight.meta["incident"]["fault"] for fight in fights if fight.outcome == Outcome.FAULT] == ["memory"]


def test_unstick_frees_the_game(elsewhere, monkeypatch, capsys):
    """Breaks if the verb does not reach the game, or says nothing when there is none."""
    from ashen.game import keeper

    elsewhere({"fault": "found_paused"})
    own = keeper.Keeper(print)
    monkeypatch.setattr(keeper, "the_keeper", lambda: own)
    assert main(["unstick"]) == 0
    assert "the game is as it was" in capsys.readouterr().out
    elsewhere({"fault": "no_process"})
    assert main(["unstick"]) == 2
    assert "not open; start Dark Souls III" in capsys.readouterr().err

"""Every fight on the game is recorded, over a fake one."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ashen.cli import main
from ashen.core.fight import Outcome
from ashen.runs.fight_journal import ENDING
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import RunFolder, open_run

pytestmark = pytest.mark.game
OPTIONS = {
    "fight": "phase1",
    "total-steps": 150,
    "evaluate-every": 60,
    "evaluation-fights": 1,
    "final-fights": 2,
    "checkpoint-every": 50,
    "record-every": 1000,
    "log-every": 60,
    "world-steps-per-s": 0,
    "ppo.rollout-steps": 30,
    "ppo.minibatch-size": 15,
    "ppo.width": 16,
}
SHORT = [word for name, value in OPTIONS.items() for word in (f"--{name}", str(value))]


def records_of(run: RunFolder, kind: str):
    """The recorded fights of a kind."""
    return [load_fight(path) for path in list_fights(run.fights, kind)]


def decisions_in(records) -> int:
    """How many decisions the fights hold."""
    return sum(int((record.actions >= 0).sum()) for record in records)


@pytest.mark.slow
def test_every_step_on_the_game_is_recorded(elsewhere, tmp_path, capsys):
    """Breaks if a fight of the training or of a match is not recorded, with a fault's name, or a step is lost."""
    elsewhere({"fault": "read_error", "after_ticks": 1500})
    folder = ["--runs-dir", str(tmp_path)]
    assert main(["train", "game", "--backend", "game", "--name", "a", *SHORT, *folder]) == 0
    run = open_run("a", tmp_path)
    training = records_of(run, "training")
    assert decisions_in(training) == 150
    for record in training:
        assert np.diff(record.states["step"]).min() >= (0 if record.outcome == Outcome.FAULT else 1)
    assert len(records_of(run, "final")) == 2 and records_of(run, "evaluation")
    everything = [load_fight(path) for path in list_fights(run.fights)]
    met = [record.meta["incident"] for record in everything if record.outcome == Outcome.FAULT]
    account = json.loads(run.game_file.read_text(encoding="utf-8"))["incidents"]
    counted = sorted((one["fault"], one["message"]) for one in account if one["during"] == "step")
    assert sorted((one["fault"], one["message"]) for one in met if one["fault"] != "interrupted") == counted
    assert [fault for fault, _ in counted].count("memory") == 1
    assert not list(run.fights.glob(f"*{ENDING}"))
    capsys.readouterr()
    assert main(["fights", "a", "--incident", "memory", "--json", *folder]) == 0
    assert [row["outcome"] for row in json.loads(capsys.readouterr().out)["fights"]] == ["fault"]


@pytest.mark.slow
@pytest.mark.resume
def test_a_fight_on_the_game_survives_a_kill(elsewhere, tmp_path, capsys):
    """Breaks if a training killed in the middle of a fight on the game loses it, or cannot go on beside its record."""
    elsewhere()
    run, folder = RunFolder(tmp_path / "a"), ["--runs-dir", str(tmp_path)]
    command = [sys.executable, "-m", "ashen", "train", "game", "--backend", "game", "--name", "a", *SHORT, *folder]
    tests = str(Path(__file__).resolve().parents[1])
    paths = os.pathsep.join([tests, *(path for path in sys.path if path)])
    environment = os.environ | {"PYTHONPATH": paths, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as training:
        while training.poll() is None and not _steps_under_way(run):
            time.sleep(0.0005)
        training.kill()
    before = {path: path.read_bytes() for path in list_fights(run.fights)}
    seen = _steps_under_way(run)
    assert seen, "it was killed between two fights"
    assert main(["fights", "a", "--incident", "interrupted", "--json", *folder]) == 0
    (row,) = json.loads(capsys.readouterr().out)["fights"]
    record = load_fight(run.fights / row["file"])
    assert len(record.actions) == seen and row["kind"] == "training"
    assert record.states["step"].tolist()[0] == 0 and np.diff(record.states["step"]).min() >= 1
    assert main(["resume", "a", *folder]) == 0
    assert before.items() <= {path: path.read_bytes() for path in list_fights(run.fights)}.items()
    assert load_fight(run.fights / row["file"]).meta == record.meta


def _steps_under_way(run: RunFolder) -> int:
    """How many whole rows the file of the fight under way holds, if it holds five at least."""
    for path in run.fights.glob(f"*{ENDING}"):
        head, _, rows = path.read_bytes().partition(b"\n")
        sizes = json.loads(head or b"{}")
        if not sizes:
            continue
        state, check = sizes["state_bytes"], 4
        row = state + 2 + sizes["num_actions"] * 5 + sizes["num_terms"] * 4 + 4 + check
        steps = (len(rows) - state - check) // row
        return steps if steps >= 5 else 0
    return 0

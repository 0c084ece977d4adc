import json
import sys

import pytest

from ashen.cli import main
from ashen.core.tables import boss_file
from ashen.runs.fights import list_fights
from ashen.training.recipe import load_recipe

pytestmark = pytest.mark.usefixtures("here")


def test_fights_lists_what_was_recorded(capsys, runs_dir):
    """Breaks if a recorded fight of a training is not listed, or the table lacks a figure."""
    assert main(["fights", "done"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"done: {len(list_fights(runs_dir / 'done' / 'fights'))} fights"
    assert lines[1].split()[0] == "file" and lines[1].split()[-2:] == ["return", "incident"]
    assert len(lines) == 2 + len(list_fights(runs_dir / "done" / "fights"))
    assert main(["fights", "done", "--kind", "final", "--sort", "return", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["run"] == "done" and [row["kind"] for row in figures["fights"]] == ["final"]
    assert main(["fights", "done", "--incident", "memory"]) == 0
    assert capsys.readouterr().out == "done: 0 fights\n"


def test_a_folder_of_fights_is_taken_for_a_run_s(capsys, tmp_path):
    """Breaks if what ashen evaluate --record has written cannot be listed or rescored, or a file in it is left out."""
    folder = tmp_path / "mine"
    assert main(["evaluate", "random", "--fight", "phase1", "--fights", "2", "--record", str(folder)]) == 0
    capsys.readouterr()
    assert main(["fights", str(folder), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["run"] == "mine"
    assert [row["file"] for row in figures["fights"]] == [path.name for path in list_fights(folder)]
    assert main(["rescore", str(folder), "--reward", "diary"]) == 0
    assert capsys.readouterr().out.startswith("mine under diary: mean returns of 2 fights\n")


def test_mistakes_about_fights_are_told(complaint, monkeypatch, tmp_path):
    """Breaks if a wrong word to these verbs is a traceback, or does not say what to do."""
    assert "choose from: win, loss, timeout, fault" in complaint(["fights", "done", "--outcome", "won"])
    assert "choose from: training, evaluation, final, gate, calibration, human" in complaint([
        "fights",
        "done",
        "--kind",
        "x",
    ])
    assert "--reward is missing" in complaint(["rescore", "done"])
    assert "--minari is missing" in complaint(["export", "done"])
    assert "is an opponent" in complaint(["fights", "random"])
    assert "play some with ashen play" in complaint(["fights", "human", "--runs-dir", tmp_path])
    monkeypatch.setitem(sys.modules, "minari", None)
    assert "install with: python bootstrap.py export, or" in complaint(["export", "done", "--minari", "mine-v0"])


def test_fights_against_a_table_are_told_from_any_folder(complaint, monkeypatch, tmp_path):
    """Breaks if a record's table is looked for where the reader stands, or one gone is told without the fight."""
    own, elsewhere = tmp_path / "own.toml", tmp_path / "elsewhere"
    own.write_text(boss_file("iudex").read_text(encoding="utf-8"), encoding="utf-8")
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    words = ["--fight", "phase1", "--fights", "1", "--boss", "own.toml", "--record", "lost"]
    assert main(["evaluate", "random", *words]) == 0
    (fight,) = (tmp_path / "lost").iterdir()
    monkeypatch.chdir(elsewhere)
    assert main(["explain", str(fight), "--out", "why.txt"]) == 0
    own.unlink()
    for verb in (["film", fight, "--out", "fight.png"], ["explain", fight]):
        assert f"{fight} was fought against {own}, which is gone; put that table back\n" in complaint(verb)


def test_rescore_under_the_own_reward_changes_nothing(capsys):
    """Breaks if a training's records are not paid again as they were."""
    assert main(["rescore", "done", "--reward", load_recipe("phase1").reward, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    for group in figures["groups"]:
        assert group["new_mean"] == pytest.approx(group["old_mean"], abs=1e-4)

"""Fights on the game outside of trainings, cut off in their middle."""

import pytest

from ashen.cli import main
from ashen.core.fight import Outcome
from ashen.runs.fight_journal import ENDING
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import RunFolder
from ashen.training import calibrating

pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")

from fake_game.home import Here, at_home

pytestmark = pytest.mark.game
STEPS = 25
TRAINED = ["--no-skip-steps", "--num-envs", "2", "--total-steps", "64", "--final-fights", "1", "--randomise", "none"]
TRAINED += ["--fight", "phase1", "--ppo.width", "16", "--ppo.rollout-steps", "32", "--ppo.minibatch-size", "32"]
TUNED = ["--backend", "game", "--total-steps", "1120", "--calibrate-steps", "1000", "--world-steps-per-s", "0"]
TUNED += ["--ppo.rollout-steps", "32"]


@pytest.fixture
def home(monkeypatch):
    """A fake game; in step 25 of the first fight the user presses Ctrl-C twice."""
    with at_home() as home:
        home.steps, send = 0, Here.send

        def cut_off(here, request):
            send(here, request)
            home.steps += bool(request) and request[0] == "step"
            if home.steps == STEPS:
                home.steps += 1
                home.left = next(home.folder.glob(f"*{ENDING}")).read_bytes()
                raise KeyboardInterrupt

        monkeypatch.setattr(Here, "send", cut_off)
        yield home


def check_record(folder, kind):
    """The one record there is holds every step before the cut, and says what it is."""
    (path,) = list_fights(folder)
    record = load_fight(path)
    assert (record.meta["kind"], record.outcome, len(record.actions)) == (kind, Outcome.FAULT, STEPS - 1)
    assert record.meta["incident"]["fault"] == "interrupted"
    assert not list(folder.glob(f"*{ENDING}"))
    return path


def leave(home, path):
    """What a killed program leaves, in place of the record."""
    path.unlink()
    (path.parent / f"under-way-1-1{ENDING}").write_bytes(home.left)


def test_a_fight_of_a_match_survives(home, tmp_path, capsys):
    """Breaks if a fight of evaluate --record is lost when it ends in its middle, or its steps lie there unread."""
    home.folder = tmp_path / "kept"
    words = ["evaluate", "random-valid", "--backend", "game", "--fight", "phase1", "--fights", "1"]
    assert main([*words, "--record", str(home.folder)]) == 130
    leave(home, check_record(home.folder, "evaluation"))
    capsys.readouterr()
    assert main([*words, "--record", str(home.folder)]) == 2
    assert "holds recorded fights already" in capsys.readouterr().err
    leave(home, check_record(home.folder, "evaluation"))
    assert main(["calibrate", "--from", str(home.folder), "--out", str(tmp_path / "own.toml")]) == 2
    check_record(home.folder, "evaluation")


@pytest.mark.slow
def test_a_fight_of_a_calibration_survives(home, tmp_path):
    """Breaks if a fight to calibrate from is lost when it ends in its middle, or its steps lie there unread."""
    folder = ["--runs-dir", str(tmp_path)]
    assert main(["train", "phase1", "--name", "old", *TRAINED, *folder]) == 0
    run = RunFolder(tmp_path / "new")
    home.folder = run.fights
    assert main(["finetune", "old", "--name", "new", *TUNED, *folder]) == 130
    leave(home, check_record(run.fights, calibrating.KIND))
    said = []
    assert not calibrating.record(run, lambda: True, said.append)
    kept = check_record(run.fights, calibrating.KIND).name
    assert said == [f"a fight was cut off when the program ended; kept as {kept}"]

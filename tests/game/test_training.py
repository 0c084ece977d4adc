"""Trainings over the fake game, as a user begins them, and what can be done with their runs."""

import json
import multiprocessing
import re
from contextlib import closing

import numpy as np
import pytest
from equal_runs import timeless
from fake_game.beside import train_beside
from fake_game.home import at_home

from ashen.cli import main
from ashen.core.fight import Outcome
from ashen.game import keys, soulsgym_builds
from ashen.options.training import read_train_options
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import RunFolder, create_run, open_run
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import newest_checkpoints
from ashen.training.loop import Training
from ashen.training.recipe import recipe_of
from ashen.training.start import run_config

pytestmark = pytest.mark.game
STEPS = 2000
OPTIONS = {
    "fight": "phase1",
    "evaluation-fights": 1,
    "final-fights": 2,
    "world-steps-per-s": 0,
    "ppo.width": 16,
    "ppo.precision": "float32",
}
WATCHED = re.compile(
    r" *(?P<step>\d+)  "
    r"\w+ +\d+\.\d\d s +\d+ HP  \w+ +\d+\.\d\d s +\d+ HP  "  # player and boss: animation, its clock, hit points
    r"[x.]{10}  (?P<action>\w+) +  (\w+ -?\d+\.\d\d(, )?)+  "  # the mask, the action, the best ones and their worth
    r"[+-]\d\.\d{3}( \w+ [+-]\d\.\d{3})*(  (?P<outcome>[a-z]+))?"  # the reward and its terms; how it ended
)


def words(steps, every, **more):
    """A short training of the recipe ``game`` on the game, judged and saved twice."""
    cadence = dict.fromkeys(("evaluate-every", "checkpoint-every", "record-every", "log-every"), every)
    batches = {"ppo.rollout-steps": every // 5, "ppo.minibatch-size": every // 10}
    options = OPTIONS | {"total-steps": steps} | cadence | batches | more
    return [
        "game",
        "--backend",
        "game",
        *(word for name, value in options.items() for word in (f"--{name}", str(value))),
    ]


def test_two_thousand_steps_make_a_run_like_any_other(elsewhere, tmp_path, capsys):
    """Breaks if a training on the game hangs, loses what it learned, or leaves a folder that a verb cannot use."""
    stops = {"fault": "write_error", "at": "Time", "times": 99, "after_ticks": 20_000}
    elsewhere({"fault": "read_error", "after_ticks": 1500}, stops)
    folder = ["--runs-dir", str(tmp_path)]
    assert main(["train", *words(STEPS, 1000), "--name", "a", *folder]) == 2
    said = capsys.readouterr().err
    assert "on the real game: iudex, phase1, speed 3, from the fixed pose" in said
    said = said.splitlines()[-1]
    assert said.startswith("ashen: the game: ") and said.endswith(f"ashen resume {RunFolder(tmp_path / 'a').word}")
    run = open_run("a", tmp_path)
    saved = max(int(path.stem.removeprefix("step-")) for path in run.checkpoints.glob("step-*.pt"))
    assert 0 < saved < STEPS
    elsewhere()
    assert main(["resume", "a", *folder]) == 0
    _check_run(run, saved)
    _check_verbs(run, folder, capsys)


def _check_run(run, saved):
    """The run is whole, and says which of its fights went wrong."""
    assert recipe_of(run).backend == "game"
    assert f"resumed at step {saved} by ashen" in run.log_file.read_text(encoding="utf-8")
    assert read_metrics(run, "train")[-1]["env_step"] == STEPS
    assert [(row["env_step"], row["fights"], row["faults"]) for row in read_metrics(run, "final")] == [(STEPS, 2, 0)]
    assert run.curves_file.is_file() and run.film_file.is_file()
    account = json.loads(run.game_file.read_text(encoding="utf-8"))
    assert account["faults"].keys() == {"memory"}
    assert sum(account["measured"]["game_speed"]["counts"].values()) > STEPS
    assert account["measured"]["game_speed"]["median"] == pytest.approx(3.0, abs=0.5)
    assert account["measured"]["input_latency_steps"]["median"] == pytest.approx(0.2, abs=0.1)
    for path in list_fights(run.fights):
        record = load_fight(path)
        assert record.meta["table_hash"] == "game"
        shown = record.states["step"]
        if record.meta["outcome"] == Outcome.FAULT.name:
            shown = shown[:-1]  # the step that failed showed nothing new
        assert np.diff(shown).min() >= 1


def _check_verbs(run, folder, capsys):
    """What can be done with a run can be done with this one."""
    out = run.path.parent
    assert main(["film", "a", "--which", "worst", "--out", str(out / "worst.png"), *folder]) == 0
    assert main(["plot", "a", "--out", str(out / "curves.png"), *folder]) == 0
    assert (out / "worst.png").stat().st_size > 0 and (out / "curves.png").stat().st_size > 0
    assert main(["explain", "a", "--which", "last", *folder]) == 2
    assert "was fought on the real game" in capsys.readouterr().err
    assert main(["explain", "a", "--seed", "0", *folder]) == 0
    assert main(["evaluate", "a", "--backend", "sim", "--fights", "2", "--json", *folder]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["table_hash"] != "game"
    assert main(["evaluate", "a", "--fights", "1", "--watch", *folder]) == 0
    said = capsys.readouterr()
    assert "1 fights on the game take about 1 minutes" in said.err  # at the game's own speed; at the run's about 0
    assert re.search(r"tables\W+game\b", said.out)
    lines = [WATCHED.fullmatch(line) for line in said.out.splitlines() if re.match(r" *\d+  ", line)]
    assert len(lines) > 10 and None not in lines
    assert (np.diff([int(line["step"]) for line in lines]) >= 1).all()
    assert [bool(line["outcome"]) for line in lines] == [False] * (len(lines) - 1) + [True]


def test_two_workers_train_side_by_side(tmp_path, monkeypatch):
    """Breaks if a worker with its own game and lock is refused, or anything of one training reaches the other."""
    pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")
    monkeypatch.setenv(soulsgym_builds.INSTALL_HOOK, "fake_game:install_from_environment")
    recipe = read_train_options(words(300, 150)).recipe
    context = multiprocessing.get_context("spawn")
    everyone_plays, workers = context.Barrier(2), []
    for name in ("a", "b"):
        place = tmp_path / f"machine-{name}"
        place.mkdir()
        monkeypatch.setenv("TMPDIR", str(place))  # where the lock lies: a machine of its own, as far as that goes
        worker = context.Process(target=train_beside, args=(everyone_plays, recipe, tmp_path, name))
        worker.start()
        workers.append(worker)
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    (rows, fights), second = (_all_but_times(RunFolder(tmp_path / name)) for name in ("a", "b"))
    assert rows[-1]["kind"] == "final" and len(fights) > 2
    assert (rows, fights) == second  # the same seeds


def _all_but_times(run):
    """Everything that happened in a run but not when: rows of metrics, and recorded fights."""
    return [timeless(row) for row in read_metrics(run)], [
        load_fight(path).states.tobytes() for path in list_fights(run.fights)
    ]


def test_a_resumed_run_may_press_keys_in_the_other_way(tmp_path, capsys):
    """Breaks if --no-scan-codes at resume does not reach SoulsGym, is forgotten by the next one, or is told nowhere."""
    pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")
    resume = ["resume", "a", "--runs-dir", str(tmp_path)]
    with at_home():
        training = Training(read_train_options(words(90, 50)).recipe)
        run = create_run(tmp_path, "a", "x")
        training.begin(run)
        run.write_config(run_config(training))
        with closing(training.env):
            list(training.run(run, lambda: training.env_step >= 20))
        assert keys.is_installed()
        assert main([*resume, "--no-scan-codes"]) == 0
        assert not keys.is_installed()
    said = capsys.readouterr().err
    assert said.count("keys are pressed by letter from here on") == 1
    assert recipe_of(run).scan_codes is False
    assert "scan_codes True -> False" in run.journal_file.read_text(encoding="utf-8")


def test_keys_are_no_matter_of_the_simulator(tmp_path, capsys):
    """Breaks if a run of the simulator is told to press keys, and takes it without a word."""
    training = Training(read_train_options(["phase1", "--num-envs", "2", "--ppo.width", "8"]).recipe)
    run = create_run(tmp_path, "a", "x")
    training.begin(run)
    run.write_config(run_config(training))
    assert main(["resume", "a", "--no-scan-codes", "--runs-dir", str(tmp_path)]) == 2
    assert "a trains in the simulator, which has no keys; leave out --no-scan-codes" in capsys.readouterr().err


def test_a_game_that_does_not_begin_costs_no_checkpoint(elsewhere, tmp_path, capsys):
    """Breaks if a resumed run takes a game that will not start a fight for a damaged checkpoint, and an older one."""
    elsewhere()
    training = Training(read_train_options(words(300, 50)).recipe)
    run = create_run(tmp_path, "a", "x")
    training.begin(run)
    run.write_config(run_config(training))
    with closing(training.env):
        list(training.run(run, lambda: training.env_step >= 120))
    before = [path.name for path in newest_checkpoints(run)], read_metrics(run)
    elsewhere({"fault": "write_error", "at": "Time", "times": 99})
    assert main(["resume", "a", "--runs-dir", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "a goes on at step 120" in said and said.endswith(f"saved, then go on with: ashen resume {run.word}\n")
    assert ([path.name for path in newest_checkpoints(run)], read_metrics(run)) == before

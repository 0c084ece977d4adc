import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ashen.agents import PPOConfig
from ashen.cli import main
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import create_run, open_run
from ashen.runs.metrics import read_metrics
from ashen.training.loop import Training
from ashen.training.recipe import load_recipe
from ashen.training.tables import to_table

PROMISED = {
    "fights", "wins", "losses", "timeouts", "faults", "win_rate", "win_rate_low", "win_rate_high", "return_mean",
    "length_mean_steps", "boss_hp_left_mean", "damage_per_attack", "seconds", "table_hash", "boss", "fight", "start",
    "seed", "policy",
}  # fmt: skip


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory):
    """A folder with one small trained run, named ``done``."""
    folder = tmp_path_factory.mktemp("runs")
    small = {"num_envs": 2, "total_steps": 64, "evaluate_every": 64, "evaluation_fights": 1, "final_fights": 1}
    recipe = replace(load_recipe("phase1"), **small, ppo=PPOConfig(rollout_steps=32, width=16))
    run = create_run(folder, "done", "x")
    run.write_config({"recipe": to_table(recipe)})
    list(Training(recipe).run(run, lambda: False))
    return folder


@pytest.fixture(autouse=True)
def _here(runs_dir, monkeypatch):
    monkeypatch.setenv("ASHEN_RUNS", str(runs_dir))


def _complaint(words, capsys):
    """What ``ashen`` says on standard error to words that are wrong."""
    capsys.readouterr()
    assert main([str(word) for word in words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("ashen: ")
    return said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "unknown verb 'trian'; did you mean 'train'"),
        (["train", "ful"], "unknown recipe 'ful'; did you mean 'full'"),
        (["train", "none.toml"], "no such file: none.toml"),
        (["train", "--totl-steps", "3"], "options: --totl-steps; did you mean --total-steps"),
        (["train", "--total-steps", "many"], "--total-steps"),
        (["train", "--total-steps", "0"], "ashen: --total-steps 0 must be at least 1"),
        (["train", "--seed", "-1"], "ashen: --seed -1 must be at least 0"),
        (["train", "--ppo.learning-rate", "-1"], "ashen: --ppo.learning-rate -1 must be at least 0"),
        (["train", "--ppo.discount", "2"], "ashen: --ppo.discount 2 must lie within 0 .. 1"),
        (["train", "--parent", "random"], "random is an opponent, which has no run"),
        (["train", "--resume", "human"], "no fights of yours yet: play some with ashen play"),
        (["train", "--fight", "phase3"], "phase3"),
        (["train", "--boss", "iudx"], "unknown boss 'iudx'; did you mean 'iudex'"),
        (["train", "--boss", "none.toml"], "no boss table at none.toml"),
        (["train", "--encoder", "onehot47"], "unknown encoder 'onehot47'; did you mean 'onehot74'"),
        (["train", "--encoder", "dict"], "no learner takes the encoder 'dict'"),
        (["train", "--reward", "soulgym"], "did you mean 'soulsgym'"),
        (["train", "--actions", "diary"], "diary16"),
        (["train", "--ppo.clip", "-1"], "clip"),
        (["train", "--name", "done"], "already a run 'done'"),
        (["train", "--name", "a/b"], "cannot be a run's name"),
        (["train", "--resume", "dome"], "unknown run 'dome'"),
        (["evaluate"], "ashen: RUN is missing, as in: ashen evaluate RUN; see: ashen evaluate --help"),
        (["evaluate", "done", "--seed", "-1"], "ashen: --seed -1 must be at least 0"),
        (["evaluate", "random", "--fight", "20"], "choose from: full, phase1, phase2; did you mean --fights 20?"),
        (["evaluate", "random", "--fights", "full"], "takes a whole number; did you mean --fight full?"),
        (["evaluate", "random", "--randomise", "fact"], "none, facts, wide; did you mean 'facts'?"),
        (["evaluate", "dome"], "unknown run 'dome' in"),
        (["evaluate", "randm"], "did you mean 'random'"),
        (["evaluate", "done", "--fights", "-3"], "ashen: --fights -3 must be at least 1"),
        (["evaluate", "done", "--num-envs", "0"], "ashen: --num-envs 0 must be at least 1"),
        (["evaluate", "random", "--fihgts", "-3"], "options: --fihgts; did you mean --fights"),
        (["evaluate", "done", "--fight", "phase9"], "phase9"),
        (["evaluate", "done", "--reward", "x"], "unknown reward preset 'x'"),
        (["evaluate", "random", "--fights", "1", "--plan"], "random cannot plan"),
        (["evaluate", "done", "--plan", "--plan-steps", "0"], "--plan-steps 0 must be at least 1"),
        (["exploits"], "see: ashen exploits --help"),
        (["exploits", "oracel"], "did you mean 'oracle'"),
        (["exploits", "done", "--fights", "0"], "--fights 0 must be at least 1"),
        (["exploits", "done", "--seed", "-1"], "ashen: --seed -1 must be at least 0"),
        (["fidelity", "--seed", "-1"], "ashen: --seed -1 must be at least 0"),
        (["calibrate"], "ashen: --from is missing, as in: ashen calibrate --from ...; see"),
        (["calibrate", "--from", "human"], "no fights of yours yet: play some with ashen play"),
        (["calibrate", "--from", "x"], "choose from: done; or give a folder of fights or an .npz file"),
        (["calibrate", "--from", "random"], "choose from: done; or give a folder"),
        (["finetune", "random"], "random is an opponent, which has no run"),
        (["film", "dome"], "unknown run 'dome'"),
        (["film", "none.npz"], "no recorded fight at none.npz"),
        (["play", "--boss", "iudx"], "unknown boss 'iudx'; did you mean 'iudex'"),
        (["play", "--fight", "phase3"], "phase3"),
        (["play", "--speed", "0"], "--speed 0.0 must lie between 0.1 and 10"),
        (["play", "--fights", "0"], "--fights 0 must be at least 1"),
        (["play", "--seed", "-1"], "ashen: --seed -1 must be at least 0"),
        (["film", "human"], "no fights of yours yet: play some with ashen play"),
        (["film", "random"], "ashen evaluate random --record FOLDER, then: ashen film FOLDER/FIGHT.npz"),
        (["explain"], "see: ashen explain --help"),
        (["explain", "dome"], "unknown run 'dome'"),
        (["explain", "randm"], "did you mean 'random'"),
        (["explain", "none.npz"], "no recorded fight at none.npz"),
        (["explain", "none.npz", "--seed", "1"], "none.npz is one recorded fight; leave out"),
        (["explain", "random", "--which", "best"], "random has no recorded fights"),
        (["explain", "done", "--which", "nicest"], "unknown choice of a fight 'nicest'"),
        (["explain", "done", "--which", "9"], "no recorded fight 9"),
        (["explain", "done", "--which", "best", "--seed", "1"], "give one of the two"),
        (["explain", "done", "--which", "best", "--boss", "iudex"], "give one of the two"),
        (["explain", "none.npz", "--randomise", "facts"], "none.npz is one recorded fight; leave out"),
        (["explain", "random", "--boss", "iudx"], "unknown boss 'iudx'; did you mean 'iudex'"),
        (["explain", "done", "--around", "-5"], "--around -5 must be at least 0"),
        (["explain", "random", "--seed", "-1"], "--seed -1 must be at least 0"),
        (["explain", "done", "--from-step", "-1"], "--from-step -1 must be at least 0"),
        (["explain", "done", "--around", "5", "--to-step", "9"], "give one of the two"),
        (["explain", "done", "--from-step", "2999"], "the fight has steps 0 to"),
        (["explain", "done", "--show", "some"], "some"),
        (["plot"], "see: ashen plot --help"),
        (["plot", "dome"], "unknown run 'dome'"),
        (["plot", "done", "oracle"], "oracle is an opponent, which has no run"),
        (["compare"], "no run to compare; give at least one"),
        (["compare", "dome"], "unknown run 'dome'"),
        (["compare", "done", "--metric", "speed"], "speed"),
        (["compare", "done", "--out", "x.svg"], "end its name in .png"),
        (["sweep", "ful"], "unknown recipe 'ful'; did you mean 'full'"),
        (["sweep", "--trials", "0"], "--trials 0 must be at least 1"),
        (["sweep", "--metric", "speed"], "speed"),
        (["sweep", "--boss", "iudx"], "unknown boss 'iudx'; did you mean 'iudex'"),
        (["sweep", "smoke", "--space", "none.toml"], "no such file: none.toml"),
        (["sweep", "smoke", "--study", "x.txt"], "end its name in .db"),
        (["sweep", "smoke", "--resume"], "sweep-smoke.db to go on with"),
        (["join", "done"], "ashen: RUN2 is missing, as in: ashen join RUN1 RUN2; see: ashen join --help"),
        (["join"], "ashen: RUN1 and RUN2 are missing, as in: ashen join RUN1 RUN2; see"),
        (["join", "done", "dome"], "unknown run 'dome'"),
        (["join", "done", "done", "--name", "done"], "already a run 'done'"),
        (["join", "done", "done", "--fights", "0"], "--fights 0 must be at least 1"),
        (["import-checkpoint"], "see: ashen import-checkpoint --help"),
        (["import-checkpoint", "none.pth"], "cannot read none.pth"),
        (["import-checkpoint", "none.pth", "--fights", "0"], "--fights 0 must be at least 1"),
        (["bench", "--repeats", "x"], "--repeats"),
        (["bench", "--repeats", "0"], "--repeats 0 must be at least 1"),
        (["bench", "--peers", "--device", "cpu"], "give one of the two"),
        (["bench", "--recipe", "full"], "add --device cpu,cuda"),
        (["bench", "--device", "tpu"], "--device tpu must be cpu or cpu,cuda"),
        (["bench", "--device", "cpu", "--recipe", "ful"], "unknown recipe 'ful'; did you mean 'full'"),
        (["recipes", "x"], "x"),
    ],
)
def test_bad_words_are_told_in_one_line(words, message, capsys, runs_dir):
    """Breaks if a mistake on the command line is a traceback, costs a run folder, or does not say what to do."""
    before = sorted(path.name for path in runs_dir.iterdir())
    assert message in _complaint(words, capsys)
    assert sorted(path.name for path in runs_dir.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("boss = 'iudex", "is not valid TOML"),
        ("bos = 'iudex'", "unknown key 'bos'"),
        ("[ppo]\nclp = 0.1", "unknown key 'clp'"),
        ("[ppo]\nlearning_rate = -1", "mine.toml [ppo]: learning_rate = -1 must be at least 0"),
        ("seed = -1", "mine.toml: seed = -1 must be at least 0"),
        ("seed = 'x'", "seed = 'x' is not int"),
        ("algorithm = 'sac'", "unknown algorithm 'sac'"),
        ("\xff", "cannot read"),
    ],
)
def test_bad_recipes_are_told_in_one_line(text, message, capsys, tmp_path):
    """Breaks if a broken recipe is a traceback, or if the line does not name the file."""
    recipe = tmp_path / "mine.toml"
    recipe.write_bytes(text.encode("latin-1"))
    said = _complaint(["train", recipe], capsys)
    assert message in said
    assert "mine.toml" in said


def test_a_checkpoint_of_another_shape_is_told(capsys, runs_dir, tmp_path):
    """Breaks if weights that do not fit the config are a traceback, or loaded in part."""
    config = json.loads((runs_dir / "done" / "config.json").read_text(encoding="utf-8"))
    for key, value, message in (("encoder", "onehot74", "74"), ("ppo", {"width": 24}, "another network")):
        run = create_run(tmp_path, key, "x")
        run.write_config({"recipe": config["recipe"] | {key: value}})
        (run.checkpoints / "best.pt").write_bytes((runs_dir / "done" / "checkpoints" / "best.pt").read_bytes())
        said = _complaint(["evaluate", run.path, "--fights", "1"], capsys)
        assert message in said
        assert "best.pt" in said


def test_a_damaged_checkpoint_is_told(capsys, runs_dir, tmp_path):
    """Breaks if half a checkpoint is a traceback."""
    config = json.loads((runs_dir / "done" / "config.json").read_text(encoding="utf-8"))
    run = create_run(tmp_path, "run", "x")
    run.write_config({"recipe": config["recipe"]})
    (run.checkpoints / "step-000000000064.pt").write_bytes(b"half")
    assert "is damaged" in _complaint(["train", "--resume", run.path], capsys)
    assert "is damaged" in _complaint(["evaluate", run.path], capsys)


def test_a_file_where_the_runs_should_be_is_told(capsys, tmp_path):
    """Breaks if a runs folder that cannot be made is a traceback."""
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert "choose another --runs-dir" in _complaint(["train", "smoke", "--runs-dir", tmp_path / "file"], capsys)


def test_a_complete_run_is_left_as_it_is(capsys, runs_dir):
    """Breaks if --resume plays the final match of a complete run again, or does not say how to go on."""
    run = open_run("done", runs_dir)
    before = run.metrics_file.read_bytes(), run.log_file.read_bytes()
    capsys.readouterr()
    assert main(["train", "--resume", "done"]) == 0
    said = capsys.readouterr()
    assert "done is complete" in said.err and "ashen train RECIPE --parent done" in said.err
    assert (run.metrics_file.read_bytes(), run.log_file.read_bytes()) == before


def test_a_final_match_that_was_not_finished_is_played(capsys, runs_dir, tmp_path):
    """Breaks if a run whose training is over, but not its final match, counts as complete."""
    shutil.copytree(runs_dir / "done", tmp_path / "cut")
    run = open_run("cut", tmp_path)
    rows = run.metrics_file.read_text(encoding="utf-8").splitlines(keepends=True)
    run.metrics_file.write_text("".join(row for row in rows if '"final"' not in row), encoding="utf-8")
    assert read_metrics(run, "final") == []
    assert main(["train", "--resume", str(run.path)]) == 0
    assert len(read_metrics(run, "final")) == 1


@pytest.mark.skipif(os.name == "nt", reason="limits of file sizes are POSIX")
def test_a_full_disk_is_told_and_costs_nothing(runs_dir, tmp_path):
    """Breaks if running out of room is a traceback, or spoils what was saved before."""
    words = ["train", "phase1", "--name", "full", "--runs-dir", str(tmp_path), "--num-envs", "2", "--total-steps", "64"]
    words += ["--evaluation-fights", "1"]
    code = f"""
import resource, sys
from ashen.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(main({words!r}))
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "ashen: the disk is full" in ended.stderr.splitlines()[-1]
    assert (tmp_path / "full" / "config.json").is_file()
    assert list((tmp_path / "full" / "checkpoints").iterdir()) == []


def test_evaluate_prints_one_json_object_and_nothing_else(capsys, runs_dir):
    """Breaks if a promised figure is missing, if progress gets into the output, or if a seed does not fix a match."""
    assert main(["evaluate", str(runs_dir / "done"), "--fights", "3", "--json"]) == 0
    own = json.loads(capsys.readouterr().out)
    assert set(own) >= PROMISED
    assert (own["fight"], own["policy"], own["fights"]) == ("phase1", "done", 3)
    assert "phase_change_rate" not in own
    words = ["evaluate", "random", "--fights", "3", "--json", "--seed", "5", "--start", "random"]
    assert main([*words, "--num-envs", "2"]) == main(words) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["fight"], first["start"], first["reward"], first["seed"]) == ("full", "random", "soulsgym", 5)
    assert "phase_change_rate" in first
    assert first | {"seconds": 0} == second | {"seconds": 0}


def test_evaluate_without_json_is_a_table(capsys):
    """Breaks if a person gets JSON, or a table without the win rate."""
    assert main(["evaluate", "done", "--fights", "1"]) == 0
    assert "win_rate" in capsys.readouterr().out


def test_evaluate_plans_and_records(capsys, tmp_path):
    """Breaks if planning is not asked for by its option, or if fights are not recorded whole, or over older ones."""
    words = ["evaluate", "done", "--fights", "2", "--json", "--plan", "--plan-steps", "2", "--plan-samples", "1"]
    assert main([*words, "--record", str(tmp_path / "new" / "fights")]) == 0
    figures = json.loads(capsys.readouterr().out)
    fights = [load_fight(path) for path in list_fights(tmp_path / "new" / "fights", "evaluation")]
    assert figures["policy"] == "done, planning"
    assert [fight.meta["fight_number"] for fight in fights] == [0, 1]
    assert sum(len(fight.actions) for fight in fights) == 2 * figures["length_mean_steps"]
    assert fights[0].meta | {"policy": "done, planning", "start": "fixed", "env_step": 0} == fights[0].meta
    film = ["film", str(list_fights(tmp_path / "new" / "fights")[0]), "--out", str(tmp_path / "fight.png")]
    assert main(film) == 0
    said = _complaint([*words, "--record", tmp_path / "new" / "fights"], capsys)
    assert "holds recorded fights already" in said
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert "cannot make the folder" in _complaint([*words, "--record", tmp_path / "file"], capsys)


def test_exploits_tells_every_check(capsys, runs_dir):
    """Breaks if a check is not told, if the exit code differs, or if a training's last row lacks them."""
    assert main(["exploits", "done", "--fights", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["pass", "longest_boss_idle_s"],
        ["pass", "kills_without_blow_share"],
        ["pass", "win_rate_closed_cliff"],
    ]
    final = read_metrics(open_run("done", runs_dir), "final")[0]
    assert final["exploits"] == [] and 0.0 <= final["longest_boss_idle_s"] < 10.0


@pytest.mark.slow
def test_the_oracle_is_explained(capsys):
    """Breaks if the oracle's fight cannot be told like that of any opponent."""
    assert main(["explain", "oracle", "--fight", "phase2", "--show", "hits"]) == 0
    assert "player lost" in capsys.readouterr().out


def test_film_and_plot_say_what_they_made(capsys, runs_dir, tmp_path):
    """Breaks if film or plot do not make their file, or do not print its path."""
    fight = list_fights(runs_dir / "done" / "fights")[0]
    for words in (["film", "done"], ["film", str(fight)], ["plot", "done"]):
        out = tmp_path / f"{words[0]}.png"
        assert main([*words, "--out", str(out)]) == 0
        assert capsys.readouterr().out.strip() == str(out)
        assert out.stat().st_size > 1000
        out.unlink()


def test_only_a_file_of_its_own_kind_is_replaced(capsys, runs_dir, tmp_path):
    """Breaks if a verb writes over a file that it did not make, or refuses to make its own anew."""
    fight = str(list_fights(runs_dir / "done" / "fights")[0])
    for words, name in (
        (["film", fight], "mine.png"),
        (["plot", "done"], "mine.png"),
        (["explain", fight], "mine.txt"),
        (["calibrate", "--from", fight], "mine.toml"),
    ):
        out = tmp_path / name
        out.write_text("mine", encoding="utf-8")
        assert f"{name} is there already and is no" in _complaint([*words, "--out", out], capsys)
        assert out.read_text(encoding="utf-8") == "mine"
        out.unlink()
        if words[0] != "calibrate":  # too few fights
            assert main([*words, "--out", str(out)]) == main([*words, "--out", str(out)]) == 0
            out.unlink()


def test_explain_tells_recorded_fights_and_fights_anew(capsys, runs_dir, tmp_path):
    """Breaks if a record, a run or an opponent is not explained, or if --out, --around or a seed has no effect."""
    record = list_fights(runs_dir / "done" / "fights", "final")[0]
    slow, told = tmp_path / "slow.toml", {}
    number = '{ v = 0.5, s = "none", c = "G" }'
    slow.write_text(f'base = "iudex"\n[overlay]\n"body.walk_forward_m_s" = {number}', encoding="utf-8")
    for words in (
        ["done"],
        ["done", "--which", "typical"],
        ["done", "--which", "0"],
        [str(record)],
        ["done", "--seed", "3"],
        ["random", "--seed", "3"],
        ["random", "--seed", "3", "--randomise", "wide"],
        ["random", "--seed", "3", "--boss", str(slow)],
        ["done", "--randomise", "facts"],
    ):
        assert main(["explain", *words]) == 0
        told[" ".join(words)] = capsys.readouterr().out
    assert told["done"] == told["done --which typical"]
    assert told["done --which 0"] == told[str(record)]
    del told["done --which typical"], told["done --which 0"], told["done"]
    assert len(set(told.values())) == len(told)
    assert f"against {slow}," in told[f"random --seed 3 --boss {slow}"]
    assert all("player lost" in text for text in told.values())
    out = tmp_path / "new" / "why.txt"
    words = ["explain", "random", "--seed", "3", "--around", "30", "--show", "all", "--out", str(out)]
    assert main(words) == 0
    assert capsys.readouterr().out.strip() == str(out)
    lines = [line for line in out.read_text(encoding="utf-8").splitlines() if line[:4].strip().isdigit()]
    assert [int(line[:4]) for line in lines] == list(range(20, 41))
    said = _complaint(["explain", "random", "--seed", "3", "--out", tmp_path], capsys)
    assert "choose another --out" in said


@pytest.mark.slow
def test_smoke(runs_dir, tmp_path):
    """Breaks if the whole way, train to film, does not work from the command line."""
    command = [sys.executable, "-m", "ashen", "train", "--smoke", "--runs-dir", str(tmp_path)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    made = dict(line.split(maxsplit=1) for line in ended.stdout.splitlines())
    assert set(made) == {"result", "run", "curves", "film"}
    assert all(Path(made[name]).stat().st_size > 10_000 for name in ("curves", "film"))

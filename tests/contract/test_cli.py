import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ashen.cli import VERBS, main
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import create_run, open_run
from ashen.runs.metrics import read_metrics

PROMISED = {
    "fights", "wins", "losses", "timeouts", "faults", "win_rate", "win_rate_low", "win_rate_high", "return_mean",
    "length_mean_steps", "boss_hp_left_mean", "damage_per_attack", "seconds", "table_hash", "boss", "fight", "start",
    "seed", "policy",
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("here")


def test_a_checkpoint_of_another_shape_is_told(complaint, runs_dir, tmp_path):
    """Breaks if weights that do not fit the config are a traceback, or loaded in part."""
    config = json.loads((runs_dir / "done" / "config.json").read_text(encoding="utf-8"))
    for key, value, message in (("encoder", "onehot74", "74"), ("ppo", {"width": 24}, "another network")):
        run = create_run(tmp_path, key, "x")
        run.write_config({"recipe": config["recipe"] | {key: value}})
        (run.checkpoints / "best.pt").write_bytes((runs_dir / "done" / "checkpoints" / "best.pt").read_bytes())
        said = complaint(["evaluate", run.path, "--fights", "1"])
        assert message in said
        assert "best.pt" in said


def test_a_damaged_checkpoint_is_told(complaint, runs_dir, tmp_path):
    """Breaks if half a checkpoint is a traceback."""
    config = json.loads((runs_dir / "done" / "config.json").read_text(encoding="utf-8"))
    run = create_run(tmp_path, "run", "x")
    run.write_config({"recipe": config["recipe"]})
    (run.checkpoints / "step-000000000064.pt").write_bytes(b"half")
    assert "is damaged" in complaint(["resume", run.path])
    assert "is damaged" in complaint(["evaluate", run.path])


def test_a_file_where_the_runs_should_be_is_told(complaint, tmp_path):
    """Breaks if a runs folder that cannot be made is a traceback."""
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert "choose another --runs-dir" in complaint(["train", "smoke", "--runs-dir", tmp_path / "file"])


@pytest.mark.skipif(sys.platform != "linux", reason="/sys, where nobody can make a file, is Linux's")
@pytest.mark.parametrize("words", ["pack done --out /sys/x.ashen", "report done --out /sys/x.html"])
def test_a_place_that_takes_no_files_is_told_before_the_work(complaint, words):
    """Breaks if a match is fought, which says a line of its own, before it is found that nothing can be written."""
    assert "ashen: cannot write /sys/x" in complaint(words.split())


def test_an_agent_of_one_phase_says_so_where_it_fights_another(capsys):
    """Breaks if an agent of phase 1 is judged in the full fight without a word, or hears one in its own fight."""
    told = "ashen: done was trained for phase1 alone and here fights full; --fight phase1 judges it in what it was"
    assert main(["evaluate", "done", "--fights", "1", "--fight", "full"]) == 0
    assert told in capsys.readouterr().err
    assert main(["evaluate", "done", "--fights", "1"]) == 0
    assert "trained for" not in capsys.readouterr().err


def test_a_complete_run_is_left_as_it_is(capsys, runs_dir):
    """Breaks if resume plays the final match of a complete run again, or does not say how to go on."""
    run = open_run("done", runs_dir)
    before = run.metrics_file.read_bytes(), run.log_file.read_bytes()
    capsys.readouterr()
    assert main(["resume", "done"]) == 0
    said = capsys.readouterr()
    assert "done is complete" in said.err and "with: ashen fork done --total-steps 128\n" in said.err
    film = runs_dir / "done" / "fight.mp4"
    assert said.err.endswith(f"ashen: it is not filmed; that is done with: ashen film done --out {film}\n")
    assert (run.metrics_file.read_bytes(), run.log_file.read_bytes()) == before


def test_a_final_match_that_was_not_finished_is_played(capsys, runs_dir, tmp_path):
    """Breaks if a run whose training is over, but not its final match, counts as complete."""
    shutil.copytree(runs_dir / "done", tmp_path / "cut")
    run = open_run("cut", tmp_path)
    rows = run.metrics_file.read_text(encoding="utf-8").splitlines(keepends=True)
    run.metrics_file.write_text("".join(row for row in rows if '"final"' not in row), encoding="utf-8")
    assert read_metrics(run, "final") == []
    assert main(["resume", str(run.path)]) == 0
    assert len(read_metrics(run, "final")) == 1


@pytest.mark.skipif(os.name == "nt", reason="limits of file sizes are POSIX")
def test_a_full_disk_is_told_and_costs_nothing(runs_dir, tmp_path):
    """Breaks if running out of room is a traceback, or spoils what was saved before."""
    words = ["train", "phase1", "--name", "full", "--runs-dir", str(tmp_path), "--num-envs", "2", "--total-steps", "64"]
    words += ["--ppo.rollout-steps", "32"]
    code = f"""
import resource, sys
from ashen.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(main({words!r}))
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].endswith(": File too large; make room there")
    assert not (tmp_path / "full").exists()


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
    """Breaks if a person gets JSON or keys, or a table without the win rate, or is not told what begins."""
    assert main(["evaluate", "done", "--fights", "1"]) == 0
    said = capsys.readouterr()
    assert "true win rate" in said.out and "win_rate" not in said.out
    assert "ashen: done fights 1 times\n" in said.err


def test_evaluate_says_that_it_is_not_sure(capsys):
    """Breaks if --sure-within ends at --fights without being sure, and neither table nor line says so."""
    assert main(["evaluate", "random", "--fight", "phase1", "--fights", "20", "--sure-within", "3"]) == 0
    said = capsys.readouterr()
    assert "after all 20 fights the win rate is known within " in said.err
    assert "points, not within 3; give more --fights" in said.err
    assert "points only" in said.out
    assert main(["evaluate", "random", "--fight", "phase1", "--fights", "20", "--sure-within", "50"]) == 0
    assert "give more" not in capsys.readouterr().err


def test_evaluate_plans_and_records(capsys, tmp_path, complaint):
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
    said = complaint([*words, "--record", tmp_path / "new" / "fights"])
    assert "holds recorded fights already" in said
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert "cannot make the folder" in complaint([*words, "--record", tmp_path / "file"])


def test_exploits_tells_every_check(capsys, runs_dir):
    """Breaks if a check is not told, if the exit code differs, or if a training's last row lacks them."""
    assert main(["exploits", "done", "--fights", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["pass", "longest_boss_idle_s"],
        ["open", "kills_without_blow_share"],  # it has won nothing
        ["open", "win_rate_closed_cliff"],
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
    for words in (["film", "done"], ["film", "done", "--which", "0"], ["film", str(fight)], ["plot", "done"]):
        out = tmp_path / f"{words[0]}.png"
        assert main([*words, "--out", str(out)]) == 0
        assert capsys.readouterr().out.strip() == str(out)
        assert out.stat().st_size > 1000
        out.unlink()


def test_only_a_file_of_its_own_kind_is_replaced(complaint, runs_dir, tmp_path):
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
        assert f"{name} is there already and is no" in complaint([*words, "--out", out])
        assert out.read_text(encoding="utf-8") == "mine"
        out.unlink()
        if words[0] != "calibrate":  # too few fights
            assert main([*words, "--out", str(out)]) == main([*words, "--out", str(out)]) == 0
            out.unlink()


def test_explain_tells_recorded_fights_and_fights_anew(capsys, runs_dir, tmp_path, complaint):
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
    out = tmp_path / "why.txt"
    words = ["explain", "random", "--seed", "3", "--around", "30", "--show", "all", "--out", str(out)]
    assert main(words) == 0
    assert capsys.readouterr().out.strip() == str(out)
    lines = [line for line in out.read_text(encoding="utf-8").splitlines() if line[:4].strip().isdigit()]
    assert [int(line[:4]) for line in lines] == list(range(20, 41))
    assert "is a folder; choose a file in it" in complaint(["explain", "random", "--seed", "3", "--out", tmp_path])


@pytest.mark.slow
def test_smoke(runs_dir, tmp_path):
    """Breaks if the whole way, train to film, does not work from the command line."""
    command = [sys.executable, "-m", "ashen", "train", "--smoke", "--runs-dir", str(tmp_path)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    made = dict(line.split(maxsplit=1) for line in ended.stdout.splitlines())
    assert set(made) == {"result", "run", "curves", "film"}
    assert all(Path(made[name]).stat().st_size > 10_000 for name in ("curves", "film"))


@pytest.mark.parametrize(("verb", "how"), [("train", "; what was saved goes on with: ashen resume RUN"), ("plot", "")])
def test_a_second_ctrl_c_says_how_to_go_on(verb, how, monkeypatch, capsys):
    """Breaks if who is out of patience is left to find out whether a training is lost."""

    def run_out_of_patience(words):
        raise KeyboardInterrupt

    monkeypatch.setitem(VERBS, verb, run_out_of_patience)
    assert main([verb]) == 130
    assert capsys.readouterr().err == f"ashen: interrupted{how}\n"

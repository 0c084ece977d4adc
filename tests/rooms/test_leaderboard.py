import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pygame
import pytest
from small_packs import AGENTS, made, packed

import ashen
from ashen.cli import main
from ashen.core.tables import boss_file
from ashen.display import leaderboard_table
from ashen.env.registration import ENV_IDS
from ashen.evaluation.benchmark import BENCHMARK, TABLE_HASHES
from ashen.evaluation.judge import judge
from ashen.evaluation.statistics import wilson_interval
from ashen.runs.pack_file import shipped_packs
from ashen.sim.pack import load_tables
from ashen.training.contenders import find_contender

ROOT = Path(__file__).resolve().parents[2]


def test_the_benchmark_is_pinned():
    """Breaks if the tables change without a new version of the benchmark and of its environment."""
    assert load_tables(boss_file(BENCHMARK.boss))[1] == BENCHMARK.table_hash == TABLE_HASHES[BENCHMARK.version], (
        "the tables have changed: add a version to TABLE_HASHES and to ENV_IDS, and run ashen leaderboard anew"
    )
    assert sorted(TABLE_HASHES) == list(range(BENCHMARK.version + 1)) and len(set(TABLE_HASHES.values())) == len(
        TABLE_HASHES
    )
    assert ENV_IDS[BENCHMARK.env_id] == BENCHMARK.boss
    seeds = BENCHMARK.seeds()
    assert len(set(seeds)) == 1000 and seeds[0] == 904243589426339048


def test_the_pinned_fights_go_as_they_went():
    """Breaks if the rules of the fight change without a new version of the benchmark."""
    contender = find_contender("roll-and-hit", None)
    world = contender.env_options | BENCHMARK.world
    figures = judge(contender.make_policy, world, fights=64, seed=BENCHMARK.seed)
    assert (figures["wins"], round(figures["length_mean_steps"], 2)) == (59, 586.67)


def test_the_leaderboard_is_of_this_benchmark_and_these_packs():
    """Breaks if the benchmark or a shipped pack has changed and ashen leaderboard was not run anew."""
    figures = json.loads((ROOT / "docs" / "leaderboard.json").read_text(encoding="utf-8"))
    assert figures["benchmark"] == {name: getattr(BENCHMARK, name) for name in figures["benchmark"]}
    digests = {row["name"]: row["sha256"] for row in figures["rows"] if row["kind"] == "pack"}
    packs = shipped_packs()
    assert packs
    for name, path in packs.items():
        assert digests[name] == sha256(path.read_bytes()).hexdigest()


def test_fights_through_gymnasium_are_the_benchmarks():
    """Breaks if whoever plays the pinned seeds through Gymnasium meets other fights than the leaderboard."""
    import gymnasium

    one = gymnasium.make(BENCHMARK.env_id, fight=BENCHMARK.fight)
    many = ashen.make_vec(**BENCHMARK.world, num_envs=3)
    seeds = BENCHMARK.seeds()[:3]
    many.reset(seed=seeds)
    lone = []
    for seed in seeds:
        one.reset(seed=seed)
        for _ in range(30):
            one.step(16)
        lone.append(one.unwrapped.states[0].copy())
    for _ in range(30):
        many.step(np.full(3, 16))
    assert (np.array(lone) == many.states).all()


def test_packs_are_ranked_on_the_same_fights(tmp_path, capsys, monkeypatch):
    """Breaks if a contender meets other fights, is ranked wrongly, or nobody says that it knows phase 1 alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASHEN_RUNS", str(tmp_path))
    for name in ("ppo", "dqn"):
        fight = "phase1" if name == "dqn" else "full"
        (tmp_path / f"{name}.ashen").write_bytes(packed(made(tmp_path, name, fight=fight, **AGENTS[name]), name=name))
    words = ["ppo.ashen", "dqn.ashen", "--fights", "2", "--json", "--out", "board.json"]
    assert main(["leaderboard", *words]) == 0
    said = capsys.readouterr()
    assert "dqn.ashen was trained for phase1 alone and here fights full, like all others" in said.err
    assert "ppo.ashen was trained" not in said.err and "ppo.ashen fights 2 times (1 of 6)" in said.err
    figures = json.loads(said.out)
    assert figures == json.loads((tmp_path / "board.json").read_text(encoding="utf-8"))
    rows = figures["rows"]
    assert {row["name"] for row in rows} == {"ppo", "dqn", "random", "random-valid", "always-attack", "roll-and-hit"}
    assert [row["kind"] for row in rows].count("pack") == 2 and rows[0]["name"] == "roll-and-hit"
    assert [row["win_rate"] for row in rows] == sorted((row["win_rate"] for row in rows), reverse=True)
    for row in rows:
        low, high = wilson_interval(row["wins"], 2)
        assert (row["win_rate_low"], row["win_rate_high"], row["fights"]) == (low, high, 2)
    assert [row["trained_for"] for row in rows if row["kind"] == "pack"].count("phase1") == 1
    table = leaderboard_table(figures)
    assert [cell.endswith(" steps, phase1") for cell in table.columns[-1].cells].count(True) == 1
    assert table.title.startswith("ashen/Iudex-v0: 2 fights") and len(table.rows) == 6


def test_who_cannot_take_part_is_told(tmp_path, capsys, monkeypatch):
    """Breaks if an agent trained for another boss is ranked, fights beyond the pinned ones count, or a file is lost."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASHEN_RUNS", str(tmp_path))
    (tmp_path / "own.toml").write_text(boss_file("iudex").read_text(encoding="utf-8"), encoding="utf-8")
    made(tmp_path, "other", boss=str(tmp_path / "own.toml"), **AGENTS["ppo"])
    (tmp_path / "notes.json").write_text("mine", encoding="utf-8")
    for words, message in (
        (["other"], "the benchmark is fought against iudex; leave it out"),
        (["nobody"], "unknown run 'nobody'"),
        (["--fights", "1001"], "--fights 1001 must be at most 1000"),
        (["--out", "notes.json"], "is there already and is no leaderboard"),
    ):
        assert main(["leaderboard", *words]) == 2
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1


def test_the_demo_shows_a_fight(tmp_path, capsys, monkeypatch):
    """Breaks if the demo needs a display, a run or the network, or does not say what is seen."""
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "iudex-full", "--out", "demo.png"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("iudex-full against iudex: ") and "blue is the player" in said
    assert (tmp_path / "demo.png").stat().st_size > 10_000
    shown = []

    def see(window, image, words):
        shown.append(image.shape)
        if len(shown) == 40:
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE))

    monkeypatch.setattr("ashen.play.window.Window.show", see)
    monkeypatch.setattr("pygame.time.Clock", Hurried)
    assert main(["demo"]) == 0
    assert shown == [(540, 960, 3)] * 40


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_the_demo_without_a_display_is_a_film(tmp_path):
    """Breaks if a machine without a display gets an error, SDL's own words or no film."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-m", "ashen", "demo"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=variables, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "ashen: no display here, so the fight is filmed to demo.mp4" in ended.stderr
    assert all(line.startswith("ashen: ") for line in ended.stderr.splitlines()), ended.stderr
    assert ended.stdout.endswith("film    demo.mp4\n") and (tmp_path / "demo.mp4").stat().st_size > 10_000


class Hurried:
    """A clock that does not wait."""

    def tick(self, _):
        """Go on at once."""

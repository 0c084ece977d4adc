import json

import numpy as np
import pytest
from small_packs import AGENTS, made, packed

import ashen
from ashen.cli import main
from ashen.core.tables import boss_file
from ashen.env.registration import ENV_IDS
from ashen.evaluation.benchmark import BENCHMARK, TABLE_HASHES
from ashen.evaluation.judge import judge
from ashen.evaluation.statistics import wilson_interval
from ashen.sim.pack import load_tables
from ashen.training.contenders import find_contender


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


@pytest.mark.parametrize("fights", [2])
def test_packs_are_ranked_on_the_same_fights(fights, tmp_path, capsys, monkeypatch):
    """Breaks if a contender meets other fights, the ranking or an interval is wrong, or a foreign file is replaced."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASHEN_RUNS", str(tmp_path))
    for name in ("ppo", "dqn"):
        (tmp_path / f"{name}.ashen").write_bytes(packed(made(tmp_path, name, **AGENTS[name]), name=name))
    words = ["leaderboard", "ppo.ashen", "dqn.ashen", "--fights", str(fights)]
    assert main([*words, "--json", "--out", "board.json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures == json.loads((tmp_path / "board.json").read_text(encoding="utf-8"))
    rows = figures["rows"]
    assert {row["name"] for row in rows} == {"ppo", "dqn", "random", "random-valid", "always-attack", "roll-and-hit"}
    assert [row["kind"] for row in rows].count("pack") == 2 and rows[0]["name"] == "roll-and-hit"
    assert [row["win_rate"] for row in rows] == sorted((row["win_rate"] for row in rows), reverse=True)
    for row in rows:
        low, high = wilson_interval(row["wins"], fights)
        assert (row["win_rate_low"], row["win_rate_high"], row["fights"]) == (low, high, fights)
    capsys.readouterr()
    assert main(words) == 0
    assert "ashen/Iudex-v0: 2 fights" in " ".join(capsys.readouterr().out.split())


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
    assert main(["demo", "--out", "demo.png"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("iudex-full against iudex: ") and "blue is the player" in said
    assert (tmp_path / "demo.png").stat().st_size > 10_000
    shown = []
    monkeypatch.setattr("ashen.play.window.Window.show", lambda self, image, words: shown.append(image.shape))
    monkeypatch.setattr("pygame.time.Clock", Hurried)
    assert main(["demo"]) == 0
    assert len(shown) > 300 and set(shown) == {(540, 960, 3)}


class Hurried:
    """A clock that does not wait."""

    def tick(self, _):
        """Go on at once."""

"""Trainings compared over seeds: grouped by recipe, refused where they cannot be compared."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from ashen.cli import main
from ashen.core.errors import UserError
from ashen.evaluation.compare import compare
from ashen.evaluation.groups import differences, group_names
from ashen.evaluation.statistics import wilson_interval
from ashen.reports.compare_plot import plot_comparison
from ashen.reports.plot import COLOURS
from ashen.runs.folder import RunFolder, create_run
from ashen.runs.metrics import MetricsLog
from ashen.training.recipe import Recipe, load_recipe, recipe_as_now
from ashen.training.tables import to_table

DQN = load_recipe("dqn")
DOUBLE = load_recipe("double_dqn")
WORLD = {"boss": "iudex", "fight": "phase1", "table_hash": "aaaa", "reward": "soulsgym"}


def a_run(folder: Path, name: str, recipe: Recipe, score: float | None, **world: Any) -> RunFolder:
    """The folder of a run with two matches on the way; ended with this win rate, or not ended."""
    run = create_run(folder, name, "x")
    run.write_config({"recipe": to_table(recipe)})
    log = MetricsLog(run)
    for step in (100, 200):
        log.write("evaluation", step, 0, WORLD | {"win_rate": (score or 0.0) * step / 200, "return_mean": -1.0})
    if score is not None:
        low, high = wilson_interval(round(200 * score), 200)
        figures = {"win_rate": score, "win_rate_low": low, "win_rate_high": high}
        figures |= {"return_mean": 10 * score, "boss_hp_left_mean": 1 - score}
        log.write("final", 200, 0, WORLD | figures | world)
    return run


def seeds_of(folder: Path, name: str, recipe: Recipe, scores: list[float], **world: Any) -> list[RunFolder]:
    """A run for each score, on seeds 0, 1, 2 ..."""
    return [
        a_run(folder, f"{name}-{seed}", replace(recipe, seed=seed), score, **world) for seed, score in enumerate(scores)
    ]


def test_groups_are_recipes_without_their_seeds(tmp_path: Path):
    """Breaks if seeds of a recipe fall into several groups, recipes into one, or figures are not those by hand."""
    plain = seeds_of(tmp_path, "plain", DQN, [0.1, 0.2, 0.4, 0.9])
    double = seeds_of(tmp_path, "double", DOUBLE, [0.3, 0.5, 0.7, 0.9])
    figures = compare([plain[0], double[0], *plain[1:], *double[1:]])
    first, second = figures["groups"]
    assert (first["name"], second["name"]) == ("dqn.double=none", "dqn.double=target")
    assert (first["runs"][3], first["seeds"], first["scores"]) == ("plain-3", [0, 1, 2, 3], [0.1, 0.2, 0.4, 0.9])
    assert [first["iqm"], second["iqm"]] == pytest.approx([0.3, 0.6])
    assert 0.1 <= first["iqm_low"] < 0.3 < first["iqm_high"] <= 0.9
    assert first["env_steps"] == [100, 200]
    assert first["curve"] == pytest.approx([0.15, 0.3])
    assert first["curve_low"][0] < 0.15 < first["curve_high"][0]
    (improvement,) = figures["improvements"]
    # Of the 16 pairs double wins 3 by .9, 3 by .7, 3 by .5, 2 by .3, and ties once: 11.5.
    assert (improvement["of"], improvement["over"]) == ("dqn.double=target", "dqn.double=none")
    assert improvement["probability"] == pytest.approx(11.5 / 16)
    assert figures["warnings"] == ["4 seeds: the interval is too narrow (every group)"]


def test_precisions_that_a_trial_chose_are_told(tmp_path: Path):
    """Breaks if seeds that learned in different precisions are no group any more, or nobody is told of it."""
    runs = seeds_of(tmp_path, "plain", load_recipe("phase1"), [0.1, 0.2])
    for run, precision in zip(runs, ("float32", "bfloat16"), strict=True):
        run.write_config(run.read_config() | {"precision": precision})
    figures = compare(runs)
    assert [group["runs"] for group in figures["groups"]] == [["plain-0", "plain-1"]]
    said = "a trial at their start chose different precisions to learn in (float32: plain-0; bfloat16: plain-1)"
    assert said in figures["warnings"]


def test_a_setting_that_an_older_run_lacks_counts_as_its_default(tmp_path: Path):
    """Breaks if seeds of one recipe are two groups since an ashen between them learned a setting or lost one."""
    older, newer = seeds_of(tmp_path, "plain", DQN, [0.1, 0.2])
    config = older.read_config()
    del config["recipe"]["scan_codes"]
    older.write_config(config | {"recipe": config["recipe"] | {"save_replay": True}})
    assert [group["runs"] for group in compare([older, newer], as_now=recipe_as_now)["groups"]] == [
        ["plain-0", "plain-1"]
    ]


def test_less_of_a_loss_is_an_improvement(tmp_path: Path):
    """Breaks if the group that leaves the boss more hit points is called the better one."""
    runs = seeds_of(tmp_path, "plain", DQN, [0.1, 0.2]) + seeds_of(tmp_path, "double", DOUBLE, [0.8, 0.9])
    for metric in ("win_rate", "boss_hp_left_mean"):
        assert compare(runs, metric)["improvements"][0]["probability"] == 1.0


def test_groups_are_named_by_what_differs():
    """Breaks if a name tells settings that are the same, leaves one out, or tells those of another learner."""
    ppo = {"algorithm": "ppo", "reward": "diary", "ppo.width": 64, "ppo.clip": 0.2}
    dqn = {"algorithm": "dqn", "reward": "diary", "dqn.width": 64}
    assert group_names([ppo]) == ["ppo"]
    assert group_names([ppo, ppo | {"reward": {"win": 1.0}}]) == ["reward=diary", 'reward={"win":1.0}']
    assert group_names([ppo, dqn]) == ["algorithm=ppo", "algorithm=dqn"]
    assert group_names([ppo, dqn, ppo | {"ppo.width": 128}]) == [
        "algorithm=ppo, ppo.width=64",
        "algorithm=dqn",
        "algorithm=ppo, ppo.width=128",
    ]
    many = {"algorithm": "ppo", "log_every": 1, "encoder": "ashen", "ppo.width": 64, "ppo.clip": 0.2, "ppo.depth": 2}
    others = {"log_every": 2, "encoder": "raw26", "ppo.width": 32, "ppo.clip": 0.1}
    assert group_names([many, many | others]) == [
        "encoder=ashen, ppo.width=64, ppo.clip=0.2, +1 more",
        "encoder=raw26, ppo.width=32, ppo.clip=0.1, +1 more",
    ]
    assert differences([many, many | others])[1] == others
    # What tells groups apart is named, however little it tells of them.
    names = group_names([many, many | others, many | others | {"log_every": 3}])
    assert names[2] == "encoder=raw26, ppo.width=32, log_every=3, +1 more" and len(set(names)) == 3
    # A setting that an older run does not have yet is a difference.
    assert group_names([dqn, dqn | {"dqn.new": True}]) == ["dqn.new=null", "dqn.new=true"]


def test_few_seeds_and_missing_ones_are_said(tmp_path: Path):
    """Breaks if a seed gets an interval over seeds, none of its fights, or a run that has not ended is passed over."""
    runs = [*seeds_of(tmp_path, "plain", DQN, [0.5]), *seeds_of(tmp_path, "double", DOUBLE, [0.5, 0.6, 0.7, 0.8, 0.9])]
    runs.append(a_run(tmp_path, "cut", replace(DQN, seed=9), None))
    figures = compare(runs)
    single = figures["groups"][0]
    assert (single["iqm"], single["iqm_low"], single["iqm_high"], single["curve_low"]) == (0.5, None, None, [None] * 2)
    assert single["name"] == "plain-0: dqn.double=none"
    assert (single["fights_low"], single["fights_high"]) == wilson_interval(100, 200)
    assert figures["groups"][1]["fights_low"] is None
    assert compare(runs[:1], "return_mean")["groups"][0]["fights_low"] is None
    assert figures["improvements"][0]["low"] is None
    assert figures["warnings"] == [
        "left out, for they have no final match: cut",
        "1 seed: its interval is that of its fights, and tells nothing of other seeds (plain-0: dqn.double=none)",
    ]
    with pytest.raises(UserError, match="no final win_rate in cut yet"):
        compare(runs[-1:])


def test_other_fights_bosses_and_rewards_are_refused(tmp_path: Path):
    """Breaks if win rates of different fights, or returns in different rewards, are put side by side."""
    run = a_run(tmp_path, "run", DQN, 0.5)
    for key, value in (("fight", "full"), ("boss", "somewhere/other.toml")):
        other = a_run(tmp_path, key, DQN, 0.5, **{key: value})
        with pytest.raises(UserError, match=f"run fought {key} (phase1|iudex), {key} (full|other): they cannot"):
            compare([run, other])
    other = a_run(tmp_path, "reward", replace(DQN, reward="diary"), 0.5, reward="diary")
    assert len(compare([run, other])["groups"]) == 2
    with pytest.raises(UserError, match="count returns in different rewards; compare another metric: win_rate"):
        compare([run, other], "return_mean")


def test_other_numbers_of_the_boss_are_a_group_and_a_warning(tmp_path: Path):
    """Breaks if seeds before and after a change of the boss's table count as one group, or nobody is told."""
    old, new = a_run(tmp_path, "old", DQN, 0.5), a_run(tmp_path, "new", replace(DQN, seed=1), 0.5, table_hash="bbbb")
    figures = compare([old, new])
    assert [group["name"] for group in figures["groups"]] == ["old: table=aaaa", "new: table=bbbb"]
    assert "judged against different numbers of the boss: tables aaaa, bbbb" in figures["warnings"]


def test_one_table_under_two_paths_is_one_boss(tmp_path: Path):
    """Breaks if runs that each keep their own copy of an overlay are told apart by its place."""
    runs = [
        a_run(tmp_path, name, replace(DQN, boss=f"{name}/overlay.toml", seed=seed), 0.5, boss=f"{name}/overlay.toml")
        for seed, name in enumerate("ab")
    ]
    assert len(compare(runs)["groups"]) == 1


def test_a_seed_does_not_count_twice(tmp_path: Path):
    """Breaks if the same training given twice makes an interval narrower."""
    run = a_run(tmp_path, "run", DQN, 0.5)
    with pytest.raises(UserError, match="run and again are one recipe on one seed, 0; leave one out"):
        compare([run, a_run(tmp_path, "again", DQN, 0.5)])


def test_foreign_folders_are_told(tmp_path: Path):
    """Breaks if a folder whose config or final match lacks something is a traceback."""
    run = a_run(tmp_path, "run", DQN, 0.5)
    run.write_config({})
    with pytest.raises(UserError, match="does not say its 'recipe'"):
        compare([run])


def test_the_picture_shows_every_group(tmp_path: Path):
    """Breaks if a group is not drawn, if one group or one seed cannot be, or if another ending is accepted."""
    runs = seeds_of(tmp_path, "plain", DQN, [0.2, 0.3, 0.5]) + seeds_of(tmp_path, "double", DOUBLE, [0.6])
    for metric, chosen in (("win_rate", runs), ("return_mean", runs), ("win_rate", runs[:3]), ("win_rate", runs[3:])):
        figures = compare(chosen, metric)
        with Image.open(plot_comparison(figures, tmp_path / "compare.png")) as image:
            pixels = np.asarray(image.convert("RGB"))
        for number, colour in enumerate(COLOURS[:2]):
            is_colour = (np.abs(pixels - np.round(255 * np.array(to_rgb(colour)))) <= 2).all(axis=2)
            assert (is_colour.sum() > 100) == (number < len(figures["groups"]))
    with pytest.raises(UserError, match=r"end its name in \.png"):
        plot_comparison(compare(runs), tmp_path / "compare.svg")


def test_the_verb_prints_a_table_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Breaks if ashen compare leaves out the interval, the warnings or the picture, or prints anything beside JSON."""
    seeds_of(tmp_path, "plain", DQN, [0.2, 0.3, 0.5])
    a_run(tmp_path, "double-0", DOUBLE, 0.6)
    out = tmp_path / "compare.png"
    names = ["plain-0", "plain-1", "plain-2", "double-0"]
    words = ["compare", *names, "--runs-dir", str(tmp_path), "--out", str(out)]
    assert main(words) == 0
    said = capsys.readouterr().out
    # Wilson's interval of 120 of 200 fights; one seed against three of another recipe makes three pairs.
    of_one = ("double-0:", "dqn.double=target", "60% (53% to 67%)", "by its fights", "100% of 3 pairs")
    for part in ("dqn.double=none", "33% (20% to 50%)", *of_one, "note: 1 seed: its interval is", str(out)):
        assert part in said
    assert out.stat().st_size > 10_000
    assert main([*words, "--json", "--metric", "return_mean"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["metric"], figures["picture"], len(figures["groups"])) == ("return_mean", str(out), 2)

"""From recorded fights of a game that differs to its table, and what a run learns of names that no table knows."""

import json

import numpy as np
import pytest

import ashen
from ashen.cli import main
from ashen.core.fight import MAX_BOSS_ANIMATIONS
from ashen.core.tables import boss_file, load_facts, walk
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.calibrate.fights import fights_from
from ashen.evaluation.calibrate.numbers import SURE_FROM
from ashen.evaluation.calibrate.rehearsal import LateRoller
from ashen.evaluation.calibrate.report import judged_calibration
from ashen.evaluation.match import fight_seeds, play_match
from ashen.evaluation.opponents import RandomPolicy
from ashen.evaluation.shifted import shifted_boss
from ashen.runs.fights import list_fights, load_fight, save_fight
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import read_metrics
from ashen.training.calibrating import KIND
from ashen.training.recipe import training_recipe

pytestmark = pytest.mark.game
SMALL = ["--fight", "phase1", "--ppo.width", "16", "--ppo.rollout-steps", "32", "--ppo.minibatch-size", "32"]
SMALL += ["--evaluation-fights", "1", "--final-fights", "1", "--evaluate-every", "60", "--checkpoint-every", "60"]
ON_GAME = ["--backend", "game", "--world-steps-per-s", "0", "--num-envs", "1"]


def shifted_windows(boss):
    """When each attack begins to hit, by its path in the boss's table."""
    return {path: fact.value[0] for path, fact in walk(load_facts(boss)) if path.endswith(".window_s")}


def test_fights_of_the_game_are_enough_to_calibrate_from(elsewhere, tmp_path, capsys):
    """Breaks if fights recorded through SoulsGym, which has no dice and no tables, are refused or tell nothing."""
    elsewhere(table=str(shifted_boss(0, tmp_path / "shifted.toml")))
    kept, out = tmp_path / "fights", tmp_path / "own.toml"
    words = ["evaluate", "random-valid", "--backend", "game", "--fight", "phase1", "--fights", "8", "--json"]
    assert main([*words, "--record", str(kept)]) == 0
    assert json.loads(capsys.readouterr().out)["table_hash"] == "game"
    assert main(["calibrate", "--from", str(kept), "--out", str(out), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["boss"] == "iudex" and figures["refitted"] > 20
    assert len(figures["better"]) > len(figures["worse"])
    assert dict(walk(load_facts(out))) != dict(walk(load_facts(boss_file("iudex"))))


@pytest.mark.slow
def test_the_hit_times_of_a_game_that_differs_are_found(elsewhere, tmp_path):
    """Breaks if what comes through SoulsGym's clocks is too coarse to tell when the game's attacks hit."""
    boss = shifted_boss(0, tmp_path / "shifted.toml")
    elsewhere(table=str(boss))
    kept = tmp_path / "fights"
    kept.mkdir()
    for number, (fight, fights) in enumerate((("phase1", 40), ("phase2", 30))):
        env = ashen.make_vec("iudex", fight=fight, encoder="raw26", backend="game")
        facts = {"boss": "iudex", "fight": fight, "kind": "evaluation"}
        for place, policy in enumerate((
            LateRoller("late-roller", env.action_names, "iudex"),
            RandomPolicy("random-valid", env.action_names, only_valid=True),
        )):
            seeds = fight_seeds(place, fights // 2)
            about = facts | {"env_step": 2 * number + place}
            play_match(env, policy, seeds, record=lambda record: save_fight(record, kept), facts=about)
        env.close()
    numbers = judged_calibration(*fights_from([str(kept)], tmp_path, None)).numbers
    true, before = shifted_windows(boss), shifted_windows(boss_file("iudex"))
    sure = [path for path in true if numbers.seen.get(path, 0) >= SURE_FROM]
    off = np.array([abs(numbers.value(path)[0] - true[path]) for path in sure])
    was = np.array([abs(before[path] - true[path]) for path in sure])
    assert len(sure) >= 10 and was.min() > 0.03 and was.max() > 0.15
    # Not all: the motion of a link of a chain may be told to begin too late, from simulated fights too.
    assert np.median(off) < 0.03 and np.mean(off < 0.06) > 0.9


@pytest.mark.slow
def test_finetuning_on_the_game_is_one_command(elsewhere, tmp_path, capsys):
    """Breaks if on the game nothing is recorded and refitted by itself, or the encoder goes on with the old table."""
    boss = shifted_boss(0, tmp_path / "shifted.toml")
    elsewhere({"fault": "read_error", "after_ticks": 3000}, table=str(boss))
    folder = ["--runs-dir", str(tmp_path)]
    words = ["train", "phase1", "--name", "old", "--num-envs", "2", "--total-steps", "64", "--randomise", "none"]
    assert main([*words, *SMALL, *folder]) == 0
    words = ["finetune", "old", "--name", "new", "--total-steps", "1120", "--calibrate-steps", "1000"]
    assert main([*words, *SMALL, *ON_GAME, *folder]) == 0
    said = capsys.readouterr().err
    plan = "on the real game: iudex, phase1, speed 3, from the fixed pose\n       1,000 steps about 0.0 h"
    assert said.index(plan) < said.index("recorded fight 1:") < said.index("refitted to")
    run = RunFolder(tmp_path / "new")
    fights = [load_fight(path) for path in list_fights(run.fights, KIND)]
    assert {fight.meta["table_hash"] for fight in fights} == {"game"}
    (row,) = read_metrics(run, KIND)
    assert row["is_used"] and row["fights"] == sum(fight.meta["outcome"] != "FAULT" for fight in fights)
    assert json.loads(run.game_file.read_text(encoding="utf-8"))["faults"] == {"memory": 1}
    assert training_recipe(run).boss == str(run.calibrated_file.resolve())
    assert [row["deployed"] for row in read_metrics(run, "final")] == ["parent"]


@pytest.mark.slow
def test_names_that_no_table_knows_get_an_id_for_the_next_training(elsewhere, tmp_path, capsys):
    """Breaks if a new animation is only counted, if its file cannot be used, or an old agent meets it unwarned."""
    elsewhere(
        *(
            {"fault": "boss_animation", "name": name, "attack": attack, "after_ticks": ticks, "for_ticks": 40}
            for name, attack, ticks in (("Attack1501", 1501, 1200), ("Idle2", -1, 1800), ("\u00a7$", -1, 2400))
        )
    )
    folder = ["--runs-dir", str(tmp_path)]
    words = ["train", "phase1", "--backend", "game", "--total-steps", "180", "--phase2-starts", "0", "--name", "first"]
    words += ["--randomise", "none", "--world-steps-per-s", "0", "--num-envs", "1", "--log-every", "60"]
    assert main([*words, *SMALL, *folder]) == 0
    run = RunFolder(tmp_path / "first")
    learned = run.learned_animations_file
    known, now = (boss_vocabulary(file) for file in (boss_file("iudex"), learned))
    assert now.names == (*known.names, "Attack1501", "Idle2") and len(now.names) <= MAX_BOSS_ANIMATIONS
    assert now.soulsgym_count == known.soulsgym_count
    seen = json.loads(run.game_file.read_text(encoding="utf-8"))["unknown_animations"]
    assert {"boss Attack1501", "boss Idle2"} <= set(seen)
    assert str(learned) in run.log_file.read_text(encoding="utf-8")
    evaluate = ["evaluate", "first", "--backend", "sim", "--fights", "1", "--json", *folder]
    assert main(evaluate) == 0
    capsys.readouterr()
    assert main([*evaluate, "--boss", str(learned)]) == 2
    said = capsys.readouterr().err
    assert "no place for (Attack1501, Idle2); leave it out" in said and said.count("\n") == 1
    words = ["train", "phase1", "--num-envs", "2", "--total-steps", "64", "--overlay", str(learned), "--name", "second"]
    assert main([*words, *SMALL, *folder]) == 0
    assert main(["evaluate", "second", "--backend", "game", "--fights", "1", "--json", *folder]) == 0

"""Matches on the game: between the fights of a training, one fight at a time, and until the answer is sure."""

import json
from contextlib import closing

import numpy as np
import pytest
import torch
from fake_game.home import at_home

from ashen.cli import main
from ashen.core.fight import Outcome
from ashen.evaluation.sequential import anytime_interval
from ashen.options.training import read_train_options
from ashen.runs.fights import list_fights, load_fight
from ashen.runs.folder import create_run
from ashen.runs.metrics import match_text, read_metrics
from ashen.training.checkpoints import latest_checkpoint, load_checkpoint
from ashen.training.loop import Training
from ashen.training.start import resumed, run_config
from ashen.training.whole import best_checkpoint

pytestmark = pytest.mark.game
SHARE_PCT = 40.0
OPTIONS = {
    "fight": "phase1", "total-steps": 400, "evaluate-every": 60, "evaluation-fights": 2, "final-fights": 1,
    "evaluation-share-pct": SHARE_PCT, "checkpoint-every": 1000, "log-every": 100, "world-steps-per-s": 0,
    "ppo.rollout-steps": 20, "ppo.minibatch-size": 10, "ppo.width": 16, "ppo.precision": "float32",
}  # fmt: skip
WORDS = ["game", "--backend", "game", *(word for name, value in OPTIONS.items() for word in (f"--{name}", str(value)))]


@pytest.mark.slow
def test_matches_go_on_between_fights(elsewhere, tmp_path):
    """Breaks if a training fight is cut for a match, other fights or faults count in one, or they cost more time."""
    elsewhere(*({"fault": "read_error", "after_ticks": ticks} for ticks in (1500, 3000, 4500, 6000)))
    run, training = create_run(tmp_path, "a", "x"), Training(read_train_options(WORDS).recipe)
    with closing(training.env):
        list(training.run(run, lambda: False))
    rows = read_metrics(run, "evaluation")
    between = [row for row in rows if "evaluation_share" in row]
    fights = {row["env_step"]: _records(run, f"evaluation-{row['env_step']:09d}-") for row in rows}
    assert len(between) >= 2 and len(rows) == len(fights)
    cut = [record.meta["incident"]["fault"] for record in _records(run, "training") if "incident" in record.meta]
    assert set(cut) <= {"memory", "interrupted"} and cut.count("interrupted") <= 1  # by the end
    steps, faults = 0, 0
    for row in rows:
        records = fights[row["env_step"]]
        outcomes = [record.outcome for record in records]
        assert row["fights"] == len(records) and row["faults"] == outcomes.count(Outcome.FAULT)
        wins, judged = outcomes.count(Outcome.WIN), row["fights"] - row["faults"]
        assert [row["win_rate_low"], row["win_rate_high"]] == pytest.approx(anytime_interval(wins, judged))
        assert row["is_over"] == (judged == 2) and ("not finished" in match_text(row)) != row["is_over"]
        assert (row["start"], row["game_speed"], row["interval"]) == ("fixed", 3.0, "anytime")
        faults += row["faults"]
        if row in between:
            steps += sum(int(record.states["step"][-1]) for record in records)
            assert row["evaluation_share"] == pytest.approx(steps / (steps + row["game_steps"]))
            longest = max(int(record.states["step"][-1]) for record in records)
            assert steps - longest < SHARE_PCT / 100.0 * (steps - longest + row["game_steps"])
    assert faults > 0
    assert {record.meta["fight_number"] for record in fights[rows[0]["env_step"]]} == set(range(rows[0]["fights"]))


def test_a_match_is_of_the_agent_that_began_it(elsewhere, tmp_path):
    """Breaks if what is learned during a match plays in it, or another agent than the one judged is kept."""
    elsewhere()
    run, training = create_run(tmp_path, "a", "x"), Training(read_train_options(WORDS).recipe)
    run.write_config(run_config(training))
    with closing(training.env):
        list(training.run(run, lambda: _is_between_fights(training)))
    stopped = load_checkpoint(latest_checkpoint(run))
    began = stopped["training"]["matches"]["under_way"]["env_step"]
    assert 0 < began < stopped["env_step"]
    with closing((training := resumed(run)).env):
        list(training.run(run, lambda: bool(read_metrics(run, "evaluation"))))
    best, frozen = best_checkpoint(run)[1], stopped["match_agent"]["network"]
    assert best["env_step"] == began == read_metrics(run, "evaluation")[0]["env_step"]
    kept, learned = best["agent"]["network"], stopped["agent"]["network"]
    assert all(torch.equal(kept[name], frozen[name]) for name in frozen)
    assert not all(torch.equal(kept[name], learned[name]) for name in frozen)
    weighed = [record.scores[0] for record in _records(run, f"evaluation-{began:09d}-")]
    assert len(weighed) == 2 and np.allclose(weighed, weighed[0])


def test_evaluate_stops_when_it_is_sure_and_says_how_it_was_fought(capsys):
    """Breaks if a match on the game goes on although its answer is sure, or does not say what the figures hold for."""
    pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")
    words = ["evaluate", "random", "--backend", "game", "--fight", "phase1", "--fights", "8", "--json"]
    with at_home():  # whose deadlines go by the fake's clock: a busy machine ends no fight
        assert main([*words, "--sure-within", "30"]) == 0
    said = capsys.readouterr()
    assert "on the real game: iudex, phase1, speed 3, from the fixed start" in said.err
    assert "8 times at most, until the win rate is known within 30 points" in said.err
    figures = json.loads(said.out)
    # Without a win the interval is 1 - (20 (n + 1))^(-1/n) wide: .616 for 5 fights, .561 for 6.
    assert (figures["wins"], figures["fights"], figures["sure"]) == (0, 6, "known within 30 points")
    assert figures["win_rate_high"] == pytest.approx(0.561, abs=1e-3)
    told = {"backend": "game", "game_speed": 3.0, "start": "fixed", "boss": "iudex", "fight": "phase1"}
    assert figures.items() >= (told | {"interval": "anytime", "losses": 6, "timeouts": 0, "faults": 0}).items()


def _is_between_fights(training):
    """Whether a match has one of its two fights behind it, and the agent has learned since it began."""
    match = training._matches.status(0)
    return match.get("match/fights") == 1 and training.env_step >= match["match/env_step"] + 25


def _records(run, kind):
    return [load_fight(path) for path in list_fights(run.fights, kind)]

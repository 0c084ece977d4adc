from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ashen.agents import PPOConfig
from ashen.cli import main
from ashen.core.fight import NO_ACTION, NOTHING
from ashen.core.tables import boss_file
from ashen.env import make_vec
from ashen.env.recorded import decisions_of
from ashen.evaluation.fights import as_recording
from ashen.evaluation.judge import judge
from ashen.evaluation.opponents import make_opponent
from ashen.runs.fights import list_fights, load_fight, save_fight
from ashen.runs.folder import RunFolder, create_run
from ashen.runs.metrics import read_metrics
from ashen.training.lineage import with_lineage
from ashen.training.loop import Training
from ashen.training.pretrain import CloneConfig, Pretraining
from ashen.training.recipe import env_options, load_recipe, make_agent_for
from ashen.training.whole import best_checkpoint

OPTIONS = {"boss": "iudex", "fight": "phase1", "encoder": "raw26", "reward": "soulsgym", "actions": "all"}
SIZE = {
    "ppo": ["--ppo.width", "64", "--ppo.rollout-steps", "32"],
    "dqn": ["--dqn.width", "64", "--dqn.depth", "2"],
}
SMALL = ["--fight", "phase1", "--final-fights", "2", "--clone.max-epochs", "12"]


def recorded(name: str, folder: Path, fights: int, **changes: str) -> Path:
    """The folder, with fights of an opponent in it."""
    folder.mkdir()
    options = OPTIONS | changes
    facts = {"kind": "evaluation", "env_step": 0}
    keep = partial(save_fight, folder=folder)
    boss = options["boss"]
    judge(
        lambda env: make_opponent(name, boss, env.action_names),
        options,
        fights=fights,
        seed=1,
        record=keep,
        facts=facts,
    )
    return folder


@pytest.fixture(scope="module")
def fights(tmp_path_factory) -> Path:
    """A folder with twenty fights of roll-and-hit, some of them won."""
    return recorded("roll-and-hit", tmp_path_factory.mktemp("opponent") / "fights", 20)


@pytest.mark.parametrize("skip_steps", [True, False])
def test_decisions_are_what_the_agent_saw(skip_steps, tmp_path):
    """Breaks if observations, masks, actions or rewards of a recorded fight are not those its agent had."""
    recipe = replace(
        load_recipe("phase1"),
        skip_steps=skip_steps,
        num_envs=2,
        total_steps=64,
        evaluate_every=64,
        evaluation_fights=1,
        final_fights=1,
        ppo=PPOConfig(rollout_steps=32, width=16, precision="float32"),
    )
    run = create_run(tmp_path, "run", "x")
    list(Training(recipe).run(run, lambda: False))
    record = load_fight(list_fights(run.fights, "evaluation")[0])
    fight = as_recording(record, "here")
    env = make_vec(**env_options(recipe), num_envs=1)
    seen = decisions_of(env, skip_steps, fight.states, fight.actions[1:], fight.masks[:-1], record.outcome)
    agent = make_agent_for(recipe, env)
    agent.load_state_dict(best_checkpoint(run)[1]["agent"])
    asked = record.actions >= 0
    assert len(seen.obs) == asked.sum() and asked.all() != skip_steps
    scores = agent.act(seen.obs, seen.mask, explore=False).scores
    assert np.allclose(scores, record.scores[asked], atol=1e-5)
    assert seen.rewards.sum() == pytest.approx(record.rewards.sum(), abs=1e-4)
    known = seen.actions != NO_ACTION
    assert known.any() and (seen.actions[known] == record.actions[asked][known]).all()
    assert (seen.mask[known].sum(axis=1) > 1).all()


def test_waiting_and_keys_without_effect_are_nobodys_choice(fights):
    """Breaks if a clone is to imitate keys that did nothing, or steps in which only waiting was valid."""
    record = load_fight(list_fights(fights)[0])
    fight = as_recording(record, "here")
    actions = fight.actions[1:].copy()
    actions[fight.masks[:-1, 16] == 0] = 16  # hammers the attack where it is not valid
    env = make_vec(**OPTIONS, num_envs=1)
    seen = decisions_of(env, False, fight.states, actions, fight.masks[:-1], record.outcome)
    assert (seen.actions[~fight.masks[:-1, 16]] == NO_ACTION).all()
    assert (seen.actions[~fight.masks[:-1, :NOTHING].any(axis=1)] == NO_ACTION).all()
    assert (seen.actions != NO_ACTION).any()


def test_a_clone_says_what_it_was_made_of(fights, tmp_path, capsys):
    """Breaks if fights of several kinds are mixed in silence, or a clone is compared with what is none."""
    mixed = recorded("random", tmp_path / "full", 5, fight="full")
    runs_dir = tmp_path / "runs"
    words = ["pretrain", "--runs-dir", str(runs_dir), *SIZE["ppo"], *SMALL[:-1], "1"]
    assert main([*words, "--name", "first", "--from", str(fights)]) == 0
    assert main([*words, "--name", "second", "--from", str(fights), str(mixed)]) == 0
    made_of = "cloning 25 fights for phase1: 20 of phase1, 5 of full ("
    assert made_of in capsys.readouterr().err
    first, second = (RunFolder(runs_dir / name) for name in ("first", "second"))
    log = second.log_file.read_text(encoding="utf-8")
    assert made_of in log and "cloned in " in log and "decisions held out are right" in log and "final match: " in log
    against = second.read_config()["against"]
    assert second.read_config()["recipe_name"] == "full"
    assert (against["run"], against["settings"]["fights.full"]) == ("first", [None, 5])
    journal = second.journal_file.read_text(encoding="utf-8")
    assert "Against first, the newest clone before it" in journal and "(20 of phase1, 5 of full)" in journal
    for verb in ("resume", "fork"):
        assert main([verb, "first", "--runs-dir", str(runs_dir)]) == 2
        assert "first is a clone of recorded fights, and no training" in (said := capsys.readouterr().err)
        assert "ashen finetune first, or ashen train RECIPE --parent first" in said
    trained = {"recipe": first.read_config()["recipe"]}
    assert "against" not in with_lineage(create_run(runs_dir, "third", "x"), trained)


@pytest.mark.parametrize("moment", ["fitting", "match"])
def test_a_cloning_that_is_stopped_is_saved_at_once(moment, fights, tmp_path):
    """Breaks if Ctrl-C waits for the end of a pass or of the match, or loses what was cloned."""
    recipe = replace(load_recipe("phase1"), ppo=PPOConfig(rollout_steps=32, width=16, precision="float32"))
    run, asked = create_run(tmp_path, "run", "x"), []
    pretraining = Pretraining(recipe, CloneConfig(max_epochs=2), [str(fights)], tmp_path, only_wins=False)

    def should_stop():
        asked.append(run.path)
        return moment == "fitting" or run.numbered_checkpoints != []

    rows = list(pretraining.run(run, should_stop))
    assert {row["kind"] for row in rows} == {"pretrain"}
    assert best_checkpoint(run)[0].name == "best.pt"
    assert (len(rows) == 1 and len(asked) <= 3) == (moment == "fitting")


def test_poor_demonstrators_are_told(fights, tmp_path, capsys):
    """Breaks if fights of another phase, or mostly lost ones, are cloned without a word."""
    lost = recorded("random", tmp_path / "lost", 6)
    words = ["pretrain", "--runs-dir", str(tmp_path), "--from", str(lost), *SIZE["ppo"], *SMALL[2:-1], "1"]
    assert main([*words, "--fight", "full", "--name", "other"]) == 0
    said = capsys.readouterr().err
    assert "ashen: the clone is to fight full, but of 6 fights 6 of phase1; --fight says which it is for\n" in said
    assert "ashen: of 6 fights 6 were lost: a clone does what it sees\n" in said
    log = (tmp_path / "other" / "run.log").read_text(encoding="utf-8")
    assert "were lost: a clone does what it sees" in log
    sound = Pretraining(load_recipe("phase1"), CloneConfig(), [str(fights)], tmp_path, only_wins=False)
    for outcomes, doubts in (
        ({"WIN": 10, "LOSS": 10}, []),
        ({"WIN": 9, "LOSS": 11}, ["of 20 fights 11 were lost: a clone does what it sees; --only-wins takes the 9 won"]),
    ):
        sound.outcomes = outcomes
        assert sound.doubts == doubts


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["ppo", "dqn"])
def test_a_clone_foretells_fights_it_has_not_seen(algorithm, fights, tmp_path, capsys):
    """Breaks if a clone of roll-and-hit is right less than 3 times in 4, or no better than its most frequent action."""
    words = [
        "pretrain",
        "--algorithm",
        algorithm,
        "--from",
        str(fights),
        "--name",
        "clone",
        "--runs-dir",
        str(tmp_path),
    ]
    assert main([*words, *SIZE[algorithm], *SMALL]) == 0
    assert "decisions held out are right" in capsys.readouterr().out
    run = RunFolder(tmp_path / "clone")
    final = read_metrics(run, "final")[0]
    assert final["held_out_accuracy"] > 0.75
    assert final["held_out_accuracy"] > final["baseline_accuracy"] + 0.1
    assert final["cloned_fights"] == 20
    assert main(["evaluate", "clone", "--fights", "1", "--runs-dir", str(tmp_path)]) == 0
    small = ["--num-envs", "2", "--total-steps", "64", "--evaluation-fights", "1"]
    small += ["--dqn.learning-starts", "32", "--dqn.batch-size", "16"] if algorithm == "dqn" else []
    words = [
        "train",
        "full",
        "--parent",
        "clone",
        "--algorithm",
        algorithm,
        "--name",
        "on",
        "--runs-dir",
        str(tmp_path),
    ]
    assert main([*words, "--fight", "phase1", "--final-fights", "2", *SIZE[algorithm], *small]) == 0
    parent = RunFolder(tmp_path / "on").read_config()["parent"]
    assert (parent["run"], parent["checkpoint_step"]) == ("clone", 0)


@pytest.mark.slow
def test_a_tuning_that_ruins_the_agent_is_not_deployed(tmp_path, capsys):
    """Breaks if an agent that wins is replaced by one that a learning rate of 1 has spoilt."""
    weak = tmp_path / "weak.toml"
    weak.write_text('base = "iudex"\n[overlay]\n"body.hp" = { v = 60.0, s = "test", c = "G" }\n', encoding="utf-8")
    folder = recorded("roll-and-hit", tmp_path / "fights", 20, boss=str(weak), fight="full")
    words = ["--runs-dir", str(tmp_path), "--final-fights", "40"]
    cloned = ["pretrain", "--from", str(folder), "--boss", str(weak), "--name", "clone", "--ppo.width", "64"]
    assert main([*cloned, *words]) == 0
    spoilt = ["finetune", "clone", "--name", "spoilt", "--total-steps", "4096", "--evaluate-every", "4096"]
    spoilt += ["--ppo.learning-rate", "1", "--ppo.kl-to-parent", "0", "--evaluation-fights", "20"]
    assert main([*spoilt, *words]) == 0
    assert "the parent agent is deployed" in capsys.readouterr().out
    before, after = (row["win_rate"] for row in read_metrics(RunFolder(tmp_path / "spoilt"), "evaluation"))
    assert before > after, "a learning rate of 1 must spoil the agent"
    final = read_metrics(RunFolder(tmp_path / "spoilt"), "final")[0]
    assert final["win_rate"] == final["parent_win_rate"] > 0.0
    own, kept = (best_checkpoint(RunFolder(tmp_path / name))[0].read_bytes() for name in ("clone", "spoilt"))
    assert own == kept


def test_bad_fights_are_told_in_one_line(fights, tmp_path, capsys, monkeypatch):
    """Breaks if fights that cannot be cloned are a traceback, cost a run folder, or do not say what to do."""
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "own.toml"
    own.write_text(boss_file("iudex").read_text(encoding="utf-8"), encoding="utf-8")
    files = [str(path) for path in list_fights(fights)]
    lost = recorded("random", tmp_path / "lost", 5)
    for words, message in (
        ([], "pretrain needs --from"),
        (["--from", "none"], "unknown run 'none'"),
        (["--from", "none.npz"], "no recorded fight at none.npz"),
        (["--from", *files[:4]], "4 fights of 4 recorded ones are too few"),
        (["--from", str(lost), "--only-wins"], "0 won fights of 5 recorded ones are too few"),
        (["--from", str(fights), "--boss", "own.toml"], "give fights of one boss at a time"),
        (["--from", str(fights), "--actions", "walk_forward", "nothing"], "not among the recipe's actions"),
        (["--from", str(fights), "--ppo.kl-to-parent", "1"], "a clone has none"),
        (["--from", str(fights), "--encoder", "dict"], "no learner takes the encoder 'dict'"),
        (["--from", str(fights), "--clone.batch-size", "0"], "--clone.batch-size 0 must be at least 1"),
    ):
        assert main(["pretrain", "--runs-dir", "runs", *words]) == 2, words
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1, said
    assert not (tmp_path / "runs").exists()

"""Recorded fights listed, rescored and exported: against hand-worked numbers, and against what the agent met."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest

import ashen
from ashen.cli import main
from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES, FIGHT_STATE, Outcome
from ashen.evaluation.fight_list import Choice, fight_rows
from ashen.evaluation.match import play_match
from ashen.evaluation.opponents import make_opponent
from ashen.evaluation.rescoring import rescore, reward_from
from ashen.runs.fights import FightRecord, list_fights, load_fight, save_fight
from ashen.runs.folder import create_run

ROLL, ATTACK = ACTION_NAMES.index("roll_back"), ACTION_NAMES.index("light_attack")


@pytest.fixture
def run(tmp_path):
    """An empty run folder."""
    run = create_run(tmp_path, "run", "x")
    run.write_config({})
    return run


def keep(run, number, boss_hp, player_hp, actions, outcome, old, **meta):
    """Record a fight of these hit points in which nobody moves; ``old`` is the return it is recorded with."""
    steps = len(actions)
    states = np.zeros(steps + 1, FIGHT_STATE)
    states["boss_hp"], states["player_hp"], states["step"] = boss_hp, player_hp, np.arange(steps + 1)
    states["boss_max_hp"], states["player_max_hp"], states["phase"] = 1000.0, 500.0, 1
    rewards = np.zeros(steps, np.float32)
    rewards[-1] = old
    facts = {"schema_version": 1, "kind": "training", "env_step": 100 * number, "fight_number": 0, "boss": "iudex"}
    facts |= {
        "fight": "phase1",
        "policy": "nobody",
        "action_names": list(ACTION_NAMES),
        "outcome": outcome,
        "encoder": "ashen",
        "num_steps": steps,
    }
    parts = np.ones((steps, 20), bool), np.zeros((steps, 1), np.float32), rewards, np.zeros((steps, 20), np.float32)
    save_fight(FightRecord(states, np.array(actions, np.int16), *parts, facts | meta), run.fights)


@pytest.fixture
def fought(run):
    """Three fights: a win with three hits, a loss with one, and one that a fault ended."""
    keep(run, 1, [1000, 900, 900, 300, 0], [500, 500, 400, 400, 400], [ATTACK, ROLL, ATTACK, -1], "WIN", 1.0)
    keep(run, 2, [1000, 1000, 800], [500, 250, 0], [ROLL, ROLL], "LOSS", 3.0, kind="evaluation")
    fault = {"fault": "memory", "during": "step", "message": "cannot read"}
    keep(run, 3, [1000, 1000], [400, 500], [ATTACK], "FAULT", 2.0, incident=fault)
    return run


def test_rows_are_the_hand_worked_figures(fought):
    """Breaks if a figure of a fight is wrong, or if fights are listed in another order than asked for."""
    rows = fight_rows(fought, Choice(), "step")
    assert rows[0] == {
        "file": "training-000000100-000-win.npz",
        "kind": "training",
        "step": 100,
        "outcome": "win",
        "length_s": 0.4,
        "player_hp_left": 400.0,
        "boss_hp_left": 0.0,
        "damage_dealt": 1000.0,
        "damage_taken": 100.0,
        "return": 1.0,
        "incident": "",
        "player": "",
    }
    assert [row["incident"] for row in rows] == ["", "", "memory"]
    assert [row["damage_taken"] for row in rows] == [100.0, 500.0, 0.0]  # who is healed was not hit
    for order, steps in {"length": [100, 200, 300], "damage": [100, 200, 300], "return": [200, 300, 100]}.items():
        assert [row["step"] for row in fight_rows(fought, Choice(), order)] == steps, order


@pytest.mark.parametrize(
    ("choice", "steps"),
    [
        (Choice(outcome="loss"), [200]),
        (Choice(kind="training"), [100, 300]),
        (Choice(kind="training", outcome="win"), [100]),
        (Choice(incident="memory"), [300]),
        (Choice(incident="interrupted"), []),
        (Choice(outcome="timeout"), []),
    ],
)
def test_fights_are_chosen_by_what_is_said_of_them(choice, steps, fought):
    """Breaks if a filter lets through what was not asked for."""
    assert [row["step"] for row in fight_rows(fought, choice, "step")] == steps


def test_who_fought_is_shown_where_more_than_one_did(fought, capsys):
    """Breaks if fights of a fleet do not tell their players, or if all others get an empty column."""
    for number, player, is_shown in [(4, "actor-0", False), (5, "pc", True)]:
        keep(fought, number, [1000, 900], [500, 500], [ATTACK], "LOSS", 0.0, player=player)
        assert main(["fights", "run", "--runs-dir", str(fought.path.parent)]) == 0
        title, header, *lines = capsys.readouterr().out.splitlines()
        assert header.endswith("player") is is_shown and lines[-1].endswith(player) is is_shown
        assert title == f"run: {number} fights"


def test_a_run_without_fights_is_told(run):
    """Breaks if an empty table stands for a run that has recorded nothing."""
    with pytest.raises(UserError, match="run has no recorded fights yet"):
        fight_rows(run, Choice(), "step")


def test_returns_under_another_reward_are_the_hand_worked_ones(fought):
    """Breaks if a term, a wait, an outcome or a place is counted wrongly, or a record is changed."""
    before = {path: path.read_bytes() for path in list_fights(fought.fights)}
    figures = rescore(fought, {"damage_dealt": 10.0, "roll": -1.0, "win": 5.0, "death": -4.0, "time": 0.5})
    # Win: 10 - 1 + 5 + 4 x 0.5; loss: 2 - 2 - 4 + 2 x 0.5; fault: 0.5.
    assert figures["groups"] == [
        {"kind": "evaluation", "outcome": "loss", "fights": 1, "old_mean": 3.0, "new_mean": pytest.approx(-3.0)},
        {"kind": "training", "outcome": "fault", "fights": 1, "old_mean": 2.0, "new_mean": pytest.approx(0.5)},
        {"kind": "training", "outcome": "win", "fights": 1, "old_mean": 1.0, "new_mean": pytest.approx(16.0)},
    ]
    assert figures["rank_correlation"] == pytest.approx(-1.0)
    places = {row["file"].split("-")[3]: (row["old_place"], row["new_place"]) for row in figures["changed"]}
    assert places == {"win.npz": (3, 1), "loss.npz": (1, 3)}
    assert before == {path: path.read_bytes() for path in list_fights(fought.fights)}


def test_equal_returns_have_no_order(fought):
    """Breaks if returns that are all equal are a warning of SciPy's, or an order is made up for them."""
    for path in list_fights(fought.fights):
        save_fight(replace(record := load_fight(path), rewards=record.rewards * 0.0), fought.fights)
    assert rescore(fought, "soulsgym")["rank_correlation"] is None


def test_returns_that_differ_by_rounding_are_equal(run):
    """Breaks if wins that are paid the same get places by the last digit of a sum."""
    keep(run, 1, [1000, 700, 370, 77, 0], [500] * 5, [ATTACK] * 4, "WIN", 1.0)
    keep(run, 2, [1000, 0], [500] * 2, [ATTACK], "WIN", 2.0)
    figures = rescore(run, {"damage_dealt": 1.5, "win": 2.0})
    assert figures["rank_correlation"] is None
    assert {row["new_place"] for row in figures["changed"]} == {1.5}


def test_rewards_are_read_from_the_command_line(capsys, fought):
    """Breaks if weights cannot be given there, or a wrong one is not told."""
    assert reward_from("diary") == "diary"
    assert reward_from("preset=diary, win=2") == {"preset": "diary", "win": 2.0}
    for text, message in (
        ("win=much", "'win=much' is no weight"),
        ("wim=1", "unknown reward term 'wim' in the reward; did you mean 'win'?"),
        ("diari", "did you mean 'diary'?"),
        ("win=nan", "is no number"),
    ):
        assert main(["rescore", str(fought.path), "--reward", text]) == 2
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1
    assert main(["rescore", str(fought.path), "--reward", "win=2,death=-1"]) == 0
    said = capsys.readouterr().out
    assert "rank correlation" in said and "training-000000100-000-win.npz" in said
    assert main(["rescore", str(fought.path), "--reward", "win=2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reward"] == {"win": 2.0}


class Noting:
    """An opponent that remembers what it was shown."""

    name, score_kind = "noting", "probabilities"

    def __init__(self, env):
        self._own = make_opponent("roll-and-hit", "iudex", env.action_names)
        self.fights = []

    def begin(self, seeds):
        self.fights.append(([], []))
        self._own.begin(seeds)

    def act(self, states, obs, mask):
        for kept, part in zip(self.fights[-1], (obs[0], mask[0]), strict=True):
            kept.append(part.copy())
        return self._own.act(states, obs, mask)


@pytest.fixture(params=[True, False], ids=["waiting", "every step"])
def met(request, run):
    """A run with four fights, and what their agent met in them."""
    options = {"fight": "phase1", "encoder": "onehot74", "reward": "diary", "actions": "diary16"}
    env = ashen.make_vec("iudex", **options, num_envs=1, skip_steps=request.param)
    agent, records = Noting(env), []
    facts = {"kind": "evaluation", "env_step": 0, "boss": "iudex", "encoder": "onehot74", "fight": "phase1"}
    play_match(env, agent, [3, 4, 5, 6], record=records.append, facts=facts)
    for record in records:
        save_fight(record, run.fights)
    return run, agent, records


def test_the_own_reward_gives_back_the_recorded_returns(met):
    """Breaks if waits, escalating hits or outcomes are paid otherwise than in the fight."""
    run, _, records = met
    figures = rescore(run, "diary")
    for group in figures["groups"]:
        assert group["new_mean"] == pytest.approx(group["old_mean"], abs=1e-4)
    assert sum(group["fights"] for group in figures["groups"]) == len(records) == 4
    assert figures["rank_correlation"] == pytest.approx(1.0)
    assert figures["changed"] == []


@pytest.fixture
def minari(tmp_path, monkeypatch):
    """Minari, with an empty place for its data sets."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "sets"))
    pytest.importorskip("h5py", reason="h5py is not installed: python bootstrap.py test installs it")
    return pytest.importorskip("minari", reason="Minari is not installed: python bootstrap.py test installs it")


def test_a_data_set_holds_what_the_agent_met(met, minari, capsys):
    """Breaks if an observation, a mask, an action, a reward or an end differs from what the agent met in its fight."""
    run, agent, records = met
    save_fight(replace(records[0], meta=records[0].meta | {"outcome": "FAULT", "env_step": 9}), run.fights)
    assert main(["export", str(run.path), "--minari", "gundyr/mine-v0"]) == 0
    said = capsys.readouterr()
    assert "4 fights" in said.err and "1 that ended in a fault are left out" in said.err
    data = minari.load_dataset("gundyr/mine-v0")
    assert list(minari.list_local_datasets()) == ["gundyr/mine-v0"]
    assert data.total_episodes == 4 and data.action_space.n == 16
    paths = list_fights(run.fights, "evaluation-000000000")
    told = list(data.storage.get_episode_metadata(range(4)))
    assert [row["file"] for row in told] == [path.name for path in paths]
    by_seed = {record.meta["seed"]: shown for record, shown in zip(records, agent.fights, strict=True)}
    for path, episode in zip(paths, data, strict=True):
        record = load_fight(path)
        obs, masks = by_seed[record.meta["seed"]]
        assert np.array_equal(episode.observations[:-1], obs)
        assert np.array_equal(episode.infos["action_mask"][:-1], masks)
        assert episode.infos["action_mask"][-1].all() and len(episode.observations) == len(obs) + 1
        assert np.array_equal(episode.actions, record.actions[record.actions >= 0])
        assert episode.rewards.sum() == pytest.approx(record.rewards.sum(), abs=1e-4)
        is_over = record.outcome in (Outcome.WIN, Outcome.LOSS)
        assert episode.terminations.tolist() == [False] * (len(obs) - 1) + [is_over]
        assert episode.truncations.tolist() == [False] * (len(obs) - 1) + [not is_over]
        assert data.observation_space.contains(episode.observations[-1])
    assert data.total_steps == sum(len(obs) for obs, _ in by_seed.values())


def test_what_cannot_be_exported_is_told_and_leaves_nothing(fought, minari, tmp_path, capsys, monkeypatch):
    """Breaks if half a data set stays, if one is written over, or if a mistake is a traceback."""
    monkeypatch.chdir(tmp_path)
    words = ["export", str(fought.path), "--minari"]
    (tmp_path / "own").mkdir()
    assert main([*words, os.path.join(".", "own", "mine")]) == 0  # noqa: PTH118 (a Path drops the dot)
    assert capsys.readouterr().out.strip().endswith("mine-v0")
    assert minari.MinariDataset(tmp_path / "own" / "mine-v0" / "data").total_episodes == 2
    keep(fought, 4, [9, 9], [9, 9], [0], "LOSS", 0.0, encoder="raw26")
    for target, message in (
        (os.path.join(".", "own", "mine-v0"), "is there already; give --minari another name, such as mine-v1"),  # noqa: PTH118
        ("mine", "was seen or fought otherwise than the fights before"),
        ("a b", "'a b-v0' is no name of a data set"),
        ("x/y-v0", "take letters, digits, - and _, two or more before a /, such as mine-v0 or gundyr/mine-v0"),
        (os.path.join(".", "none", "mine"), "there is no folder"),  # noqa: PTH118
    ):
        assert main([*words, target]) == 2
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1, said
    assert not (tmp_path / "sets" / "mine-v0").exists()

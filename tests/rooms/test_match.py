import numpy as np
import pytest

import ashen
from ashen.core.fight import FIGHT_STATE, Outcome
from ashen.core.protocols import Decision
from ashen.core.vocabulary import Vocabulary
from ashen.evaluation.damage import DamageWatch
from ashen.evaluation.judge import judge
from ashen.evaluation.match import FightResult, fight_seeds, play_match
from ashen.evaluation.opponents import make_opponent
from ashen.evaluation.sequential import SureWhen
from ashen.evaluation.summary import summarise
from ashen.runs.fights import WAITED, FightRecord

VOCABULARY = Vocabulary(("Attack1", "Attack2", "Walk"), 3)


class Counting:
    """A world whose fights follow from their seed: odd ones are lost after 1 step, even ones won after 5."""

    def __init__(self, num_envs):
        self.num_envs = num_envs
        self.action_names = ("wait",)
        self.reward = type("Terms", (), {"names": ("one",)})
        self.backend = type(
            "Tables", (), {"boss_vocabulary": VOCABULARY, "player_vocabulary": VOCABULARY, "table_hash": "counting"}
        )
        self.states = np.zeros(num_envs, FIGHT_STATE)
        self.states["boss_max_hp"] = 1
        self.final_states = self.states.copy()
        self.waits = ()

    def keep_waits(self, keep):
        """Nothing is ever waited for here."""

    def reset(self, seed):
        self.seeds = np.array(seed, np.uint64)
        self.states["step"] = 0
        return self.states["step"], self._info(np.zeros(self.num_envs))

    def step(self, actions):
        self.states["step"] += 1
        lost = (self.seeds % 2 == 1) & (self.states["step"] == 1)
        won = self.states["step"] == 5
        self.final_states = self.states.copy()
        self.states["step"][lost | won] = 0
        self.seeds[lost | won] += 2
        outcome = np.where(won, Outcome.WIN, np.where(lost, Outcome.LOSS, Outcome.RUNNING))
        return (
            self.states["step"],
            np.ones(self.num_envs),
            lost | won,
            np.zeros(self.num_envs, bool),
            self._info(outcome),
        )

    def _info(self, outcome):
        count = self.num_envs
        return {
            "action_mask": np.ones((count, 1), bool),
            "phase": np.ones(count),
            "outcome": outcome,
            "reward_terms": np.ones((count, 1)),
        }


class Waiting:
    """Does the one thing there is to do."""

    name, score_kind = "waiting", "probabilities"

    def begin(self, seeds):
        """Needs nothing."""

    def act(self, states, obs, mask):
        return Decision(np.zeros(len(states), np.int64), mask.astype(np.float32))


@pytest.mark.parametrize("num_envs", [1, 3, 8, 20])
def test_quick_fights_are_not_favoured(num_envs):
    """Breaks if fights that end early are counted more often, or if the result depends on how many run side by side."""
    seeds = [1, 2, 3, 4, 5, 6, 8, 10]
    results = play_match(Counting(num_envs), Waiting(), seeds)
    assert [result.outcome for result in results] == [Outcome.WIN if seed % 2 == 0 else Outcome.LOSS for seed in seeds]
    assert [result.length_steps for result in results] == [5 if seed % 2 == 0 else 1 for seed in seeds]
    assert [result.fight_return for result in results] == [5 if seed % 2 == 0 else 1 for seed in seeds]


def test_records_hold_each_fight_from_start_to_end():
    """Breaks if a record is cut wrongly, or if its meta misses what films and tools read."""
    records = []
    play_match(Counting(3), Waiting(), [2, 3, 4, 5], record=records.append, facts={"kind": "evaluation", "env_step": 7})
    assert [len(record.actions) for record in records] == [5, 1, 5, 1]
    for number, record in enumerate(records):
        assert record.states["step"].tolist() == list(range(len(record.actions) + 1))
        assert record.meta["fight_number"] == number
        assert record.meta["seed"] == [2, 3, 4, 5][number]
        assert record.meta["table_hash"] == "counting"
        assert record.outcome == (Outcome.WIN if len(record.actions) == 5 else Outcome.LOSS)


def test_a_match_stops_when_it_is_sure_and_else_all_are_played():
    """Breaks if a match stops early unasked, or goes on when the win rate is known well enough."""
    seeds = [2 * number + 1 for number in range(200)]
    assert len(play_match(Counting(20), Waiting(), seeds)) == 200
    assert len(play_match(Counting(20), Waiting(), seeds, sure_when=SureWhen(0.05))) == 80
    assert len(play_match(Counting(1), Waiting(), seeds, sure_when=SureWhen(0.1))) == 29


def test_progress_is_told_as_a_match_begins_and_whenever_a_fight_ends():
    """Breaks if a match sits silent until its first round is over, begins unfit, or tells results out of order."""
    told = []
    results = play_match(Counting(3), Waiting(), [2, 3, 4, 5], progress=told.append)
    assert [[result.length_steps for result in soon] for soon in told] == [[1], [5, 1], [5, 1, 5], [5, 1, 5, 1]]
    assert told[-1] == results
    options = {"boss": "iudex", "fight": "phase2", "encoder": "ashen", "reward": "soulsgym"}
    told.clear()

    def make_policy(env):
        assert told == []  # it may not fit
        return make_opponent("random", "iudex", env.action_names)

    judge(make_policy, options, fights=2, seed=0, progress=told.append)
    assert [len(soon) for soon in told] == [0, 1, 2]


def test_the_simulator_gives_the_same_match_for_any_size():
    """Breaks if the number of fights side by side changes a fight or a random opponent's play."""
    matches = []
    for num_envs in (2, 5):
        env = ashen.make_vec("iudex", fight="full", num_envs=num_envs)
        matches.append(play_match(env, make_opponent("random", "iudex", env.action_names), fight_seeds(3, 5)))
    assert matches[0] == matches[1]
    assert len({result.length_steps for result in matches[0]}) > 1


def test_summary_by_hand():
    """Breaks if a figure of a match is not what one counts by hand; faults are counted apart."""

    def result(outcome, fight_return, phase2, idle_s=2.0, blow=True):
        return FightResult(outcome, fight_return, 10, 0.5, phase2, {"Attack1": 2}, {"Attack1": 30.0}, idle_s, blow)

    results = [result(Outcome.WIN, 1.0, True), result(Outcome.LOSS, -1.0, True), result(Outcome.FAULT, 9.0, False, 9.0)]
    figures = summarise(results, full_fight=True)
    counts = {name: figures[name] for name in ("fights", "wins", "losses", "timeouts", "faults")}
    assert counts == {"fights": 3, "wins": 1, "losses": 1, "timeouts": 0, "faults": 1}
    assert figures["win_rate"] == 0.5
    assert figures["phase_change_rate"] == 1.0
    assert (figures["interval"], "sure" in figures) == ("fixed", False)
    sequential = summarise(results, full_fight=True, sure_when=SureWhen(0.5))
    assert (sequential["interval"], sequential["sure"]) == ("anytime", "known within 50 points")
    assert sequential["win_rate_high"] - sequential["win_rate_low"] > figures["win_rate_high"] - figures["win_rate_low"]
    assert figures["return_mean"] == 0.0
    assert figures["damage_per_attack"] == {"Attack1": {"shown": 2.0, "damage": 30.0}}
    assert "phase_change_rate" not in summarise(results, full_fight=False)
    assert (figures["longest_boss_idle_s"], figures["kills_without_blow_share"]) == (2.0, 0.0)
    others = [result(Outcome.WIN, 1.0, True, 3.0, blow=False), result(Outcome.LOSS, 1.0, True, blow=False)]
    figures = summarise([*results, *others], full_fight=True)
    assert (figures["longest_boss_idle_s"], figures["kills_without_blow_share"]) == (3.0, 0.5)


def test_damage_goes_to_the_attack_shown_or_just_gone():
    """Breaks if lost hit points are put down to the wrong attack, or a fall to any."""
    watch = DamageWatch(5, VOCABULARY, Vocabulary(("Idle", "FallLoop"), 2))
    before, after = np.zeros(5, FIGHT_STATE), np.zeros(5, FIGHT_STATE)
    before["player_hp"], after["player_hp"] = 100, 60
    before["boss_animation"] = 2
    after["boss_animation"] = [0, 2, 2, -1, 0]
    after["previous_boss_attack"] = [1, 1, 1, -1, -1]
    after["player_animation"] = [0, 0, 0, -1, 1]
    after["boss_seen_since_s"][:, 1] = [5.0, 0.8, 5.0, 0.0, 5.0]
    watch.watch(before, after)
    names = ["Attack1", "Attack2", "unexplained", "unexplained", "fall"]
    assert [watch.lost(slot) for slot in range(5)] == [{name: 40} for name in names]
    assert [watch.attacks(slot) for slot in range(4)] == [{"Attack1": 1}, {}, {}, {}]


@pytest.mark.parametrize("skip_steps", [False, True])
def test_the_simulator_leaves_no_lost_hit_point_unexplained(skip_steps):
    """Breaks if a throw counts as nobody's, or a blow that lands while the environment waits."""
    env = ashen.make_vec("iudex", fight="phase2", num_envs=20, skip_steps=skip_steps, seed=0)
    results = play_match(env, make_opponent("always-attack", "iudex", env.action_names), fight_seeds(0, 20))
    costs = {name for result in results for name in result.damage}
    assert "ThrowAtk" in costs and all(name.startswith(("Attack", "ThrowAtk", "fall")) for name in costs)


def test_a_record_holds_every_step_that_was_waited_through():
    """Breaks if ``skip_steps`` leaves gaps in a record, or its rewards do not add up to what the agent was paid."""
    env = ashen.make_vec("iudex", fight="full", num_envs=3, encoder="raw26", reward="diary", skip_steps=True, seed=0)
    records: list[FightRecord] = []
    results = play_match(
        env, make_opponent("random-valid", "iudex", env.action_names), [1, 2, 3], record=records.append
    )
    for record, result in zip(records, results, strict=True):
        assert (np.diff(record.states["step"]) == 1).all()
        assert record.rewards.sum() == pytest.approx(result.fight_return, abs=1e-4)
        assert (record.actions == WAITED).any()
        assert (record.masks.any(axis=1) == (record.actions != WAITED)).all()

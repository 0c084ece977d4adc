"""Planning: copies are the fight and do not disturb it, their dice are their own, and looking ahead pays."""

import numpy as np
import pytest

import ashen
from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE, NOTHING, Outcome
from ashen.core.protocols import Decision
from ashen.evaluation.judge import judge
from ashen.evaluation.match import fight_seeds, play_match
from ashen.evaluation.opponents import make_opponent
from ashen.evaluation.planning import PlanConfig, Planner, make_oracle, planned

WORLD = {"boss": "iudex", "fight": "full", "encoder": "ashen", "reward": "soulsgym", "actions": "all"}
SHORT = PlanConfig(candidates=20, steps=6, samples=2)
LONG = PlanConfig(candidates=20, steps=30, samples=2)
"""Long enough for the boss to decide something."""


def random_actions(env, count, seed):
    """Actions [count, N]."""
    return np.random.default_rng(seed).integers(0, len(env.action_names), (count, env.num_envs))


def fight_of(env, steps=80, seed=3):
    """The environment in the middle of its fights; returns observations and info."""
    env.reset(seed=seed)
    for actions in random_actions(env, steps, seed):
        obs, _, _, _, info = env.step(actions)
    return obs, info


@pytest.mark.parametrize("skip_steps", [False, True])
def test_a_copy_is_the_fight_and_does_not_disturb_it(skip_steps):
    """Breaks if a copy lacks something of the fight, or if looking ahead changes the fight in a single bit."""
    watched, alone = (ashen.make_vec(**WORLD, num_envs=3, skip_steps=skip_steps) for _ in range(2))
    fight_of(watched)
    fight_of(alone)
    copies = watched.branch(np.arange(3), watched.backend.snapshot()["stream"])
    assert copies.backend.states.tobytes() == watched.states.tobytes()
    for actions in random_actions(watched, 12, 9):
        for row in watched.branch(np.array([0, 0, 2]), np.arange(3, dtype=np.uint64)), copies:
            ahead = row.step(actions)
        obs, rewards, *_ = watched.step(actions)
        np.testing.assert_array_equal(ahead.obs, obs)
        np.testing.assert_array_equal(ahead.rewards, rewards)
        assert copies.backend.states.tobytes() == watched.states.tobytes()
        alone.step(actions)
        assert watched.backend.snapshot().tobytes() == alone.backend.snapshot().tobytes()


def test_copies_have_dice_of_their_own():
    """Breaks if copies share the fight's dice, which would be foreknowledge, or all roll the same."""
    env = ashen.make_vec(**WORLD, num_envs=1)
    fight_of(env)
    copies = env.branch(np.zeros(40, np.int64), np.arange(40, dtype=np.uint64))
    for _ in range(40):
        copies.step(np.full(40, NOTHING))
    assert len(np.unique(copies.backend.states["boss_x_m"])) > 5


def test_a_plan_knows_the_state_and_not_the_dice():
    """Breaks if a decision depends on what the fight is going to draw."""
    env = ashen.make_vec(**WORLD, num_envs=24)
    obs, info = fight_of(env)
    planner = Planner("p", make_opponent("roll-and-hit", "iudex", env.action_names), env, LONG)
    planner.begin(np.arange(24, dtype=np.uint64))
    decisions = []
    for stream in (1, 2):
        worlds = env.backend.snapshot()
        worlds["stream"] = stream
        states = env.states.copy()
        env.backend.restore(worlds)
        decisions.append(planner.act(states, obs, info["action_mask"]))
    np.testing.assert_array_equal(decisions[0].scores, decisions[1].scores)
    assert len(np.unique(decisions[0].scores)) > 6
    planner.begin(np.arange(24, 48, dtype=np.uint64))
    assert (planner.act(env.states.copy(), obs, info["action_mask"]).scores != decisions[0].scores).any()


class Ladder:
    """Copies of a world of 3 actions: each pays its number times ten to the minus steps; two steps of action 2 win.

    The fight of slot 1 has no choice, and action 0 is not valid anywhere.
    """

    action_ids = np.arange(3)

    def __init__(self, rows=(), streams=()):
        self.asked, self.backend = (list(rows), list(streams)), self
        self.states = np.zeros(len(rows), FIGHT_STATE)
        self.twos = np.zeros(len(rows), np.int64)

    def branch(self, rows, streams):
        self.last = Ladder(rows, streams)
        return self.last

    def step(self, actions):
        rewards = actions * 0.1 ** self.states["step"]
        self.states["step"] += 1
        self.twos += actions == 2
        outcome = np.where(self.twos >= 2, Outcome.WIN, Outcome.RUNNING).astype(np.int8)
        mask = np.ones((len(actions), 3), np.bool_)
        return type("Step", (), {"obs": mask, "mask": mask, "rewards": rewards, "outcome": outcome})


class Stubborn:
    """Always wants one action; likes 1 next best."""

    name, score_kind = "stubborn", "probabilities"

    def __init__(self, action):
        self.action = action

    def begin(self, seeds):
        """Needs nothing."""

    def act(self, states, obs, mask):
        scores = np.tile([0.1, 0.3, 0.2], (len(states), 1)).astype(np.float32)
        return Decision(np.full(len(states), self.action), scores)


@pytest.mark.parametrize(
    ("own", "config", "value", "action", "scores"),
    [
        # after the tried action the own one pays a twentieth, then a four-hundredth; 0 is not valid
        (1, PlanConfig(20, 3, 2), None, 2, [1.0525, 1.0525, 2.0525]),
        (1, PlanConfig(20, 3, 2), 100.0, 2, [13.5525, 13.5525, 14.5525]),
        # the copy that tries 2 has won after two steps: a third does not count, nor does the value
        (2, PlanConfig(20, 3, 2), None, 2, [1.105, 1.105, 2.1]),
        (2, PlanConfig(20, 2, 2), 100.0, 1, [2.1, 26.1, 2.1]),
        # the own choice is always tried, then the best by the policy's scores
        (2, PlanConfig(1, 3, 2), None, 2, [2.1, 2.1, 2.1]),
        (1, PlanConfig(2, 3, 2), None, 2, [1.0525, 1.0525, 2.0525]),
    ],
)
def test_the_best_return_by_hand(own, config, value, action, scores):
    """Breaks if returns, discounts, ended copies, the value at the end or the candidates are counted wrong."""
    ladder = Ladder()
    values = None if value is None else lambda obs, mask: np.full(len(mask), value)
    planner = Planner("p", Stubborn(own), ladder, config, values, discount=0.5)
    planner.begin(np.array([7, 8], np.uint64))
    mask = np.array([[False, True, True], [False, True, False]])
    decision = planner.act(np.zeros(2, FIGHT_STATE), None, mask)
    assert decision.actions.tolist() == [action, own]
    np.testing.assert_allclose(decision.scores, [scores, [0.0, 0.0, 0.0]], rtol=1e-6)
    rows, streams = ladder.last.asked
    assert set(rows) == {0}
    assert len(set(streams)) == 2 and streams == streams[:2] * (len(rows) // 2)


def test_a_plan_does_not_depend_on_how_many_fights_run():
    """Breaks if the number of fights side by side changes what is planned."""
    matches = []
    for num_envs in (1, 2):
        env = ashen.make_vec(**WORLD | {"fight": "phase2", "encoder": "dict"}, num_envs=num_envs)
        planner = Planner("p", make_opponent("always-attack", "iudex", env.action_names), env, SHORT)
        matches.append(play_match(env, planner, fight_seeds(3, 2)))
    assert matches[0] == matches[1]


def test_only_a_trained_agent_can_be_planned_for():
    """Breaks if a policy with a memory of its own plays on in copies, where that memory is wrong."""
    env = ashen.make_vec(**WORLD, num_envs=1)
    with pytest.raises(UserError, match="random cannot plan"):
        planned(lambda env: make_opponent("random", "iudex", env.action_names), 20, 4)(env)


@pytest.mark.slow
def test_the_oracle_wins():
    """Breaks if looking ahead does not pay: random play never wins, the oracle nearly always."""
    asked = {"fights": 10, "seed": 5}
    random = judge(lambda env: make_opponent("random-valid", "iudex", env.action_names), WORLD, **asked)
    oracle = judge(lambda env: make_oracle("iudex", env), WORLD, **asked)
    assert random["win_rate"] == 0.0
    assert oracle["wins"] >= 9
    assert oracle["return_mean"] > random["return_mean"] + 1.5

"""Learning beside a world that does not wait."""

from dataclasses import replace

import numpy as np
import worlds
from small import NUM_ENVS, SMALL_DQN, SMALL_PPO, agent_of

from ashen.agents import PPOConfig
from ashen.core.fight import FIGHT_STATE, Outcome
from ashen.runs.folder import create_run
from ashen.runs.metrics import read_metrics
from ashen.training.loop import Training
from ashen.training.pace import Pace
from ashen.training.recipe import Recipe
from ashen.training.tally import Tally


class Clock:
    """A clock that stands still until it is moved on."""

    def __init__(self, monkeypatch):
        self.now_s = 100.0
        monkeypatch.setattr("ashen.training.pace.time.perf_counter", lambda: self.now_s)


def test_time_that_is_not_used_is_saved_and_what_is_overspent_is_not_owed(monkeypatch):
    """Breaks if learning gets another time than the world takes for its steps."""
    clock, pace = Clock(monkeypatch), Pace(steps_per_s=20.0)
    with pace.beside(10):  # 0.5 s
        clock.now_s += 0.1
        assert not pace.is_over()
    with pace.beside(2):  # 0.1 s and 0.4 s saved
        clock.now_s += 0.45
        assert not pace.is_over()
        clock.now_s += 0.1
        assert pace.is_over()
    with pace.beside(1):  # what it took too long is lost for the world, not owed by learning
        assert not pace.is_over()
        clock.now_s += 0.05
        assert pace.is_over()


def test_a_world_that_waits_sets_no_limit(monkeypatch):
    """Breaks if trainings in the simulator depend on the clock, so that no two are the same."""
    clock, pace = Clock(monkeypatch), Pace(steps_per_s=0.0)
    with pace.beside(1):
        clock.now_s += 1e6
        assert not pace.is_over()


def test_ppo_leaves_out_what_does_not_fit():
    """Breaks if a rollout is learned from beyond the time there is, or is not given up then."""
    agent, asked = agent_of(replace(SMALL_PPO, epochs=3, minibatch_size=32)), []
    world = worlds.Walk(NUM_ENVS)
    while not agent.rollout.is_full:
        decision = agent.act(world.obs(), world.mask(), explore=True)
        agent.observe(world.step(decision.actions))
    before = agent.network.policy[0].weight.detach().clone()
    assert agent.update(lambda: True) == {}
    assert (agent.network.policy[0].weight == before).all() and not agent.rollout.is_full

    learned = agent.learn
    agent.learn = lambda *args: (asked.append(1), learned(*args))[1]
    while not agent.rollout.is_full:
        decision = agent.act(world.obs(), world.mask(), explore=True)
        agent.observe(world.step(decision.actions))
    assert "policy_loss" in agent.update(lambda: len(asked) >= 4)
    assert len(asked) == 4  # of 9 minibatches


def test_dqn_leaves_out_updates_that_do_not_fit():
    """Breaks if updates that found no time are made up for later, so that the game waits then."""
    agent, world = agent_of(replace(SMALL_DQN, updates_per_step=2.0)), worlds.Walk(NUM_ENVS)
    for _ in range(20):
        decision = agent.act(world.obs(), world.mask(), explore=True)
        agent.observe(world.step(decision.actions))
        assert agent.update(lambda: True) == {}
    assert agent.updates == 0 and agent.credit < 1.0


def test_rows_count_the_steps_of_the_game(tmp_path):
    """Breaks if steps that went by without a decision are not counted, or phase changes are not."""
    recipe = Recipe(
        fight="full", skip_steps=True, num_envs=2, total_steps=400, evaluate_every=400, evaluation_fights=1,
        final_fights=1, checkpoint_every=200, log_every=100, ppo=PPOConfig(rollout_steps=32, epochs=1, width=8),
    )  # fmt: skip
    run = create_run(tmp_path, "counted", "test")
    training, passed = Training(recipe), []
    world = training.env.step

    def step(actions):
        before = training.env.states["step"].copy()
        result = world(actions)
        passed.append(int(np.sum(training.env.final_states["step"] - before)))
        return result

    training.env.step = step
    list(training.run(run, lambda: False))
    rows = read_metrics(run, "train")
    assert rows[-1]["game_steps"] == sum(passed) > 2 * rows[-1]["env_step"]
    assert all(row["phase_change_rate"] in (None, 0.0) for row in rows)  # nobody gets there that soon


def test_phase_changes_are_counted_where_there_are_any():
    """Breaks if a training of one phase shows a rate that says nothing, or that of the full fight is wrong."""
    for full_fight, expected in ((True, 0.5), (False, None)):
        tally, final = Tally(2, (), full_fight), np.zeros(2, FIGHT_STATE)
        final["phase"] = 1, 2
        info = {"reward_terms": np.zeros((2, 0)), "outcome": np.array([Outcome.LOSS, Outcome.LOSS])}
        over = np.ones(2, np.bool_)
        tally.add_step(np.zeros(2), info, over, over, final, np.ones(2, np.int32))
        assert tally.take_row().get("phase_change_rate") == expected

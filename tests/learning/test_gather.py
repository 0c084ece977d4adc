"""Gathering elsewhere: what others send is learned from as what an agent has seen itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small import EVERYTHING, SMALL_DQN, SMALL_PPO, agent_of

from ashen.agents.acting import acting_state, load_acting_state
from ashen.core.protocols import Transitions
from ashen.training.fleet.batch import merged

CONFIGS = {"dqn": SMALL_DQN, "everything": EVERYTHING, "ppo": SMALL_PPO}


def stream(steps, num_envs, seed=0):
    """Steps of environments in which fights end in all ways."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        obs, next_obs = rng.normal(size=(2, num_envs, 4)).astype(np.float32)
        mask, next_mask = rng.random((2, num_envs, 5)) < 0.7
        mask[:, 0] = next_mask[:, 0] = True
        draw = rng.random(num_envs)
        ends = (draw < 0.05, (draw > 0.05) & (draw < 0.1), draw > 0.97)
        rewards = rng.normal(size=num_envs).astype(np.float32)
        yield Transitions(obs, mask, np.zeros(num_envs, np.int64), rewards, next_obs, next_mask, *ends)


def part_of(step, envs):
    """The step of some of its environments alone."""
    return Transitions(*(values[envs] for values in step))


@pytest.mark.parametrize("name", CONFIGS)
def test_one_gatherer_and_a_learner_are_one_agent(name):
    """Breaks if anything of a step is lost, doubled or changed on the way from who gathers to who learns."""
    alone, gatherer, learner = (agent_of(CONFIGS[name]) for _ in range(3))
    for step in stream(200, 3):
        alone.observe(step)
        alone.update()
        if (part := gatherer.gather(step)) is not None:
            sent = {name: values.copy() for name, values in part.items()}
            for values in sent.values():  # as what comes over a wire; torch warns of it
                values.flags.writeable = False
            learner.take([sent])
    assert learner.updates == alone.updates > 0 and learner.steps >= alone.steps - 3 * 32
    for ours, theirs in zip(learner.learners, alone.learners, strict=True):
        torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0.0, atol=0.0)


def test_rollouts_of_several_gatherers_are_one():
    """Breaks if a truncated fight of one gatherer is bootstrapped from an observation of another's, or if advantages
    and rewards are scaled for each gatherer alone: a pass over all steps at once has to do the same whoever made them.
    """
    config = replace(SMALL_PPO, epochs=1, minibatch_size=96)
    alone, learner = agent_of(config), agent_of(config)
    gatherers = {(0, 2): agent_of(config, 2), (1,): agent_of(config, 1)}
    for step in stream(64, 3):
        alone.observe(step)
        parts = [agent.gather(part_of(step, list(envs))) for envs, agent in gatherers.items()]
        alone.update()
        if parts[0] is not None:
            learner.take(parts)
    assert learner.updates == alone.updates == 2
    torch.testing.assert_close(learner.network.state_dict(), alone.network.state_dict(), rtol=1e-4, atol=1e-5)


def test_rollouts_of_different_lengths_are_learned_from_together():
    """Breaks if players whose shares are rounded to different lengths, as from outside, end a training of PPO."""
    config = replace(SMALL_PPO, epochs=1)
    learner, parts = agent_of(config), []
    for num_envs, steps in ((1, 16), (2, 16), (1, 21)):
        gatherer = agent_of(replace(config, rollout_steps=steps), num_envs)
        parts += [part for step in stream(steps, num_envs) if (part := gatherer.gather(step)) is not None]
    assert learner.take(parts) and learner.updates == 1 and learner.steps == 16 + 32 + 21


@pytest.mark.parametrize("name", CONFIGS)
def test_acting_by_another_agents_networks(name):
    """Breaks if who gathers acts otherwise than who learns would, after loading what that sends."""
    learner, gatherer = agent_of(CONFIGS[name], seed=1), agent_of(CONFIGS[name], seed=2)
    for step in stream(100, 3):
        learner.observe(step)
        learner.update()
    obs, mask = np.ones((3, 4), np.float32), np.ones((3, 5), np.bool_)
    before = gatherer.act(obs, mask, explore=False).scores
    load_acting_state(gatherer, acting_state(learner))
    after = gatherer.act(obs, mask, explore=False).scores
    assert not np.allclose(before, after)
    np.testing.assert_array_equal(after, learner.act(obs, mask, explore=False).scores)
    assert gatherer.status().get("epsilon") == learner.status().get("epsilon")


@pytest.mark.parametrize("batch_steps", [1, 7, 100])
def test_a_batch_across_the_start_owes_what_comes_after_it(batch_steps):
    """Breaks if a batch that crosses ``learning_starts`` owes updates for its steps before it too: players elsewhere
    send a thousand steps at once.
    """
    config = replace(SMALL_DQN, learning_starts=60, updates_per_step=0.25, n_step=1)
    gatherer, learner = agent_of(config, 1), agent_of(config, 1)
    parts = [gatherer.gather(step) for step in stream(100, 1)]
    for first in range(0, 100, batch_steps):
        learner.take([merged(parts[first : first + batch_steps])])
    assert learner.steps == 100 and learner.updates == 10

from dataclasses import replace

import numpy as np
import pytest
import torch
import worlds
from small import NUM_ENVS, SMALL_PPO, agent_of, saved_and_loaded

from ashen.agents import losses
from ashen.core.protocols import Transitions


def constant_step(num_envs, faulted):
    """A step in which nothing differs between environments but the fault."""
    obs, mask = np.ones((num_envs, 4), np.float32), np.ones((num_envs, 5), np.bool_)
    none = np.zeros(num_envs, np.bool_)
    return Transitions(
        obs, mask, np.zeros(num_envs, np.int64), np.ones(num_envs, np.float32), obs, mask, none, none, faulted
    )


def test_ppo_leaves_faulted_steps_out():
    """Fails if a step of a fight that ended in a fault is among the samples, or a rollout of nothing else crashes.

    Environment 0 ends a fight in step 0 and breaks in step 2, environment 1 breaks in step 1: 1 + 1 steps are lost with
    the faults, 1 + 1 are those before them in the same fights.
    """
    agent = agent_of(replace(SMALL_PPO, rollout_steps=4))
    for t in range(4):
        step = constant_step(NUM_ENVS, np.array([t == 2, t == 1, False]))
        agent.observe(step._replace(terminated=np.array([t == 0, False, False]), truncated=step.faulted))
    assert agent.rollout.faulted.T.tolist() == [
        [False, True, True, False],
        [True, True, False, False],
        [False, False, False, False],
    ]
    data, _ = agent._prepare([agent.rollout])
    assert len(data["actions"]) == 4 * NUM_ENVS - 4
    agent.rollout.faulted[:] = True
    assert agent.update() == {}
    assert agent.rollout.length == 0


def test_ppo_compares_with_the_probabilities_it_acted_with():
    """Fails if the observation statistics move between acting and learning: the first ratio must be 1."""
    world, agent = worlds.Walk(NUM_ENVS), agent_of(replace(SMALL_PPO, epochs=1, minibatch_size=10_000))
    acted = []
    for _ in range(96):
        decision = agent.act(world.obs(), world.mask(), explore=True)
        acted.append(np.take_along_axis(decision.scores, decision.actions[:, None], 1)[:, 0])
        agent.observe(world.step(decision.actions))
        if agent.rollout.is_full:
            data, _ = agent._prepare([agent.rollout])
            np.testing.assert_allclose(data["log_probs"].exp(), np.concatenate(acted), rtol=1e-5)
            acted.clear()
            agent.update()
    assert agent.updates == 3


def test_leaving_out_forced_steps_changes_no_gradient():
    """Fails if skipping the policy where there is no choice is not exact: compared with autograd over all samples."""
    agent = agent_of(replace(SMALL_PPO, max_grad_norm=0.0, entropy_coef=0.1))
    worlds.play(agent, worlds.Walk(NUM_ENVS), 32)  # the policy is no longer uniform
    rng = torch.Generator().manual_seed(0)
    mask = torch.rand(40, 5, generator=rng) < 0.3
    mask[:4] = False
    mask[0, 2] = True
    batch = {
        "obs": torch.randn(40, 4, generator=rng),
        "mask": mask,
        "actions": mask.float().argmax(-1),
        "log_probs": -torch.rand(40, generator=rng),
        "advantages": torch.randn(40, generator=rng),
        "returns": torch.randn(40, generator=rng),
    }
    all_log_probs = losses.masked_log_probs(agent.network.policy(batch["obs"]), mask)
    log_probs = all_log_probs.gather(-1, batch["actions"][:, None]).squeeze(-1)
    policy = losses.ppo_policy_loss(log_probs, batch["log_probs"], batch["advantages"], 0.2)
    loss = policy.loss - 0.1 * losses.masked_entropy(all_log_probs).mean()
    expected = torch.autograd.grad(loss, list(agent.network.policy.parameters()))
    agent.learn(batch, 0.1)
    expected = torch.cat([part.flatten() for part in expected])
    torch.testing.assert_close(agent.optimizer.gradient[: len(expected)], expected)  # the policy's part is the first


def test_reward_scale_is_the_deviation_of_discounted_returns():
    """Fails if rewards are not divided by the running deviation of returns, worked here by hand for gamma 0."""
    agent = agent_of(replace(SMALL_PPO, rollout_steps=2, discount=0.0), num_envs=2)
    rollout = agent.rollout
    rollout.rewards[:] = [[1.0, 3.0], [5.0, 7.0]]
    agent.reward_scaler.take_in(agent.reward_scaler.returns(rollout)[~rollout.faulted])
    assert agent.reward_scaler.scale == pytest.approx(np.sqrt(5.0))
    rollout.rewards[:] = [[4.0, 4.0], [4.0, 4.0]]
    agent.reward_scaler.take_in(agent.reward_scaler.returns(rollout)[~rollout.faulted])
    assert agent.reward_scaler.scale == pytest.approx(np.sqrt(2.5))
    assert agent.reward_scale == pytest.approx(1 / np.sqrt(2.5))
    assert agent_of(replace(SMALL_PPO, normalise_reward=False)).reward_scale == 1.0


def test_a_faulted_fight_does_not_count_in_the_reward_scale():
    """Fails if rewards of a fight that broke move what all rewards are divided by: 1 and 5 are left, deviation 2."""
    agent = agent_of(replace(SMALL_PPO, rollout_steps=2, discount=0.0), num_envs=2)
    agent.rollout.rewards[:] = [[1.0, 300.0], [5.0, 700.0]]
    agent.rollout.faulted[:, 1] = True
    agent.reward_scaler.take_in(agent.reward_scaler.returns(agent.rollout)[~agent.rollout.faulted])
    assert agent.reward_scaler.scale == pytest.approx(2.0)


@pytest.mark.parametrize("where", ["middle", "last"])
def test_ppo_bootstraps_truncated_steps_from_their_own_last_observation(where):
    """Fails if a cut fight is valued by the next fight's first observation."""
    agent = agent_of(replace(SMALL_PPO, rollout_steps=3, normalise_obs=False, normalise_reward=False))
    cut_at = {"middle": 1, "last": 2}[where]
    rng = np.random.default_rng(0)
    steps = []
    for t in range(3):
        step = constant_step(NUM_ENVS, np.zeros(NUM_ENVS, np.bool_))
        obs, next_obs = (rng.normal(size=(NUM_ENVS, 4)).astype(np.float32) for _ in range(2))
        step = step._replace(obs=obs, next_obs=next_obs, truncated=np.array([False, t == cut_at, t == cut_at]))
        steps.append(step)
        agent.observe(step)
    where_cut, reached = agent.rollout.bootstraps()
    expected = np.zeros((3, NUM_ENVS), np.bool_)
    expected[cut_at, 1:] = True
    expected[2] = True
    assert np.array_equal(where_cut, expected)
    last = steps[2].next_obs
    assert np.array_equal(reached, last if where == "last" else np.concatenate([steps[1].next_obs[1:], last]))
    loaded = agent_of(agent.config)
    loaded.load_state_dict(saved_and_loaded(agent.state_dict()))
    assert np.array_equal(loaded.rollout.bootstraps()[1], reached)

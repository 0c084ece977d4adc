"""The recipe ``diary`` learned by ashen's agent and by the example built of TorchRL's parts: the same updates."""

import runpy
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import worlds
from small import agent_of, updated

from ashen.training.recipe import load_recipe

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "torchrl_dqn.py"
CONFIG = replace(load_recipe("diary").dqn, replay_capacity=500, width=32, learning_rate=1e-3, target_tau=0.5)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:abc")  # TorchRL's own, on being imported


def pair_of_learners():
    """Our agent, and the example's learner and replay: the same first weights, the same 400 steps, the same draws."""
    from tensordict import TensorDict

    parts, agent, world = runpy.run_path(str(EXAMPLE)), agent_of(CONFIG, num_envs=1), worlds.Walk(1)
    network = parts["MLP"](4, 5, CONFIG.depth, CONFIG.width, activation_class=torch.nn.ReLU)
    with torch.no_grad():
        for theirs, ours in zip(network.parameters(), agent.online.parameters(), strict=True):
            theirs.copy_(ours)
    learner = parts["Learner"](CONFIG, network)
    replay = parts["PrioritisedReplay"](CONFIG, 4, 5, deepcopy(agent.rng))
    rng = np.random.default_rng(0)
    for _ in range(400):
        step = world.step(rng.integers(5, size=1))
        agent.observe(step)
        ends = {"terminated": step.terminated[:, None], "done": (step.terminated | step.truncated)[:, None]}
        reached = {"observation": step.next_obs, "reward": step.rewards[:, None], **ends}
        replay.extend(TensorDict({"observation": step.obs, "action": step.actions, "next": reached}, batch_size=1))
    assert replay.rng.bit_generator.state == agent.rng.bit_generator.state
    return agent, learner, replay


def their_targets(learner):
    """Parameters of TorchRL's target network, in the order of ours."""
    return [value for _, value in sorted(learner.loss.target_value_network_params.flatten_keys(".").items())]


def our_parameters(network):
    """Ours, in the order of TorchRL's names: by layer, bias before weight."""
    layers = [module for module in network.modules() if isinstance(module, torch.nn.Linear)]
    return [parameter for layer in layers for parameter in (layer.bias, layer.weight)]


def test_both_store_the_same_steps():
    """Breaks if the example forgets an end, pays another step's reward, or cuts where a fight was truncated."""
    agent, _, replay = pair_of_learners()
    for name in ("obs", "action", "n_return", "discount", "next_obs"):
        np.testing.assert_array_equal(replay.buffer.rows[name], agent.replay.rows[name], err_msg=name)
    assert (agent.replay.rows["discount"][:400] == 0.0).any()


def test_both_make_the_same_updates():
    """Breaks if loss, gradient, priorities, targets or weights differ, at first or after two updates of the target."""
    agent, learner, replay = pair_of_learners()
    assert agent.target_period_updates == 30
    for update in range(1, 62):
        batch = replay.sample()
        their_loss = learner.update(batch)
        replay.update_tensordict_priority(batch)
        if update % 30 == 0:
            learner.target_update.step()
        metrics = updated(agent, beta=0.0)
        assert their_loss == pytest.approx(float(metrics["loss"]), rel=1e-4), update
        gradient = torch.cat([parameter.grad.flatten() for parameter in learner.actor.parameters()])
        torch.testing.assert_close(gradient, agent.optimizer.gradient, rtol=1e-3, atol=1e-6)
        for theirs, ours in zip(learner.actor.parameters(), agent.online.parameters(), strict=True):
            torch.testing.assert_close(theirs.data, ours.data, rtol=1e-4, atol=1e-6)
        for theirs, ours in zip(their_targets(learner), our_parameters(agent.target), strict=True):
            torch.testing.assert_close(theirs.data, ours.data, rtol=1e-4, atol=1e-6)
        drawn = batch["index"].numpy()
        np.testing.assert_allclose(replay.buffer.tree.get(drawn), agent.replay.tree.get(drawn), rtol=1e-3, atol=1e-7)
    assert not torch.equal(agent.target.head.weight, agent.online.head.weight)

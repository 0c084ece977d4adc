import math

import numpy as np
import pytest
import torch

from ashen.agents.networks import ActorCritic, DuelingHead, NoisyLinear, Normaliser, QNetwork, sync_target
from ashen.agents.tensors import to_tensors


def q_network(**switches):
    """A small network of 4 observations and 3 actions."""
    settings = {"width": 8, "depth": 2, "dueling": "none", "noisy": False, "layer_norm": False, "normalise_obs": False}
    return QNetwork(4, 3, **(settings | switches), generator=torch.Generator().manual_seed(0))


def test_normaliser_matches_numpy_and_clips():
    """Fails if batches are combined wrongly, or an outlier passes unclipped."""
    rng = np.random.default_rng(0)
    batches = [rng.normal(3.0, 2.0, (size, 5)).astype(np.float32) for size in (7, 1, 50)]
    normaliser = Normaliser(5)
    np.testing.assert_allclose(normaliser(torch.tensor(batches[0])), batches[0].clip(-10, 10), rtol=1e-6)
    for batch in batches:
        normaliser.update(torch.from_numpy(batch))
    everything = np.concatenate(batches).astype(np.float64)
    np.testing.assert_allclose(normaliser.mean, everything.mean(0), rtol=1e-10)
    np.testing.assert_allclose(normaliser.var, everything.var(0), rtol=1e-10)
    expected = (everything - everything.mean(0)) / everything.std(0)
    np.testing.assert_allclose(normaliser(torch.from_numpy(everything).float()), expected, atol=1e-5)
    assert normaliser(torch.full((1, 5), 1e6)).tolist() == [[10.0] * 5]


def test_dueling_head_by_hand():
    """Fails if advantages are not centred: value 10, advantages 1, 2, 6 give 8, 9, 13."""
    value, advantage = torch.nn.Linear(1, 1), torch.nn.Linear(1, 3)
    for layer, bias in ((value, [10.0]), (advantage, [1.0, 2.0, 6.0])):
        torch.nn.init.zeros_(layer.weight)
        layer.bias.data = torch.tensor(bias)
    assert DuelingHead(value, advantage)(torch.ones(1, 1)).tolist() == [[8.0, 9.0, 13.0]]


def test_noise_is_factorised_and_can_be_silenced():
    """Fails if noise is not f(out) f(in) with f(x) = sign(x) sqrt|x|, or the mean network is not reached."""
    torch.manual_seed(0)
    layer = NoisyLinear(4, 3)
    x = torch.eye(4)
    generator = torch.Generator().manual_seed(1)
    layer.set_noise(generator)
    draws = torch.Generator().manual_seed(1)
    f_in, f_out = (
        v.sign() * v.abs().sqrt() for v in (torch.randn(4, generator=draws), torch.randn(3, generator=draws))
    )
    sigma = 0.5 / math.sqrt(4)
    noisy = layer.weight_mu + sigma * f_out[:, None] * f_in, layer.bias_mu + sigma * f_out
    torch.testing.assert_close(layer(x), x @ noisy[0].T + noisy[1])
    layer.set_noise(None)
    torch.testing.assert_close(layer(x), x @ layer.weight_mu.T + layer.bias_mu)


def test_a_hard_sync_copies_parameters_and_statistics():
    """Fails if batch-norm or observation statistics stay behind in the target network."""
    online, target = (q_network(dueling="enhanced", normalise_obs=True) for _ in range(2))
    obs = 5.0 + 3.0 * torch.randn(64, 4)
    online.normaliser.update(obs)
    online.train()
    for _ in range(5):
        online(obs)
    online.eval()
    target.eval()
    assert not torch.equal(online(obs), target(obs))
    sync_target(target, online, 1.0)
    assert torch.equal(online(obs), target(obs))


def test_a_soft_sync_moves_parameters_by_tau_and_copies_statistics():
    """Fails if statistics are averaged a second time, or parameters move by another share."""
    online, target = (q_network(dueling="enhanced") for _ in range(2))
    before = {name: p.clone() for name, p in target.named_parameters()}
    online.train()
    online(torch.randn(64, 4))
    sync_target(target, online, 0.25)
    for (name, there), here in zip(target.named_parameters(), online.parameters(), strict=True):
        torch.testing.assert_close(there, before[name] + 0.25 * (here - before[name]))
    for there, here in zip(target.buffers(), online.buffers(), strict=True):
        assert torch.equal(there, here)


def test_enhanced_acts_on_a_single_observation():
    """Fails if batch norm or dropout are live when acting: a batch of one crashed the diary's network."""
    network = q_network(dueling="enhanced").eval()
    obs = torch.randn(1, 4)
    assert torch.equal(network(obs), network(obs))


def test_dropout_repeats_with_its_generator():
    """Fails if dropout draws from torch's global generator, which a checkpoint does not hold."""
    network = q_network(dueling="enhanced").train()
    dropout = next(m for m in network.modules() if type(m).__name__ == "Dropout")
    ones = torch.ones(1000, 8)
    state = dropout.generator.get_state()
    first = dropout(ones)
    torch.rand(5)
    dropout.generator.set_state(state)
    assert torch.equal(first, dropout(ones))
    assert set(first.unique().tolist()) == {0.0, 2.0}
    assert first.mean().item() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("switch", "parameters"),
    [
        ({}, 4 * 8 + 8 + 72 + 27),
        ({"width": 16}, 4 * 16 + 16 + 272 + 51),
        ({"depth": 3}, 4 * 8 + 8 + 72 + 72 + 27),
        ({"layer_norm": True}, 4 * 8 + 8 + 72 + 27 + 2 * 16),
        ({"noisy": True}, 2 * (4 * 8 + 8 + 72 + 27)),
        ({"dueling": "dueling"}, 4 * 8 + 8 + 72 + 9 + 27),
        ({"dueling": "enhanced"}, 4 * 8 + 8 + 72 + 2 * 16 + 2 * 72 + 9 + 27),
        ({"support": torch.zeros(5)}, 4 * 8 + 8 + 72 + 5 * 27),
        ({"dueling": "dueling", "support": torch.zeros(5)}, 4 * 8 + 8 + 72 + 5 * (9 + 27)),
    ],
)
def test_every_switch_changes_the_network_it_claims_to(switch, parameters):
    """Fails if a switch does nothing, as the diary's second flag did. Parameters counted by hand."""
    assert sum(p.numel() for p in q_network(**switch).parameters()) == parameters


@pytest.mark.parametrize("dueling", ["none", "dueling", "enhanced"])
def test_a_distributional_network_gives_a_distribution_for_each_action(dueling):
    """Breaks if atoms and actions are mixed up, or the Q-value is not the mean; advantages are centred over actions."""
    support = torch.linspace(-1.0, 3.0, 5)
    network = q_network(dueling=dueling, support=support).eval()
    obs = torch.randn(7, 4)
    logits = network.outputs(obs)  # [B, A, K]
    assert logits.shape == (7, 3, 5)
    mean = (logits.softmax(-1) * support).sum(-1)
    torch.testing.assert_close(network(obs), mean)
    if dueling != "none":
        value = network.head.value(network.trunk(obs))  # [B, 1, K]
        torch.testing.assert_close(logits.mean(1, keepdim=True), value)


def test_ppo_starts_orthogonal_and_nearly_uniform():
    """Fails if the initial policy prefers an action, or hidden layers are not orthogonal."""
    torch.manual_seed(0)
    network = ActorCritic(6, 5, 32, 2, "tanh", normalise_obs=True)
    weight = network.policy[2].weight
    gain = 5.0 / 3.0
    torch.testing.assert_close(weight @ weight.T, gain**2 * torch.eye(32), atol=1e-4, rtol=0.0)
    logits, values = network(torch.randn(100, 6))
    assert logits.shape == (100, 5)
    assert values.shape == (100,)
    assert torch.softmax(logits, -1).sub(0.2).abs().max() < 0.02


def test_arrays_that_may_not_be_written_are_copied():
    """Fails if a checkpoint's tensor could write into memory of others, of which torch warns, or copies what it may
    share.
    """
    ours, theirs = np.zeros(2), np.zeros(2)
    theirs.flags.writeable = False
    for tensor in to_tensors({"a": [ours, theirs]})["a"]:
        tensor += 1.0
    assert (ours.tolist(), theirs.tolist()) == ([1.0, 1.0], [0.0, 0.0])

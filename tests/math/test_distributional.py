"""Distributions over the returns 0, 1, 2, 3, 4, worked by hand, and against TorchRL."""

import math

import pytest
import torch
from torch import tensor

from ashen.agents import distributional

SUPPORT = torch.linspace(0.0, 4.0, 5)
SURE_OF_2 = [0.0, 0.0, 1.0, 0.0, 0.0]
SPREAD = [0.1, 0.2, 0.4, 0.2, 0.1]


@pytest.mark.parametrize(
    ("probs", "reward", "discount", "expected"),
    [
        (SPREAD, 0.0, 1.0, SPREAD),
        (SURE_OF_2, 1.0, 1.0, [0.0, 0.0, 0.0, 1.0, 0.0]),
        (SURE_OF_2, 0.25, 1.0, [0.0, 0.0, 0.75, 0.25, 0.0]),
        (SURE_OF_2, 0.5, 0.5, [0.0, 0.5, 0.5, 0.0, 0.0]),  # 0.5 + 0.5 * 2 = 1.5
        (SURE_OF_2, 1.0, 0.9**3, [0.0, 0.0, 3.0 - 2.458, 2.458 - 2.0, 0.0]),  # three steps: 1 + 0.729 * 2 = 2.458
        ([0.5, 0.0, 0.0, 0.0, 0.5], 0.0, 0.5, [0.5, 0.0, 0.5, 0.0, 0.0]),
        (SPREAD, 1.75, 0.0, [0.0, 0.25, 0.75, 0.0, 0.0]),  # after the end only the reward counts
        (SPREAD, 9.0, 0.0, [0.0, 0.0, 0.0, 0.0, 1.0]),
        (SPREAD, -9.0, 0.0, [1.0, 0.0, 0.0, 0.0, 0.0]),
        (SPREAD, 3.0, 1.0, [0.0, 0.0, 0.0, 0.1, 0.9]),  # 3, 4, then 5, 6, 7 at the upper end
        (SPREAD, -1.5, 1.0, [0.1 + 0.2 + 0.2, 0.2 + 0.1, 0.1 + 0.05, 0.05, 0.0]),  # -1.5, -.5, .5, 1.5, 2.5
    ],
)
def test_projection_by_hand(probs, reward, discount, expected):
    """Breaks if probability goes to the wrong atoms, past an end, or is lost where a return falls on an atom."""
    projected = distributional.project(tensor([probs]), tensor([reward]), tensor([discount]), SUPPORT)
    torch.testing.assert_close(projected, tensor([expected]))


def test_projection_keeps_mass_and_mean():
    """Breaks if probability leaks, samples mix, or a mean inside the support moves."""
    generator = torch.Generator().manual_seed(0)
    support = torch.linspace(-1.9, 7.0, 51)
    probs = torch.randn(500, 51, generator=generator).softmax(-1)
    returns, discounts = torch.rand(500, generator=generator), 0.7 * torch.rand(500, generator=generator)
    projected = distributional.project(probs, returns, discounts, support)
    torch.testing.assert_close(projected.sum(-1), torch.ones(500))
    torch.testing.assert_close(projected @ support, returns + discounts * (probs @ support), atol=1e-5, rtol=1e-5)
    outside = distributional.project(probs, 20.0 * (returns - 0.5), discounts, support)
    torch.testing.assert_close(outside.sum(-1), torch.ones(500))
    with pytest.raises(AssertionError):
        distributional.project(probs, returns[:, None], discounts, support)


def test_targets_are_of_the_best_valid_action_by_mean():
    """Breaks if an invalid action is chosen, the likeliest atom counts in place of the mean, or roles are exchanged."""
    likeliest_4 = [0.35, 0.3, 0.0, 0.0, 0.35 + 1e-3]  # mean 1.7, though 4 is its likeliest return
    logits = tensor([[likeliest_4, SURE_OF_2]]).log().clamp(min=-50.0).expand(3, -1, -1)
    returns, discounts = torch.zeros(3), tensor([1.0, 1.0, 0.0])
    mask = tensor([[True, True], [True, False], [False, False]])
    targets = distributional.target_distributions(returns, discounts, logits, mask, SUPPORT)
    chosen = tensor([SURE_OF_2, likeliest_4, [1.0, 0.0, 0.0, 0.0, 0.0]])
    torch.testing.assert_close(targets, chosen, atol=2e-3, rtol=0.0)
    chooser = tensor([[1.0, 0.0]]).expand(3, -1)
    double = distributional.target_distributions(returns, discounts, logits, mask, SUPPORT, chooser)
    torch.testing.assert_close(double[0], tensor(likeliest_4), atol=2e-3, rtol=0.0)


def test_divergence_by_hand():
    """Breaks if the two distributions are exchanged, impossible returns give NaN, or agreement is not 0."""
    logits = tensor([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]).log()
    target = tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    result = distributional.divergence(logits, target)
    assert result.tolist() == pytest.approx([0.0, math.log(4.0)], abs=1e-6)
    with pytest.raises(AssertionError):
        distributional.divergence(logits, target[:, :1])


@pytest.mark.filterwarnings("ignore")
def test_loss_and_gradient_agree_with_torchrl():
    """Breaks if our loss differs from TorchRL's by more than what no gradient sees, the entropy of the targets."""
    pytest.importorskip("torchrl")
    from tensordict import TensorDict
    from torchrl.data import OneHot
    from torchrl.modules import DistributionalQValueActor
    from torchrl.objectives import DistributionalDQNLoss

    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 15), torch.nn.Unflatten(-1, (5, 3)))  # TorchRL's order: [K, A]
    actor = DistributionalQValueActor(network, spec=OneHot(3), support=SUPPORT, action_space="one-hot")
    module = DistributionalDQNLoss(actor, gamma=0.9, delay_value=True)
    with torch.no_grad():  # the target differs from the online network
        for parameter in module.target_value_network_params.values(True, True):
            if parameter.shape != SUPPORT.shape:
                parameter.data.add_(torch.randn(parameter.shape))
    target = torch.nn.Sequential(torch.nn.Linear(4, 15), torch.nn.Unflatten(-1, (5, 3)))
    moved = [p for p in module.target_value_network_params.values(True, True) if p.shape != SUPPORT.shape]
    for own in target.parameters():
        own.data = next(p for p in moved if p.shape == own.shape).data.clone()
    obs, next_obs, rewards = torch.randn(32, 4), torch.randn(32, 4), 3.0 * torch.randn(32)
    actions, terminated = torch.randint(3, (32,)), torch.rand(32) < 0.3
    batch = TensorDict(
        {
            "observation": obs,
            "action": torch.nn.functional.one_hot(actions, 3),
            "next": {
                "observation": next_obs,
                "reward": rewards[:, None],
                "done": terminated[:, None],
                "terminated": terminated[:, None],
            },
        },
        batch_size=[32],
    )
    theirs = module(batch)["loss"]
    theirs.backward()
    their_gradients = [p.grad for p in module.value_network_params.values(True, True) if p.grad is not None]
    with torch.no_grad():
        chooser = network(next_obs).mT.softmax(-1) @ SUPPORT  # TorchRL's is always double
        mask = torch.ones(32, 3, dtype=torch.bool)
        targets = distributional.target_distributions(
            rewards, 0.9 * ~terminated, target(next_obs).mT, mask, SUPPORT, chooser
        )
    logits = network(obs).mT[torch.arange(32), actions]
    ours = distributional.divergence(logits, targets).mean()
    torch.testing.assert_close(ours + torch.special.entr(targets).sum(-1).mean(), theirs)
    for gradient in torch.autograd.grad(ours, list(network.parameters())):
        torch.testing.assert_close(gradient, next(g for g in their_gradients if g.shape == gradient.shape))

"""Our AdamW against torch's own, and gradients bounded by hand."""

import subprocess
import sys
from copy import deepcopy

import pytest
import torch
from torch import nn

from ashen.agents.flat_adamw import FlatAdamW, clip_

WORDS = {"capture_output": True, "text": True, "check": False}


def twins(weight_decay):
    """Two networks with our optimiser, and copies of them with torch's."""
    torch.manual_seed(0)
    ours = [nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)) for _ in range(2)]
    theirs = deepcopy(ours)
    parameters = [parameter for network in theirs for parameter in network.parameters()]
    settings = {"eps": 1e-5, "weight_decay": weight_decay}
    return ours, FlatAdamW(ours, 0.01, **settings), theirs, torch.optim.AdamW(parameters, lr=0.01, **settings)


def step(networks, optimizer, which):
    """Learn something with one of the networks."""
    x = torch.linspace(-1.0, 1.0, 12).view(4, 3)
    loss = networks[which](x).square().sum()
    if isinstance(optimizer, FlatAdamW):
        optimizer.differentiate(loss, networks[which])
    else:
        optimizer.zero_grad()
        loss.backward()
    optimizer.step()


def assert_same(ours, theirs):
    """Weights of networks, or trees of optimisers' states, agree."""
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(dict(one.state_dict()), dict(other.state_dict()))


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_steps_are_torchs(weight_decay):
    """Breaks if a step differs from torch's AdamW, or also moves a network that did not learn."""
    ours, optimizer, theirs, reference = twins(weight_decay)
    for which in (0, 1, 1, 0, 1):
        step(ours, optimizer, which)
        step(theirs, reference, which)
        assert_same(ours, theirs)
    torch.testing.assert_close(optimizer.state_dict()["state"], reference.state_dict()["state"])
    assert len(optimizer.state_dict()["state"]) == 8


@pytest.mark.parametrize("optimizer_class", [FlatAdamW, torch.optim.AdamW, torch.optim.Adam])
def test_checkpoints_of_ours_and_torchs_load(optimizer_class):
    """Breaks if a checkpoint made by torch's Adam or AdamW does not load, or a network without a step yet fails."""
    ours, optimizer, theirs, reference = twins(0.0)
    step(ours, optimizer, 0)
    step(theirs, reference, 0)
    if optimizer_class is FlatAdamW:
        saved = deepcopy(optimizer.state_dict())
    else:
        other = optimizer_class([p for network in theirs for p in network.parameters()], lr=0.01, eps=1e-5)
        other.load_state_dict(reference.state_dict())
        saved = deepcopy(other.state_dict())
    resumed = [deepcopy(network) for network in ours]
    again = FlatAdamW(resumed, 0.5)
    step(resumed, again, 1)  # what it learned before is forgotten
    for network, source in zip(resumed, ours, strict=True):
        network.load_state_dict(source.state_dict())
    again.load_state_dict(saved)
    for which in (0, 1):
        for networks, one in ((ours, optimizer), (resumed, again)):
            step(networks, one, which)
    for network, source in zip(resumed, ours, strict=True):
        for one, other in zip(network.parameters(), source.parameters(), strict=True):
            assert torch.equal(one, other)


def test_gradients_are_bounded_by_hand():
    """Breaks if a gradient within the bound changes, or the norm told is that after the bound."""
    for bound, value, expected in ((0.0, 0.0, [3.0, -4.0]), (5.0, 0.0, [3.0, -4.0]), (1.0, 0.7, [0.6, -0.7])):
        gradient = torch.tensor([3.0, -4.0])
        assert float(clip_(gradient, bound, value)) == 5.0
        assert gradient.tolist() == pytest.approx(expected, rel=1e-5)


def test_no_compiler_is_loaded():
    """Breaks if making an optimiser, as every command that opens an agent does, loads torch's compiler, for 3 s."""
    code = "import sys, torch; from ashen.agents.flat_adamw import FlatAdamW; FlatAdamW([torch.nn.Linear(2, 2)], 0.1)"
    ended = subprocess.run([sys.executable, "-c", f"{code}; print('torch._dynamo' in sys.modules)"], **WORDS)
    assert ended.stdout == "False\n", ended.stderr


def test_another_number_of_parameters_is_refused():
    """Breaks if an optimiser's state of another network is taken in as far as it goes."""
    saved = FlatAdamW([nn.Linear(2, 2)], 0.1).state_dict()
    with pytest.raises(ValueError, match="has 2 parameters, not 4"):
        FlatAdamW([nn.Linear(2, 2), nn.Linear(2, 2)], 0.1).load_state_dict(saved)

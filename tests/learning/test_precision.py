import re

import torch
from small import SMALL_PPO, agent_of

from ashen.agents.networks import ActorCritic
from ashen.agents.precision import LEAST_GAIN, products_in, quickest_precision


def test_products_are_made_in_the_precision_asked_for():
    """Breaks if the switch is read by nobody."""
    layer, obs = torch.nn.Linear(4, 3), torch.ones(2, 4)
    kinds = {}
    for precision in ("float32", "bfloat16"):
        with products_in(precision):
            kinds[precision] = layer(obs).dtype
    assert kinds == {"float32": torch.float32, "bfloat16": torch.bfloat16}


def test_the_choice_follows_its_own_measurement():
    """Breaks if the precision taken is not the one that the reason speaks for, or the trial changes the network."""
    network = ActorCritic(8, 4, 16, 1, "relu", True)
    before = [p.clone() for p in network.parameters()]
    precision, reason = quickest_precision(network, torch.zeros(32, 8))
    gain = float(re.search(r"([\d.]+) times", reason)[1])
    assert precision == ("bfloat16" if gain >= LEAST_GAIN else "float32")
    assert all(
        torch.equal(old, new) and new.grad is None for old, new in zip(before, network.parameters(), strict=True)
    )


def test_a_resumed_agent_keeps_its_precision():
    """Breaks if a training measured at its start would go on in other numbers after a resume."""
    first, second = agent_of(SMALL_PPO), agent_of(SMALL_PPO)
    first.precision = "bfloat16"
    second.load_state_dict(first.state_dict())
    assert second.tune() == "learning in bfloat16"

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import worlds
from small import NUM_ENVS, SMALL_DQN, SMALL_PPO, agent_of, updated

from ashen.agents import DQNAgent, DQNConfig
from ashen.agents.exploration import random_valid


def learned(config, steps=60):
    """Weights after a little training in the same world with the same seed."""
    agent = agent_of(config)
    worlds.play(agent, worlds.Walk(NUM_ENVS), steps)
    network = agent.online if isinstance(agent, DQNAgent) else agent.network
    return torch.cat([p.detach().flatten() for p in network.parameters()])


PRIORITISED = {"prioritised": True}
DISTRIBUTIONAL = {"distributional": True, "value_range": (-5.0, 5.0)}
# What a switch changes at once: the network, else the first loss, else the first step; or only what follows. What must
# be on for it to matter, and the switch.
DQN_SWITCHES = [
    ("network", {}, {"width": 16}),
    ("network", {}, {"depth": 2}),
    ("network", {}, {"layer_norm": True}),
    ("network", {}, {"normalise_obs": True}),
    ("network", {}, {"dueling": "dueling"}),
    ("network", {}, {"dueling": "enhanced"}),
    ("network", {"dueling": "dueling"}, {"dueling": "enhanced"}),
    ("network", {}, {"noisy": True}),
    ("network", {}, DISTRIBUTIONAL),
    ("network", DISTRIBUTIONAL, {"atoms": 7}),
    ("loss", DISTRIBUTIONAL, {"value_range": (-1.0, 5.0)}),
    ("loss", DISTRIBUTIONAL, {"double": "none"}),
    ("loss", DISTRIBUTIONAL, {"n_step": 3}),
    ("loss", {}, {"double": "none"}),
    ("loss", {}, {"double": "two_networks"}),
    ("loss", {}, {"discount": 0.5}),
    ("loss", {}, {"n_step": 3}),
    ("loss", {}, {"use_mask": False}),
    ("loss", {}, {"reward_scale": 0.1}),
    ("loss", {"reward_scale": 10.0}, {"loss": "mse"}),
    ("loss", {}, PRIORITISED),
    ("loss", {}, {"batch_size": 8}),
    ("loss", {}, {"replay_capacity": 40}),
    ("step", {}, {"learning_rate": 1e-3}),
    ("step", {}, {"weight_decay": 0.5}),
    ("step", {}, {"grad_clip_norm": 1e-6}),
    ("step", {}, {"grad_clip_value": 1e-6}),
    ("later", {}, {"learning_rate_final_share": 0.1}),
    ("later", {}, {"learning_starts": 60}),
    ("later", {}, {"updates_per_step": 0.5}),
    ("later", {}, {"update_period_steps": 50}),
    ("later", {}, {"target_tau": 0.1}),
    ("later", {}, {"target_period_steps": 8}),
    ("later", {}, {"reset_period_updates": 8}),
    ("later", PRIORITISED, {"priority_alpha": 0.9}),
    ("later", PRIORITISED, {"priority_beta": 0.9}),
    ("later", PRIORITISED, {"priority_beta_final": 0.2}),
    ("later", {}, {"epsilon_schedule": "constant"}),
    ("later", {}, {"epsilon_schedule": "exponential"}),
    ("later", {}, {"epsilon_start": 0.5}),
    ("later", {}, {"epsilon_end": 0.5}),
    ("later", {}, {"epsilon_steps": 50}),
    ("later", {}, {"epsilon_unit": "fight"}),
    ("later", {"epsilon_unit": "fight"}, {"epsilon_fights": 9}),
]


@pytest.mark.parametrize(("claim", "base", "switch"), DQN_SWITCHES, ids=str)
def test_every_dqn_switch_changes_what_is_learned(claim, base, switch):
    """Fails if a setting is read by nobody, as the diary's enhanced network was."""
    before = replace(SMALL_DQN, **base)
    assert not torch.equal(*_padded(learned(before), learned(replace(before, **switch))))


@pytest.mark.parametrize(("claim", "base", "switch"), DQN_SWITCHES, ids=str)
def test_every_dqn_switch_changes_what_it_claims_to(claim, base, switch):
    """Fails if a switch of the network leaves it as it was, or one of the loss, step or schedules works there."""
    before = replace(SMALL_DQN, **base)
    changed = [one != other for one, other in zip(anatomy(before), anatomy(replace(before, **switch)), strict=True)]
    first = changed.index(True) if any(changed) else len(changed)
    assert ("network", "loss", "step", "later")[first] == claim


def test_no_dqn_switch_is_left_out():
    """Fails if a new setting is not in the list above."""
    assert {name for _, _, switch in DQN_SWITCHES for name in switch} == {field.name for field in fields(DQNConfig)}


def anatomy(config):
    """Shapes of the network, loss of the first update on the same steps, and weights after it."""
    agent, world = agent_of(config), worlds.Walk(NUM_ENVS)
    rng = np.random.default_rng(0)
    for _ in range(60):
        agent.observe(world.step(random_valid(rng, world.mask())))
    with torch.no_grad():
        for parameter in agent.target.parameters():
            parameter.mul_(-0.5)  # so that it matters who values and who chooses
    shapes = [(name, tuple(value.shape)) for name, value in agent.online.state_dict().items()]
    loss = float(updated(agent)["loss"])
    return shapes, loss, [parameter.tolist() for parameter in agent.online.parameters()]


@pytest.mark.parametrize(
    "switch",
    [
        {"rollout_steps": 16},
        {"epochs": 2},
        {"minibatch_size": 96},
        {"learning_rate": 1e-3},
        {"learning_rate_final_share": 1.0},
        {"discount": 0.5},
        {"gae_lambda": 0.5},
        {"clip": 0.001},
        {"value_coef": 1.0},
        {"entropy_coef": 0.2},
        {"entropy_coef_final": 0.2},
        {"max_grad_norm": 0.05},
        {"target_kl": 1e-9},
        {"activation": "tanh"},
        {"normalise_obs": False},
        {"normalise_reward": False},
    ],
    ids=str,
)
def test_every_ppo_switch_changes_what_is_learned(switch):
    """Fails if a setting is read by nobody."""
    assert not torch.equal(*_padded(learned(SMALL_PPO, 70), learned(replace(SMALL_PPO, **switch), 70)))


def _padded(one, other):
    size = max(len(one), len(other))
    return [torch.nn.functional.pad(weights, (0, size - len(weights))) for weights in (one, other)]


def test_dqn_schedules_at_given_steps():
    """Fails if epsilon, learning rate or beta are off at a step; epsilon starts to fall when learning starts."""
    config = replace(SMALL_DQN, learning_starts=100, epsilon_start=0.9, epsilon_end=0.1, epsilon_steps=200)
    agent = agent_of(replace(config, learning_rate=1e-3, learning_rate_final_share=0.5), total_steps=1_000)
    seen = {}
    for steps in (0, 99, 100, 200, 300, 1_000, 2_000):
        agent.steps = steps
        status = agent.status()
        seen[steps] = (status["epsilon"], status["learning_rate"], status["priority_beta"])
    expected = {
        0: (1.0, 1e-3, 0.4),
        99: (1.0, 1e-3 * (1 - 0.5 * 0.099), 0.4 + 0.6 * 0.099),
        100: (0.9, 0.95e-3, 0.46),
        200: (0.5, 0.9e-3, 0.52),
        300: (0.1, 0.85e-3, 0.58),
        1_000: (0.1, 0.5e-3, 1.0),
        2_000: (0.1, 0.5e-3, 1.0),
    }
    for steps, values in expected.items():
        assert seen[steps] == pytest.approx(values), steps


def test_epsilon_by_fights():
    """Fails if epsilon still goes by steps, or fights of the random play at the start count; here 1 to .01 in 4."""
    by_fights = {"epsilon_unit": "fight", "epsilon_schedule": "exponential", "epsilon_end": 0.01, "epsilon_fights": 4}
    agent = agent_of(replace(SMALL_DQN, learning_starts=6, **by_fights))
    ends = {"terminated": [1, 0, 0], "truncated": [0, 1, 0], "faulted": [0, 1, 1]}
    world, seen = worlds.Walk(NUM_ENVS), []
    for flags in ({}, ends, {}, {"terminated": [0, 1, 0]}, ends, {}):
        step = world.step(np.zeros(NUM_ENVS, np.int64))
        none = np.zeros(NUM_ENVS, np.bool_)
        step = step._replace(terminated=none, truncated=none, faulted=none)
        agent.observe(step._replace(**{name: np.array(values, np.bool_) for name, values in flags.items()}))
        seen.append(agent.status()["epsilon"])
    assert seen == pytest.approx([1.0, 1.0, 1.0, 10**-0.5, 0.01, 0.01])


def test_updates_come_when_they_are_due():
    """Fails if N environments make N times too many or too few updates, or the target is copied off its period."""
    config = replace(SMALL_DQN, updates_per_step=0.25, learning_starts=32, batch_size=4, target_period_steps=24)
    agent = agent_of(config, num_envs=4)
    assert agent.target_period_updates == 6
    worlds.play(agent, worlds.Walk(4), 7)
    assert agent.updates == 0
    worlds.play(agent, worlds.Walk(4), 20)
    assert agent.updates == 19  # (27 * 4 - 32) / 4
    bursts = agent_of(replace(config, update_period_steps=40), num_envs=4)
    made = [0]
    for _ in range(40):
        worlds.play(bursts, worlds.Walk(4), 1)
        made.append(bursts.updates)
    assert np.diff(made)[np.diff(made) > 0].tolist() == [2, 10, 10, 10]  # of the 8 steps past 32, then every 40


def test_the_target_network_moves_only_at_its_period():
    """Fails if the target follows at every update, or never."""
    agent = agent_of(replace(SMALL_DQN, target_period_steps=40))
    worlds.play(agent, worlds.Walk(NUM_ENVS), 200)
    assert agent.updates % agent.target_period_updates != 0
    assert not torch.equal(agent.target.head.weight, agent.online.head.weight)
    while agent.updates % agent.target_period_updates:
        updated(agent)
    assert torch.equal(agent.target.head.weight, agent.online.head.weight)


def test_schedules_that_begin_anew():
    """Fails if a fork's learning rate, entropy bonus or beta do not run from the fork to its end, or epsilon does."""
    ppo = agent_of(replace(SMALL_PPO, learning_rate=1e-3, entropy_coef=0.02, entropy_coef_final=0.0), total_steps=1_000)
    dqn = agent_of(replace(SMALL_DQN, priority_beta=0.4, priority_beta_final=1.0, epsilon_end=0.1), total_steps=1_000)
    for agent in (ppo, dqn):
        agent.steps = 600
        agent.begin_schedules()
    epsilon = dqn.status()["epsilon"]
    for steps, way in ((600, 0.0), (700, 0.25), (800, 0.5), (1_000, 1.0)):
        ppo.steps = dqn.steps = steps
        rates = [ppo.status()["learning_rate"], ppo.status()["entropy_coef"], dqn.status()["priority_beta"]]
        assert rates == pytest.approx([1e-3 * (1.0 - way), 0.02 * (1.0 - way), 0.4 + 0.6 * way]), steps
        assert dqn.status()["epsilon"] == epsilon == pytest.approx(0.1), "it was at its end, and stays there"

import numpy as np
import pytest
import worlds

from ashen.agents import DQNAgent, DQNConfig, PPOAgent, PPOConfig

GAMMA, NUM_ENVS = 0.5, 8
SEEN = {"minus": -1.0, "zero": 0.0, "plus": 1.0}
DQN = {
    "width": 32,
    "depth": 2,
    "batch_size": 32,
    "learning_rate": 5e-3,
    "discount": GAMMA,
    "replay_capacity": 2_000,
    "learning_starts": 64,
    "updates_per_step": 0.2,
    "target_period_steps": 40,
    "epsilon_start": 0.5,
    "epsilon_end": 0.2,
    "epsilon_steps": 1_000,
}
VARIANTS = {
    "plain": {"double": "none"},
    "double": {},
    "dueling": {"dueling": "dueling"},
    "enhanced": {"dueling": "enhanced"},
    "prioritised": {"prioritised": True},
    "n_step": {"n_step": 3},
    "noisy": {"noisy": True},
    "scaled": {"reward_scale": 0.3},
    "distributional": {"distributional": True, "value_range": (-2.5, 2.5)},
    "two_networks": {"double": "two_networks"},
    "rainbow": {
        "distributional": True,
        "value_range": (-2.5, 2.5),
        "dueling": "dueling",
        "prioritised": True,
        "n_step": 3,
        "noisy": True,
    },
}
SLOW_TO_LEARN = ("enhanced", "noisy", "rainbow")
PPO = PPOConfig(
    width=32,
    rollout_steps=16,
    minibatch_size=64,
    learning_rate=3e-3,
    discount=GAMMA,
    entropy_coef=0.001,
    entropy_coef_final=0.0,
    normalise_obs=False,
    normalise_reward=False,
)
# Value of the best action at each sight, and which action that is (None: all are alike).
EXPECTED = {
    worlds.ConstantReward: {"plus": (1.0, None)},
    worlds.SeenReward: {"minus": (-1.0, None), "plus": (1.0, None)},
    worlds.TwoSteps: {"zero": (GAMMA, None), "plus": (1.0, None)},
    worlds.ActionReward: {"plus": (1.0, 1)},
    worlds.SeenActionReward: {"minus": (1.0, 0), "plus": (1.0, 1)},
    worlds.MaskedBest: {"zero": (1.0 + GAMMA, 1), "plus": (1.0, 1)},
    worlds.Truncated: {"plus": (1.0 / (1.0 - GAMMA), None)},
}
# Batch norm cannot tell the scale of what never varies, so a single constant sight is no world for the enhanced net.
CONSTANT_SIGHT = (worlds.ConstantReward, worlds.ActionReward, worlds.Truncated)
QUICK = {("double", world) for world in EXPECTED} | {
    (variant, worlds.SeenActionReward) for variant in VARIANTS if variant not in SLOW_TO_LEARN
}


def sights(expected):
    """The observations named."""
    return np.array([[SEEN[name]] for name in expected], np.float32)


def dqn_cases():
    """Every variant in every world it can be asked about."""
    for world in EXPECTED:
        for variant in VARIANTS:
            if not (variant == "enhanced" and world in CONSTANT_SIGHT):
                marks = [] if (variant, world) in QUICK else [pytest.mark.slow]
                yield pytest.param(variant, world, marks=marks, id=f"{variant}-{world.__name__}")


@pytest.mark.parametrize(("variant", "world_class"), list(dqn_cases()))
def test_dqn_finds_the_known_values(variant, world_class):
    """Fails if a variant of DQN cannot learn what the world is made to ask of it."""
    world = world_class(NUM_ENVS)
    agent = DQNAgent(DQNConfig(**DQN | VARIANTS[variant]), world.obs_dim, world.num_actions, NUM_ENVS, 0, 1_600)
    worlds.play(agent, world, 500 if variant in SLOW_TO_LEARN else 150)
    expected = EXPECTED[world_class]
    mask = np.repeat(world.mask()[:1], len(expected), 0)
    decision = agent.act(sights(expected), mask, explore=False)
    values = agent.value(sights(expected), mask)
    tolerance = 0.25 if variant in ("enhanced", "noisy") else 0.1
    for row, (value, best) in enumerate(expected.values()):
        assert values[row] == pytest.approx(value, abs=tolerance)
        assert best is None or decision.actions[row] == best


@pytest.mark.parametrize("world_class", list(EXPECTED))
def test_ppo_finds_the_known_values_and_actions(world_class):
    """Fails if PPO cannot learn what the world is made to ask of it."""
    world = world_class(NUM_ENVS)
    agent = PPOAgent(PPO, world.obs_dim, world.num_actions, NUM_ENVS, 0, 3_200)
    worlds.play(agent, world, 400)
    expected = EXPECTED[world_class]
    mask = np.repeat(world.mask()[:1], len(expected), 0)
    decision = agent.act(sights(expected), mask, explore=False)
    values = agent.value(sights(expected), mask)
    for row, (value, best) in enumerate(expected.values()):
        assert values[row] == pytest.approx(value, abs=0.15)
        assert best is None or decision.actions[row] == best
        assert best is None or decision.scores[row, best] > 0.8


@pytest.mark.parametrize("normalise_obs", [False, True])
def test_ppo_learns_with_normalised_observations_and_rewards(normalise_obs):
    """Fails if normalisation makes probabilities of acting and learning differ, or scales rewards away."""
    from dataclasses import replace

    world = worlds.SeenActionReward(NUM_ENVS)
    config = replace(PPO, normalise_obs=normalise_obs, normalise_reward=True)
    agent = PPOAgent(config, 1, 2, NUM_ENVS, 0, 3_200)
    metrics = worlds.play(agent, world, 400)
    obs, mask = np.array([[-1.0], [1.0]], np.float32), np.ones((2, 2), bool)
    assert agent.act(obs, mask, False).actions.tolist() == [0, 1]
    assert agent.value(obs, mask) == pytest.approx([1.0, 1.0], abs=0.15)
    assert metrics[-1]["explained_variance"] <= 1.0

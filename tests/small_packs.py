"""Small agents of every kind, for tests of packs: they have learned nothing, and pack quickly."""

from dataclasses import replace

import torch

from ashen.agents import DQNConfig, PPOConfig
from ashen.runs.folder import create_run
from ashen.training.checkpoints import save_best
from ashen.training.packs.packing import make_pack
from ashen.training.recipe import load_recipe, make_agent_for, view_of
from ashen.training.tables import to_table

AGENTS = {
    "ppo": {"ppo": PPOConfig(width=16)},
    "tanh": {"ppo": PPOConfig(width=16, activation="tanh", normalise_obs=False, normalise_reward=False)},
    "dqn": {"algorithm": "dqn", "encoder": "onehot74", "dqn": DQNConfig(width=16, replay_capacity=1000)},
    "both": {"algorithm": "dqn", "dqn": DQNConfig(width=16, replay_capacity=1000, double="two_networks")},
    "rainbow": {
        "algorithm": "dqn",
        "actions": "diary15",
        "dqn": DQNConfig(
            width=16, replay_capacity=1000, distributional=True, noisy=True, dueling="dueling", normalise_obs=True
        ),
    },
    "enhanced": {"algorithm": "dqn", "dqn": DQNConfig(width=16, replay_capacity=1000, dueling="enhanced")},
}


def made(runs_dir, name, **changes):
    """A run whose agent has learned nothing: random networks and statistics."""
    recipe = replace(load_recipe("full"), num_envs=2, **changes)
    run = create_run(runs_dir, name, "x")
    run.write_config({"recipe": to_table(recipe), "created_at": "2026-01-01T00:00:00+00:00"})
    agent = make_agent_for(recipe, view_of(recipe, recipe.boss))
    state, rng = agent.state_dict(), torch.Generator().manual_seed(1)
    for network in {"network", "online", "target"} & state.keys():
        for tensor in state[network].values():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=rng) + (tensor.ndim != 2) * 0.5)
    if "reward_scaler" in state:
        state["reward_scaler"] |= {"mean": 0.5, "squares": 40.0, "count": 10}
    save_best(run, 64, {"agent": state})
    return run


def packed(run, name="it", fights=1, half=False):
    """The bytes of a run's pack."""
    return make_pack(run, name=name, fights=fights, half=half)[0]

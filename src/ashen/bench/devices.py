"""Whether a GPU pays: what acting and learning cost on each device, as shares of a training in game and simulator.

Trainings run on the CPU; here networks and batches are moved, and nothing else is.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from ashen.agents import DQNAgent, PPOAgent
from ashen.agents.networks import Dropout
from ashen.agents.runtime import tune_process
from ashen.bench.alternate import alternate, with_spread
from ashen.bench.machine import machine_facts
from ashen.core.seeding import generator
from ashen.env import FightVectorEnv, make_vec
from ashen.recipes import recipe_files
from ashen.replay import transition_dtype
from ashen.training.recipe import Recipe, env_options, load_recipe, make_agent_for

GAME_STEPS_PER_S = 22.0
"""Decisions the real game makes in a second of training, one fight at a time."""
WORTH_IT = 1.2
"""Advice calls a device worth its money from this many times the speed on."""


def measure_devices(devices: Sequence[str], recipes: Sequence[str], repeats: int, rounds: int = 20) -> dict[str, Any]:
    """Measure the learners of recipes on devices.

    Args:
        devices: names as torch knows them; cuda is left out, with a line on standard error, where there is none.
        recipes: names or TOML files; every shipped recipe if empty.
        repeats: measurements of each figure.
        rounds: updates, actions and steps in a measurement.

    Returns:
        ``recipes``: by name, the figures of :func:`recipe_figures`; then ``devices``, machine and versions.

    Raises:
        UserError: there is no such recipe.
    """
    chosen = {name: load_recipe(name) for name in recipes or recipe_files()}
    if "cuda" in devices and not torch.cuda.is_available():
        print("ashen: no CUDA device here; the figures are the cpu's alone", file=sys.stderr)
        devices = ["cpu"]
    tune_process()
    rows = {name: recipe_figures(recipe, devices, repeats, rounds) for name, recipe in chosen.items()}
    names = {device: torch.cuda.get_device_name() if device == "cuda" else device for device in devices}
    facts = machine_facts(("numpy", "numba", "torch"))
    return {"recipes": rows, "devices": names, "repeats": repeats, "torch_threads": torch.get_num_threads()} | facts


def recipe_figures(recipe: Recipe, devices: Sequence[str], repeats: int, rounds: int) -> dict[str, Any]:
    """One recipe on each device.

    Returns:
        ``world_us``: one step of one fight in the simulator. By device ``update_ms``: one gradient step, ``act_1_ms``
        and ``act_n_ms``: actions for one fight and for the recipe's, each with ``_spread``; ``game_share`` and
        ``simulator_share``: learning's part, 0..1, of the time of a training. ``advice``: a sentence.
    """
    env = make_vec(**env_options(recipe), num_envs=recipe.num_envs, random_start=recipe.random_start, seed=0)
    runs = {"world_us": _world(env, rounds)}
    for device in devices:
        runs |= {f"{name} {device}": run for name, run in _learner(recipe, env, device, rounds).items()}
    values = alternate(runs, repeats)
    figures = with_spread("world_us", values["world_us"])
    for device in devices:
        timed: dict[str, Any] = {}
        for name in ("update_ms", "act_1_ms", "act_n_ms"):
            timed |= with_spread(name, values[f"{name} {device}"])
        figures[device] = timed | shares(recipe, figures["world_us"], timed)
    return figures | {"advice": advice(figures)}


def shares(recipe: Recipe, world_us: float, timed: dict[str, float]) -> dict[str, float]:
    """What a step of training takes in game and simulator, in seconds, and learning's share of it, 0..1."""
    learning_s = timed["update_ms"] / 1e3 * updates_per_step(recipe)
    game_s = learning_s + timed["act_1_ms"] / 1e3 + 1.0 / GAME_STEPS_PER_S
    simulator_s = learning_s + timed["act_n_ms"] / 1e3 / recipe.num_envs + world_us / 1e6
    return {
        "game_step_s": game_s,
        "game_share": learning_s / game_s,
        "simulator_step_s": simulator_s,
        "simulator_share": learning_s / simulator_s,
    }


def updates_per_step(recipe: Recipe) -> float:
    """Gradient steps per step of one fight."""
    if recipe.algorithm == "dqn":
        return recipe.dqn.updates_per_step
    return recipe.ppo.epochs / recipe.ppo.minibatch_size


def advice(figures: dict[str, Any]) -> str:
    """A sentence on whether a GPU pays: by what it gained here, or by what it could gain at most."""
    parts = []
    for place in ("game", "simulator"):
        cpu = figures["cpu"]
        if "cuda" in figures:
            gain, much = cpu[f"{place}_step_s"] / figures["cuda"][f"{place}_step_s"], ""
        else:
            gain, much = 1.0 / (1.0 - cpu[f"{place}_share"]), "at most "
        worth = "not worth it" if gain < WORTH_IT else "worth it" if "cuda" in figures else "worth a trial"
        parts.append(f"in the {place} {much}{gain:.3g} times as fast, {worth}")
    return f"with a GPU {'; '.join(parts)}"


def devices_text(figures: dict[str, Any]) -> str:
    """A few lines for each recipe."""
    lines = []
    for name, row in figures["recipes"].items():
        lines.append(name)
        for device in figures["devices"]:
            f = row[device]
            times = f"update {f['update_ms']:.3g} ms, acting {f['act_1_ms']:.3g} ms for one fight"
            parts = f"{f['game_share']:.1%} of a training in the game, {f['simulator_share']:.0%} in the simulator"
            lines.append(f"  {device:5} {times}; learning takes {parts}")
        lines.append(f"  {row['advice']}")
    return "\n".join(lines)


def _world(env: FightVectorEnv, rounds: int) -> Callable[[], float]:
    actions = generator(0, "bench").integers(0, len(env.action_names), (rounds, env.num_envs))
    env.reset()

    def run() -> float:
        return 1e6 / env.num_envs * _seconds_each(rounds, lambda turn: env.step(actions[turn]), "cpu")

    return run


def _learner(recipe: Recipe, env: FightVectorEnv, device: str, rounds: int) -> dict[str, Callable[[], float]]:
    """Measurements of a recipe's learner on a device, in milliseconds."""
    agent = make_agent_for(recipe, env)
    _move(agent, device)
    update = _dqn_update(agent, device) if isinstance(agent, DQNAgent) else _ppo_update(agent, device)
    scores = agent.online if isinstance(agent, DQNAgent) else lambda obs: agent.network(obs)[0]
    obs, _ = env.reset()

    @torch.inference_mode()
    def act(count: int) -> None:
        scores(torch.from_numpy(obs[:count]).to(device)).argmax(-1).cpu()

    return {
        "update_ms": lambda: 1e3 * _seconds_each(rounds, lambda _: update(), device),
        "act_1_ms": lambda: 1e3 * _seconds_each(rounds, lambda _: act(1), device),
        "act_n_ms": lambda: 1e3 * _seconds_each(rounds, lambda _: act(env.num_envs), device),
    }


def _move(agent: DQNAgent | PPOAgent, device: str) -> None:
    """Bring networks to a device, and the generators that they draw from there."""
    networks = [agent.online, agent.target] if isinstance(agent, DQNAgent) else [agent.network]
    agent.torch_rng = torch.Generator(device).manual_seed(0)
    for network in networks:
        network.to(device)
        for module in network.modules():
            if isinstance(module, Dropout):
                module.generator = agent.torch_rng
    agent.optimizer = agent.make_optimizer()


def _dqn_update(agent: DQNAgent, device: str) -> Callable[[], object]:
    """A gradient step on a batch that comes from the CPU, where replay is, and whose errors go back there."""
    size, rng = agent.config.batch_size, generator(0, "bench")
    rows = np.zeros(size, transition_dtype(agent.obs_dim, agent.num_actions))
    rows["obs"], rows["next_obs"] = rng.random((2, size, agent.obs_dim))
    rows["action"], rows["next_mask"] = rng.integers(0, agent.num_actions, size), True
    fields = {name: torch.from_numpy(rows[name]) for name in rows.dtype.names}
    weights = torch.ones(size)

    def update() -> None:
        errors, _ = agent.learn({name: values.to(device) for name, values in fields.items()}, weights.to(device))
        errors.cpu()

    return update


def _ppo_update(agent: PPOAgent, device: str) -> Callable[[], object]:
    """A gradient step on a minibatch of a rollout, which is brought to the device once."""
    size, rng = agent.config.minibatch_size, generator(0, "bench")
    batch = {
        "obs": torch.from_numpy(rng.random((size, agent.obs_dim), np.float32)),
        "mask": torch.ones(size, agent.num_actions, dtype=torch.bool),
        "actions": torch.from_numpy(rng.integers(0, agent.num_actions, size)),
        "log_probs": torch.full((size,), -float(np.log(agent.num_actions))),
        "advantages": torch.from_numpy(rng.standard_normal(size, np.float32)),
        "returns": torch.from_numpy(rng.standard_normal(size, np.float32)),
    }
    batch = {name: values.to(device) for name, values in batch.items()}
    return lambda: agent.learn(batch, agent.config.entropy_coef)


def _seconds_each(rounds: int, work: Callable[[int], object], device: str) -> float:
    """Seconds of one call of ``work``, which is told its turn, all that the device still does included."""
    begin = time.perf_counter()
    for turn in range(rounds):
        work(turn)
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - begin) / rounds

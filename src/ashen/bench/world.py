"""How fast the simulated fight is here: the world alone with thousands of fights, and one Gymnasium step."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import ashen
from ashen.bench.alternate import alternate, with_spread
from ashen.bench.machine import machine_facts
from ashen.core.seeding import generator

WORLD_ENVS = 4096
WORLD_STEPS = 200
"""Steps of all fights in one measurement."""
GYM_ID = "ashen/Iudex-v0"
GYM_STEPS = 20_000


def measure(repeats: int = 5) -> dict[str, Any]:
    """Measure everything.

    Args:
        repeats: measurements of each figure.

    Returns:
        ``world_steps_per_s``: fights times steps a second, observed with ``onehot74``, random actions, all cores;
        ``gym_step_us``: microseconds of one ``env.step`` of ``gymnasium.make``, resets included; both medians, with
        their ``_spread`` (lowest, highest). Then machine and versions.
    """
    values = alternate({"world_steps_per_s": _world_run(), "gym_step_us": _gym_run()}, repeats)
    figures = {key: figure for name in values for key, figure in with_spread(name, values[name]).items()}
    return figures | {"repeats": repeats} | machine_facts(("numpy", "numba", "gymnasium"))


def _world_run() -> Callable[[], float]:
    env = ashen.make_vec("iudex", fight="full", num_envs=WORLD_ENVS, encoder="onehot74")
    actions = generator(0, "bench").integers(0, len(env.action_names), (WORLD_STEPS, WORLD_ENVS))
    env.reset(seed=0)

    def run() -> float:
        begin = time.perf_counter()
        for step in range(WORLD_STEPS):
            env.step(actions[step])
        return WORLD_STEPS * WORLD_ENVS / (time.perf_counter() - begin)

    return run


def _gym_run() -> Callable[[], float]:
    import gymnasium

    env = gymnasium.make(GYM_ID)
    actions: list[np.int64] = list(generator(0, "bench").integers(0, env.action_space.n, GYM_STEPS))
    env.reset(seed=0)

    def run() -> float:
        begin = time.perf_counter()
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return (time.perf_counter() - begin) / GYM_STEPS * 1e6

    return run

"""Our learners against those of Stable-Baselines3 and TorchRL: the same job in one process, in turns."""

import importlib.util
import statistics
import sys
from collections.abc import Callable
from typing import Any

import torch

from ashen.agents.runtime import tune_process
from ashen.bench import ours
from ashen.bench.alternate import alternate, with_spread
from ashen.bench.job import STANDARD, Contender, Job
from ashen.bench.machine import machine_facts
from ashen.bench.products import profiled_s
from ashen.core.errors import UserError

PACKAGES = {"stable_baselines3": "stable-baselines3", "torchrl": "torchrl", "tensordict": "tensordict"}
"""Module -> package of what is compared with."""
INSTALL = f'{sys.executable} -m pip install -c constraints.txt -e ".[peers]"'
RATIOS = {
    "dqn_sb3_ratio": ("dqn_ours", "dqn_sb3"),
    "dqn_torchrl_ratio": ("dqn_updates_ours", "dqn_updates_torchrl"),
    "ppo_sb3_ratio": ("ppo_ours", "ppo_sb3"),
    "ppo_torchrl_ratio": ("ppo_ours", "ppo_torchrl"),
    "ppo_masks_ratio": ("ppo_ours_masked", "ppo_ours"),
    "ppo_as_trained_ratio": ("ppo_ours_as_trained", "ppo_sb3"),
}
"""Ratio -> whose speed is divided by whose."""
WORST = {"dqn_ratio": ("dqn_sb3_ratio", "dqn_torchrl_ratio"), "ppo_ratio": ("ppo_sb3_ratio", "ppo_torchrl_ratio")}
"""The least of these."""
LIMITS = {
    "dqn_sb3_limit": "dqn_sb3_ratio",
    "dqn_torchrl_limit": "dqn_torchrl_ratio",
    "ppo_sb3_limit": "ppo_sb3_ratio",
    "ppo_torchrl_limit": "ppo_torchrl_ratio",
}
"""What a ratio would be if all we do but matrix products cost nothing: more is not to be had with these kernels.

With ``_networks`` before ``_limit``: if all but the products and the activations between them cost nothing.
"""


def contenders(job: Job) -> list[dict[str, Callable[[], Contender]]]:
    """Who is measured in turns with whom, by name; each call makes a contender."""
    from ashen.bench import sb3, torchrl_loops

    steps = ours.random_steps(job)
    return [
        {"dqn_ours": lambda: ours.dqn(job), "dqn_sb3": lambda: sb3.dqn(job)},
        {
            "dqn_updates_ours": lambda: ours.dqn_updates(job, steps),
            "dqn_updates_torchrl": lambda: torchrl_loops.dqn_updates(job, steps),
        },
        {
            "ppo_ours": lambda: ours.ppo(job, use_mask=False),
            "ppo_sb3": lambda: sb3.ppo(job),
            "ppo_torchrl": lambda: torchrl_loops.ppo(job),
            "ppo_ours_masked": lambda: ours.ppo(job, use_mask=True),
            "ppo_ours_as_trained": lambda: ours.ppo(job, use_mask=True, tune=True),
        },
    ]


def measure_peers(repeats: int = 5, job: Job = STANDARD) -> dict[str, Any]:
    """Measure every contender.

    Args:
        repeats: measurements of each.
        job: what they do.

    Returns:
        ``dqn_ratio`` and ``ppo_ratio``, our speed over the fastest other's; the ratios they are the least of, each the
        median of those of the turns, and medians in steps a second, all with their ``_spread`` (lowest, highest);
        our speed if matrix products were all there is to do (``_products_steps_per_s``), what the ratios would be
        then (``_limit``), and with the activations besides (``_networks_limit``), and what our time goes to
        (``_shares``). Then machine and versions.
    """
    tune_process()  # memory is kept for all alike
    values: dict[str, list[float]] = {}
    most: dict[str, float] = {}
    networks: dict[str, float] = {}
    shares: dict[str, dict[str, float]] = {}
    for group in contenders(job):
        made = {name: make() for name, make in group.items()}
        values |= alternate({name: contender.steps_per_s for name, contender in made.items()}, repeats)
        for name in (name for name in made if "ours" in name):
            took_s = profiled_s(made[name])
            most[name] = made[name].steps / took_s["products"]
            networks[name] = made[name].steps / (took_s["products"] + took_s["activations"])
            shares[f"{name}_shares"] = {part: part_s / sum(took_s.values()) for part, part_s in took_s.items()}
    ratios = {
        name: [over / under for over, under in zip(values[mine], values[other], strict=True)]
        for name, (mine, other) in RATIOS.items()
    }
    figures: dict[str, Any] = {
        name: min(statistics.median(ratios[part]) for part in parts) for name, parts in WORST.items()
    }
    for name, turns in ratios.items():
        figures |= with_spread(name, turns)
    for name, ratio in LIMITS.items():
        mine, other = RATIOS[ratio]
        theirs = statistics.median(values[other])
        figures[name] = most[mine] / theirs
        figures[name.replace("_limit", "_networks_limit")] = networks[mine] / theirs
    figures |= {f"{name}_products_steps_per_s": speed for name, speed in most.items()} | shares
    for name, turns in values.items():
        figures |= with_spread(f"{name}_steps_per_s", turns)
    libraries = ("numpy", "numba", "torch", *PACKAGES.values())
    return figures | {"repeats": repeats, "torch_threads": torch.get_num_threads()} | machine_facts(libraries)


def require_peers() -> None:
    """Check that what is compared with is installed.

    Raises:
        UserError: it is not, and which command installs it.
    """
    missing = [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise UserError(f"ashen bench --peers needs {', '.join(missing)}; install with: {INSTALL}")

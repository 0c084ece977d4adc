"""The last fidelity figure: the diary's own pipeline, trained in the simulator, against its curve on the game."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ashen.core.tables import data_file, load_facts, plain
from ashen.evaluation.fidelity.rows import Row
from ashen.runs.folder import create_run
from ashen.runs.metrics import read_metrics
from ashen.training.loop import Training
from ashen.training.recipe import load_recipe

STEPS = 1_700_000
WINDOWS = {"diary_early": (600_000, 800_000), "diary_late": (1_500_000, 1_700_000)}
_TOLERANCE = 0.0010


def diary_rows(seeds: int = 3, say: Callable[[str], object] = lambda text: None) -> Iterator[Row]:
    """Train the recipe ``diary`` with several seeds and compare the mean reward per step in two windows.

    Args:
        seeds: how many trainings.
        say: told what is being trained.
    """
    real = plain(load_facts(data_file("ds3", "real_figures.toml")))["training"]
    curves = [_curve(seed, say) for seed in range(seeds)]
    for name, (first, last) in WINDOWS.items():
        means = np.array([_window_mean(rows, first, last) for rows in curves])
        error = float(means.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else 0.0
        title = f"the diary's pipeline, reward per step over {first / 1e6:g}-{last / 1e6:g} M steps"
        is_near = abs(float(means.mean()) - real[name]) <= _TOLERANCE
        yield Row(title, real[name], float(means.mean()), error, f"within {_TOLERANCE:g}", is_near)


def _curve(seed: int, say: Callable[[str], object]) -> list[dict[str, Any]]:
    recipe = replace(
        load_recipe("diary"),
        seed=seed,
        total_steps=STEPS,
        evaluate_every=10 * STEPS,
        checkpoint_every=10 * STEPS,
        record_every=10 * STEPS,
        final_fights=1,
    )
    with TemporaryDirectory() as folder:
        run = create_run(Path(folder), f"diary-{seed}", "diary")
        for row in Training(recipe).run(run, lambda: False):
            if row["kind"] == "train":
                say(f"diary pipeline, seed {seed}: step {row['env_step']:,} of {STEPS:,}")
        return read_metrics(run, "train")


def _window_mean(rows: list[dict[str, Any]], first: int, last: int) -> float:
    """Mean reward per step: finished fights' returns over their steps, between two steps of the training."""
    inside = [row for row in rows if first < row["env_step"] <= last and row["fights"]]
    returns = sum(row["return_mean"] * row["fights"] for row in inside)
    return returns / sum(row["length_mean_steps"] * row["fights"] for row in inside)

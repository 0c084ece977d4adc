"""The last fidelity figure: the diary's own pipeline, trained in the simulator, against its curve on the game."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ashen.agents.runtime import tune_process
from ashen.evaluation.fidelity.rows import IN_SAMPLE, Row, around, judged_row
from ashen.evaluation.logged import fight_as_logged, real_figures
from ashen.runs.folder import RunFolder, create_run
from ashen.runs.metrics import read_metrics
from ashen.training.loop import Training
from ashen.training.recipe import load_recipe

STEPS = 1_700_000
WINDOWS = {"diary_early": (600_000, 800_000), "diary_late": (1_500_000, 1_700_000)}
_TOLERANCE = 0.0010
_TELL_EVERY_S = 30.0


def diary_rows(seeds: int = 3, say: Callable[[str], object] = lambda text: None) -> Iterator[Row]:
    """Train the recipe ``diary`` with several seeds and compare the mean reward per step in two windows.

    Args:
        seeds: how many trainings, each in a process of its own, as many at a time as there are cores.
        say: told how far they are.
    """
    real = real_figures()["training"]
    curves = train_curves(seeds, STEPS, say)
    for name, (first, last) in WINDOWS.items():
        means = np.array([_window_mean(rows, first, last) for rows in curves])
        error = float(means.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else 0.0
        window = f"{first / 1e6:g}-{last / 1e6:g} M steps"
        title = f"the diary's pipeline, reward per step over {window}, {IN_SAMPLE}"
        limits = around(real[name], _TOLERANCE)
        yield judged_row(title, real[name], float(means.mean()), error, f"within {_TOLERANCE:g}", limits)


def train_curves(seeds: int, steps: int, say: Callable[[str], object]) -> list[list[dict[str, Any]]]:
    """Train the recipe ``diary`` from several seeds side by side; returns the rows of metrics of each."""
    workers = min(seeds, os.cpu_count() or 1)
    with TemporaryDirectory() as folder, ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        futures = [pool.submit(_curve, Path(folder), seed, steps) for seed in range(seeds)]
        while wait(futures, timeout=_TELL_EVERY_S).not_done:
            say(f"diary pipeline, {seeds} seeds: step " + ", ".join(_progress(Path(folder), seeds)) + f" of {steps:,}")
        return [future.result() for future in futures]


def _progress(folder: Path, seeds: int) -> Iterator[str]:
    for seed in range(seeds):
        run = RunFolder(folder / _name(seed))
        rows = read_metrics(run, "train") if run.metrics_file.is_file() else []
        yield f"{rows[-1]['env_step'] if rows else 0:,}"


def _name(seed: int) -> str:
    return f"diary-{seed}"


def _curve(folder: Path, seed: int, steps: int) -> list[dict[str, Any]]:
    """Train once; runs in its own process, on one core."""
    tune_process(threads=1)
    never = 10 * steps
    recipe = replace(
        load_recipe("diary"),
        seed=seed,
        total_steps=steps,
        evaluate_every=never,
        checkpoint_every=never,
        record_every=never,
        final_fights=1,
    )
    run = create_run(folder, _name(seed), "diary")
    training = Training(recipe)
    fight_as_logged(training.env)
    for _ in training.run(run, lambda: False):
        pass
    return read_metrics(run, "train")


def _window_mean(rows: list[dict[str, Any]], first: int, last: int) -> float:
    """Mean reward per step: finished fights' returns over their steps, between two steps of the training."""
    inside = [row for row in rows if first < row["env_step"] <= last and row["fights"]]
    returns = sum(row["return_mean"] * row["fights"] for row in inside)
    return returns / sum(row["length_mean_steps"] * row["fights"] for row in inside)

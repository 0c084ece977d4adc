"""A training in a process of its own, over a fake game of its own."""

from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from ashen.runs.folder import create_run
from ashen.training.loop import Training
from ashen.training.recipe import Recipe

_PATIENCE_S = 300.0


def train_beside(everyone_plays: Barrier, recipe: Recipe, runs_dir: Path, name: str) -> None:
    """Train by ``recipe`` as the run ``name``, once all of ``everyone_plays`` own a game."""
    try:
        training = Training(recipe)
    except BaseException:
        everyone_plays.abort()  # nobody waits in vain
        raise
    everyone_plays.wait(_PATIENCE_S)
    with closing(training.env):
        for _ in training.run(create_run(runs_dir, name, "beside"), lambda: False):
            pass

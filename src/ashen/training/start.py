"""What a run's folder says of its training, and how a training goes on from it."""

import platform
from importlib.metadata import version
from typing import Any

import ashen
from ashen.core.errors import UserError
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import latest_checkpoint, load_checkpoint
from ashen.training.loop import Training
from ashen.training.recipe import recipe_of, training_recipe
from ashen.training.tables import to_table


def run_config(training: Training) -> dict[str, Any]:
    """What ``config.json`` is to say of a training."""
    env = training.env
    return {
        "recipe": to_table(training.recipe),
        "table_hash": env.backend.table_hash,
        "action_names": list(env.action_names),
        "term_names": list(env.reward.names),
        "versions": {"ashen": ashen.__version__, "python": platform.python_version()}
        | {name: version(name) for name in ("torch", "numpy", "numba", "gymnasium")},
        "machine": platform.platform(),
    }


def is_complete(run: RunFolder) -> bool:
    """Whether a run has trained as long as its recipe says and its final match is over.

    Raises:
        UserError: the run's ``config.json`` or its metrics are damaged, or the run is no training.
    """
    finals = read_metrics(run, "final")
    return bool(finals) and finals[-1]["env_step"] >= recipe_of(run).total_steps


def resumed(run: RunFolder) -> Training:
    """The training of a run, as it was at its newest checkpoint.

    Raises:
        UserError: the run has no checkpoint, or it is damaged or of another shape.
    """
    recipe = training_recipe(run)
    path = latest_checkpoint(run)
    training = Training(recipe)
    try:
        training.load(load_checkpoint(path))
    except UserError as error:
        raise UserError(f"cannot go on from {path}: {error}") from None
    return training

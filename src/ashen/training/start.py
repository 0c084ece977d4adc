"""What a run's folder says of its training, and how a training goes on from it."""

import platform
from importlib.metadata import version
from typing import Any

from ashen.core.errors import UserError
from ashen.runs.folder import RunFolder
from ashen.runs.log import RESUMED
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import latest_checkpoint, load_checkpoint, newest_checkpoints, sha256_of
from ashen.training.code_version import code_text, code_versions
from ashen.training.fleet.cluster import check_can_cluster, prepare_ray
from ashen.training.fleet.plan import FleetPlan
from ashen.training.fleet.wire import read_token
from ashen.training.lineage import changes
from ashen.training.loop import Training
from ashen.training.recipe import Recipe, check_learns, make_agent_for, recipe_of, training_recipe, view_of
from ashen.training.tables import from_table, to_table


def training_of(recipe: Recipe, plan: FleetPlan) -> Training:
    """A new training: with players of its own, or a fleet's.

    Raises:
        UserError: the recipe names something that does not exist; a fleet cannot train by it, or Ray is missing.
    """
    if not plan.is_wanted:
        return Training(recipe)
    if plan.fleet is not None:
        check_can_cluster()
        read_token()  # whose lack is said before there is a run
    prepare_ray(plan.fleet)
    from ashen.training.fleet.training import FleetTraining  # Ray is an extra, and takes a while

    return FleetTraining(recipe, plan)


def fleet_of(run: RunFolder) -> FleetPlan:
    """Who plays for a run.

    Raises:
        UserError: the run's ``config.json`` is damaged.
    """
    return from_table(FleetPlan, run.read_config().get("fleet", {}), str(run.config_file))


def run_config(training: Training) -> dict[str, Any]:
    """What ``config.json`` is to say of a training."""
    env, plan, precision = training.env, training.plan, training.agent.precision
    fleet = {"fleet": to_table(plan)} if plan.is_wanted else {}
    return fleet | {
        "recipe": to_table(training.recipe),
        "precision": None if precision == "auto" else precision,  # a trial may have chosen what the recipe left open
        "table_hash": env.backend.table_hash,
        "action_names": list(env.action_names),
        "term_names": list(env.reward.names),
        "versions": code_versions()
        | {"python": platform.python_version()}
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


def resumed(run: RunFolder, plan: FleetPlan | None = None) -> Training:
    """The training of a run, as it was at its newest checkpoint that is whole.

    Args:
        run: the run.
        plan: who plays from here on; None leaves that as it was.

    Raises:
        UserError: the run has no checkpoint, or all of them are damaged or of another shape.
    """
    recipe, plan = training_recipe(run), plan or fleet_of(run)
    errors = []
    for path in newest_checkpoints(run):
        training = training_of(recipe, plan)
        try:
            training.resume(run, load_checkpoint(path))
        except UserError as error:
            training.env.close()
            errors.append(f"cannot go on from {path}: {error}")
            continue
        for error in errors:
            run.log(error)
        run.log(f"{RESUMED} at step {training.env_step} by {code_text()}")
        return training
    raise UserError(errors[0])


def _check_can_fork(run: RunFolder, recipe: Recipe, checkpoint: dict[str, Any]) -> None:
    """Refuse a fork that would not train or does not fit, before its world is opened."""
    step = checkpoint["env_step"]
    if step >= recipe.total_steps:
        raise UserError(f"{run.name} stands at step {step:,} and would train no further; give more --total-steps")
    check_learns(recipe, step)
    make_agent_for(recipe, view_of(recipe, recipe.boss)).load_state_dict(checkpoint["agent"])


def forked(run: RunFolder, recipe: Recipe) -> tuple[Training, dict[str, Any]]:
    """A training that goes on from a run's newest checkpoint by other settings, with new fights and new schedules.

    Returns:
        The training, and what the new run's ``config.json`` is to say of its parent.

    Raises:
        UserError: the checkpoint is damaged, the settings do not fit its agent, or no step is left to train.
    """
    path = latest_checkpoint(run)
    checkpoint = load_checkpoint(path)
    try:
        _check_can_fork(run, recipe, checkpoint)
    except UserError as error:
        raise UserError(f"cannot fork {path}: {error}") from None
    training = Training(recipe)
    try:
        training.fork(run, checkpoint)
    except UserError as error:
        raise UserError(f"cannot fork {path}: {error}") from None
    before, now = (to_table(one) for one in (training_recipe(run), recipe))
    origin = {"run": run.name, "checkpoint_step": training.env_step, "sha256": sha256_of(path)}
    return training, origin | {"schedules_from": training.env_step, "changes": changes(before, now)}

"""What a run's folder says of its training, and how a training goes on from it."""

import logging
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.core.saying import say
from ashen.core.tables import full_name, table_hash
from ashen.runs.folder import RunFolder
from ashen.runs.log import RESUMED
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import SET_ASIDE, set_aside, sha256_of
from ashen.training.code_version import code_text, code_versions
from ashen.training.fleet.cluster import check_answers, check_can_cluster, check_token, prepare_ray
from ashen.training.fleet.plan import ALONE, FleetPlan
from ashen.training.fleet.wire import read_token
from ashen.training.lineage import changes
from ashen.training.loop import Training
from ashen.training.recipe import Recipe, check_learns, make_agent_for, recipe_of, training_recipe, view_of
from ashen.training.tables import from_table, to_table
from ashen.training.whole import newest_usable, say_older

_BOSSES: Final = ("boss", "real_boss")
"""Settings of a recipe that may name a table, whose path is kept in full: a run goes on from any folder."""


def training_of(recipe: Recipe, plan: FleetPlan) -> Training:
    """A new training: with players of its own, or a fleet's.

    Raises:
        UserError: the recipe names something that does not exist; a fleet cannot train by it, or Ray is missing.
    """
    if not plan.is_wanted:
        return Training(recipe)
    _check_reaches(plan)
    prepare_ray(plan.fleet)
    from ashen.training.fleet.training import FleetTraining  # Ray is an extra, and takes a while

    return FleetTraining(recipe, plan)


def _check_reaches(plan: FleetPlan) -> None:
    """Say what is amiss with a fleet before there is a run, and before a checkpoint is blamed."""
    if plan.fleet is not None:
        check_can_cluster()
        read_token()
        check_answers(plan.fleet)
        check_token(plan.fleet)


def check_can_begin(plan: FleetPlan) -> None:
    """Whether a new training can begin now.

    Raises:
        UserError: the fleet trains another run.
    """
    if plan.fleet is not None:
        from ashen.training.fleet.crew import check_is_idle  # Ray is an extra, and takes a while

        check_is_idle(plan)


def fleet_of(run: RunFolder) -> FleetPlan:
    """Who plays for a run.

    Raises:
        UserError: the run's ``config.json`` is damaged.
    """
    return from_table(FleetPlan, run.read_config().get("fleet", {}), str(run.config_file))


def run_config(training: Training) -> dict[str, Any]:
    """What ``config.json`` is to say of a training."""
    env, plan, precision, recipe = training.env, training.plan, training.agent.precision, training.recipe
    fleet = {"fleet": to_table(plan)} if plan.is_wanted else {}
    return fleet | {
        "recipe": to_table(recipe) | {name: full_name(boss) for name in _BOSSES if (boss := getattr(recipe, name))},
        "precision": None if precision == "auto" else precision,  # a trial may have chosen what the recipe left open
        "table_hash": env.backend.table_hash,
        # What varies the tables is drawn by the seed; these are the same for all seeds.
        "unvaried_table_hash": env.backend.table_hash if recipe.randomise == "none" else table_hash(recipe.boss),
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
    """The training of a run, as it was at its newest checkpoint that is whole; damaged ones are set aside and told.

    Args:
        run: the run.
        plan: who plays from here on; None leaves that as it was.

    Raises:
        UserError: the run has no checkpoint, all of them are damaged or of another shape, or its fleet is not there.
    """
    recipe, plan = training_recipe(run), plan or fleet_of(run)
    _check_reaches(plan)

    def begun(checkpoint: dict[str, Any]) -> Training:
        with _closed_on_error(training_of(recipe, plan)) as training:
            training.resume(run, checkpoint)
        return training

    _, training, wrong = newest_usable(run, begun, "go on from")
    run.log(f"{RESUMED} at step {training.env_step} by {code_text()}")
    if wrong:
        for path in wrong:
            set_aside(run, path)
        place = f"set aside in {run.checkpoints / SET_ASIDE}"
        said = f"{' and '.join(wrong.values())}; {place}, and gone on from step {training.env_step:,} in its place"
        say(said)
        run.log(said, logging.WARNING)
    return training


@contextmanager
def _closed_on_error(training: Training) -> Iterator[Training]:
    """Leave no world open of a training that a checkpoint does not fit."""
    try:
        yield training
    except UserError:
        training.env.close()
        raise


def _check_can_fork(run: RunFolder, recipe: Recipe, checkpoint: dict[str, Any]) -> None:
    """Refuse a fork that would not train or does not fit, before its world is opened."""
    step = checkpoint["env_step"]
    if step >= recipe.total_steps:
        raise UserError(f"{run.name} stands at step {step:,} and would train no further; give more --total-steps")
    check_learns(recipe, step)
    make_agent_for(recipe, view_of(recipe, recipe.boss)).load_state_dict(checkpoint["agent"])


def forked(run: RunFolder, recipe: Recipe, plan: FleetPlan = ALONE) -> tuple[Training, dict[str, Any]]:
    """A training that goes on from a run's newest checkpoint by other settings, with new fights and new schedules.

    Returns:
        The training, and what the new run's ``config.json`` is to say of its parent.

    Raises:
        UserError: the checkpoint is damaged, the settings do not fit its agent, or no step is left to train.
    """
    # Settings that do not fit the newest must not lead to an older one.
    _, newest, _ = newest_usable(run, lambda checkpoint: checkpoint, "fork")
    try:
        _check_can_fork(run, recipe, newest)
    except UserError as error:
        raise UserError(f"cannot fork {run.name}: {error}") from None

    def begun(checkpoint: dict[str, Any]) -> Training:
        with _closed_on_error(training_of(recipe, plan)) as training:
            training.fork(run, checkpoint)
        return training

    path, training, wrong = newest_usable(run, begun, "fork")
    say_older(wrong, training.env_step)
    before, now = (to_table(one) for one in (training_recipe(run), recipe))
    origin = {"run": run.name, "checkpoint_step": training.env_step, "sha256": sha256_of(path)}
    return training, origin | {"schedules_from": training.env_step, "changes": changes(before, now)}

"""A training with someone watching: the display, curves at every evaluation, and a film at the end."""

import shlex
import shutil
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ashen.core.errors import UserError
from ashen.core.signals import StopOnSignal
from ashen.core.tables import base_file, boss_file, boss_names, own_base
from ashen.display import Display, gate_text, match_text, refit_lines, say, say_if_cold
from ashen.game.options import expected_s, expected_training_s
from ashen.options.training import ForkOptions, check_trained_here
from ashen.reports.film import choose_fight, film
from ashen.reports.plot import plot
from ashen.runs.folder import RunFolder, create_run
from ashen.runs.log import STARTED
from ashen.training.calibrating import (
    begun_training,
    check_can_calibrate,
    is_before_training,
    record,
    refit,
    steps_to_record,
)
from ashen.training.checkpoints import BEST, PARENT, copy_checkpoint
from ashen.training.code_version import code_text
from ashen.training.find_run import NOTHING_TO_GO_ON, find_own_run
from ashen.training.fleet.plan import ALONE, FleetPlan
from ashen.training.journal import write_journal
from ashen.training.lineage import changes, with_changes_at_resume, with_lineage
from ashen.training.loop import Training
from ashen.training.recipe import Recipe, check_learns, recipe_of, run_label
from ashen.training.session import session
from ashen.training.start import check_can_begin, fleet_of, forked, is_complete, resumed, run_config, training_of
from ashen.training.tables import to_table
from ashen.training.trained import Trained


def train_new(
    recipe: Recipe,
    runs_dir: Path,
    name: str | None,
    overlay: Path | None = None,
    parent: Trained | None = None,
    keep_parent: bool = False,
    calibrate_steps: int = 0,
    recipe_name: str | None = None,
    plan: FleetPlan = ALONE,
) -> None:
    """Train by a recipe in a new run folder.

    Args:
        recipe: how to train.
        runs_dir: folder of all runs.
        name: the run's name; None makes one.
        overlay: changes numbers of the recipe's boss; the run keeps a copy.
        parent: the agent to start from; None starts with a new one.
        keep_parent: the parent stays the run's best agent until a trained one has beaten it.
        calibrate_steps: of the parent's fights, to refit the boss's table to before the training; 0 for none.
        recipe_name: what the recipe is called.
        plan: who plays.

    Raises:
        UserError: the recipe, the name, the overlay or the parent is wrong.
        OSError: the disk is full.
    """
    if overlay is not None:
        _check_base(overlay, recipe.boss)
    if calibrate_steps:
        check_can_calibrate(recipe)
    # What is wrong with the recipe is said before there is a folder.
    training = _begun(recipe if overlay is None else replace(recipe, boss=str(overlay)), parent, plan)
    run = create_run(runs_dir, name, run_label(recipe))
    if overlay is not None:
        run.keep_overlay(overlay, own_base(overlay))
        training = _begun(replace(recipe, boss=str(run.overlay_file.resolve())), parent, plan)
    if parent is not None and keep_parent:
        copy_checkpoint(parent.path, run, PARENT, BEST)
    origin = {} if parent is None else {"parent": parent.origin}
    origin |= {"recipe_name": recipe_name}
    came_from = None if parent is None else parent.run
    if not calibrate_steps:
        _start(training, run, origin, came_from)
        return
    run.log(started())
    calibrate = {"calibrate": {"steps": calibrate_steps}}
    run.write_config(with_lineage(run, run_config(training) | origin | calibrate, came_from))
    with session(run), closing(training.env):  # keeps the game until the calibrated training takes it
        _calibrate_and_train(run)


def _start(training: Training, run: RunFolder, origin: dict[str, Any], parent: RunFolder | None) -> None:
    """Train in a folder that becomes a run with its first checkpoint, so that every run can be gone on with."""
    say_if_cold()  # the first fight begins before the first checkpoint
    try:
        run.log(started())
        training.begin(run)
        run.write_config(with_lineage(run, run_config(training) | origin, parent))
    except OSError as error:
        shutil.rmtree(run.path, ignore_errors=True)
        raise UserError(f"no run can be made in {run.path.parent}: {error.strerror}; make room there") from None
    with session(run):
        _train(training, run)


def started() -> str:
    """The line of the log that says by which command and which code a run was begun."""
    return f"{STARTED} by {code_text()}: {shlex.join(['ashen', *sys.argv[1:]])}"


def _begun(recipe: Recipe, parent: Trained | None, plan: FleetPlan) -> Training:
    """A training at step 0, of a new agent or from a parent."""
    check_learns(recipe)
    if parent is not None:
        parent.check_fits(recipe)
    elif recipe.algorithm == "ppo" and recipe.ppo.kl_to_parent > 0.0:
        raise UserError("ppo.kl_to_parent holds an agent to its parent, and there is none; give --parent RUN")
    training = training_of(recipe, plan)
    check_can_begin(plan)
    if parent is not None:
        parent.hand_over(training)
    return training


def _check_base(overlay: Path, boss: str) -> None:
    """The table an overlay changes must be that of the recipe's boss."""
    if not overlay.is_file() or overlay.suffix != ".toml":
        how = "give the path of a TOML file, as ashen calibrate --out writes it"
        raise UserError(f"there is no overlay at {overlay.resolve()}; {how}")
    base = base_file(boss_file(str(overlay)))
    if base is None:
        raise UserError(f"{overlay} is no overlay, it has no base; train against a whole table with --boss {overlay}")
    if base.resolve() != boss_file(boss).resolve():
        shipped = {path: name for name, path in boss_names().items()}
        changed = shipped.get(base, str(base))
        raise UserError(
            f"{overlay} changes {changed}, but the boss is {boss}; go with --boss {changed}, or calibrate anew with "
            f"--boss {boss}"
        )


def train_on(
    run: str,
    runs_dir: Path,
    actors: int | None = None,
    fleet: str | None = None,
    scan_codes: bool | None = None,
) -> None:
    """Go on with a run from its newest checkpoint; one that is complete is left as it is, and that is said.

    Args:
        run: name or folder.
        runs_dir: folder of all runs.
        actors, fleet: who plays from here on, see :class:`FleetPlan`; None leaves that as it was.
        scan_codes: whether the game's keys are pressed by place from here on; None leaves that as it was.

    Raises:
        UserError: there is no such run, it was not trained here, or its checkpoint is damaged or of another shape.
        OSError: the disk is full.
    """
    folder = find_own_run(run, runs_dir, NOTHING_TO_GO_ON)
    check_trained_here(folder, run)
    if is_complete(folder):
        more = f"ashen fork {folder.word} --total-steps {2 * recipe_of(folder).total_steps}"
        say(f"{folder.name} is complete; a new run goes on from it with: {more}")
        if not folder.film_file.is_file():
            say(_not_filmed(folder))
        write_journal(folder)  # which a killed process may have left as it was meanwhile
        return
    if scan_codes is not None and not recipe_of(folder).is_on_game:
        raise UserError(f"{folder.name} trains in the simulator, which has no keys; leave out --no-scan-codes")
    with session(folder):
        if scan_codes is not None:
            _press_keys(folder, scan_codes)
        if is_before_training(folder):
            _calibrate_and_train(folder)
            return
        say_if_cold()
        said = {name: value for name, value in (("actors", actors), ("fleet", fleet)) if value is not None}
        plan = replace(fleet_of(folder), **said)
        training = resumed(folder, plan)
        _keep_players(folder, plan)
        say(f"{folder.name} goes on at step {training.env_step:,}")
        _train(training, folder)


def _press_keys(run: RunFolder, scan_codes: bool) -> None:
    """Let a run press the game's keys by place or by letter from here on; its config and journal say since when."""
    if (before := recipe_of(run).scan_codes) != scan_codes:
        run.write_config(with_changes_at_resume(run.read_config(), "recipe", {"scan_codes": [before, scan_codes]}))
        _tell(run, f"keys are pressed by {'place' if scan_codes else 'letter'} from here on")


def _keep_players(run: RunFolder, plan: FleetPlan) -> None:
    """Let the players be so from here on; the run's config and journal say since when."""
    if changed := changes(to_table(fleet_of(run)), to_table(plan)):
        run.write_config(with_changes_at_resume(run.read_config(), "fleet", changed))
        told = ", ".join(f"{name} {'none' if value is None else value}" for name, (_, value) in changed.items())
        _tell(run, f"played from here on with {told}")


def _calibrate_and_train(run: RunFolder) -> None:
    """Refit the boss's table to the parent's fights, then train with it; goes on with what of that is there."""
    say_if_cold()
    with StopOnSignal() as stop:
        if steps := steps_to_record(run):
            print(f"ashen: recording fights to calibrate from in {run.path}", file=sys.stderr)
            tell, recipe = partial(_tell, run), recipe_of(run)
            if recipe.is_on_game:
                hours = expected_training_s(steps, recipe.skip_steps, recipe.fight, recipe.game_speed) / 3600.0
                say(f"{_game_world(replace(recipe, random_start=False))}\n       {steps:,} steps about {hours:.1f} h")
            if record(run, stop, tell) and not stop():
                for line in refit_lines(refit(run, tell)):
                    tell(line)
        is_stopped = stop() or steps_to_record(run) > 0
    if is_stopped:
        print(f"ashen: stopped and saved; go on with: ashen resume {run.word}", file=sys.stderr)
    else:
        _train(begun_training(run), run)


def _tell(run: RunFolder, text: str) -> None:
    say(text)
    run.log(text)


def fork(run: RunFolder, options: ForkOptions) -> None:
    """Go on from a run's newest checkpoint in a new run, by other settings; the run itself stays as it is.

    Raises:
        UserError: the settings do not fit, no step is left to train, or the name is taken.
        OSError: the disk is full.
    """
    training, parent = forked(run, options.recipe, options.players)
    check_can_begin(options.players)
    folder = create_run(options.runs_dir, options.name, run_label(options.recipe))
    overlay = run.calibrated_file if run.calibrated_file.is_file() else run.overlay_file
    if overlay.is_file():
        folder.keep_overlay(overlay, own_base(overlay))
    for name, (old, new) in parent["changes"].items():
        say(f"{name}: {old} -> {new}")
    total = options.recipe.total_steps
    steps = f"{total - training.env_step:,} steps, to step {total:,}"
    say(f"goes on from step {training.env_step:,} of {run.name} for {steps}")
    say(_rates_text(training))
    if fleet_of(run).is_wanted and not options.players.is_wanted:
        say(f"plays here alone; players such as those of {run.name} join with --actors N, or --fleet ADDRESS")
    _start(training, folder, {"parent": parent}, run)


def _rates_text(training: Training) -> str:
    """How a fork's learning rate goes."""
    config = training.recipe.config
    first, last = config.learning_rate, config.learning_rate * config.learning_rate_final_share
    way = "all along" if first == last else f"at first, {last:.2g} at the end"
    return f"learning rate: {first:.2g} {way}; --{training.recipe.algorithm}.learning-rate says another"


def game_plan(training: Training) -> str:
    """What a training on the game is about to do, and for how long."""
    recipe, fight = training.recipe, training.recipe.fight
    steps = recipe.total_steps - training.env_step
    share = recipe.evaluation_share_pct / 100.0
    training_h = expected_training_s(steps, recipe.skip_steps, fight, recipe.game_speed) / 3600.0
    last = recipe.evaluation_fights + recipe.final_fights
    last_h = expected_s(last, fight, recipe.game_speed) / 3600.0
    decisions = "decisions, waits left out," if recipe.skip_steps else "steps"
    return (
        f"{_game_world(recipe)}\n"
        f"       {recipe.algorithm} with {recipe.encoder} and {len(training.env.action_names)} actions: {steps:,} "
        f"{decisions} about {training_h / (1.0 - share):.1f} h, up to {recipe.evaluation_share_pct:g} % of it matches "
        f"of {recipe.evaluation_fights} fights\n"
        f"       from the fixed pose, and at the end up to {last} more fights that judge, about {last_h:.1f} h\n"
        "       leave mouse, keyboard and other windows alone meanwhile; Ctrl-C saves and ends it"
    )


def _game_world(recipe: Recipe) -> str:
    start = "one of eleven poses" if recipe.random_start else "the fixed pose"
    return f"on the real game: {boss_file(recipe.boss).stem}, {recipe.fight}, speed {recipe.game_speed:g}, from {start}"


def _train(training: Training, run: RunFolder) -> None:
    print(f"ashen: training in {run.path}", file=sys.stderr)
    if training.recipe.is_on_game:
        say(game_plan(training))
    if training.plan.is_wanted and (training.plan.fleet or training.env_step < training.recipe.total_steps):
        what = "starting Ray and the players" if training.plan.actors else f"joining the fleet at {training.plan.fleet}"
        say(f"{what}, which takes seconds, on a busy machine up to a minute")
    display = Display(run.name, training.recipe.total_steps, training.recipe.final_fights)
    with closing(training.env), StopOnSignal() as stop, display:
        result = updates = None
        for row in training.run(run, stop):
            display.show(row)
            updates = row.get("updates", updates)
            result = row if row["kind"] == "final" else None
            if row["kind"] == "evaluation":
                _draw_curves(run)
    made = {"run": run.path, "curves": _draw_curves(run), "game": run.game_file if run.game_file.is_file() else None}
    if result is None:
        say(f"stopped and saved at step {training.env_step:,}; go on with: ashen resume {run.word}")
    else:
        if updates == 0:
            say("nothing was learned: it ended before the first update; give more --total-steps")
        print(f"result  {match_text(result)}{gate_text(result)}")
        for found in result["exploits"]:
            print(f"ashen: this win rate does not count: {found}; see: ashen exploits {run.word}", file=sys.stderr)
        try:
            made["film"] = None if stop() else _film(run)
        except KeyboardInterrupt:
            made["film"] = None
        if not run.film_file.is_file():
            say(_not_filmed(run))
    for name, path in made.items():
        if path is not None:
            print(f"{name:<7} {path}")


def _draw_curves(run: RunFolder) -> Path | None:
    """Draw the run's curves; None, with a line in its log, if they cannot be drawn yet."""
    try:
        plot([run.path], run.curves_file)
    except UserError as error:
        run.log(f"no curves: {error}")
        return None
    return run.curves_file


def _not_filmed(run: RunFolder) -> str:
    return f"it is not filmed; that is done with: ashen film {run.word} --out {run.film_file}"


def _film(run: RunFolder) -> Path | None:
    """Film the run's typical fight; None, with a line in its log, if there is nothing to film."""
    say("filming a typical fight, which takes some seconds; Ctrl-C leaves it out")
    try:
        film(choose_fight(run.path, "typical"), run.film_file)
    except UserError as error:
        run.log(f"no film: {error}")
        return None
    return run.film_file

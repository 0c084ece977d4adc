"""A sweep with someone watching: a line for whatever happens, and what was found at the end."""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from rich.console import Console

from ashen.core.errors import UserError
from ashen.core.signals import StopOnSignal
from ashen.display import say_if_cold, trials_table
from ashen.options.parse import check_counts, parse, split_first
from ashen.runs.files import write_text
from ashen.runs.folder import default_runs_dir, run_names
from ashen.runs.metrics import MetricName
from ashen.training.effects import check_options, without_idle
from ashen.training.fleet.cluster import check_can_cluster, prepare_ray
from ashen.training.fleet.plan import FleetPlan
from ashen.training.fleet.wire import read_token
from ashen.training.loop import Training
from ashen.training.recipe import Recipe, check_learns, load_recipe
from ashen.training.sweep.plan import Plan
from ashen.training.sweep.space import default_space, read_space
from ashen.training.tables import to_toml

if TYPE_CHECKING:
    from ashen.training.sweep.crew import News
    from ashen.training.sweep.places import Places
    from ashen.training.sweep.study import Study

SHOWN_TRIALS = 5
"""How many of the best trials are shown at the end."""


@dataclass(frozen=True)
class SweepOptions:
    """Search for better settings: ashen sweep [RECIPE] [OPTIONS]. RECIPE is a name (see: ashen recipes) or a TOML file.

    Every trial is a run like any other, named after the study and its number, with a seed of its own. Trials that do
    worse than the median on the way are ended early. Ctrl-C saves; --resume goes on, also after a power cut.
    """

    recipe: Annotated[Recipe, tyro.conf.arg(name="")]
    trials: int = 20
    """How many trials the study is to have in all."""
    workers: int = os.cpu_count() or 1
    """Trials side by side, each on one thread; as many as there are cores if not given."""
    fleet: str | None = None
    """Address of a fleet (ashen fleet start prints it) on whose machines the trials run; this one if not given."""
    metric: MetricName = "win_rate"
    """Figure of the final match that trials are ranked by."""
    space: Path | None = None
    """TOML file of what is searched; if not given, what is shipped for the recipe's learner."""
    study: Path | None = None
    """SQLite file of the study (.db); sweep-RECIPE.db in the folder of all runs if not given."""
    recipe_name: tyro.conf.Suppress[str | None] = None
    """What RECIPE was."""
    resume: bool = False
    """Go on with the study, by its own recipe and space."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        check_counts(self, "trials", "workers")
        if self.recipe.is_on_game:
            raise UserError(
                "a sweep trains side by side, and there is one game; leave out --backend game, and train by the best "
                "recipe it finds on the game"
            )

    @property
    def plan(self) -> Plan:
        """What is asked for.

        Raises:
            UserError: the space does not fit the recipe.
        """
        space = read_space(self.space, self.recipe) if self.space else default_space(self.recipe)
        return Plan(self.recipe, space, self.metric, self.recipe_name)


def read_sweep_options(words: Sequence[str]) -> SweepOptions:
    """Recipe file over defaults, command line over both.

    Args:
        words: what stands after ``ashen sweep``.

    Raises:
        UserError: there is no such recipe, or an option is wrong.
    """
    name, rest = split_first(words)
    name = name or "full"
    recipe = load_recipe(name)
    options = parse(SweepOptions, "sweep", rest, SweepOptions(recipe, recipe_name=name))
    check_options(options.recipe, recipe, options.plan.space)
    return replace(options, study=options.study or options.runs_dir / f"sweep-{Path(name).stem}.db")


def search(options: SweepOptions, words: Sequence[str]) -> None:
    """Search until enough trials have ended or Ctrl-C, then tell what was found.

    Args:
        options: what is searched.
        words: what stands after ``ashen sweep``, to tell how to go on.

    Raises:
        UserError: something about the options or the study is wrong.
        OSError: the disk is full.
    """
    from ashen.training.sweep.crew import run_trials

    plan = options.plan
    check_learns(plan.latest)
    Training(plan.recipe)  # says what is wrong with the recipe before there is a study
    with _places(options) as places, closing(_open_study(options, plan)) as study:
        say_if_cold()
        with StopOnSignal() as stop:
            print(f"ashen: {options.trials} trials in {study.file}, runs in {options.runs_dir}", file=sys.stderr)
            for news in run_trials(study, options.runs_dir, options.trials, options.workers, stop, places):
                print(f"{news.run}: {_text(news, study)}", file=sys.stderr)
        tell(study)
    if stop():
        again = shlex.join(["ashen", "sweep", *(word for word in words if word != "--resume"), "--resume"])
        print(f"ashen: stopped and saved; go on with: {again}", file=sys.stderr)


@contextmanager
def _places(options: SweepOptions) -> Iterator["Places | None"]:
    """Where the trials train; None for this machine."""
    if options.fleet is None:
        yield None
        return
    check_can_cluster()
    read_token()
    prepare_ray(options.fleet)
    from ashen.training.fleet.engine import ray_running  # Ray is an extra, and takes a while
    from ashen.training.fleet.trials import Elsewhere

    with ray_running(FleetPlan(fleet=options.fleet)):
        yield Elsewhere(options.runs_dir)


def _open_study(options: SweepOptions, plan: Plan) -> "Study":
    from ashen.training.sweep.study import Study

    file = options.study
    if options.resume:
        study = Study(file)
        if study.plan != plan:
            study.close()
            raise UserError(f"{file} was begun with other settings; repeat its words, or begin another with --study")
        return study
    taken = [name for name in run_names(options.runs_dir) if re.fullmatch(rf"{re.escape(file.stem)}-\d+", name)]
    if taken and not file.exists():
        raise UserError(
            f"{options.runs_dir} has runs of an older {file.stem}, such as {taken[0]}; give another --study"
        )
    return Study(file, plan)


def _text(news: "News", study: "Study") -> str:
    """News in a few words."""
    measure = study.plan.measure
    if news.state == "started":
        return ", ".join(f"{name} {value}" for name, value in news.trial.values.items())
    at = f"step {news.env_step:,}"
    if news.state == "matched":
        return at if news.score is None else f"{at}, {measure.label} {measure.text(news.score)}"
    if news.state == "completed":
        return f"completed, {measure.label} {measure.text(news.score)} in the final match; {study.ended} trials ended"
    return f"{news.state} at {at}" + (f": {news.reason}" if news.reason else "")


def tell(study: "Study") -> None:
    """The best trials, what mattered, and the best one's recipe as a file; if all tie, that they do."""
    done = study.best(study.ended)
    best, measure = done[:SHOWN_TRIALS], study.plan.measure
    if not best:
        print("no trial was completed", file=sys.stderr)
        return
    if len(done) > 1 and done[0].score == done[-1].score:
        came = f"all {len(done)} completed trials came to {measure.label} {measure.text(done[0].score)}"
        print(f"no best trial: {came}; begin another --study with other --total-steps or another --metric")
        return
    trials = {f"{trial.number:03d}": (trial.score, trial.values) for trial in best}
    title = f"{study.name}: the best of {study.ended} trials"
    Console().print(trials_table(title, measure, trials, study.importances()))
    first, recipe = study.run_name(best[0]), study.file.with_name(f"{study.name}-best.toml")
    head = f"# The best of {study.ended} trials of {study.name}: {first}, {study.plan.metric} {best[0].score:.4g}.\n"
    write_text(recipe, head + to_toml(without_idle(study.plan.varied(best[0].values))))
    print(f"best    {first}\nrecipe  {recipe}")

"""Options of train and fork, read over a recipe before what trains is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tyro

from ashen.core.errors import UserError
from ashen.options.parse import parse, split_first, without_help
from ashen.runs.folder import RunFolder, default_runs_dir
from ashen.training.effects import check_options, check_players
from ashen.training.find_run import NOTHING_TO_GO_ON, find_own_run
from ashen.training.fleet.plan import ALONE, FleetPlan
from ashen.training.lineage import CLONED
from ashen.training.recipe import Recipe, load_recipe, training_recipe, with_few_matches

Over = TypeVar("Over", bound=Any)
"""Options of a verb that has a recipe."""


@dataclass(frozen=True)
class TrainOptions:
    """Train an agent: ashen train [RECIPE] [OPTIONS]. RECIPE is a name (see: ashen recipes) or a TOML file.

    --smoke is short for the recipe smoke: everything once, in seconds.
    """

    recipe: Annotated[Recipe, tyro.conf.arg(name="")]
    name: str | None = None
    """Name of the new run; made from date, boss and fight if not given."""
    overlay: Path | None = None
    """Numbers of the boss from your own fights (ashen calibrate writes them); the run keeps a copy."""
    parent: str | None = None
    """Start from the best agent of this run (name or folder), trained or pretrained, in place of a new one."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""
    players: Annotated[FleetPlan, tyro.conf.arg(name="")] = ALONE
    """Who plays: this process, unless said otherwise."""
    recipe_name: tyro.conf.Suppress[str | None] = None
    """What RECIPE was."""


@dataclass(frozen=True)
class ForkOptions:
    """Go on from a run's newest checkpoint by other settings, in a new run: ashen fork RUN [OPTIONS].

    Network, optimiser, replay and counters go on; the fights begin anew, and learning rate and entropy bonus run from
    here to the new end. The run itself stays as it is; the new one says in its config.json which run and checkpoint it
    comes from, and what was changed.
    """

    recipe: Annotated[Recipe, tyro.conf.arg(name="")]
    name: str | None = None
    """Name of the new run; made from date, boss and fight if not given."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""
    players: Annotated[FleetPlan, tyro.conf.arg(name="")] = ALONE
    """Who plays: this process, unless said otherwise."""


def read_train_options(words: Sequence[str]) -> TrainOptions:
    """Recipe file over defaults, command line over both.

    Args:
        words: what stands after ``ashen train``; ``--smoke`` alone is short for the recipe ``smoke``.

    Raises:
        UserError: there is no such recipe, or an option is wrong.
    """
    name, rest = split_first(words)
    if "--smoke" in rest:
        if name not in (None, "smoke"):
            raise UserError(f"--smoke is short for the recipe smoke, and '{name}' is another; leave one of the two out")
        name, rest = "smoke", [word for word in rest if word != "--smoke"]
    name = name or "full"
    recipe = load_recipe(name)
    if recipe.is_on_game or backend_of(rest) == "game":
        recipe = with_few_matches(recipe)
    options = parse_over(TrainOptions(recipe, recipe_name=name), "train", rest)
    check_players(options.players, options.recipe, recipe)
    return options


def parse_over(default: Over, verb: str, words: Sequence[str]) -> Over:
    """Read the options of a verb that has a recipe, over one that is known; those that change nothing are refused.

    Args:
        default: the options if nothing is said, its ``recipe`` among them.
        verb: for the usage line.
        words: what stands on the command line after the verb and what it is about.

    Raises:
        UserError: an option is wrong, or changes nothing.
    """
    options = parse(type(default), verb, words, default)
    check_options(options.recipe, default.recipe)
    return options


def backend_of(words: Sequence[str]) -> Literal["sim", "game"] | None:
    """Where it is to be fought, if the words say so; the defaults of all else depend on it."""
    said = [*words, ""]
    values = [said[place + 1] for place, word in enumerate(words) if word == "--backend"]
    values += [word.partition("=")[2] for word in words if word.startswith("--backend=")]
    return "game" if "game" in values else "sim" if "sim" in values else None


def read_fork_options(words: Sequence[str]) -> tuple[RunFolder, ForkOptions]:
    """A run, and its own recipe with the command line over it.

    Args:
        words: what stands after ``ashen fork``.

    Raises:
        UserError: there is no such run, or an option is wrong.
    """
    name, rest = split_first(words)
    # Read once to learn where the runs are, over a recipe that fits the game too, and again over that found there.
    known = rest if name is None else without_help(rest)
    runs_dir = parse(ForkOptions, "fork", known, ForkOptions(Recipe(num_envs=1))).runs_dir
    if name is None:
        raise UserError("fork which run? Give its name or folder; see: ashen fork --help")
    run = find_own_run(name, runs_dir, NOTHING_TO_GO_ON)
    check_trained_here(run, name)
    recipe = training_recipe(run)
    options = parse_over(ForkOptions(recipe), "fork", rest)
    check_players(options.players, options.recipe, recipe)
    return run, options


def check_trained_here(run: RunFolder, word: str) -> None:
    """Refuse to go on with a run in which nothing was trained; what it plays with can still be a parent.

    Args:
        run: the run.
        word: what it was called on the command line.

    Raises:
        UserError: it was joined, imported or cloned; says what goes on from it.
    """
    config = run.read_config()
    if CLONED in config:
        raise UserError(
            f"{run.name} is a clone of recorded fights, and no training that could go on; start one from it: "
            f"ashen finetune {word}, or ashen train RECIPE --parent {word}"
        )
    if config.get("trained_here", True):
        return
    if "joined" not in config:
        ways = f"ashen finetune {word} or ashen train RECIPE --parent {word}"
    else:
        ways = " or ".join(_way_on(run, place) for place in ("phase1", "phase2"))
    raise UserError(f"{run.name} was joined or imported, not trained here, and cannot go on; make a new run: {ways}")


def _way_on(joined: RunFolder, place: str) -> str:
    """How to go on with one of the two agents of a joined run: from its own run, if that is there, else the copy."""
    own = RunFolder(joined.path.parent / joined.read_config()["joined"][place])
    if not own.config_file.is_file():
        return f"ashen finetune {joined.path / place}"
    return f"ashen {'fork' if own.read_config().get('trained_here', True) else 'finetune'} {own.name}"

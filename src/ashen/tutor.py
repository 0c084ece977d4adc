"""Trainings that begin with what somebody can already do: fine-tuning an agent, and cloning recorded fights."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import tyro

from ashen.coach import started, train_new
from ashen.core.errors import SettingError, UserError
from ashen.core.signals import StopOnSignal
from ashen.core.tables import base_file, boss_file, boss_names, full_name, is_measured
from ashen.display import say, say_if_cold
from ashen.options.parse import check_counts, parse, split_first, without_help
from ashen.options.training import backend_of, parse_over
from ashen.runs.folder import create_run, default_runs_dir
from ashen.runs.metrics import clone_text, match_text
from ashen.training.find_run import find_run
from ashen.training.finetune import finetuning_recipe
from ashen.training.lineage import CLONED, with_lineage
from ashen.training.pretrain import CloneConfig, Pretraining
from ashen.training.recipe import Recipe, load_recipe, run_label
from ashen.training.session import session
from ashen.training.start import run_config
from ashen.training.tables import to_table
from ashen.training.trained import Trained, trained


@dataclass(frozen=True)
class FinetuneOptions:
    """Adapt a run's best agent to a fight that differs, with few steps: ashen finetune RUN [OPTIONS].

    It goes on by its own recipe with small steps, into a new run. The agent as it was stays frozen beside it and
    remains the best of the new run, unless the tuned one wins more of the same fights at the end, beyond chance.

    On the real game (--backend game) it first fights for half of the steps without learning, refits the boss's table to
    these fights, and goes on with that.
    """

    recipe: Annotated[Recipe, tyro.conf.arg(name="")]
    name: str | None = None
    """Name of the new run; made from date, boss and fight if not given."""
    overlay: Path | None = None
    """Numbers of the boss in which the fight differs (ashen calibrate writes them); the run keeps a copy."""
    calibrate: bool = False
    """First refit the boss's table to the agent's own fights; on by itself with --backend game, if his attacks' times
    were measured. In the simulator --boss then says whom it fights without knowing his numbers."""
    calibrate_steps: int | None = None
    """Steps of --total-steps that are recorded for that, and not learned from; half of them if not given."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        check_counts(self, "calibrate_steps")
        if self.calibrate_steps is not None and not self.calibrate:
            raise UserError("--calibrate-steps says how long --calibrate records; add --calibrate, or leave it out")
        if self.recorded_steps >= self.recipe.total_steps:
            rule = f"must be less than --total-steps {self.recipe.total_steps}, which they are a part of"
            raise SettingError(FinetuneOptions, "calibrate_steps", self.recorded_steps, rule)

    @property
    def recorded_steps(self) -> int:
        """How many of the steps are recorded to refit the table, and not learned from."""
        return (self.calibrate_steps or self.recipe.total_steps // 2) if self.calibrate else 0


@dataclass(frozen=True)
class PretrainOptions:
    """Clone the play of recorded fights: ashen pretrain [RECIPE] --from FIGHTS... [OPTIONS].

    The recipe says who learns, what it sees and which actions it has; full if not given. The new run holds the clone,
    from which ashen train RECIPE --parent RUN goes on, or ashen finetune RUN.
    """

    recipe: Annotated[Recipe, tyro.conf.arg(name="")]
    places: Annotated[tuple[str, ...], tyro.conf.arg(name="from")] = ()
    """Runs (names or folders; human for your own fights), folders of fights, or recorded fights (npz)."""
    only_wins: bool = False
    """Learn from fights that were won, and from no others."""
    clone: CloneConfig = CloneConfig()
    """How the behaviour is cloned."""
    recipe_name: tyro.conf.Suppress[str | None] = None
    """What RECIPE was."""
    name: str | None = None
    """Name of the new run; made from date, boss and fight if not given."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if self.recipe.algorithm == "ppo" and self.recipe.ppo.kl_to_parent > 0.0:
            raise UserError("ppo.kl_to_parent holds an agent to its parent, and a clone has none; leave it out")


def read_finetune_options(words: Sequence[str]) -> tuple[FinetuneOptions, Trained]:
    """The recipe of fine-tuning, made from the agent's own, and the command line over it.

    Args:
        words: what stands after ``ashen finetune``.

    Returns:
        The options, and the agent to start from.

    Raises:
        UserError: there is no such run, or an option is wrong.
    """
    run, rest = split_first(words)
    backend = backend_of(rest)
    # Read once to learn where the runs are, and again over the recipe that is found there.
    first = FinetuneOptions(finetuning_recipe(Recipe(), backend), calibrate=backend == "game")
    known = rest if run is None else without_help(rest)
    runs_dir = parse(FinetuneOptions, "finetune", known, first).runs_dir
    if run is None:
        raise UserError("finetune which run? Give its name or folder; see: ashen finetune --help")
    parent = trained(find_run(run, runs_dir))
    recipe = finetuning_recipe(parent.recipe, backend)
    default = FinetuneOptions(recipe, calibrate=recipe.is_on_game and is_measured(boss_file(recipe.boss)))
    return parse_over(default, "finetune", rest), parent


def finetune(options: FinetuneOptions, parent: Trained) -> None:
    """Fine-tune an agent in a new run folder, beside a frozen copy of what it was.

    Raises:
        UserError: the recipe, the name or the overlay is wrong.
        OSError: the disk is full.
    """
    recipe, overlay = options.recipe, options.overlay
    if options.calibrate:
        recipe = replace(recipe, total_steps=recipe.total_steps - options.recorded_steps)
        if not recipe.is_on_game and recipe.boss != parent.recipe.boss:
            recipe = replace(recipe, boss=parent.recipe.boss, real_boss=full_name(recipe.boss))
    base = base_file(boss_file(recipe.boss))
    if base is not None:  # a boss that is an overlay itself gives way to another, or goes along as a copy
        overlay = overlay or Path(recipe.boss)
        shipped = {path: name for name, path in boss_names().items()}
        recipe = replace(recipe, boss=shipped.get(base, str(base)))
    train_new(recipe, options.runs_dir, options.name, overlay, parent, True, options.recorded_steps)


def read_pretrain_options(words: Sequence[str]) -> PretrainOptions:
    """Recipe file over defaults, command line over both.

    Args:
        words: what stands after ``ashen pretrain``.

    Raises:
        UserError: there is no such recipe, no place of fights, or an option is wrong.
    """
    name, rest = split_first(words)
    name = name or "full"
    options = parse_over(PretrainOptions(load_recipe(name), recipe_name=name), "pretrain", rest)
    if not options.places:
        raise UserError("pretrain needs --from with at least one run, folder of fights or npz file")
    return options


def pretrain(options: PretrainOptions) -> None:
    """Clone recorded fights in a new run folder.

    Raises:
        UserError: the recipe, the name or the fights are wrong.
        OSError: the disk is full.
    """
    pretraining = Pretraining(
        options.recipe, options.clone, options.places, options.runs_dir, only_wins=options.only_wins
    )
    run = create_run(options.runs_dir, options.name, f"{run_label(options.recipe)}-clone")
    pretrained_from = {"places": list(options.places), "only_wins": options.only_wins, "clone": to_table(options.clone)}
    pretrained_from |= {"fights": pretraining.fights}
    run.log(started())
    for line in (pretraining.summary, *pretraining.doubts):
        run.log(line)
        say(line)
    origin = {"recipe_name": options.recipe_name, CLONED: pretrained_from}
    run.write_config(with_lineage(run, run_config(pretraining.training) | origin))
    print(f"ashen: cloning in {run.path}", file=sys.stderr)
    say_if_cold()
    with session(run), StopOnSignal() as stop:
        for row in pretraining.run(run, stop):
            if row["kind"] == "pretrain":
                print(clone_text(row), file=sys.stderr)
    if row["kind"] == "final":
        print(f"result  {clone_text(row)}; {match_text(row)}")
    else:
        say(f"stopped: the best pass is saved, its match was not played; ashen evaluate {run.word} does that")
    print(f"run     {run.path}")

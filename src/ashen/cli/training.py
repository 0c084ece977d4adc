"""The verbs that make and train agents."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ashen.core.errors import UserError

if TYPE_CHECKING:
    from ashen.runs.folder import RunFolder


def train(words: Sequence[str]) -> None:
    """Train an agent by a recipe."""
    from ashen.options.training import read_train_options
    from ashen.runs.folder import check_new_name
    from ashen.training.find_run import find_run

    options = read_train_options(words)
    check_new_name(options.name, options.runs_dir)
    parent_run = None if options.parent is None else find_run(options.parent, options.runs_dir)
    # What trains takes seconds to load, so mistakes are looked for before.
    from ashen.coach import train_new
    from ashen.training.trained import trained

    parent = None if parent_run is None else trained(parent_run)
    train_new(
        options.recipe,
        options.runs_dir,
        options.name,
        options.overlay,
        parent,
        recipe_name=options.recipe_name,
        plan=options.players,
    )


def resume(words: Sequence[str]) -> None:
    """Go on with a run."""
    from ashen.options.making import ResumeOptions
    from ashen.options.parse import parse

    try:
        options = parse(ResumeOptions, "resume", words)
    except UserError as error:
        raise UserError(f"{error}; by other settings a new run goes on from it: ashen fork --help") from None
    from ashen.coach import train_on

    train_on(options.run, options.runs_dir, options.actors, options.fleet, options.scan_codes)


def fork(words: Sequence[str]) -> None:
    """Go on from a run's newest checkpoint by other settings."""
    from ashen.options.training import read_fork_options
    from ashen.runs.folder import check_new_name

    run, options = read_fork_options(words)
    check_new_name(options.name, options.runs_dir)
    from ashen.coach import fork

    fork(run, options)


def finetune(words: Sequence[str]) -> None:
    """Adapt a run's agent to a fight that differs."""
    from ashen.tutor import finetune, read_finetune_options

    finetune(*read_finetune_options(words))


def pretrain(words: Sequence[str]) -> None:
    """Clone the play of recorded fights."""
    from ashen.tutor import pretrain, read_pretrain_options

    pretrain(read_pretrain_options(words))


def sweep(words: Sequence[str]) -> None:
    """Search for better settings of a recipe."""
    from ashen.scout import read_sweep_options, search

    search(read_sweep_options(words), words)


def join(words: Sequence[str]) -> None:
    """Make one run of two, a phase each."""
    from ashen.display import say
    from ashen.options.making import JoinOptions
    from ashen.options.parse import parse
    from ashen.training.find_run import find_run
    from ashen.training.joined import join, phase_doubts

    options = parse(JoinOptions, "join", words)
    first, second = (find_run(run, options.runs_dir) for run in (options.run1, options.run2))
    run = join(first, second, options.runs_dir, options.name)
    for doubt in phase_doubts(first, second):
        say(doubt)
    _introduce(run, options.fights)


def import_checkpoint(words: Sequence[str]) -> None:
    """Make a run of a checkpoint from elsewhere."""
    from ashen.options.making import ImportOptions
    from ashen.options.parse import parse
    from ashen.training.imported import import_checkpoint

    options = parse(ImportOptions, "import-checkpoint", words)
    run = import_checkpoint(
        options.file, options.encoder, options.actions, options.fight, options.runs_dir, options.name
    )
    _introduce(run, options.fights)


def _introduce(run: "RunFolder", fights: int) -> None:
    """Let a run that was made and not trained play its first match."""
    from ashen.display import match_text, say_if_cold
    from ashen.display.progress import Progress
    from ashen.training.first_match import play_first_match
    from ashen.training.session import session

    say_if_cold()
    with session(run), Progress() as progress:
        row = play_first_match(run, fights, progress.match(f"{run.name} plays its first {fights} fights", fights))
    print(f"result  {match_text(row)}\nrun     {run.path}")


def recipes(words: Sequence[str]) -> None:
    """List the recipes with the first line of each."""
    from ashen.options.parse import NoOptions, parse
    from ashen.recipes import recipe_files

    parse(NoOptions, "recipes", words)
    for name, path in recipe_files().items():
        print(f"{name:16} {path.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}")

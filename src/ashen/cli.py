"""The command ``ashen``: one verb, one function. Everything heavy is imported inside the verb that needs it."""

import errno
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import randbits
from typing import TYPE_CHECKING

from ashen.core.errors import UserError, unknown

if TYPE_CHECKING:
    from ashen.options import ExplainOptions
    from ashen.runs.fights import FightRecord
    from ashen.runs.folder import RunFolder

NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
AGAIN = {"train": " --resume RUN", "sweep": " --resume"}
"""What to add to a verb whose work was saved when the disk was full."""
HELP = """usage: ashen VERB [OPTIONS]

Trains agents that beat Souls bosses, on a fast simulated fight.

  train [RECIPE]       train an agent, watch it, and get its win rate, curves and a film
  finetune RUN         adapt a trained agent to a fight that differs; it is replaced only by a better one
  pretrain [RECIPE]    clone the play of recorded fights, as a start for train --parent or finetune
  evaluate RUN         fight many times and count: win rate with interval, length, damage by attack
  exploits RUN         check that wins are earned: no stuck boss, no death without a blow, no need of the cliff
  play                 fight yourself, in a window, with keyboard or gamepad
  film RUN             film a fight of a run; of your own: film human
  explain RUN          tell why a fight went as it did: decisions, blows, lost hit points
  plot RUN...          draw learning curves
  compare RUN...       compare recipes over seeds: interquartile means, curves, probability of improvement
  sweep [RECIPE]       search for better settings of a recipe, with Optuna, on all cores
  join RUN1 RUN2       make one run of two: the first plays phase 1, the second phase 2
  import-checkpoint F  make a run of a checkpoint file of RL-Souls
  fidelity             compare the simulator with the real game, figure by figure
  calibrate            refit the boss's numbers to recorded fights, as an overlay for train and evaluate
  bench                measure speed here: of the fight, against other libraries, on a GPU
  recipes              list the recipes

RUN is a run's name or folder; for film and explain also a recorded fight (npz). evaluate, exploits and explain also
take a built-in opponent:
  random, random-valid, always-attack, roll-and-hit, oracle

ashen VERB --help tells the options of a verb, ashen --version the version.
"""


def train(words: Sequence[str]) -> None:
    """Train an agent by a recipe, or go on with a run."""
    from ashen.coach import read_train_options, train_new, train_on
    from ashen.training.parent import find_parent

    options = read_train_options(words)
    if options.resume:
        train_on(options.resume, options.runs_dir)
    else:
        parent = None if options.parent is None else find_parent(options.parent, options.runs_dir)
        train_new(options.recipe, options.runs_dir, options.name, options.overlay, parent)


def finetune(words: Sequence[str]) -> None:
    """Adapt a run's agent to a fight that differs."""
    from ashen.tutor import finetune, read_finetune_options

    finetune(*read_finetune_options(words))


def pretrain(words: Sequence[str]) -> None:
    """Clone the play of recorded fights."""
    from ashen.tutor import pretrain, read_pretrain_options

    pretrain(read_pretrain_options(words))


def evaluate(words: Sequence[str]) -> None:
    """Judge a run or an opponent."""
    from ashen.display import say_if_cold, say_progress
    from ashen.evaluation.judge import judge
    from ashen.evaluation.planning import planned
    from ashen.options import EvaluateOptions, parse
    from ashen.runs.fights import recorder
    from ashen.training.contenders import find_contender

    options = parse(EvaluateOptions, "evaluate", words)
    say_if_cold()
    contender = find_contender(options.run, options.runs_dir)
    plan = (options.plan_steps, options.plan_samples)
    figures = judge(
        planned(contender.make_policy, *plan) if options.plan else contender.make_policy,
        contender.env_options | options.changes,
        fights=options.fights,
        seed=options.seed,
        random_start=options.start == "random",
        randomise=options.randomise,
        num_envs=options.num_envs,
        until_sure=options.until_sure,
        record=recorder(options.record) if options.record else None,
        facts={"kind": "evaluation", "env_step": 0},
        progress=say_progress,
    )
    if options.json:
        print(json.dumps(figures))
    else:
        from rich.console import Console

        from ashen.display import match_table

        Console().print(match_table(figures))


def exploits(words: Sequence[str]) -> int:
    """Check that a run's wins are earned; returns 1 if one of the checks fails."""
    from dataclasses import asdict

    from ashen.display import say_if_cold, say_progress
    from ashen.evaluation.exploits import checks
    from ashen.evaluation.judge import judge
    from ashen.options import ExploitsOptions, parse
    from ashen.training.contenders import find_contender

    options = parse(ExploitsOptions, "exploits", words)
    say_if_cold()
    contender = find_contender(options.run, options.runs_dir)
    world, asked = contender.env_options | options.changes, {"fights": options.fights, "seed": options.seed}
    figures, closed = (
        judge(contender.make_policy, world, **asked, closed_cliff=is_closed, progress=say_progress)
        for is_closed in (False, True)
    )
    found = checks(figures, closed)
    passed = all(check.passed for check in found)
    if options.json:
        rows = {"checks": [asdict(check) for check in found], "open": figures, "closed_cliff": closed}
        print(json.dumps({"passed": passed} | rows))
    else:
        print("\n".join(f"{'pass' if check.passed else 'FAIL'}  {check}" for check in found))
    return 0 if passed else 1


def film(words: Sequence[str]) -> None:
    """Film a fight of a run."""
    from ashen.options import FilmOptions, parse
    from ashen.reports.film import choose_fight, film
    from ashen.runs.folder import open_run

    options = parse(FilmOptions, "film", words)
    is_fight = options.run.endswith(".npz")
    fight = Path(options.run) if is_fight else choose_fight(open_run(options.run, options.runs_dir).path, options.which)
    print(film(fight, options.out))


def explain(words: Sequence[str]) -> None:
    """Tell why a fight went as it did."""
    from ashen.display import say_if_cold
    from ashen.evaluation.explain.fight import explain_fight
    from ashen.evaluation.explain.text import LEGEND, explanation_text
    from ashen.options import ExplainOptions, parse
    from ashen.runs.files import refuse_other_file

    options = parse(ExplainOptions, "explain", words)
    if options.out is not None:
        refuse_other_file(options.out, LEGEND.encode(), "explanation")
    say_if_cold()
    record, where = _fight_to_explain(options)
    text = explanation_text(explain_fight(record, where), options.show, options.steps)
    if options.out is None:
        print(text, end="")
        return
    _write(options.out, text)
    print(options.out)


def _write(out: Path, text: str) -> None:
    from ashen.runs.files import write_text

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, text)
    except (FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise UserError(f"cannot write {out}: {error.strerror}; choose another --out") from None


def _fight_to_explain(options: "ExplainOptions") -> "tuple[FightRecord, str]":
    """The fight asked for, recorded or fought now, and what it is called in errors."""
    from ashen.evaluation.judge import first_fight
    from ashen.reports.film import choose_fight
    from ashen.runs.fights import load_fight
    from ashen.runs.folder import open_run
    from ashen.training.contenders import OPPONENTS, find_contender

    if options.run.endswith(".npz"):
        return load_fight(Path(options.run)), options.run
    if options.run in OPPONENTS or options.is_anew:
        if options.which is not None:
            raise UserError(f"{options.run} has no recorded fights; leave out --which, choose a fight with --seed")
        contender = find_contender(options.run, options.runs_dir)
        world, seed = contender.env_options | options.changes, options.seed or 0
        return first_fight(contender.make_policy, world, seed, options.randomise), options.run
    path = choose_fight(open_run(options.run, options.runs_dir, OPPONENTS).path, options.which)
    return load_fight(path), str(path)


def plot(words: Sequence[str]) -> None:
    """Draw learning curves of runs."""
    from ashen.options import PlotOptions, parse
    from ashen.reports.plot import plot
    from ashen.runs.folder import open_run

    options = parse(PlotOptions, "plot", words)
    runs = [open_run(run, options.runs_dir).path for run in options.runs]
    plot(runs, options.out)
    print(options.out)


def compare(words: Sequence[str]) -> None:
    """Compare recipes over seeds."""
    from ashen.evaluation.compare import compare
    from ashen.options import CompareOptions, parse
    from ashen.reports.compare_plot import plot_comparison
    from ashen.runs.folder import open_run

    options = parse(CompareOptions, "compare", words)
    figures = compare([open_run(run, options.runs_dir) for run in options.runs], options.metric)
    plot_comparison(figures, options.out)
    if options.json:
        print(json.dumps(figures | {"picture": str(options.out)}))
        return
    from rich.console import Console

    from ashen.display import comparison_table

    Console().print(comparison_table(figures))
    for warning in figures["warnings"]:
        print(f"note: {warning}")
    print(options.out)


def sweep(words: Sequence[str]) -> None:
    """Search for better settings of a recipe."""
    from ashen.scout import read_sweep_options, search

    search(read_sweep_options(words), words)


def join(words: Sequence[str]) -> None:
    """Make one run of two, a phase each."""
    from ashen.options import JoinOptions, parse
    from ashen.runs.folder import open_run
    from ashen.training.joined import join

    options = parse(JoinOptions, "join", words)
    first, second = (open_run(run, options.runs_dir) for run in (options.run1, options.run2))
    _introduce(join(first, second, options.runs_dir, options.name), options.fights)


def import_checkpoint(words: Sequence[str]) -> None:
    """Make a run of a checkpoint from elsewhere."""
    from ashen.options import ImportOptions, parse
    from ashen.training.imported import import_checkpoint

    options = parse(ImportOptions, "import-checkpoint", words)
    run = import_checkpoint(
        options.file, options.encoder, options.actions, options.fight, options.runs_dir, options.name
    )
    _introduce(run, options.fights)


def _introduce(run: "RunFolder", fights: int) -> None:
    """Let a run that was made and not trained play its first match."""
    from ashen.display import match_text, say_if_cold, say_progress
    from ashen.training.first_match import play_first_match

    say_if_cold()
    print(f"result  {match_text(play_first_match(run, fights, say_progress))}\nrun     {run.path}")


def play(words: Sequence[str]) -> None:
    """Fight in a window."""
    from ashen.options import PlayOptions, parse
    from ashen.play.bindings import key_text

    options = parse(PlayOptions, "play", words, more_help=f"Keys, by their places on a US keyboard:\n{key_text()}")
    from ashen.core.seeding import derive_seed
    from ashen.display import say_if_cold
    from ashen.play.bout import Setting
    from ashen.play.game import Plan, play
    from ashen.signals import StopOnSignal

    seed = randbits(32) if options.seed is None else options.seed
    varied = derive_seed(seed, "randomise")  # as a match draws its bosses
    setting = Setting(options.boss, options.fight, options.start, options.randomise, varied)
    plan = Plan(setting, seed, options.speed, options.fights)
    say_if_cold()
    with StopOnSignal() as stop:
        records = play(plan, options.runs_dir, stop)
    for record in records:
        print(record)


def bench(words: Sequence[str]) -> None:
    """Measure speed."""
    from ashen.bench.machine import figures_text as text
    from ashen.display import say_if_cold
    from ashen.options import BenchOptions, parse

    options = parse(BenchOptions, "bench", words)
    if options.peers:
        from ashen.bench.peers import measure_peers, require_peers

        require_peers()
        say_if_cold()
        figures = measure_peers(options.repeats)
    elif options.device:
        from ashen.bench.devices import devices_text as text
        from ashen.bench.devices import measure_devices

        say_if_cold()
        figures = measure_devices(options.device.split(","), options.recipe, options.repeats)
    else:
        from ashen.bench.world import measure

        say_if_cold()
        figures = measure(options.repeats)
    print(json.dumps(figures) if options.json else text(figures))


def fidelity(words: Sequence[str]) -> None:
    """Compare the simulator with the real game."""
    from ashen.display import say
    from ashen.evaluation.fidelity.forecasts import OTHER_FIGHT, TABLE, forecast
    from ashen.evaluation.fidelity.measure import fidelity_rows
    from ashen.evaluation.fidelity.page import fidelity_page, link, write_page
    from ashen.evaluation.fidelity.rows import as_json
    from ashen.options import FidelityOptions, parse

    options = parse(FidelityOptions, "fidelity", words)
    forecasts = forecast(options.boss)
    pictures = []
    if options.plots:
        from ashen.reports.alignment_plot import plot_alignment

        for number, fight in enumerate(forecasts.fights):
            ahead = {name: forecasts.ahead[name][number] for name in (OTHER_FIGHT, TABLE)}
            pictures.append(plot_alignment(fight.states, ahead, options.plots / f"recorded-fight-{number}.png"))
    rows = fidelity_rows(forecasts, options.boss, options.seed, say)
    if not options.fast:
        from ashen.training.diary_row import diary_rows

        rows.extend(diary_rows(say=say))
    page = fidelity_page(rows, forecasts, options.boss, [link(picture, options.out) for picture in pictures])
    write_page(options.out, page)
    print(json.dumps(as_json(rows)) if options.json else page, end="\n" if options.json else "")
    print(f"written to {', '.join(str(path) for path in (options.out, *pictures))}", file=sys.stderr)


def calibrate(words: Sequence[str]) -> None:
    """Refit a boss's numbers to recorded fights."""
    from ashen.display import calibration_table, calibration_text, calibration_warning, say, say_if_cold
    from ashen.evaluation.calibrate.fights import fights_from
    from ashen.evaluation.calibrate.report import CALIBRATED, judged_calibration
    from ashen.options import CalibrateOptions, parse
    from ashen.runs.files import refuse_other_file

    options = parse(CalibrateOptions, "calibrate", words)
    refuse_other_file(options.out, CALIBRATED.encode(), "overlay of a calibration")
    fights, boss = fights_from(options.places, options.runs_dir, options.boss)
    say_if_cold()
    calibration = judged_calibration(fights, boss, say)
    _write(options.out, calibration.overlay)
    figures = calibration.figures | {"overlay": str(options.out)}
    if warning := calibration_warning(figures):
        say(warning)
    if options.json:
        print(json.dumps(figures))
        return
    from rich.console import Console

    Console().print(calibration_table(figures))
    print(f"{calibration_text(figures)}\n{options.out}")


def recipes(words: Sequence[str]) -> None:
    """List the recipes with the first line of each."""
    from ashen.options import NoOptions, parse
    from ashen.recipes import recipe_files

    parse(NoOptions, "recipes", words)
    for name, path in recipe_files().items():
        print(f"{name:16} {path.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}")


_VERBS = (train, finetune, pretrain, evaluate, exploits, play, film, explain, plot, compare, sweep)
_VERBS += (join, import_checkpoint, fidelity, calibrate, bench, recipes)
VERBS: dict[str, Callable[[Sequence[str]], int | None]] = {verb.__name__.replace("_", "-"): verb for verb in _VERBS}


def main(words: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        words: what stands after ``ashen`` on the command line; None reads it from there.

    Returns:
        The exit code: 0 done, 1 a check failed, 2 something the user can mend (said in one line on standard error),
        130 interrupted.
    """
    words = list(sys.argv[1:] if words is None else words)
    if not words or words[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0
    if words[0] == "--version":
        import ashen

        print(ashen.__version__)
        return 0
    try:
        if words[0] not in VERBS:
            raise unknown("verb", words[0], VERBS)
        return VERBS[words[0]](words[1:]) or 0
    except UserError as error:
        return _complain(str(error))
    except BrokenPipeError:
        sys.stdout = None  # the reader, such as head, has gone: nothing is left to flush
        return 0
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        again = f"ashen {words[0]}{AGAIN.get(words[0], '')}"
        return _complain(f"the disk is full ({error}); make room, what was saved is whole, then: {again}")
    except KeyboardInterrupt:
        print("ashen: interrupted", file=sys.stderr)
        return 130


def _complain(message: str) -> int:
    print(f"ashen: {' '.join(message.split())}", file=sys.stderr)
    return 2

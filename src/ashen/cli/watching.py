"""The verbs that show: fights, curves, comparisons."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from secrets import randbits
from typing import TYPE_CHECKING

from ashen.cli.out import write_out
from ashen.core.errors import UserError

if TYPE_CHECKING:
    from ashen.display.progress import Progress
    from ashen.options.watching import ExplainOptions, FilmOptions
    from ashen.runs.fights import FightRecord
    from ashen.runs.folder import RunFolder


def play(words: Sequence[str]) -> None:
    """Fight in a window."""
    from ashen.options.parse import parse
    from ashen.options.watching import PlayOptions
    from ashen.play.bindings import key_text

    options = parse(PlayOptions, "play", words, more_help=f"Keys, by their places on a US keyboard:\n{key_text()}")
    from ashen.core.seeding import derive_seed
    from ashen.core.signals import StopOnSignal
    from ashen.display import say_if_cold
    from ashen.play.bout import Setting
    from ashen.play.game import Plan, play

    seed = randbits(32) if options.seed is None else options.seed
    varied = derive_seed(seed, "randomise")  # as a match draws its bosses
    setting = Setting(options.boss, options.fight, options.start, options.randomise, varied)
    plan = Plan(setting, seed, options.speed, options.fights)
    say_if_cold()
    with StopOnSignal() as stop:
        records = play(plan, options.runs_dir, stop)
    for record in records:
        print(record)


def film(words: Sequence[str]) -> None:
    """Film a fight of a run."""
    from ashen.display.progress import Progress
    from ashen.options.parse import parse
    from ashen.options.watching import FilmOptions

    options = parse(FilmOptions, "film", words)
    with Progress() as progress:
        from ashen.reports.film import film

        fight = _fight_to_film(options, progress)
        name = fight if isinstance(fight, Path) else f"a fight of {options.run}"
        film(fight, options.out, progress=partial(progress.show, f"filming {name} to {options.out}"))
    print(options.out)


def _fight_to_film(options: "FilmOptions", progress: "Progress") -> "Path | FightRecord":
    """The fight asked for: a file, a run's recorded one, or, of a pack, the first of ashen evaluate."""
    from ashen.reports.film import choose_fight
    from ashen.training.find_run import find_run, pack_named

    if options.run.endswith(".npz"):
        return Path(options.run)
    if pack_named(options.run, options.runs_dir) is None:
        return choose_fight(find_run(options.run, options.runs_dir).path, options.which)
    from ashen.evaluation.judge import first_fight
    from ashen.training.contenders import find_contender

    if options.which is not None:
        raise UserError(f"{options.run} is a pack, which has no recorded fights to choose from; leave out --which")
    contender = find_contender(options.run, options.runs_dir)
    world, told = contender.env_options | {"backend": "sim"}, progress.match(f"{options.run} fights", 1)
    return first_fight(contender.make_policy, world, 0, progress=told)


def explain(words: Sequence[str]) -> None:
    """Tell why a fight went as it did."""
    from ashen.display import say_if_cold
    from ashen.display.progress import Progress
    from ashen.options.parse import parse
    from ashen.options.watching import ExplainOptions
    from ashen.runs.files import check_out

    options = parse(ExplainOptions, "explain", words)
    with Progress() as progress:
        from ashen.evaluation.explain.fight import explain_fight
        from ashen.evaluation.explain.text import LEGEND, explanation_text

        if options.out is not None:
            check_out(options.out, LEGEND.encode(), "explanation")
        say_if_cold()
        record, where = _fight_to_explain(options, progress)
        text = explanation_text(explain_fight(record, where), options.show, options.steps)
    if options.out is None:
        print(text, end="")
        return
    write_out(options.out, text)
    print(options.out)


def _fight_to_explain(options: "ExplainOptions", progress: "Progress") -> "tuple[FightRecord, str]":
    """The fight asked for, recorded or fought now, and what it is called in errors."""
    from ashen.evaluation.judge import first_fight
    from ashen.reports.film import choose_fight
    from ashen.runs.fights import load_fight
    from ashen.training.contenders import OPPONENTS, find_contender
    from ashen.training.find_run import find_run, pack_named

    if options.run.endswith(".npz"):
        return load_fight(Path(options.run)), options.run
    is_pack = pack_named(options.run, options.runs_dir) is not None
    if options.run in OPPONENTS or is_pack or options.is_anew:
        if options.which is not None:
            raise UserError(f"{options.run} has no recorded fights; leave out --which, choose a fight with --seed")
        contender = find_contender(options.run, options.runs_dir)
        world, seed = contender.env_options | {"backend": "sim"} | options.changes, options.seed or 0
        told = progress.match(f"{options.run} fights", 1)
        return first_fight(contender.make_policy, world, seed, options.randomise, told), options.run
    path = choose_fight(find_run(options.run, options.runs_dir, OPPONENTS).path, options.which)
    return load_fight(path), str(path)


def report(words: Sequence[str]) -> None:
    """Explain a run on one page of HTML."""
    from ashen.display import say_if_cold
    from ashen.display.progress import Progress
    from ashen.options.parse import parse
    from ashen.options.watching import ReportOptions
    from ashen.runs.files import check_out
    from ashen.training.find_run import find_run, pack_named

    options = parse(ReportOptions, "report", words)
    with Progress() as progress:
        from ashen.reporter import make_report
        from ashen.reports.page.page import MARK

        run = find_run(options.run, options.runs_dir)
        is_pack = pack_named(options.run, options.runs_dir) is not None  # opened as a run that is gone afterwards
        out = options.out or (Path(f"{run.name}-report.html") if is_pack else run.path / "report.html")
        check_out(out, MARK.encode(), "report of a run", [".html", ".htm"])
        say_if_cold()
        page = make_report(run, options.fights, out.with_name(f"{out.stem}-fights"), options.films, progress)
    write_out(out, page)
    if options.open:
        import webbrowser

        webbrowser.open(out.resolve().as_uri())
    print(out)


def plot(words: Sequence[str]) -> None:
    """Draw learning curves of runs."""
    from ashen.options.parse import parse
    from ashen.options.watching import PlotOptions
    from ashen.reports.plot import plot

    options = parse(PlotOptions, "plot", words)
    plot([run.path for run in _runs_with_curves(options.runs, options.runs_dir)], options.out)
    print(options.out)


def _runs_with_curves(runs: Sequence[str], runs_dir: Path) -> "list[RunFolder]":
    """Runs by their names or folders; a pack has left its curves behind."""
    from ashen.training.find_run import find_own_run

    return [find_own_run(run, runs_dir, "it holds no curves; give the run that it was made of") for run in runs]


def compare(words: Sequence[str]) -> None:
    """Compare recipes over seeds."""
    from ashen.evaluation.compare import compare
    from ashen.options.parse import parse
    from ashen.options.watching import CompareOptions
    from ashen.reports.compare_plot import plot_comparison
    from ashen.training.recipe import recipe_as_now

    options = parse(CompareOptions, "compare", words)
    figures = compare(_runs_with_curves(options.runs, options.runs_dir), options.metric, recipe_as_now)
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

"""The verbs that measure: fights that count, the simulator, speed."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ashen.cli.out import write_out

if TYPE_CHECKING:
    from ashen.display.progress import Progress
    from ashen.options.judging import EvaluateOptions
    from ashen.training.contenders import Contender


def evaluate(words: Sequence[str]) -> None:
    """Judge a run or an opponent."""
    from ashen.display.progress import Progress
    from ashen.options.judging import EvaluateOptions
    from ashen.options.parse import parse

    options = parse(EvaluateOptions, "evaluate", words)
    with Progress() as progress:
        figures = _evaluated(options, progress)
    if options.json:
        print(json.dumps(figures))
    else:
        from rich.console import Console

        from ashen.display.match import match_table

        Console().print(match_table(figures))


def _evaluated(options: "EvaluateOptions", progress: "Progress") -> dict[str, Any]:
    """The figures of the match that was asked for; what else there is to know is said."""
    from ashen.display import say, say_if_cold, say_moment
    from ashen.evaluation.judge import check_fits, judge
    from ashen.evaluation.planning import planned
    from ashen.evaluation.sequential import asked_for
    from ashen.runs.fight_journal import FightJournal, keep_interrupted
    from ashen.runs.fights import recorder
    from ashen.runs.metrics import reach_points
    from ashen.training.contenders import find_contender
    from ashen.training.effects import check_game_options

    say_if_cold()
    contender = find_contender(options.run, options.runs_dir)
    if doubt := contender.pack.get("doubt"):
        say(doubt)
    world, make_policy = contender.env_options | options.changes, contender.make_policy
    _say_trained_for(options.run, contender, world["fight"])
    if options.plan:
        make_policy = planned(make_policy, options.plan_steps, options.plan_samples)
    on_game = world["backend"] == "game"
    if on_game:
        check_fits(make_policy, world)
    else:
        check_game_options(options, "--backend game")
    sure_when = asked_for(options.sure_within, on_game)
    until = f" at most, until the win rate is known within {100 * sure_when.within:g} points" if sure_when else ""
    begins = f"{options.run} fights {options.fights} times{until}"
    told = progress.match(begins, options.fights, _game_lines(options, world) if on_game else ())
    if options.record:
        keep_interrupted(options.record)
    if options.watch:
        progress.end()
    figures = judge(
        make_policy,
        world,
        fights=options.fights,
        seed=options.seed,
        random_start=options.start == "random",
        randomise=options.randomise,
        num_envs=options.num_envs,
        sure_when=sure_when,
        record=recorder(options.record) if options.record else None,
        journal=FightJournal(options.record) if options.record and on_game else None,
        facts={"kind": "evaluation", "env_step": 0},
        progress=told,
        watch=say_moment if options.watch else None,
    )
    if on_game:
        from ashen.game.keeper import the_keeper

        for line in the_keeper().account():
            say(line)
    if sure_when and not figures["sure"]:
        reached, wanted = f"known within {reach_points(figures):.1f} points", f"not within {100 * sure_when.within:g}"
        say(f"after all {options.fights} fights the win rate is {reached}, {wanted}; give more --fights to be surer")
    return figures


def _say_trained_for(name: str, contender: "Contender", fight: str) -> None:
    """Say of an agent if it is judged in a fight that it was not trained for."""
    from ashen.display import say

    if doubt := contender.doubt_in(fight):
        say(f"{name} {doubt}; --fight {contender.env_options['fight']} judges it in what it was trained for")


def _game_lines(options: "EvaluateOptions", world: dict[str, Any]) -> Iterator[str]:
    """What a match on the game is about to do, and for how long."""
    from ashen.game.options import expected_s

    minutes = max(1.0, expected_s(options.fights, world["fight"], world["game_speed"]) / 60.0)
    kept = f"kept in {options.record}" if options.record else "not kept"
    how = f"{world['boss']}, {world['fight']}, speed {world['game_speed']:g}, from the {options.start} start"
    yield f"on the real game: {how}; each fight is {kept}"
    yield f"{options.fights} fights on the game take about {minutes:.0f} minutes; do not touch it meanwhile"


def exploits(words: Sequence[str]) -> int:
    """Check that a run's wins are earned; returns 1 if one of the checks fails."""
    from dataclasses import asdict

    from ashen.display import say, say_if_cold
    from ashen.display.progress import Progress
    from ashen.options.judging import ExploitsOptions
    from ashen.options.parse import parse

    options = parse(ExploitsOptions, "exploits", words)
    with Progress() as progress:
        from ashen.evaluation.exploits import checks, verdict
        from ashen.evaluation.judge import judge
        from ashen.training.contenders import find_contender

        say_if_cold()
        contender = find_contender(options.run, options.runs_dir)
        world = contender.env_options | {"backend": "sim"} | options.changes
        _say_trained_for(options.run, contender, world["fight"])
        asked = {"fights": options.fights, "seed": options.seed}
        parts = {False: f"{options.run} fights {options.fights} times", True: "the same with the cliff walled off"}
        figures, closed = (
            judge(
                contender.make_policy,
                world,
                **asked,
                closed_cliff=is_closed,
                progress=progress.match(part, options.fights),
            )
            for is_closed, part in parts.items()
        )
    found = checks(figures, closed)
    passed = verdict(found)
    if options.json:
        rows = {"checks": [asdict(check) for check in found], "open": figures, "closed_cliff": closed}
        print(json.dumps({"passed": passed} | rows))
    else:
        marks = {True: "pass", False: "FAIL", None: "open"}
        print("\n".join(f"{marks[check.passed]}  {check}" for check in found))
    if passed is None:
        say(f"nothing was won in {options.fights} fights, so there are no wins to judge")
    return 1 if passed is False else 0


def fidelity(words: Sequence[str]) -> None:
    """Compare the simulator with the real game."""
    from ashen.display import say, say_if_cold
    from ashen.evaluation.fidelity.forecasts import OTHER_FIGHT, TABLE, forecast
    from ashen.evaluation.fidelity.measure import fidelity_rows
    from ashen.evaluation.fidelity.page import fidelity_page, link
    from ashen.evaluation.fidelity.rows import as_json
    from ashen.options.judging import FidelityOptions
    from ashen.options.parse import parse
    from ashen.runs.files import check_out

    options = parse(FidelityOptions, "fidelity", words)
    file = options.page
    if file is not None:
        check_out(file, b"ashen fidelity", "page of ashen fidelity")
    say_if_cold()
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
    links = [link(picture, file or Path("page.md")) for picture in pictures]
    page = fidelity_page(rows, forecasts, options.boss, links)
    print(json.dumps(as_json(rows)) if options.json else page, end="\n" if options.json else "")
    if file is None:
        say("no page is written with --fast, for it would lack figures: give --out FILE, or leave out --fast")
    else:
        write_out(file, page)
    if written := [str(path) for path in (file, *pictures) if path is not None]:
        say(f"written to {', '.join(written)}")


def calibrate(words: Sequence[str]) -> None:
    """Refit a boss's numbers to recorded fights."""
    from ashen.display import calibration_table, calibration_text, calibration_warning, say, say_if_cold
    from ashen.evaluation.calibrate.fights import fights_from
    from ashen.evaluation.calibrate.report import CALIBRATED, judged_calibration
    from ashen.options.judging import CalibrateOptions
    from ashen.options.parse import parse
    from ashen.runs.files import check_out

    options = parse(CalibrateOptions, "calibrate", words)
    check_out(options.out, CALIBRATED.encode(), "overlay of a calibration", [".toml"])
    fights, boss = fights_from(options.places, options.runs_dir, options.boss)
    say_if_cold()
    calibration = judged_calibration(fights, boss, say)
    write_out(options.out, calibration.overlay)
    figures = calibration.figures | {"overlay": str(options.out)}
    if warning := calibration_warning(figures):
        say(warning)
    if options.json:
        print(json.dumps(figures))
        return
    from rich.console import Console

    Console().print(calibration_table(figures))
    print(f"{calibration_text(figures)}\n{options.out}")


def bench(words: Sequence[str]) -> None:
    """Measure speed."""
    from ashen.bench.machine import figures_text as text
    from ashen.display import say_if_cold
    from ashen.options.judging import BenchOptions
    from ashen.options.parse import parse

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

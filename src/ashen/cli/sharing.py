"""The verbs that hand agents on: packs, the leaderboard, the demo."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ashen.cli.out import write_out
from ashen.core.errors import UserError

_DEMO_FPS = 15
"""Pictures a second of the demo's film: half of a film's, so that it is there sooner."""


def pack(words: Sequence[str]) -> None:
    """Make one file of a run's agent."""
    from ashen.display import match_text, say_if_cold
    from ashen.display.progress import Progress
    from ashen.options.parse import parse
    from ashen.options.sharing import PackOptions
    from ashen.runs.files import check_not_source, check_out
    from ashen.runs.pack_file import FORMAT, SUFFIX
    from ashen.training.find_run import find_run, pack_named

    options = parse(PackOptions, "pack", words)
    with Progress() as progress:
        from ashen.training.packs.packing import make_pack

        run = find_run(options.run, options.runs_dir)
        out = options.out or Path(f"{run.name}{SUFFIX}")
        check_out(out, FORMAT.encode(), "pack", [SUFFIX])
        check_not_source(out, pack_named(options.run, options.runs_dir), "pack")
        say_if_cold()
        told = progress.match(f"{run.name} plays the {options.fights} fights that the pack tells of", options.fights)
        data, card = make_pack(run, name=out.stem, fights=options.fights, half=options.half, progress=told)
    write_out(out, data)
    if options.json:
        print(json.dumps({"pack": str(out), "bytes": len(data)} | card))
    else:
        figures = card["evaluation"]
        world = f"{figures['fight']} fight, {figures['start']} start"
        print(f"result  {match_text(figures)} ({world})\npack    {out} ({len(data) / 1000:,.0f} kB)")


def leaderboard(words: Sequence[str]) -> None:
    """Rank packs, runs and opponents by the benchmark's fights."""
    from ashen.display import leaderboard_table, say, say_if_cold
    from ashen.display.progress import Progress
    from ashen.options.parse import parse
    from ashen.options.sharing import LeaderboardOptions
    from ashen.runs.files import check_out

    options = parse(LeaderboardOptions, "leaderboard", words)
    with Progress() as progress:
        from ashen.training.leaderboard import KIND, contestants, leaderboard

        if options.out is not None:
            check_out(options.out, KIND.encode(), "leaderboard")
        say_if_cold()
        figures = leaderboard(contestants(options.names), options.runs_dir, options.fights, say, progress.match)
    if options.out is not None:
        write_out(options.out, json.dumps(figures, indent=1) + "\n")
    if options.json:
        print(json.dumps(figures))
        return
    from rich.console import Console

    Console().print(leaderboard_table(figures))


def demo(words: Sequence[str]) -> None:
    """Watch a trained agent fight."""
    from ashen.display import fight_text, say, say_if_cold
    from ashen.display.progress import Progress
    from ashen.options.parse import parse
    from ashen.options.sharing import DemoOptions

    options = parse(DemoOptions, "demo", words)
    with Progress() as progress:
        from ashen.evaluation.judge import first_fight
        from ashen.reports.film import PICTURE_SIZE, film, pictures
        from ashen.training.contenders import find_contender

        say_if_cold()
        contender = find_contender(options.run, options.runs_dir)
        world, told = contender.env_options | {"backend": "sim"}, progress.match(f"{options.run} fights", 1)
        record = first_fight(contender.make_policy, world, options.seed, progress=told)
    print(fight_text(record))
    out = options.out
    if out is None:
        from ashen.core.signals import StopOnSignal
        from ashen.play.show import SHOWN_PER_S, show

        try:
            with StopOnSignal() as stop:
                seen = pictures(record, 0.0, 1.0 / SHOWN_PER_S, 3 * SHOWN_PER_S, PICTURE_SIZE)
                show(seen, f"ashen: {record.meta['policy']}", stop)
        except UserError:  # there is no display
            out = Path("demo.mp4")
            say(f"no display here, so the fight is filmed to {out}")
    if out is not None:
        with Progress() as progress:
            film(record, out, fps=_DEMO_FPS, progress=partial(progress.show, f"filming to {out}"))
        print(f"film    {out}")

"""The verbs about the recorded fights of a run."""

import json
import sys
from collections.abc import Sequence
from typing import Any, Final

_NO_FIGHTS: Final = "it holds no recorded fights; give the run that it was made of"


def fights(words: Sequence[str]) -> None:
    """List a run's fights."""
    from ashen.evaluation.fight_list import Choice, fight_rows
    from ashen.options.parse import parse
    from ashen.options.recording import FightsOptions
    from ashen.training.find_run import find_fights

    options = parse(FightsOptions, "fights", words)
    run = find_fights(options.run, options.runs_dir, _NO_FIGHTS)
    rows = fight_rows(run, Choice(options.outcome, options.kind, options.incident), options.sort)
    if options.json:
        print(json.dumps({"run": run.name, "fights": rows}))
        return
    if len({row["player"] for row in rows} - {""}) < 2:
        rows = [{name: value for name, value in row.items() if name != "player"} for row in rows]
    _print_table(f"{run.name}: {len(rows)} fights", rows)


def export(words: Sequence[str]) -> None:
    """Write a run's fights as a data set."""
    from ashen.evaluation.minari_export import export_minari, require_minari
    from ashen.options.parse import parse
    from ashen.options.recording import ExportOptions
    from ashen.training.find_run import find_fights

    options = parse(ExportOptions, "export", words)
    require_minari()
    made = export_minari(find_fights(options.run, options.runs_dir, _NO_FIGHTS), options.minari)
    said = f"ashen: {made['dataset']}: {made['fights']} fights, {made['steps']:,} decisions"
    print(f"{said}; {made['faults_left_out']} that ended in a fault are left out", file=sys.stderr)
    print(made["folder"])


def rescore(words: Sequence[str]) -> None:
    """Compute a run's returns under another reward."""
    from ashen.display import say_if_cold
    from ashen.evaluation.rescoring import rescore, reward_from
    from ashen.options.parse import parse
    from ashen.options.recording import RescoreOptions
    from ashen.training.find_run import find_fights

    options = parse(RescoreOptions, "rescore", words)
    run, reward = find_fights(options.run, options.runs_dir, _NO_FIGHTS), reward_from(options.reward)
    say_if_cold()
    figures = rescore(run, reward)
    if options.json:
        print(json.dumps({"run": run.name, "reward": reward} | figures))
        return
    _print_table(f"{run.name} under {options.reward}: mean returns of {figures['fights']} fights", figures["groups"])
    if figures["changed"]:
        _print_table("places that change most (1: the highest return)", figures["changed"])
    correlation = figures["rank_correlation"]
    told = "unknown, since all returns are equal" if correlation is None else f"{correlation:.3f}"
    print(f"rank correlation of the fights by old and new return: {told}")


def _print_table(title: str, rows: list[dict[str, Any]]) -> None:
    """Rows of the same figures in columns, a line each, however narrow the terminal is."""
    cells = [[f"{value:.5g}" if isinstance(value, float) else str(value) for value in row.values()] for row in rows]
    table = [[name.replace("_", " ") for name in rows[0]], *cells] if rows else []
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    print(title)
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

"""Where fights are won: by phase, and by what was left at the change of phase."""

from typing import Any

from ashen.reports.page.blocks import Block, Chart, Table, Text, interval
from ashen.reports.page.charts import LEGEND_BELOW, SHARE_AXIS, bars, errors
from ashen.reports.plot import COLOURS

_BIN_HP = 25


def draw_win_rates(figures: dict[str, Any]) -> list[Block]:
    """The section ``phases``; takes :func:`ashen.evaluation.report.phases.win_rates`."""
    ended = ", ".join(f"{count} {name.lower()}" for name, count in figures["outcomes"].items())
    return [
        *_rates("win rate, 95 % interval", figures["rates"], "what was won"),
        Text(f"How the fights ended: {ended}."),
    ]


def draw_phase_change(figures: dict[str, Any]) -> list[Block]:
    """The section ``phase-change``; takes :func:`ashen.evaluation.report.phases.phase_change`."""
    hp, won = figures["hp"], figures["won"]
    bins = {"start": 0.0, "end": figures["max_hp"] + _BIN_HP, "size": _BIN_HP}
    traces = [
        {
            "type": "histogram",
            "name": name,
            "x": [value for value, is_won in zip(hp, won, strict=True) if is_won == wanted],
            "xbins": bins,
            "marker": {"color": colour},
        }
        for name, wanted, colour in (("won", True, COLOURS[2]), ("not won", False, COLOURS[1]))
        if wanted in won
    ]
    layout = {"barmode": "stack", "xaxis": {"title": {"text": "player HP as phase 2 begins"}}, "legend": LEGEND_BELOW}
    mean = f"{figures['mean']:.0f} of {figures['max_hp']:.0f} HP left on average"
    return [
        Text(f"{mean} (95 % interval {figures['low']:.0f}-{figures['high']:.0f}), over {len(hp)} fights."),
        Chart("fights by HP left", traces, layout | {"yaxis": {"title": {"text": "fights"}}}),
        *_rates("win rate by HP left, 95 % interval", figures["bands"], "HP left"),
    ]


def _rates(title: str, rates: dict[str, dict[str, Any]], head: str) -> list[Block]:
    """Shares as bars with intervals, and as a table."""
    known = {name: rate for name, rate in rates.items() if rate["n"]}
    values, low, high = ([rate[key] for rate in known.values()] for key in ("rate", "low", "high"))
    bar = bars("", values[::-1], list(known)[::-1], COLOURS[0], orientation="h")
    bar["error_x"] = errors(values[::-1], low[::-1], high[::-1])
    rows = [
        (name, str(rate["count"]), str(rate["n"]), interval(rate["rate"], rate["low"], rate["high"]))
        for name, rate in rates.items()
    ]
    chart = Chart(title, [bar], {"xaxis": SHARE_AXIS | {"range": [0.0, 1.05]}})
    return [chart, Table((head, "won", "of", "win rate"), rows)]

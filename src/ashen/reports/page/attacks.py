"""The boss's attacks: what became of them, and what went before the hits."""

from collections.abc import Mapping
from typing import Any, Final

from ashen.reports.page.blocks import Block, Chart, Table, interval
from ashen.reports.page.charts import GREY, KIND_COLOURS, LEGEND_BELOW, bars, heat
from ashen.reports.plot import COLOURS

_FATE_COLOURS: Final = {
    "hit": COLOURS[1],
    "rolled": COLOURS[0],
    "walked out": COLOURS[2],
    "parried": COLOURS[4],
    "otherwise safe": COLOURS[5],
    "broken off": GREY,
    "no blow": "#c3c9d3",
}
_USUAL: Final = ("hit", "rolled", "walked out", "parried")
"""Columns of the table that stand there even if empty."""
_ROW_PX: Final = 24
_FRAME_PX: Final = 110
_MOST: Final = 2


def draw_attacks(figures: dict[str, Any]) -> list[Block]:
    """The section ``attacks``; takes :func:`ashen.evaluation.report.attacks.attack_table`."""
    attacks, fights = figures["attacks"], figures["fights"]
    labels = [_label(row) for row in attacks][::-1]
    traces = [
        bars(fate, [row["fates"].get(fate, 0) / row["made"] for row in attacks][::-1], labels, colour, orientation="h")
        for fate, colour in _FATE_COLOURS.items()
        if any(row["fates"].get(fate, 0) for row in attacks)
    ]
    layout = {"barmode": "stack", "xaxis": {"tickformat": ".0%", "range": [0.0, 1.0]}, "legend": LEGEND_BELOW}
    fates = [fate for fate in figures["fates"] if fate in _USUAL or any(row["fates"].get(fate) for row in attacks)]
    rows = [_row(row, fates, fights) for row in attacks]
    if figures["falls"] > 0.0:
        rows.append(("falls", *[""] * (len(fates) + 3), f"{figures['falls'] / fights:.1f}", "", ""))
    heads = ("attack", "made", "drawn", *fates, "hit rate", "HP a fight", "HP a hit", "walked out: he stood")
    meaning = "; ".join(f"{fate}: {text}" for fate, text in figures["fates"].items())
    note = f"n = {fights} fights; made: begun, drawn of these by the boss, the rest in chains. {meaning}."
    chart = Chart("what became of each attack", traces, layout, _height(attacks), is_wide=True)
    return [chart, Table(heads, rows, note)]


def draw_before_hits(figures: dict[str, Any]) -> list[Block]:
    """The section ``before-hits``; takes :func:`ashen.evaluation.report.attacks.before_hits`."""
    attacks, kinds = figures["attacks"], figures["kinds"]
    times = [f"{lag_s:.1f} s" for lag_s in figures["lags_s"]]
    all_hits = heat(times[::-1], kinds, [row[::-1] for row in figures["by_lag"]], zmin=0.0, zmax=1.0)
    labels = [_label(row) for row in attacks][::-1]
    traces = [
        bars(kind, [row["actions"][kind] for row in attacks][::-1], labels, KIND_COLOURS[kind], orientation="h")
        for kind in kinds
    ]
    layout = {"barmode": "stack", "xaxis": {"tickformat": ".0%", "range": [0.0, 1.0]}, "legend": LEGEND_BELOW}
    rows = [
        (
            _label(row),
            str(row["hits"]),
            _per(row["hp_lost"], row["hits"]),
            _most(row["actions"]),
            _counts(row["caught_in"]),
        )
        for row in attacks
    ]
    title = f"share of {figures['hits']} hits, by time before the hit"
    return [
        Chart(title, [all_hits], {"xaxis": {"title": {"text": "before the hit"}, "type": "category"}}),
        Chart("actions in the 0.6 s before, by attack", traces, layout, _height(attacks)),
        Table(("attack", "hits", "HP a hit", "actions 0-0.6 s before", "caught in"), rows),
    ]


def _row(row: dict[str, Any], fates: list[str], fights: int) -> tuple[str, ...]:
    hit = row["hit"]
    return (
        _label(row),
        str(row["made"]),
        str(row["drawn"]),
        *(str(row["fates"].get(fate, 0)) for fate in fates),
        interval(hit["rate"], hit["low"], hit["high"]),
        f"{row['hp_lost'] / fights:.1f}",
        _per(row["hp_lost"], hit["count"]),
        _counts(row["misses"]),
    )


def _per(total: float, count: int) -> str:
    return f"{total / count:.0f}" if count else "-"


def _label(row: dict[str, Any]) -> str:
    return f"{row['name']} ({row['phase']})"


def _counts(counts: Mapping[str, int]) -> str:
    """The most frequent ones with their counts."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count}" for name, count in ranked[:_MOST]) or "-"


def _most(shares: Mapping[str, float]) -> str:
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {share:.0%}" for name, share in ranked[:_MOST] if share > 0.0)


def _height(rows: list[dict[str, Any]]) -> int:
    return _FRAME_PX + _ROW_PX * len(rows)

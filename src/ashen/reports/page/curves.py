"""Learning curves: bold as evaluated, faint as met in training, a diamond for the best network in the end."""

from typing import Any

from ashen.reports.page.blocks import Block, Chart, Text
from ashen.reports.page.charts import LEGEND_BELOW, SHARE_AXIS, band, errors, line
from ashen.reports.plot import COLOURS


def draw_curves(figures: dict[str, Any]) -> list[Block]:
    """The section ``curves``; takes :func:`ashen.evaluation.report.curves.curves`."""
    warnings: list[Block] = [Text(f"A guard warned: {message}") for message in figures["warnings"]]
    charts = [
        Chart(name, _traces(series), _layout(name in figures["shares"], series))
        for name, series in figures["panels"].items()
    ]
    return [*warnings, *charts]


def _traces(panel: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One colour a name; the same figure in training is fainter than in matches."""
    names = list(dict.fromkeys(series["name"] for series in panel))
    judged = {series["name"] for series in panel if series["kind"] == "evaluation"}
    traces = []
    for series in panel:
        colour = COLOURS[names.index(series["name"]) % len(COLOURS)]
        x, y, low, high = (series[key] for key in ("x", "y", "low", "high"))
        if series["kind"] == "final":
            known = None not in (*low, *high)
            style = {"mode": "markers", "marker": {"color": colour, "symbol": "diamond", "size": 11}}
            style |= {"error_y": errors(y, low, high)} if known else {}
            traces.append(line("best network, at the end", x, y, colour, **style))
            continue
        if None not in (*low, *high):
            traces += band(x, low, high, colour)
        is_faint = series["kind"] == "train" and series["name"] in judged
        label = "in training" if is_faint else "evaluated" if series["kind"] == "evaluation" else series["name"]
        traces.append(line(label, x, y, colour, opacity=0.4 if is_faint else 1.0))
    return traces


def _layout(is_share: bool, panel: list[dict[str, Any]]) -> dict[str, Any]:
    x = "passes" if panel[0]["kind"] == "pretrain" else "environment steps"
    return {
        "xaxis": {"title": {"text": x}},
        "yaxis": SHARE_AXIS if is_share else {},
        "legend": LEGEND_BELOW,
    }

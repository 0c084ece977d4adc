"""Groups of trainings compared, as one PNG. Draws figures that were computed elsewhere and never opens a window."""

from pathlib import Path
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ashen.reports.plot import COLOURS, check_png, finish_axis, save_png
from ashen.runs.metrics import METRICS

_SEEDS_BELOW = 0.2
"""How far below its group's interval the dots of the seeds lie, in rows."""
_WIDTH_IN, _CURVES_IN, _HEAD_IN, _FOOT_IN = 12.0, 4.2, 0.4, 0.5
_NAME_COLUMNS = 44


def plot_comparison(figures: dict[str, Any], out: Path) -> Path:
    """Draw learning curves with bands, final figures with intervals and seeds, and improvements over the first group.

    Args:
        figures: as :func:`ashen.evaluation.compare.compare` gives them.
        out: the PNG to write.

    Returns:
        ``out``.

    Raises:
        UserError: ``out`` cannot be written.
    """
    check_png(out)
    names = [fill(group["name"], _NAME_COLUMNS) for group in figures["groups"]]
    rows_in = 0.6 + sum(0.25 + 0.17 * name.count("\n") + 0.17 for name in names)
    height_in = _HEAD_IN + _CURVES_IN + 0.9 + rows_in + _FOOT_IN
    figure = Figure(figsize=(_WIDTH_IN, height_in))
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        2, 2, height_ratios=(_CURVES_IN, rows_in), hspace=1.8 / (_CURVES_IN + rows_in), wspace=0.06,
        left=0.3, right=0.985, top=1 - _HEAD_IN / height_in, bottom=_FOOT_IN / height_in,
    )  # fmt: skip
    curves = figure.add_subplot(grid[0, :])
    curves.set_position([0.06, curves.get_position().y0, 0.925, curves.get_position().height])
    finals = figure.add_subplot(grid[1, 0] if names[1:] else grid[1, :])
    _draw_curves(curves, figures)
    _draw_finals(finals, figures, names)
    if names[1:]:
        _draw_improvements(figure.add_subplot(grid[1, 1], sharey=finals), figures)
    return save_png(figure, out, dpi=110)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _draw_curves(axis: Axes, figures: dict[str, Any]) -> None:
    metric = METRICS[figures["metric"]]
    for number, group in enumerate(figures["groups"]):
        steps = group["env_steps"]
        if steps and len(group["seeds"]) > 1:
            axis.fill_between(steps, group["curve_low"], group["curve_high"], color=_colour(number), alpha=0.18, lw=0)
        axis.plot(steps, group["curve"], color=_colour(number), lw=2.0, marker="o", ms=4)
    if metric.is_share:
        axis.set_ylim(-0.03, 1.03)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    title = (
        f"{metric.label} on the way: interquartile mean over seeds, 95 % band ({figures['boss']} {figures['fight']})"
    )
    finish_axis(axis, title)
    axis.set_xlabel("environment steps", fontsize=9)


def _draw_finals(axis: Axes, figures: dict[str, Any], names: list[str]) -> None:
    metric = METRICS[figures["metric"]]
    for number, group in enumerate(figures["groups"]):
        colour = _colour(number)
        axis.plot(
            group["scores"], [number + _SEEDS_BELOW] * len(group["scores"]), "o", color=colour, ms=5, alpha=0.5, mew=0
        )
        ends = "iqm" if group["fights_low"] is None else "fights"
        _draw_interval(axis, group["iqm"], group[f"{ends}_low"], group[f"{ends}_high"], number)
    axis.set_yticks(range(len(names)), names, fontsize=9)
    axis.set_ylim(len(names) - 0.5, -0.5)
    if metric.is_share:
        axis.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    _finish_rows(axis, f"{metric.label} in the final match; dots: seeds")


def _draw_improvements(axis: Axes, figures: dict[str, Any]) -> None:
    first = figures["groups"][0]["name"]
    numbers = {group["name"]: number for number, group in enumerate(figures["groups"])}
    for row in figures["improvements"]:
        if row["over"] == first:
            _draw_interval(axis, row["probability"], row["low"], row["high"], numbers[row["of"]])
    axis.axvline(0.5, color="#98a1b0", lw=1.0, ls="--")
    axis.set_xlim(-0.03, 1.03)
    axis.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.tick_params(labelleft=False)
    _finish_rows(axis, "a seed of it is better than one of the first")


def _draw_interval(axis: Axes, value: float, low: float | None, high: float | None, number: int) -> None:
    """A diamond, and its interval where there is one."""
    error = None if low is None else [[value - low], [high - value]]
    axis.errorbar(value, number, xerr=error, color=_colour(number), marker="D", ms=7, mec="white", capsize=4, lw=2.5)


def _finish_rows(axis: Axes, title: str) -> None:
    axis.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axis.grid(axis="x", color="#e4e7ec", lw=0.8)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8.5)

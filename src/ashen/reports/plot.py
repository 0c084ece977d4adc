"""Learning curves of one or several runs as one PNG. Reads ``metrics.jsonl`` only and never opens a window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, PercentFormatter
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.percent import percent
from ashen.runs.files import MEDIA_MARKS, check_out, write_bytes
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import Row, read_metrics

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#404040")
"""Of runs and of reward terms, in turn; told apart by the colour-blind too."""
_STYLES: Final = ("-", "--", ":", "-.")
_PAUSE_S: Final = 3600.0
"""A longer gap between two rows is a pause before a resume and does not count as training time."""
_LEGEND_COLUMNS: Final = 3
_LAYOUT: Final = [["win", "win", "return"], ["hp", "length", "terms"], ["loss", "explore", "speed"]]


@dataclass(frozen=True)
class Curves:
    """What a run's rows say.

    Args:
        name: of the run.
        colour: it is drawn in.
        style: of its lines where colours mean something else.
        rows: by kind: ``"train"``, ``"evaluation"`` and ``"final"``.
        minutes: how long it trained.
    """

    name: str
    colour: str
    style: str
    rows: dict[str, list[Row]]
    minutes: float

    def column(self, kind: str, key: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The env steps and values of one number, [R] each, where it is known."""
        pairs = [(row["env_step"], row[key]) for row in self.rows[kind] if row.get(key) is not None]
        steps, values = zip(*pairs, strict=True) if pairs else ((), ())
        return np.array(steps, np.float64), np.array(values, np.float64)


def plot(runs: Sequence[Path], out: Path) -> Path:
    """Draw the curves of runs, one colour a run.

    Args:
        runs: run folders.
        out: the PNG to write.

    Returns:
        ``out``.

    Raises:
        UserError: no run has anything to draw yet, a metrics file is damaged, or ``out`` cannot be written.
    """
    check_png(out)
    curves = [_read(path, number) for number, path in enumerate(runs)]
    if not any(rows for run in curves for rows in run.rows.values()):
        names = ", ".join(str(path) for path in runs)
        raise UserError(f"nothing to plot in {names} yet; wait for the first line of metrics.jsonl")
    figure = _draw([run for run in curves if any(run.rows.values())])
    return save_png(figure, out, dpi=110)


def check_png(out: Path) -> None:
    """Make sure, before it is drawn, that a picture can be written to a file.

    Raises:
        UserError: it does not end in ``.png``, its folder is not there, or something else is in its place.
    """
    check_out(out, MEDIA_MARKS[".png"], "picture", [".png"])


def save_png(figure: Figure, out: Path, dpi: float) -> Path:
    """Write a figure whole or not at all; returns ``out``.

    Raises:
        UserError: something else is in its place, or it cannot be written.
    """
    check_png(out)
    data = BytesIO()
    figure.savefig(data, format="png", dpi=dpi)
    try:
        write_bytes(out, data.getvalue())
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror or error}; choose another place") from None
    return out


def _read(path: Path, number: int) -> Curves:
    run = RunFolder(path)
    rows = read_metrics(run)
    by_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in ("train", "evaluation", "final")}
    colour, style = COLOURS[number % len(COLOURS)], _STYLES[number % len(_STYLES)]
    return Curves(run.name, colour, style, by_kind, _minutes(rows))


def _minutes(rows: list[Row]) -> float:
    times = [datetime.fromisoformat(row["time"]).timestamp() for row in rows]
    gaps = np.diff(times)
    return float(gaps[(gaps > 0.0) & (gaps < _PAUSE_S)].sum() / 60.0)


def _draw(curves: list[Curves]) -> Figure:
    figure = Figure(figsize=(13.0, 9.0))
    FigureCanvasAgg(figure)
    # Fixed margins: matplotlib's automatic layout draws everything twice, and curves are redrawn during training.
    axes = figure.subplot_mosaic(_LAYOUT)
    top = 0.955 - 0.027 * ceil(len(curves) / _LEGEND_COLUMNS)
    figure.subplots_adjust(left=0.045, right=0.985, top=top, bottom=0.04, wspace=0.17, hspace=0.34)
    panels: dict[str, tuple[str, Callable[[Axes, Curves], None]]] = {
        "win": ("win rate, with 95 % interval", _draw_win_rate),
        "return": ("return of a fight", _both("return_mean")),
        "hp": ("boss HP left (phase 2 reached: dashed)", _draw_boss),
        "length": ("length of a fight, steps", _both("length_mean_steps")),
        "terms": ("reward terms of a fight", _draw_terms),
        "loss": ("loss", _train_lines("loss", "value_loss")),
        "explore": ("exploration", _train_lines("epsilon", "entropy")),
        "speed": ("steps a second", _train_lines("steps_per_s")),
    }
    for name, (title, draw) in panels.items():
        for run in curves:
            draw(axes[name], run)
        finish_axis(axes[name], title)
    _legends(figure, axes, curves)
    return figure


def _draw_win_rate(axis: Axes, run: Curves) -> None:
    _line(axis, run.column("train", "win_rate"), color=run.colour, lw=1.0, alpha=0.35)
    steps, low = run.column("evaluation", "win_rate_low")
    high_steps, high = run.column("evaluation", "win_rate_high")
    if np.array_equal(steps, high_steps):
        axis.fill_between(steps, low, high, color=run.colour, alpha=0.18, lw=0)
    axis.plot(*run.column("evaluation", "win_rate"), color=run.colour, lw=2.0, marker="o", ms=4)
    for row in run.rows["final"]:
        rate, low, high = row["win_rate"], row["win_rate_low"], row["win_rate_high"]
        at = row.get("checkpoint_step", row["env_step"])
        error = [[rate - low], [high - rate]]
        axis.errorbar(at, rate, error, color=run.colour, marker="D", ms=9, mec="white", capsize=4, zorder=3)


def _line(axis: Axes, points: tuple[NDArray[np.float64], NDArray[np.float64]], **style: Any) -> None:
    """A line through points; one alone is drawn as a dot, none not at all."""
    if len(points[0]):
        axis.plot(*points, marker="o" if len(points[0]) == 1 else "", ms=4, **style)


def _both(key: str) -> Callable[[Axes, Curves], None]:
    """Draws a number as evaluated (bold) and as met in training (faint)."""

    def draw(axis: Axes, run: Curves) -> None:
        _line(axis, run.column("train", key), color=run.colour, lw=1.0, alpha=0.35)
        axis.plot(*run.column("evaluation", key), color=run.colour, lw=2.0, marker="o", ms=3)

    return draw


def _draw_boss(axis: Axes, run: Curves) -> None:
    axis.plot(*run.column("evaluation", "boss_hp_left_mean"), color=run.colour, lw=2.0, marker="o", ms=3)
    _line(axis, run.column("evaluation", "phase_change_rate"), color=run.colour, lw=1.2, ls="--")


def _train_lines(*keys: str) -> Callable[[Axes, Curves], None]:
    """Draws what training says of itself, one line style a key."""

    def draw(axis: Axes, run: Curves) -> None:
        for key in keys:
            style = _STYLES[keys.index(key)]
            _line(axis, run.column("train", key), color=run.colour, lw=1.4, ls=style, label=key.replace("_", " "))

    return draw


def _draw_terms(axis: Axes, run: Curves) -> None:
    """One colour a term; the line style is the run's."""
    names = sorted({key for row in run.rows["train"] for key in row if key.startswith("term/")})
    for number, name in enumerate(names):
        label = name.removeprefix("term/").replace("_", " ")
        colour = COLOURS[number % len(COLOURS)]
        _line(axis, run.column("train", name), color=colour, lw=1.3, ls=run.style, label=label)


def finish_axis(axis: Axes, title: str) -> None:
    """Give an axis over env steps its title and its looks."""
    axis.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axis.xaxis.set_major_formatter(EngFormatter())
    axis.set_xlim(left=0)
    axis.locator_params(nbins=6)
    axis.grid(color="#e4e7ec", lw=0.8)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8.5)
    if not any(len(line.get_xdata()) for line in axis.get_lines()):
        axis.text(0.5, 0.5, "no figures yet", transform=axis.transAxes, ha="center", color="#98a1b0")


def _legends(figure: Figure, axes: dict[str, Any], curves: list[Curves]) -> None:
    for name in ("win", "hp"):
        axes[name].set_ylim(-0.03, 1.03)
        axes[name].yaxis.set_major_formatter(PercentFormatter(1.0))
    axes["speed"].set_ylim(bottom=0)
    axes["speed"].yaxis.set_major_formatter(EngFormatter())
    axes["win"].set_xlabel(
        "environment steps  (bold: evaluation, faint: training, diamond: the best network judged at the end)",
        fontsize=9,
    )
    for name in ("terms", "loss", "explore"):
        handles, labels = axes[name].get_legend_handles_labels()
        first = dict(zip(reversed(labels), reversed(handles), strict=True))
        if first:
            axes[name].legend(first.values(), first.keys(), fontsize=8, frameon=False)
    lines = [axes["win"].plot([], [], color=run.colour, lw=3.0)[0] for run in curves]
    figure.legend(
        lines,
        [_label(run) for run in curves],
        loc="upper left",
        ncols=_LEGEND_COLUMNS,
        frameon=False,
        fontsize=11,
    )


def _label(run: Curves) -> str:
    """A run's name, how long it trained, and how its best network was judged at the end."""
    judged = [f"{percent(row['win_rate'])} of {row['fights']} fights won" for row in run.rows["final"][-1:]]
    return f"{run.name}  ({', '.join([f'{run.minutes:.0f} min', *judged])})"

"""A recorded real fight and what is foretold of it, as one PNG of traces."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ashen.core.fight import STEP_S
from ashen.reports.plot import COLOURS, save_png

_PANELS: Final = {
    "boss's x (m)": lambda rows: rows["boss_x_m"],
    "player's x (m)": lambda rows: rows["player_x_m"],
    "boss's y (m)": lambda rows: rows["boss_y_m"],
    "player's y (m)": lambda rows: rows["player_y_m"],
    "boss's yaw (degrees)": lambda rows: np.degrees(rows["boss_yaw_rad"]),
    "player's stamina": lambda rows: rows["player_sp"],
    "between both (m)": lambda rows: np.hypot(
        rows["boss_x_m"] - rows["player_x_m"], rows["boss_y_m"] - rows["player_y_m"]
    ),
    "player's hit points": lambda rows: rows["player_hp"],
}
_YAW: Final = "boss's yaw (degrees)"


def plot_alignment(states: NDArray[Any], forecasts: Mapping[str, NDArray[Any]], out: Path, dpi: float = 75.0) -> Path:
    """Draw a recorded fight in black, and what is foretold of it in colour.

    Args:
        states: FIGHT_STATE [T] as recorded.
        forecasts: name -> FIGHT_STATE [T, H]; row s, column h - 1 is foretold for h steps after step s. Every H steps
            the forecast begins anew where the recorded fight is.
        out: the PNG to write; its folder is made.
        dpi: dots an inch; the picture is 13 by 9 inches.

    Returns:
        ``out``.

    Raises:
        UserError: ``out`` cannot be written.
    """
    figure = Figure(figsize=(13.0, 9.0))
    FigureCanvasAgg(figure)
    axes = figure.subplots(4, 2, sharex=True)
    figure.subplots_adjust(left=0.05, right=0.985, top=0.92, bottom=0.055, wspace=0.1, hspace=0.25)
    for axis, title in zip(axes.flat, _PANELS, strict=True):
        for (name, ahead), colour in zip(forecasts.items(), COLOURS, strict=False):
            _draw_forecast(axis, title, states, ahead, colour, name)
        axis.plot(np.arange(len(states)) * STEP_S, _recorded(title, states), color="black", lw=1.3, label="recorded")
        axis.set_title(title, loc="left", fontsize=10, fontweight="bold")
        axis.grid(color="#e4e7ec", lw=0.8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8.5)
        axis.set_xlim(0.0, len(states) * STEP_S)
    for axis in axes[-1]:
        axis.set_xlabel("seconds", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper left", ncols=len(labels), frameon=False, fontsize=11)
    with suppress(OSError):  # a file in its way is told of the picture
        out.parent.mkdir()
    return save_png(figure, out, dpi)


def _draw_forecast(axis: Axes, title: str, states: NDArray[Any], ahead: NDArray[Any], colour: str, name: str) -> None:
    recorded = _recorded(title, states)
    count, horizon = ahead.shape
    for start in range(1, count - 1, horizon):
        end = min(count, start + horizon + 1)
        values = _PANELS[title](ahead[start, : end - start - 1]).astype(np.float64)
        if title == _YAW:
            real = recorded[start + 1 : end]
            values = real + (values - real + 180.0) % 360.0 - 180.0
        times = np.arange(start, end) * STEP_S
        label = f"{name}, begun anew every {horizon * STEP_S:g} s" if start == 1 else None
        axis.plot(times, [recorded[start], *values], color=colour, lw=1.1, label=label)


def _recorded(title: str, states: NDArray[Any]) -> NDArray[np.float64]:
    values = _PANELS[title](states).astype(np.float64)
    return np.unwrap(values, period=360.0) if title == _YAW else values

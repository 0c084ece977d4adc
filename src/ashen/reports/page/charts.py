"""The few kinds of plotly traces that the sections draw."""

from collections.abc import Sequence
from typing import Any, Final

from ashen.reports.plot import COLOURS

GREY: Final = "#8a93a3"
KIND_COLOURS: Final = {
    "walk": COLOURS[5],
    "roll": COLOURS[0],
    "light attack": COLOURS[1],
    "heavy attack": COLOURS[3],
    "parry": COLOURS[2],
    "nothing": COLOURS[4],
    "could not act": GREY,
}
"""Of kinds of action, the same in all charts."""
SHARE_AXIS: Final = {"tickformat": ".0%", "range": [-0.02, 1.02]}
LEGEND_BELOW: Final = {
    "orientation": "h",
    "yref": "container",
    "y": 0,
    "yanchor": "bottom",
    "x": 0,
    "traceorder": "normal",
}

Numbers = Sequence[float | None]


def line(name: str, x: Sequence[Any], y: Numbers, colour: str, **style: Any) -> dict[str, Any]:
    """A line; a point alone is drawn as a dot."""
    mode = "lines" if len(x) > 1 else "markers"
    own = {"type": "scatter", "mode": mode, "name": name, "x": list(x), "y": list(y), "marker": {"color": colour}}
    return own | {"line": {"color": colour, "width": 2}} | style


def band(x: Sequence[Any], low: Numbers, high: Numbers, colour: str) -> list[dict[str, Any]]:
    """The band of an interval."""
    edge = {"type": "scatter", "mode": "lines", "line": {"width": 0, "color": colour}, "showlegend": False}
    edge |= {"hoverinfo": "skip", "x": list(x)}
    return [edge | {"y": list(low)}, edge | {"y": list(high), "fill": "tonexty", "fillcolor": _faint(colour)}]


def bars(name: str, x: Sequence[Any], y: Sequence[Any], colour: str, **style: Any) -> dict[str, Any]:
    """One colour of bars; lying if ``orientation`` is ``"h"``."""
    return {"type": "bar", "name": name, "x": list(x), "y": list(y), "marker": {"color": colour}} | style


def errors(values: Sequence[float], low: Sequence[float], high: Sequence[float]) -> dict[str, Any]:
    """Intervals of points as error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [top - value for value, top in zip(values, high, strict=True)],
        "arrayminus": [value - bottom for value, bottom in zip(values, low, strict=True)],
        "color": GREY,
    }


def heat(x: Sequence[Any], y: Sequence[Any], z: Sequence[Numbers], **style: Any) -> dict[str, Any]:
    """A heat map, z [Y][X]; None is left open."""
    own = {"type": "heatmap", "x": list(x), "y": list(y), "z": [list(row) for row in z], "colorscale": "Viridis"}
    return own | {"colorbar": {"thickness": 12, "outlinewidth": 0}} | style


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"

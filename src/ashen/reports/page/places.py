"""Maps over the arena, and actions by distance."""

from typing import Any, Final

from ashen.reports.page.blocks import Block, Chart, Table
from ashen.reports.page.charts import GREY, heat
from ashen.reports.plot import COLOURS

_MAP_PX: Final = 560
_LINES: Final = {"wall": {"color": GREY, "width": 2}, "cliff": {"color": COLOURS[1], "width": 2, "dash": "dot"}}


def draw_arena(figures: dict[str, Any]) -> list[Block]:
    """The section ``arena``; takes :func:`ashen.evaluation.report.places.arena_maps`."""
    maps, count = figures["maps"], len(figures["maps"])
    traces = [
        heat(figures["x_m"], figures["y_m"], values, name=name, visible=number == 0)
        for number, (name, values) in enumerate(maps.items())
    ]
    outline = [
        {"type": "scatter", "mode": "lines", "x": line["x_m"], "y": line["y_m"], "line": _LINES[line["kind"]],
         "name": line["kind"], "showlegend": False, "hoverinfo": "name"}
        for line in figures["outline"]
    ]  # fmt: skip
    buttons = [
        {
            "label": name,
            "method": "restyle",
            "args": [{"visible": [at == number for at in range(count)]}, list(range(count))],
        }
        for number, name in enumerate(maps)
    ]
    layout = {
        "xaxis": {"title": {"text": "x (m)"}, "zeroline": False, "constrain": "domain"},
        "yaxis": {"title": {"text": "y (m)"}, "zeroline": False, "scaleanchor": "x"},
        "margin": {"t": 48},
        "updatemenus": [{"buttons": buttons, "x": 0.0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"}],
    }
    title = f"where the player stood, {figures['fights']} fights; choose a map"
    return [Chart(title, [*traces, *outline], layout, _MAP_PX, is_wide=True)]


def draw_distances(figures: dict[str, Any]) -> list[Block]:
    """The section ``distance``; takes :func:`ashen.evaluation.report.places.distances`."""
    bands, kinds = figures["bands"], figures["kinds"]
    chart = Chart(
        "share of the decisions at a distance",
        [heat(bands, kinds, figures["shares"], zmin=0.0)],
        {"xaxis": {"title": {"text": "between the centres"}, "type": "category"}},
        is_wide=True,
    )
    columns = zip(*figures["shares"], strict=True)
    rows = [
        (band, f"{steps:,}", f"{lost:.1f}", *("-" if share is None else f"{share:.0%}" for share in shares))
        for band, steps, lost, shares in zip(bands, figures["steps"], figures["hp_lost"], columns, strict=True)
    ]
    return [chart, Table(("distance", "decisions", "HP lost a fight", *kinds), rows)]

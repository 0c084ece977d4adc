"""Who played for the training besides itself."""

from typing import Any

from ashen.reports.page.blocks import Block, Chart, Table, Text
from ashen.reports.page.charts import LEGEND_BELOW, line
from ashen.reports.plot import COLOURS


def draw_fleet(figures: dict[str, Any]) -> list[Block]:
    """The section ``fleet``; takes :func:`ashen.evaluation.report.fleet.fleet`."""
    players, behind = figures["players"], figures["behind"]
    lost = f"{figures['restarts']:,.0f} players were replaced, {figures['left_out_steps']:,.0f} steps left out"
    lost += f", {figures['lost_batches']:,.0f} batches lost on the way"
    speeds = [
        line(name, player["x"], player["y"], COLOURS[number % len(COLOURS)])
        for number, (name, player) in enumerate(players.items())
    ]
    lags = [line(how, behind["x"], behind[how], COLOURS[number]) for number, how in enumerate(("mean", "max"))]
    return [
        Text(f"{len(players)} players; {lost}; at most {figures['waiting_max']:,.0f} batches waited for the learner."),
        Table(("player", "steps/s"), [(name, f"{player['mean']:,.1f}") for name, player in players.items()]),
        Chart("steps a second of each player", speeds, _layout()),
        Chart("updates that the learner was ahead", lags, _layout()),
    ]


def _layout() -> dict[str, Any]:
    return {"xaxis": {"title": {"text": "environment steps"}}, "yaxis": {"rangemode": "tozero"}, "legend": LEGEND_BELOW}

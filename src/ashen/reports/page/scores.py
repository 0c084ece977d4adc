"""Q-values or probabilities along a fight."""

from typing import Any, Final

from ashen.reports.page.blocks import Block, Chart
from ashen.reports.page.charts import LEGEND_BELOW, heat, line
from ashen.reports.plot import COLOURS

_WORDS: Final = {
    "q_values": ("Q-value", "of the action chosen"),
    "probabilities": ("probability", "of the action chosen"),
}


def draw_scores(figures: dict[str, Any]) -> list[Block]:
    """The section ``scores``; takes :func:`ashen.evaluation.report.scores.scores`."""
    return [chart for name, fight in figures.items() for chart in _charts(name, fight)]


def _charts(name: str, fight: dict[str, Any]) -> list[Chart]:
    times, word = fight["time_s"], _WORDS[fight["kind"]][0]
    is_share = fight["kind"] == "probabilities"
    chosen = line(f"{word} {_WORDS[fight['kind']][1]}", times, fight["chosen"], COLOURS[0], text=fight["action"])
    bars = [
        line(
            f"{who} HP",
            times,
            fight[f"{who}_hp"],
            colour,
            yaxis="y2",
            line={"color": colour, "width": 1.5, "dash": "dot"},
        )
        for who, colour in (("player", COLOURS[2]), ("boss", COLOURS[1]))
    ]
    top = {"xaxis": {"title": {"text": "seconds"}}, "legend": LEGEND_BELOW, "yaxis": {"title": {"text": word}}}
    top["yaxis2"] = {
        "overlaying": "y",
        "side": "right",
        "tickformat": ".0%",
        "range": [0, 1.04],
        "dtick": 0.25,
        "showgrid": False,
    }
    top["shapes"] = [
        {"type": "line", "x0": hit["time_s"], "x1": hit["time_s"], "y0": 0.0, "y1": 1.0, "yref": "paper",
         "line": {"color": COLOURS[1], "width": 1}}
        for hit in fight["hits"]
    ]  # fmt: skip
    below = heat(
        times, fight["actions"][::-1], fight["values"][::-1], **({"zmin": 0.0, "zmax": 1.0} if is_share else {})
    )
    outcome = fight["outcome"].lower()
    return [
        Chart(
            f"{name} fight ({outcome}): {word} and hit points; lines: he is hit",
            [chosen, *bars],
            top,
            320,
            is_wide=True,
        ),
        Chart(
            f"{name} fight: {word} of every valid action", [below], {"xaxis": {"title": {"text": "seconds"}}}, 460, True
        ),
    ]

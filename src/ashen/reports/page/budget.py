"""Where the time went: of the training, and of a fight."""

from typing import Any

from ashen.reports.page.blocks import Block, Chart, Text
from ashen.reports.page.charts import KIND_COLOURS, LEGEND_BELOW, bars
from ashen.reports.plot import COLOURS


def draw_training_time(figures: dict[str, Any]) -> list[Block]:
    """The section ``training-time``; takes :func:`ashen.evaluation.report.budget.training_time`."""
    seconds = figures["seconds"]
    total = max(figures["total_s"], 1e-9)
    traces = [
        bars(f"{name} {value / total:.0%}", [value / 60.0], [""], COLOURS[number % len(COLOURS)], orientation="h")
        for number, (name, value) in enumerate(seconds.items())
    ]
    layout = {"barmode": "stack", "xaxis": {"title": {"text": "minutes"}}, "legend": LEGEND_BELOW}
    fought = f"{figures['env_steps']:,} steps and {figures['fights']:,} fights"
    spent = f"{total / 60.0:.1f} minutes on {fought}: {figures['game_hours']:.1f} hours at the game's own speed."
    spent += " What it took to begin, to save and to draw is not in it."
    return [Text(spent), Chart("what the training's time went to", traces, layout, 190, is_wide=True)]


def draw_fight_time(figures: dict[str, Any]) -> list[Block]:
    """The section ``fight-time``; takes :func:`ashen.evaluation.report.budget.fight_time`."""
    phases = figures["phases"]
    labels = [f"phase {phase}: {figures['seconds']:.0f} s a fight" for phase, figures in phases.items()]
    traces = [
        bars(kind, [one["shares"][kind] for one in phases.values()], labels, colour, orientation="h")
        for kind, colour in KIND_COLOURS.items()
    ]
    layout = {
        "barmode": "stack",
        "xaxis": {"tickformat": ".0%", "range": [0.0, 1.0]},
        "legend": LEGEND_BELOW,
    }
    steps = sum(one["steps"] for one in phases.values())
    return [Chart(f"what {steps:,} steps of fights went to", traces, layout, 130 + 40 * len(phases), is_wide=True)]

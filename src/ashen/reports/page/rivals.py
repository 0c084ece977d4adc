"""The same fights played by others."""

from typing import Any

from ashen.core.percent import percent
from ashen.reports.page.blocks import Block, Chart, Table, Text, interval
from ashen.reports.page.charts import SHARE_AXIS, bars, errors
from ashen.reports.plot import COLOURS


def draw_comparison(figures: dict[str, Any]) -> list[Block]:
    """The section ``comparison``; takes :func:`ashen.evaluation.report.rivals.comparison`."""
    rows = figures["rows"]
    rates, low, high = ([row[key] for row in rows] for key in ("rate", "low", "high"))
    labels = [f"{row['name']} ({row['role']})" for row in rows]
    bar = bars("", labels, rates, COLOURS[0], error_y=errors(rates, low, high))
    table = Table(
        ("who", "role", "won", "of", "win rate", "boss HP left", "HP lost a fight", "return", "length (s)", "p"),
        [_cells(row) for row in rows],
        "All play the same fights; p: how likely two equals would differ so much in this run's favour "
        "(McNemar's exact test). Intervals are of 95 %.",
    )
    missing: list[Block] = (
        [Text(f"No comparison with a parent: {figures['no_parent']}.")] if figures["no_parent"] else []
    )
    return [*missing, Chart("win rate of the same fights", [bar], {"yaxis": SHARE_AXIS}, is_wide=True), table]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    lost = f"{row['hp_lost_mean']:.0f} ({row['hp_lost_low']:.0f}-{row['hp_lost_high']:.0f})"
    paid = f"{row['return_mean']:.2f} ({row['return_low']:.2f} to {row['return_high']:.2f})"
    return (
        row["name"], row["role"], str(row["wins"]), str(row["n"]), interval(row["rate"], row["low"], row["high"]),
        percent(row['boss_hp_left_mean']), lost, paid, f"{row['length_mean_steps'] / 10.0:.1f}",
        f"{row['chance']:.2g}" if "chance" in row else "-",
    )  # fmt: skip

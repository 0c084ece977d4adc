"""The head of the page: who, how good, and what stands out."""

from typing import Any

from ashen.reports.page.blocks import Block, Table, Text, interval


def draw_summary(figures: dict[str, Any]) -> list[Block]:
    """The section ``summary``; takes :func:`ashen.evaluation.report.summary.summary`."""
    match = figures["match"]
    rate = interval(match["win_rate"], match["win_rate_low"], match["win_rate_high"])
    verdict = f"Won {match['wins']} of {match['fights']} fights: {rate}, with its 95 % interval."
    return [
        Text(verdict),
        *(Text(finding) for finding in figures["findings"]),
        Table(("the run", ""), [(name, text) for name, text in figures["facts"].items()], is_words=True),
    ]

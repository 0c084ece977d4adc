"""The best, the median and the worst fight."""

from typing import Any

from ashen.core.percent import percent
from ashen.reports.page.blocks import Block, Clip


def draw_films(figures: dict[str, Any]) -> list[Block]:
    """The section ``films``.

    Args:
        figures: ``fights``: list of ``name, outcome, seconds, player_hp, boss_hp`` (shares left), ``film`` (its path
            from the page, or None) and ``record`` (path of the recorded fight).
    """
    return [
        Clip(
            title=f"{fight['name']}: {fight['outcome'].lower()} after {fight['seconds']:.1f} s",
            text=f"Player {percent(fight['player_hp'])} and boss {percent(fight['boss_hp'])} of their HP left. "
            f"Why it went so: ashen explain {fight['record']}",
            path=fight["film"],
        )
        for fight in figures["fights"]
    ]

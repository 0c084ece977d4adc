"""What a training reaches once on its way: the first match with so many wins, and the like."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Milestone:
    """Something that a training reaches once."""

    label: str
    """For tables."""
    key: str
    """The figure of a match on the way."""
    above: float
    """The figure has to be greater, or, ``of_its_way``, so much of the way from the first match to the best one."""
    of_its_way: bool = False
    """For figures whose scale depends on the reward."""

    def first(self, curve: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """The first match of a curve that reached it; None if none did."""
        rows = [row for row in curve if row.get(self.key) is not None]
        if not self.of_its_way:
            return next((row for row in rows if row[self.key] > self.above), None)
        values = [row[self.key] for row in rows]
        if not values or max(values) == values[0]:
            return None
        goal = values[0] + self.above * (max(values) - values[0])
        return next(row for row in rows if row[self.key] >= goal)


MILESTONES: Final = (
    Milestone("win rate above 10 %", "win_rate", 0.1),
    Milestone("win rate above 50 %", "win_rate", 0.5),
    Milestone("win rate above 80 %", "win_rate", 0.8),
    Milestone("win rate above 90 %", "win_rate", 0.9),
    Milestone("win rate above 95 %", "win_rate", 0.95),
    Milestone("win rate above 99 %", "win_rate", 0.99),
    Milestone("phase 2 reached in over 50 %", "phase_change_rate", 0.5),
    Milestone("phase 2 reached in over 90 %", "phase_change_rate", 0.9),
    Milestone("return half way from the first match to the best", "return_mean", 0.5, of_its_way=True),
    Milestone("return 90 % of that way", "return_mean", 0.9, of_its_way=True),
)
"""All of them, in the order in which they are told."""

"""A round of an agent that learns from its present policy alone: when there is enough, and who plays on meanwhile."""

import math
from collections.abc import Iterable
from typing import Final

from ashen.training.fleet.batch import Batch

ENOUGH: Final = 0.95
"""Share of a rollout at which a round is over: shares of players are rounded."""
GRACE_S: Final = 1.0
"""A round waits at least so long for stragglers before others play more in their place."""


class Round:
    """What was played by one policy so far.

    Args:
        rollout_steps: of a whole rollout.
        began_s: when the policy went out, as all other times here by one clock.
    """

    def __init__(self, rollout_steps: int, began_s: float):
        self._least_steps, self._began_s, self._grace_ends_s = ENOUGH * rollout_steps, began_s, math.inf
        self.batches: list[Batch] = []

    def add(self, heard: int, taken: Iterable[Batch], now_s: float) -> None:
        """Take in what came now.

        Args:
            heard: batches by this policy, with those that must not be learned from: their players have played too.
            taken: those that may be.
            now_s: the time.
        """
        if heard and self._grace_ends_s == math.inf:
            self._grace_ends_s = now_s + (now_s - self._began_s) + GRACE_S
        self.batches += taken

    @property
    def is_over(self) -> bool:
        """Whether there are as many steps as a rollout has."""
        return sum(batch.counts["steps"] for batch in self.batches) >= self._least_steps

    def is_late(self, now_s: float) -> bool:
        """Whether those who have played may play once more by the same policy."""
        return now_s > self._grace_ends_s

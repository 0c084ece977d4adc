"""Players whose steps are not learned from, for they come too late or damaged: each is named, once."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ashen.runs.metrics import Row
from ashen.training.fleet.batch import Batch
from ashen.training.fleet.ledger import DAMAGED, STALE

MOST_LATE: Final = 3
"""Batches in a row: whoever is late once may have been hindered, and whoever is in time once may have been lucky."""
AGAIN_AFTER_S: Final = 600.0
"""A player that is named is not named again for so long, however its luck turns."""
_DAMAGE: Final = (
    "its last batches are not what it gathered, and none of them is learned from: look whether memory and disk of its "
    "machine are sound, and whether ashen and numpy have one version on all machines"
)


@dataclass
class _Lateness:
    """Of one player."""

    damaged: int = 0
    """Batches in a row."""
    batches: int = 0
    """Too late, in a row; one that missed several rounds counts for each."""
    in_time: int = 0
    """Batches in a row."""
    steps: int = 0
    """In all."""
    named_s: float = -math.inf
    is_named: bool = False


class Stragglers:
    """Notes what becomes of batches, and tells who is late or sends damage again and again.

    Args:
        advice: what can be done about it.
        session: of the learner; what was played for another before it is late through no fault of the player's.
        clock: seconds.
    """

    def __init__(self, advice: str, session: str, clock: Callable[[], float]):
        self._advice, self._session, self._clock = advice, session, clock
        self._players: dict[str, _Lateness] = {}
        self._news: list[Row] = []

    def note(self, batch: Batch, reason: str | None, missed: int = 1) -> None:
        """Take in a batch.

        Args:
            batch: what came.
            reason: why it is not learned from; None if it is.
            missed: if it is too late: how many rounds were over before it came.
        """
        late = self._players.setdefault(batch.player, _Lateness())
        if reason == STALE and batch.tag.session == self._session:
            late.batches, late.in_time = late.batches + missed, 0
            late.steps += batch.counts["steps"]
            if late.batches >= MOST_LATE and not late.is_named and self._clock() - late.named_s >= AGAIN_AFTER_S:
                late.is_named, late.named_s = True, self._clock()
                said = f"{late.steps:,} of its steps came too late to be learned from so far; {self._advice}"
                self._tell(f"{batch.player} is late", "begun", said)
        elif reason == DAMAGED:
            late.damaged += 1
            if late.damaged == MOST_LATE:
                self._tell(f"{batch.player} sends damage", "begun", _DAMAGE)
        elif reason is None:
            if late.damaged >= MOST_LATE:
                self._tell(f"{batch.player} sends damage", "over", "over")
            late.damaged = 0
            late.batches, late.in_time = 0, late.in_time + 1
            if late.is_named and late.in_time >= MOST_LATE:
                late.is_named = False
                self._tell(f"{batch.player} is late", "over", "over")

    def take_rows(self) -> list[Row]:
        """Values of ``warning`` rows since the last call."""
        rows, self._news = self._news, []
        return rows

    def _tell(self, guard: str, state: str, said: str) -> None:
        self._news.append({"guard": guard, "state": state, "message": f"{guard}: {said}"})

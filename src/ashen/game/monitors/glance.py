"""What a monitor sees of a step, and what all of them are."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from ashen.core.fight import NOTHING
from ashen.core.vocabulary import player_vocabulary


class Glance(NamedTuple):
    """One step of 0.1 s."""

    before: Any
    """FIGHT_STATE record before it, without memory fields."""
    now: Any
    """FIGHT_STATE record after it."""
    action: int
    """What was pressed, 0..19: soulsgym presses nothing where an action is not valid."""
    speed: float = float("nan")
    """How many times faster than real the game ran in it, as measured; NaN if that is not known."""
    set_speed: float = float("nan")
    """The speed that soulsgym told the game."""


class Monitor(Protocol):
    """Looks for one thing; kept over the fights, until something is found."""

    def begin(self) -> None:
        """A fight begins: what was awaited in the last one does not come any more."""

    def look(self, glance: Glance) -> str | None:
        """What is wrong, in one line; None if nothing is."""


def player_ids(*beginnings: str) -> frozenset[int]:
    """The player's animations whose names begin so."""
    return frozenset(place for place, name in enumerate(player_vocabulary().names) if name.startswith(beginnings))


RESTING: Final = player_ids("Idle")
WALKING: Final = player_ids("Move", "RunStop", "QuickTurn")
THROWN: Final = player_ids("Throw")


@dataclass(frozen=True)
class Press:
    """A key that is pressed and let go at once."""

    name: str
    key: str
    shows: frozenset[int]
    """The animations it starts."""


PRESSES: Final = {
    **dict.fromkeys(range(8, 16), Press("roll", "Space", player_ids("Rolling", "EStep", "BackStep"))),
    16: Press("light attack", "L", player_ids("AttackRightLight", "ThrowAtk")),
    17: Press("heavy attack", "H", player_ids("AttackRightHeavy1Sta", "AttackRightHeavy2Sta")),
    18: Press("parry", "M", player_ids("Parry")),
}
"""By action."""
STARTED: Final = frozenset().union(*(press.shows for press in PRESSES.values()))
"""Animations that only a key starts."""
assert NOTHING not in PRESSES

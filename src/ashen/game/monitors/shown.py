"""Monitors of what the game shows: the lock on the boss, the sword, and a picture that stands still."""

from pathlib import Path
from typing import Any, Final

from ashen.core.tables import is_measured, player_facts
from ashen.core.vocabulary import player_vocabulary
from ashen.game.monitors.glance import THROWN, Glance

LOCK_STEPS: Final = 30
"""soulsgym locks on again within 5 to 11 steps, if keys and camera do what they should."""
FROZEN_STEPS: Final = 50
"""A simulated fight never looks the same for more than 4 steps."""
OTHER_HITS: Final = 2
DAMAGE_TOLERANCE: Final = 0.25
_CLOCKS: Final = ("player_animation_s", "boss_animation_s", "step")
"""Counted by soulsgym and by us, not shown by the game."""


class LockLost:
    """The lock on the boss is gone for longer than it takes to come back; no throw lets it be."""

    def __init__(self) -> None:
        self._steps = 0

    def begin(self) -> None:
        """A fight begins locked on."""
        self._steps = 0

    def look(self, glance: Glance) -> str | None:
        """See :class:`ashen.game.monitors.glance.Monitor`."""
        now = glance.now
        self._steps = 0 if now["lock_on"] or now["player_animation"] in THROWN else self._steps + 1
        return f"not locked on for {LOCK_STEPS} steps" if self._steps >= LOCK_STEPS else None


class Frozen:
    """Nothing that the game shows changes, though its time passes."""

    def __init__(self) -> None:
        self._last, self._steps = b"", 0

    def begin(self) -> None:
        """A fight begins."""
        self._last, self._steps = b"", 0

    def look(self, glance: Glance) -> str | None:
        """See :class:`ashen.game.monitors.glance.Monitor`."""
        row = glance.now.copy()
        for name in _CLOCKS:
            row[name] = 0
        seen = row.tobytes()
        self._steps = self._steps + 1 if seen == self._last else 0
        self._last = seen
        return f"nothing moved for {FROZEN_STEPS} steps" if self._steps >= FROZEN_STEPS else None


class OtherDamage:
    """Hits of light attacks whose damage was measured on the game, and which cost the boss something else.

    Only hits are judged that lie within one attack by its clock, and that the boss survives.

    Args:
        table: the boss's.
    """

    def __init__(self, table: Path) -> None:
        self._damage = _measured_damage(table)
        self._other: list[float] = []

    def begin(self) -> None:
        """Hits count over fights: an agent may land one in each."""

    def look(self, glance: Glance) -> str | None:
        """See :class:`ashen.game.monitors.glance.Monitor`."""
        before, now = glance.before, glance.now
        move, cost = int(now["player_animation"]), float(before["boss_hp"] - now["boss_hp"])
        is_one_attack = before["player_animation"] == move and before["player_animation_s"] < now["player_animation_s"]
        if cost <= 0.0 or now["boss_hp"] <= 0.0 or not is_one_attack or move not in self._damage:
            return None
        usual = self._damage[move]
        if abs(cost - usual) <= DAMAGE_TOLERANCE * usual:
            self._other.clear()
            return None
        self._other.append(cost)
        if len(self._other) < OTHER_HITS:
            return None
        said = " and ".join(f"{cost:g}" for cost in self._other)
        return f"light attacks cost the boss {said}, not {usual:g}"


def _measured_damage(table: Path) -> dict[int, float]:
    if not is_measured(table):
        return {}
    moves: dict[str, Any] = player_facts(table)["moves"]
    names = player_vocabulary()
    return {
        names.id(name): move["damage"].value
        for name, move in moves.items()
        if name.startswith("AttackRightLight") and move["damage"].confidence == "M"
    }

"""Which boss attack cost the player what: the attack shown when the hit points fell."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.vocabulary import Vocabulary

OTHER = "other"
CHAINED_S = 1.0
"""The boss's shown name may leave an attack this long before its hit lands (recorded: 0.75-0.95 s)."""


class DamageWatch:
    """Counts attacks and the hit points they cost, for N fights side by side.

    Args:
        num_fights: N.
        vocabulary: the boss's animations, V of them.
    """

    def __init__(self, num_fights: int, vocabulary: Vocabulary):
        self._names = (*vocabulary.names, OTHER)
        # The last entry answers for id -1 too: an unknown animation is no attack.
        self._is_attack = np.append(vocabulary.is_attack(), False)
        self._starts = np.zeros((num_fights, len(self._names)), np.int64)
        self._lost = np.zeros((num_fights, len(self._names)))
        self._rows = np.arange(num_fights)

    def watch(self, before: NDArray[Any], after: NDArray[Any]) -> None:
        """Take in one step: FIGHT_STATE [N] before and after it, of the same fights."""
        shown = after["boss_animation"]
        restarted = (shown != before["boss_animation"]) | (after["boss_animation_s"] < before["boss_animation_s"])
        started = np.flatnonzero(restarted & self._is_attack[shown])
        self._starts[started, shown[started]] += 1
        lost = np.maximum(before["player_hp"] - after["player_hp"], 0.0)
        self._lost[self._rows, self._culprit(after)] += lost

    def attacks(self, slot: int) -> dict[str, int]:
        """How often each attack was shown in one fight."""
        return {self._names[index]: int(self._starts[slot, index]) for index in np.flatnonzero(self._starts[slot])}

    def lost(self, slot: int) -> dict[str, float]:
        """Hit points lost to each attack in one fight."""
        return {self._names[index]: float(self._lost[slot, index]) for index in np.flatnonzero(self._lost[slot])}

    def _culprit(self, after: NDArray[Any]) -> NDArray[np.int64]:
        shown, previous = after["boss_animation"], after["previous_boss_attack"]
        gone_s = after["boss_seen_since_s"][self._rows, previous]
        chained = np.where((previous >= 0) & (gone_s <= CHAINED_S), previous, len(self._names) - 1)
        return np.where(self._is_attack[shown], shown, chained)

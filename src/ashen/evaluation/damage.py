"""What cost the player his hit points: the attack shown when they fell, the throw he was held in, or a fall."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.vocabulary import Vocabulary
from ashen.evaluation.exploits import BLOWS

FALL = "fall"
"""Hit points lost to the depth; nothing strikes a player who falls."""
UNEXPLAINED = "unexplained"
"""Hit points lost to neither a fall nor an attack that was shown."""
CHAINED_S = 1.0
"""The boss's shown name may leave an attack this long before its hit lands (recorded: 0.75-0.95 s)."""


class DamageWatch:
    """Counts attacks and the hit points they cost, for N fights side by side.

    Args:
        num_fights: N.
        boss: his animations.
        player: the player's animations.
    """

    def __init__(self, num_fights: int, boss: Vocabulary, player: Vocabulary):
        self._names = (*boss.names, FALL, UNEXPLAINED)
        # The last entries answer for id -1 too: an unknown animation is neither attack nor fall.
        self._is_attack = np.array([*(name.startswith(BLOWS) for name in boss.names), False])
        self._is_fall = np.array([*(name.startswith("Fall") for name in player.names), False])
        self._starts = np.zeros((num_fights, len(self._names)), np.int64)
        self._lost = np.zeros((num_fights, len(self._names)))
        self._rows = np.arange(num_fights)

    def watch(self, before: NDArray[Any], after: NDArray[Any]) -> None:
        """Take in 0.1 s, or nothing where no time passed: FIGHT_STATE [N] before and after, of the same fights."""
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
        """Hit points lost to each attack, to falls and to what is unexplained, in one fight."""
        return {self._names[index]: float(self._lost[slot, index]) for index in np.flatnonzero(self._lost[slot])}

    def _culprit(self, after: NDArray[Any]) -> NDArray[np.int64]:
        shown, previous = after["boss_animation"], after["previous_boss_attack"]
        gone_s = after["boss_seen_since_s"][self._rows, previous]
        chained = np.where((previous >= 0) & (gone_s <= CHAINED_S), previous, self._names.index(UNEXPLAINED))
        struck = np.where(self._is_attack[shown], shown, chained)
        return np.where(self._is_fall[after["player_animation"]], self._names.index(FALL), struck)

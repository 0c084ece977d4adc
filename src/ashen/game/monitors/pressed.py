"""Monitors of the keys: those that do not arrive or do not come up again, and those that arrive late."""

import math
from collections import deque
from typing import Any, Final

from ashen.core.fight import NOTHING, STEP_S
from ashen.game.monitors.glance import PRESSES, RESTING, STARTED, WALKING, Glance

WALKS_WITHOUT_EFFECT: Final = 10
"""Steps with a walking key down, which no frame of the game can miss."""
PRESSES_WITHOUT_EFFECT: Final = 40
"""Presses are short: of a game at three times the speed that draws 60 pictures a second every third one arrives."""
WALKED_ON_STEPS: Final = 15
"""The name Move stays for half a second after the keys came up."""
LATE_S: Final = 0.3
"""0.02 s is usual, 0.1 s what a slow picture adds."""
LATE_PRESSES: Final = 5
AWAITED_STEPS: Final = 10
_MOVED_M: Final = 0.02
_WRONG_WAY_M: Final = -0.15
"""A wall that turns a diagonal walk lets it slide up to 0.08 m a step against one of its keys: no key is lost. Under
another key than its own it goes 0.28 m the wrong way, and a walk under one key 0.40 m."""
_FREE_M: Final = 4.0
"""The boss may push a player who is nearer."""
_KEYS: Final = {"W": (7, 0, 1), "D": (1, 2, 3), "S": (3, 4, 5), "A": (5, 6, 7)}
"""The walks that each walking key is part of, its own in the middle; an action turns by 45 degrees to the right."""


class KeysLost:
    """Keys without effect where they must have one: each walking key by the way it leads, all presses together."""

    def __init__(self) -> None:
        self._silent = dict.fromkeys(_KEYS, 0)
        self._works: set[str] = set()
        self._presses = self._walked_on = 0

    def begin(self) -> None:
        """Keys count over fights: some are seldom pressed."""
        self._walked_on = 0

    def look(self, glance: Glance) -> str | None:
        """See :class:`ashen.game.monitors.glance.Monitor`."""
        self._count_walks(glance)
        self._count_presses(glance)
        lost = [key for key, steps in self._silent.items() if steps >= WALKS_WITHOUT_EFFECT]
        if lost:
            return f"{', '.join(lost)} moved nobody {WALKS_WITHOUT_EFFECT} times{self._reason()}"
        if self._presses >= PRESSES_WITHOUT_EFFECT:
            return f"{PRESSES_WITHOUT_EFFECT} presses to roll, attack or parry started nothing{self._reason()}"
        if self._walked_on >= WALKED_ON_STEPS:
            return f"the player walked on for {WALKED_ON_STEPS} steps after all keys came up: one stays down"
        return None

    def _reason(self) -> str:
        if self._works:
            return f", while {', '.join(sorted(self._works))} did: another keyboard layout or key setting"
        return ": Windows lets no key through to the game, or another window takes them"

    def _count_walks(self, glance: Glance) -> None:
        now, moved = glance.now, _moved_m(glance)
        is_walking = now["player_animation"] in WALKING
        walks_alone = glance.action == NOTHING and is_walking and math.hypot(*moved) > _MOVED_M
        self._walked_on = self._walked_on + 1 if walks_alone else 0
        for key, walks in _KEYS.items():
            if glance.action not in walks:
                continue
            ahead_m = _along(moved, glance.before, walks[1])
            if ahead_m > _MOVED_M:
                self._silent[key] = 0
                self._works.add(key)
            elif is_walking:
                # Against a wall nobody moves, and a boss may push.
                self._silent[key] += ahead_m < _WRONG_WAY_M and _away_m(now) > _FREE_M
            elif _rests(glance):
                self._silent[key] += 1
                self._works.discard(key)

    def _count_presses(self, glance: Glance) -> None:
        before, now = int(glance.before["player_animation"]), int(glance.now["player_animation"])
        press = PRESSES.get(glance.action)
        if now in STARTED and now != before:
            self._presses = 0
        elif press is not None and before not in press.shows:  # else it may begin again under the same name
            self._presses += 1


class InputLate:
    """Time from a press to the beginning of what it starts.

    Only where one press alone can have started it: of those lost and made again nobody knows which one arrived.
    """

    def __init__(self) -> None:
        self._sent: list[tuple[frozenset[int], int]] = []  # what each press starts, and its age in steps
        self._latest: deque[float] = deque(maxlen=LATE_PRESSES)
        self.latency_s: float | None = None
        """Of the press that had its effect in the last step, in game time."""

    def begin(self) -> None:
        """What was pressed in another fight starts nothing any more."""
        self._sent.clear()

    def look(self, glance: Glance) -> str | None:
        """See :class:`ashen.game.monitors.glance.Monitor`."""
        self.latency_s = None
        self._sent = [(shows, steps + 1) for shows, steps in self._sent if steps < AWAITED_STEPS]
        if press := PRESSES.get(glance.action):
            self._sent.append((press.shows, 1))
        now = int(glance.now["player_animation"])
        if now == glance.before["player_animation"] or now in RESTING or now in WALKING:
            return None
        ages = [steps for shows, steps in self._sent if now in shows]
        self._sent.clear()
        if len(ages) != 1:
            return None
        self.latency_s = max(0.0, ages[0] * STEP_S - float(glance.now["player_animation_s"]))
        self._latest.append(self.latency_s)
        if len(self._latest) < LATE_PRESSES or min(self._latest) <= LATE_S:
            return None
        return f"{LATE_PRESSES} presses in a row took more than {LATE_S:g} s of game time to begin"


def _rests(glance: Glance) -> bool:
    """Whether the player stood about before and after."""
    return glance.before["player_animation"] in RESTING and glance.now["player_animation"] in RESTING


def _moved_m(glance: Glance) -> tuple[float, float]:
    before, now = glance.before, glance.now
    return float(now["player_x_m"] - before["player_x_m"]), float(now["player_y_m"] - before["player_y_m"])


def _away_m(row: Any) -> float:
    """Between the two bodies."""
    return math.hypot(row["boss_x_m"] - row["player_x_m"], row["boss_y_m"] - row["player_y_m"])


def _along(moved: tuple[float, float], before: Any, walk: int) -> float:
    """Metres moved in the direction of a walk, which the camera decides."""
    angle = math.atan2(before["camera_ny"], before["camera_nx"]) - walk * 0.25 * math.pi
    return moved[0] * math.cos(angle) + moved[1] * math.sin(angle)

"""From keys, buttons and stick to one of the 20 actions a step. A press between two steps waits for the next."""

from collections.abc import Hashable
from math import atan2, hypot, pi
from typing import Final

from ashen.core.fight import HEAVY_ATTACK, LIGHT_ATTACK, NOTHING, PARRY
from ashen.play.bindings import MOVES, STEERING, Command

DEAD_ZONE: Final = 0.4
"""A stick nearer to its middle than this share of its way is at rest."""
_FIRST_ROLL: Final = 8
_BACK: Final = 4
_ATTACKS: Final = {
    Command.LIGHT_ATTACK: LIGHT_ATTACK,
    Command.HEAVY_ATTACK: HEAVY_ATTACK,
    Command.PARRY: PARRY,
}
_WAYS: Final = dict(zip(STEERING, ((0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)), strict=True))
"""To the right and forward."""


def direction(right: float, forward: float) -> int | None:
    """The nearest of the eight directions, clockwise from the camera's; None at rest.

    Args:
        right: -1 to 1.
        forward: -1 to 1.
    """
    if hypot(right, forward) < DEAD_ZONE:
        return None
    return round(atan2(right, forward) / (pi / 4)) % 8


class Controls:
    """What is held, and what was pressed since the last step."""

    def __init__(self) -> None:
        self._held: dict[Hashable, Command] = {}
        self._stick = (0.0, 0.0)
        self._asked: list[Command] = []
        self._tapped: int | None = None

    def press(self, source: Hashable, command: Command) -> None:
        """A key or button goes down; ``source`` is which one."""
        self._held[source] = command
        if command in MOVES and command not in self._asked:
            self._asked.append(command)
        elif command in STEERING:
            self._tapped = self._direction()

    def release(self, source: Hashable) -> None:
        """It comes up again."""
        self._held.pop(source, None)

    def is_held(self, source: Hashable) -> bool:
        """Whether this key or button is down."""
        return source in self._held

    def steer(self, right: float, forward: float) -> None:
        """The stick moves; both -1 to 1."""
        self._stick = (right, forward)
        way = direction(right, forward)
        self._tapped = self._tapped if way is None else way

    def let_go(self) -> None:
        """Nothing is held any more: the window lost the keyboard, or a gamepad went."""
        self._held.clear()
        self._stick = (0.0, 0.0)

    def forget(self) -> None:
        """What was pressed until now does not count."""
        self._asked.clear()
        self._tapped = None

    def take(self) -> int:
        """The action 0..19 of the step that begins. Of several presses each gets a step of its own, in order."""
        way = self._direction()
        way, self._tapped = self._tapped if way is None else way, None
        if not self._asked:
            return NOTHING if way is None else way
        command = self._asked.pop(0)
        if command is Command.ROLL:
            return _FIRST_ROLL + (_BACK if way is None else way)
        return _ATTACKS[command]

    def _direction(self) -> int | None:
        """Where is steered now: by keys, else by the stick."""
        held = [_WAYS[command] for command in set(self._held.values()) if command in _WAYS]
        keys = direction(sum(way[0] for way in held), sum(way[1] for way in held))
        return direction(*self._stick) if keys is None else keys

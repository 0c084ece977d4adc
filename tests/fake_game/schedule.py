"""When faults begin and end in a fake game."""

from collections.abc import Callable
from typing import Any

from fake_game.faults import FAULTS, Undo


class Faults:
    """The faults of one fake game: those to come and those that last."""

    def __init__(self, fake: Any) -> None:
        self._fake = fake
        self._due: list[tuple[int, Callable[[], None]]] = []
        self._undo: dict[str, Undo] = {}
        fake.game.on_tick = self._tick

    def provoke(self, name: str, after_ticks: int, for_ticks: int, in_fight: bool, details: dict[str, Any]) -> None:
        """Now or after some ticks, in a fight if that is asked for, for good or for some ticks."""
        if name not in FAULTS:
            raise ValueError(f"no fault {name!r}; there are {', '.join(sorted(FAULTS))}")
        self._after(after_ticks, lambda: self._begin(name, for_ticks, in_fight, details))

    def mend(self, name: str) -> None:
        """End a fault, if it lasts."""
        if undo := self._undo.pop(name, None):
            undo()

    def _begin(self, name: str, for_ticks: int, in_fight: bool, details: dict[str, Any]) -> None:
        if in_fight and not self._fake.game.is_in_fight:
            self._after(1, lambda: self._begin(name, for_ticks, in_fight, details))
            return
        self.mend(name)
        if undo := FAULTS[name](self._fake, **details):
            self._undo[name] = undo
        if for_ticks:
            self._after(for_ticks, lambda: self.mend(name))

    def _after(self, ticks: int, event: Callable[[], None]) -> None:
        if ticks > 0:
            self._due.append((ticks, event))
        else:
            event()

    def _tick(self) -> None:
        waiting, self._due = self._due, []
        for ticks, event in waiting:
            self._after(ticks - 1, event)

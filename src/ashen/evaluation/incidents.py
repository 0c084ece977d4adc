"""What goes wrong in a fight on the real game; nothing does in the simulator."""

from typing import Any


class Incidents:
    """Tells of the fight under way what ended it.

    Args:
        backend: whose fights; of the game, :class:`ashen.game.backend.GameBackend`.
    """

    def __init__(self, backend: Any):
        self._all = getattr(backend, "incidents", ())
        self._before = len(self._all)

    def fight_begins(self) -> None:
        """What went wrong before does not count any more."""
        self._before = len(self._all)

    def first(self) -> dict[str, str] | None:
        """The first one since the fight began: ``fault``, ``during`` and ``message``; None without any."""
        for incident in self._all[self._before :]:
            return {name: getattr(incident, name) for name in ("fault", "during", "message")}
        return None

"""What the real game did besides fighting, in the run's log and its ``game.json``: faults and unknown animations."""

import json
import logging
from collections import Counter
from typing import Any

from ashen.runs.files import write_text
from ashen.runs.folder import RunFolder


class GameAccount:
    """Keeps a run's account of the game; one that goes on adds to what stands there.

    Args:
        run: whose.
        backend: of the game, :class:`ashen.game.backend.GameBackend`.
    """

    def __init__(self, run: RunFolder, backend: Any):
        self._run, self._backend = run, backend
        before = json.loads(run.game_file.read_text(encoding="utf-8")) if run.game_file.is_file() else {}
        self._incidents: list[dict[str, str]] = before.get("incidents", [])
        self._unknown = Counter(before.get("unknown_animations", {}))
        self._seen, self._names = len(backend.incidents), Counter(backend.unknown_animations)

    def note(self) -> None:
        """Take in what is new, if anything is."""
        incidents, names = self._backend.incidents, self._backend.unknown_animations
        if len(incidents) == self._seen and names == self._names:
            return
        for incident in incidents[self._seen :]:
            self._incidents.append(incident._asdict())
            told = f"{incident.fault} during {incident.during}, {incident.kind}: {incident.message}"
            self._run.log(told, logging.WARNING)
        for name in names - self._names:
            if name not in self._unknown:
                self._run.log(f"unknown animation: {name}; an id for it stands in the boss's table, animations.extra")
        self._unknown.update(names - self._names)
        self._seen, self._names = len(incidents), Counter(names)
        faults = Counter(incident["fault"] for incident in self._incidents)
        account = {"faults": faults, "unknown_animations": self._unknown, "incidents": self._incidents}
        write_text(self._run.game_file, json.dumps(account, indent=2) + "\n")

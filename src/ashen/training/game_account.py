"""What the real game did besides fighting, in the run's log and its ``game.json``.

Incidents and how many there were of each kind, animations that no table knows, and what was measured of every step: the
game's speed and the steps of 0.1 s from a press to what it starts, with their medians.
"""

import json
from collections import Counter
from statistics import median
from typing import Any, Final

from ashen.runs.files import write_text
from ashen.runs.folder import RunFolder

_WRITE_EVERY: Final = 1_000
"""Steps; what is measured changes with every one of them."""


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
        self._before = {name: Counter(figures["counts"]) for name, figures in before.get("measured", {}).items()}
        self._start = {name: Counter(counts) for name, counts in backend.measured.items()}
        self._steps = 0

    def note(self) -> None:
        """Take in what is new, if anything is; measurements every now and then."""
        incidents, names = self._backend.incidents, self._backend.unknown_animations
        self._steps += 1
        if len(incidents) > self._seen or names != self._names or self._steps % _WRITE_EVERY == 0:
            self.write()

    def write(self) -> None:
        """Take in all that there is by now."""
        incidents, names = self._backend.incidents, self._backend.unknown_animations
        for incident in incidents[self._seen :]:
            self._incidents.append(incident._asdict())
            self._run.log(f"{incident.fault} during {incident.during}, {incident.kind}: {incident.message}")
        for name in names - self._names:
            if name not in self._unknown:
                self._run.log(f"unknown animation: {name}; an id for it stands in the boss's table, animations.extra")
        self._unknown.update(names - self._names)
        self._seen, self._names = len(incidents), Counter(names)
        faults = Counter(incident["fault"] for incident in self._incidents)
        account = {
            "faults": faults,
            "unknown_animations": self._unknown,
            "measured": {name: _figures(self._counted(name)) for name in self._backend.measured},
            "incidents": self._incidents,
        }
        write_text(self._run.game_file, json.dumps(account, indent=2) + "\n")

    def _counted(self, name: str) -> Counter[str]:
        """How often each value was measured in this run, before it went on and since."""
        new = self._backend.measured[name] - self._start[name]
        return self._before.get(name, Counter()) + Counter({f"{value:g}": count for value, count in new.items()})


def _figures(counts: Counter[str]) -> dict[str, Any]:
    """Median, None without any, and how often each value was measured."""
    values = sorted(counts, key=float)
    middle = median([float(value) for value in values for _ in range(counts[value])]) if values else None
    return {"median": middle, "counts": {value: counts[value] for value in values}}

"""What the real game did besides fighting, in the run's log and its ``game.json``.

Incidents and how many there were of each kind, animations that no table knows, and what was measured of every step: the
game's speed and the steps of 0.1 s from a press to what it starts, with their medians. Names of the boss that no table
knows also go into an overlay, ``learned-animations.toml``, that gives each an id.
"""

import json
import logging
import re
from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Any, Final

from ashen.core.fight import MAX_BOSS_ANIMATIONS
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.calibrate.overlay import extended_overlay
from ashen.runs.files import write_text
from ashen.runs.folder import RunFolder
from ashen.training.recipe import Recipe

_NAME = re.compile(r"boss ([A-Za-z]\w*)")
"""How a name of the boss is told; what is read of memory at the wrong moment looks different."""


_WRITE_EVERY: Final = 1_000
"""Steps; what is measured changes with every one of them."""


def game_account(run: RunFolder, backend: Any, recipe: Recipe) -> "GameAccount | None":
    """The account of what is played by a recipe; None in the simulator."""
    return GameAccount(run, backend, recipe.boss) if recipe.is_on_game else None


class GameAccount:
    """Keeps a run's account of the game; one that goes on adds to what stands there.

    Args:
        run: whose.
        backend: of the game, :class:`ashen.game.backend.GameBackend`.
        boss: whose table the run goes by.
    """

    def __init__(self, run: RunFolder, backend: Any, boss: str):
        self._run, self._backend = run, backend
        before = _written(run)
        self._incidents: list[dict[str, str]] = before.get("incidents", [])
        self._unknown = UnknownAnimations(run, boss)
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
            told = f"{incident.fault} during {incident.during}, {incident.kind}: {incident.message}"
            self._run.log(told, logging.WARNING)
        self._unknown.add(names - self._names)
        self._seen, self._names = len(incidents), Counter(names)
        faults = Counter(incident["fault"] for incident in self._incidents)
        account = {
            "faults": faults,
            "unknown_animations": self._unknown.steps,
            "measured": {name: _figures(self._counted(name)) for name in self._backend.measured},
            "incidents": self._incidents,
        }
        write_text(self._run.game_file, json.dumps(account, indent=2) + "\n")

    def _counted(self, name: str) -> Counter[str]:
        """How often each value was measured in this run, before it went on and since."""
        new = self._backend.measured[name] - self._start[name]
        return self._before.get(name, Counter()) + Counter({f"{value:g}": count for value, count in new.items()})


class UnknownAnimations:
    """Animations that no table knows, of a run that fights on the game or learns from those who do.

    Args:
        run: whose; one that goes on adds to what stands there.
        boss: whose table the run goes by.
    """

    def __init__(self, run: RunFolder, boss: str):
        self._run, self._boss = run, boss
        self.steps = Counter(_written(run).get("unknown_animations", {}))
        """By name: how many steps of 0.1 s showed it."""

    def add(self, steps: Mapping[str, int]) -> None:
        """Take in what was seen since the last call; every name is told once."""
        new = sorted(steps.keys() - self.steps.keys())
        self.steps.update(steps)
        for name in new:
            self._run.log(f"unknown animation: {name}")
        if any(_NAME.fullmatch(name) for name in new):
            self._learn()

    def _learn(self) -> None:
        """Give every name of the boss that has been seen an id, as far as there is room, in an overlay."""
        room = MAX_BOSS_ANIMATIONS - len(boss_vocabulary(boss_file(self._boss)).names)
        learned = [found[1] for found in map(_NAME.fullmatch, self.steps) if found][:room]
        file = self._run.learned_animations_file
        comments = ["Animations that the real game showed and no table knows; for ashen train --overlay."]
        write_text(file, extended_overlay(self._boss, {}, comments, learned))
        self._run.log(f"{len(learned)} new animations have ids in {file.name}; train with them: --overlay {file}")

    def save(self) -> None:
        """Keep them in the account of a run that fights no game itself."""
        write_text(self._run.game_file, json.dumps({"unknown_animations": self.steps}, indent=2) + "\n")


def _written(run: RunFolder) -> dict[str, Any]:
    return json.loads(run.game_file.read_text(encoding="utf-8")) if run.game_file.is_file() else {}


def _figures(counts: Counter[str]) -> dict[str, Any]:
    """Median, None without any, and how often each value was measured."""
    values = sorted(counts, key=float)
    middle = median([float(value) for value in values for _ in range(counts[value])]) if values else None
    return {"median": middle, "counts": {value: counts[value] for value in values}}

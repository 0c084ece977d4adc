"""The numbers under calibration: a boss's facts, what was found instead of them, and the packed table of both."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from ashen.core.limits import flaw, limits_of, name_of
from ashen.core.tables import Fact, measured_facts, plain, player_facts, walk
from ashen.core.vocabulary import boss_vocabulary
from ashen.sim.pack import pack
from ashen.sim.records import FRAMES_PER_S

SURE_FROM = 5
"""A number seen this often counts as measured, before that as inferred."""
_NO_REFIT = "no fights can refit them; agents learn against him on the real game without that (finetune --no-calibrate)"


def check_can_refit(boss: Path) -> dict[str, Any]:
    """The facts of a boss whose numbers are to be refitted.

    Raises:
        UserError: nobody measured them, so there is nothing to begin with.
    """
    return measured_facts(boss, _NO_REFIT)


class Numbers:
    """Facts that give way to what fights show.

    Args:
        boss: the boss's table.
        source: what stands as source beside every number found.
    """

    def __init__(self, boss: Path, source: str) -> None:
        self.names = boss_vocabulary(boss)
        self.found: dict[str, dict[str, Fact]] = {"boss": {}, "player": {}}
        """Dotted path -> what was found, for the boss's and the player's table."""
        self.seen: dict[str, int] = {}
        """Dotted path -> how often it was seen."""
        self._group = ""
        self._group_of: dict[tuple[str, str], str] = {}
        facts = {"boss": check_can_refit(boss), "player": player_facts(boss)}
        self._before = {part: dict(walk(tree)) for part, tree in facts.items()}
        self._values = {part: plain(deepcopy(tree)) for part, tree in facts.items()}
        self._source = source

    def begin(self, group: str) -> None:
        """Put what follows into a group of numbers, of this name."""
        self._group = group

    @property
    def groups(self) -> list[str]:
        """The groups in which something was found, in the order they were begun."""
        return list(dict.fromkeys(self._group_of.values()))

    def without(self, groups: Sequence[str]) -> "Numbers":
        """The same numbers, but those of some groups as they were before any fight."""
        rest = deepcopy(self)
        for (part, path), group in self._group_of.items():
            if group in groups:
                rest._set(part, path, self._before[part][path].value)
                del rest.found[part][path], rest.seen[path], rest._group_of[part, path]
        return rest

    def before(self, part: str = "boss") -> dict[str, Fact]:
        """Dotted path -> fact, as it was before any fight."""
        return self._before[part]

    def value(self, path: str, part: str = "boss") -> Any:
        """What a number is now."""
        return self.found[part].get(path, self._before[part][path]).value

    def attack_path(self, phase: int, attack: int) -> str:
        """Where an attack stands in the boss's table."""
        return f"phases.{phase}.attacks.{self.names.name(attack)}"

    def put(
        self,
        path: str,
        value: Any,
        bounds: tuple[float, float] | None = None,
        *,
        seen: int,
        part: str = "boss",
    ) -> None:
        """Put a number that fights show in place; one that the table lacks, or that cannot be, is left out.

        Args:
            path: dotted.
            value: the number, or nested list of numbers.
            bounds: what the fights allow; of a list, its last number.
            seen: how often it was seen.
            part: ``"boss"`` or ``"player"``.
        """
        name = name_of(path)
        if path not in self._before[part] or flaw(name, rounded(value)):
            return
        confidence = "M" if seen >= SURE_FROM else "I"
        interval = None if bounds is None else tuple(np.round(np.clip(bounds, *limits_of(name)), 3).tolist())
        fact = Fact(rounded(value), self._source, confidence, interval)
        self.found[part][path] = fact
        self.seen[path] = seen
        self._group_of[part, path] = self._group
        self._set(part, path, fact.value)

    def put_frames(self, path: str, frame: int, seen: int) -> None:
        """Put a time that was seen to the frame."""
        bounds = ((frame - 1) / FRAMES_PER_S, (frame + 1) / FRAMES_PER_S)
        self.put(path, frame / FRAMES_PER_S, bounds, seen=seen)

    def _set(self, part: str, path: str, value: Any) -> None:
        *parents, last = path.split(".")
        node = self._values[part]
        for key in parents:
            node = node[int(key)] if isinstance(node, list) else node[key]
        node[last] = value

    def table(self) -> np.void:
        """The packed TABLE record of all numbers as they are now."""
        return pack(self._values["boss"], self._values["player"], self.names)[0]


def rounded(value: Any) -> Any:
    """Numbers to three digits after the point, also in lists."""
    if isinstance(value, Sequence):
        return [rounded(item) for item in value]
    return int(value) if isinstance(value, int) else round(float(value), 3)

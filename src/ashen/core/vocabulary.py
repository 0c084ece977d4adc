"""Animation names and ids. SoulsGym's ids come first and unchanged; names it lacks get ids of their own after them."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.fight import MAX_BOSS_ANIMATIONS, UNKNOWN_ANIMATION
from ashen.core.tables import data_file, load_facts

MOVEMENT_PREFIXES = ("Walk", "Turn")
"""Boss animations that SoulsAI's encoder puts into one bin with a clock that runs on."""


@dataclass(frozen=True)
class Vocabulary:
    """The animation names of one body.

    Args:
        names: all names; the index is the id. The first ``soulsgym_count`` have SoulsGym's ids.
        soulsgym_count: how many of them SoulsGym's own table knows.
    """

    names: tuple[str, ...]
    soulsgym_count: int

    @cached_property
    def ids(self) -> dict[str, int]:
        """Name -> id."""
        return {name: index for index, name in enumerate(self.names)}

    def id(self, name: str) -> int:
        """The id of a name, -1 if unknown."""
        return self.ids.get(name, UNKNOWN_ANIMATION)

    def name(self, index: int) -> str:
        """The name of an id, ``"?"`` if unknown."""
        return self.names[index] if 0 <= index < len(self.names) else "?"

    def is_attack(self) -> NDArray[np.bool_]:
        """Mask [len(names)] of the attacks (``Attack...``)."""
        return np.array([name.startswith("Attack") for name in self.names])

    def is_movement(self) -> NDArray[np.bool_]:
        """Mask [len(names)] of walks and turns."""
        return np.array([name.startswith(MOVEMENT_PREFIXES) for name in self.names])


@cache
def player_vocabulary() -> Vocabulary:
    """The player's animations: SoulsGym's 50, then those it treats apart."""
    table = load_facts(data_file("ds3", "animations.toml"))
    known = [entry["name"] for entry in table["player"]]
    return Vocabulary((*known, *table["player_extra"]), len(known))


@cache
def boss_vocabulary(path: Path) -> Vocabulary:
    """A boss's animations, from its table.

    Raises:
        UserError: the table lists more than ``MAX_BOSS_ANIMATIONS``.
    """
    table = load_facts(path)["animations"]
    names = (*table["soulsgym"], *table["extra"])
    if len(names) > MAX_BOSS_ANIMATIONS:
        raise UserError(f"{path}: {len(names)} animations, at most {MAX_BOSS_ANIMATIONS} fit in FIGHT_STATE")
    return Vocabulary(names, len(table["soulsgym"]))


@cache
def lock_times_s() -> NDArray[np.float32]:
    """SoulsGym's lock table, reported seconds [player animations, 3]: until attacks, rolls, movement are accepted."""
    table = load_facts(data_file("ds3", "animations.toml"))
    rows = [entry["lock_s"].value for entry in table["player"]]
    return np.array(rows + [[0.0, 0.0, 0.0]] * len(table["player_extra"]), dtype=np.float32)

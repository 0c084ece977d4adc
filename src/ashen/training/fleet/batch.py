"""What a player sends to the learner: steps to learn from, and all that tells whether they may be learned from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.runs.fights import FightRecord


class Tag(NamedTuple):
    """Which networks a batch was played by."""

    session: str
    """Of the learner: one that was resumed does not take what was played for the one before it for its own."""
    version: int
    """The learner's updates by then."""


@dataclass(frozen=True)
class Batch:
    """Steps of one player, in the order they were made."""

    player: str
    """Its name."""
    life: str
    """Drawn when it started: one that died and came back is another."""
    number: int
    """How many batches of this life came before."""
    tag: Tag
    part: dict[str, NDArray[Any]]
    """What the agent gathered, for :meth:`ashen.core.protocols.Agent.take`."""
    counts: dict[str, Any]
    """Of :meth:`ashen.training.tally.Tally.take_counts`."""
    windows: list[dict[str, Any]] = field(default_factory=list)
    """What the guards look at, :class:`ashen.training.monitors.window.Window`."""
    notes: list[str] = field(default_factory=list)
    """Lines for the learner's log, such as animations that no table knows."""
    fights: list[FightRecord] = field(default_factory=list)
    """Recorded fights."""
    digest: str = ""
    """SHA-256 of the part, by who gathered it."""

    @property
    def is_whole(self) -> bool:
        """Whether the part is as it was gathered."""
        return digest_of(self.part) == self.digest


def digest_of(part: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of names, shapes, types and values."""
    total = hashlib.sha256()
    for name in sorted(part):
        values = np.ascontiguousarray(part[name])
        total.update(f"{name} {values.shape} {values.dtype.descr}".encode())
        total.update(values.tobytes())
    return total.hexdigest()


def merged(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Several parts of one agent as one, the first one's steps first."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

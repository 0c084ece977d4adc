"""What a player sends to the learner: steps to learn from, and all that tells whether they may be learned from."""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE, Outcome
from ashen.runs.fights import KINDS, FightRecord

MAX_BYTES: Final = 2**28
"""Of a batch as it is in memory."""


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
    """What the agent gathered, for :meth:`ashen.core.protocols.Agent.take`; empty if that makes no whole yet."""
    counts: dict[str, Any]
    """Of :meth:`ashen.training.tally.Tally.take_counts`."""
    windows: list[dict[str, Any]] = field(default_factory=list)
    """What the guards look at, :class:`ashen.training.monitors.window.Window`."""
    notes: list[str] = field(default_factory=list)
    """Lines for the learner's log."""
    unknown: dict[str, int] = field(default_factory=dict)
    """Animations that no table knows, with the steps that showed them since the last batch."""
    fights: list[FightRecord] = field(default_factory=list)
    """Recorded fights."""
    digest: int | None = 0
    """CRC-32 of the part, by who gathered it (:meth:`sealed`); None of what has not left the learner's machine."""
    took_s: float = 0.0
    """To play it."""

    @property
    def is_whole(self) -> bool:
        """Whether the part is as it was gathered."""
        return self.digest is None or self.digest == digest_of(self.part)

    def sealed(self) -> "Batch":
        """For a way on which something may happen to it; without a seal what arrives is not whole."""
        return replace(self, digest=digest_of(self.part))


def digest_of(part: Mapping[str, NDArray[Any]]) -> int:
    """CRC-32 of names, shapes, types and values: it is against accidents, not against forgers."""
    total = 0
    for name in sorted(part):
        values = np.ascontiguousarray(part[name])
        total = zlib.crc32(f"{name} {values.shape} {values.dtype.descr}".encode(), total)
        total = zlib.crc32(values.data, total)
    return total


def to_bytes(batch: Batch) -> bytes:
    """A batch as a file of arrays, which executes nothing."""
    arrays: dict[str, NDArray[Any]] = {}
    about = {name: _put(getattr(batch, name), arrays) for name in _PLAIN}
    about["fights"] = [_put(vars(fight), arrays) for fight in batch.fights]
    file = io.BytesIO()
    np.savez(file, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
    return file.getvalue()


def from_bytes(data: bytes) -> Batch:
    """What :func:`to_bytes` was given.

    Raises:
        UserError: it is nothing of the kind, or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise UserError(f"a batch of {size:,} bytes is too large")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            values = {name: _get(about[name], file) for name in _PLAIN if name in about}
            fights = [_checked(FightRecord(**_get(fight, file))) for fight in about["fights"]]
        if values["digest"] is None:
            raise ValueError("it is not sealed")
        counts = values["counts"] | {"_outcomes": [Outcome(outcome) for outcome in values["counts"]["_outcomes"]]}
        return Batch(**values | {"tag": Tag(*values["tag"]), "counts": counts, "fights": fights})
    except (KeyError, ValueError, TypeError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"a player sent what is no batch ({error})") from None


def _checked(fight: FightRecord) -> FightRecord:
    """A record that can be saved: what its file's name is made of is what it should be."""
    meta = fight.meta
    if fight.states.dtype != FIGHT_STATE or meta["kind"] not in KINDS or meta["outcome"] not in Outcome.__members__:
        raise ValueError("a fight of another version of ashen")
    return replace(fight, meta=meta | {name: int(meta[name]) for name in ("env_step", "fight_number")})


_PLAIN = ("player", "life", "number", "tag", "part", "counts", "windows", "notes", "unknown", "digest", "took_s")
_ARRAY = "array"


def _put(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """A value for JSON; its arrays go into ``arrays``, each under a number."""
    if isinstance(value, np.ndarray):
        arrays[f"{_ARRAY}{len(arrays)}"] = value
        return {_ARRAY: f"{_ARRAY}{len(arrays) - 1}"}
    if isinstance(value, dict):
        return {name: _put(part, arrays) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_put(part, arrays) for part in value]
    return value.item() if isinstance(value, np.generic) else value


def _get(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The opposite of :func:`_put`."""
    if isinstance(value, dict):
        return arrays[value[_ARRAY]] if value.keys() == {_ARRAY} else {k: _get(v, arrays) for k, v in value.items()}
    return [_get(part, arrays) for part in value] if isinstance(value, list) else value


def merged(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Several parts of one agent as one, the first one's steps first."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

"""A replay on disk: each checkpoint adds a file of the transitions since the one before, and none is written twice.

``checkpoints/replay/FIRST-END-CHECKSUM.rows`` holds the transitions FIRST..END-1 of all that were ever appended,
packed. A checkpoint says how many those were, and what is known of them; files are mapped, not read.
"""

import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.agents.tensors import to_arrays, to_tensors
from ashen.core.errors import UserError
from ashen.replay import ReplayBuffer
from ashen.runs.files import write_bytes
from ashen.runs.folder import RunFolder
from ashen.training.checkpoints import KEEP


class _Part(NamedTuple):
    """One file."""

    path: Path
    first: int
    end: int
    checksum: int


def save_replay(run: RunFolder, replay: ReplayBuffer | None) -> dict[str, Any] | None:
    """Write what is new in a replay, and remove what no checkpoint kept needs any more.

    Returns:
        What a checkpoint is to say of it; None without a replay.

    Raises:
        OSError: the disk is full; older files stay.
    """
    if replay is None:
        return None
    parts = _parts(run)
    rows = replay.rows_from(parts[-1].end if parts else 0)
    if len(rows):
        data, ends = rows.tobytes(), (replay.written - len(rows), replay.written)
        path = _folder(run) / f"{ends[0]:012d}-{ends[1]:012d}-{zlib.crc32(data):08x}.rows"
        path.parent.mkdir(exist_ok=True)
        write_bytes(path, data)
        parts = _parts(run)
    # Of the checkpoints kept the oldest was saved when the last parts did not yet exist.
    oldest = parts[1 - KEEP].first if len(parts) >= KEEP else 0
    for part in parts:
        if part.end <= oldest - replay.capacity:
            part.path.unlink()
    return to_tensors(replay.state_dict())


def load_replay(run: RunFolder, replay: ReplayBuffer | None, saved: dict[str, Any] | None) -> None:
    """Fill a replay as it was at a checkpoint of a run.

    Raises:
        UserError: a file is missing, damaged or of another shape.
    """
    if replay is None or saved is None:
        return
    written = saved["written"]
    first = begin = max(0, written - saved["capacity"])
    rows = np.empty(written - first, replay.rows.dtype)
    for part in _parts(run):
        if part.first <= begin < part.end <= written:
            rows[begin - first : part.end - first] = _rows(part, replay.rows.dtype)[begin - part.first :]
            begin = part.end
    if begin < written:
        raise UserError(f"transitions {begin:,} to {written:,} of its replay are missing in {_folder(run)}")
    replay.load_state_dict(to_arrays(saved), rows)


def drop_later(run: RunFolder, replay: ReplayBuffer | None) -> None:
    """Remove the files of checkpoints that came later than what a replay holds: they will be written anew."""
    for part in _parts(run):
        if replay is not None and part.end > replay.written:
            part.path.unlink()


def _folder(run: RunFolder) -> Path:
    return run.checkpoints / "replay"


def _parts(run: RunFolder) -> list[_Part]:
    """The files there are, oldest first."""
    paths = sorted(_folder(run).glob("*-*-*.rows"))
    names = [path.stem.split("-") for path in paths]
    return [_Part(path, int(a), int(b), int(c, 16)) for path, (a, b, c) in zip(paths, names, strict=True)]


def _rows(part: _Part, dtype: np.dtype) -> NDArray[Any]:
    """The rows of a file, mapped.

    Raises:
        UserError: they are damaged, or of another shape.
    """
    if part.path.stat().st_size != (part.end - part.first) * dtype.itemsize:
        raise UserError(f"{part.path} is damaged, or holds transitions of another shape")
    rows = np.memmap(part.path, dtype, mode="r")
    if zlib.crc32(rows) != part.checksum:
        raise UserError(f"{part.path} is damaged")
    return rows

"""The fight under way, on disk with every step, so that a crash in its middle does not take it.

Its file holds a line of JSON (what is known of the fight), the state it began in, and after each step of 0.1 s a row:
what was done, what it paid, and the state it led to. State and rows carry check sums, since a power cut may leave a
file longer than what was written to it.
"""

import json
import os
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE, Outcome
from ashen.runs.fights import SCHEMA_VERSION, WAITED, FightRecord, Rows, list_fights, load_meta, save_new_fight
from ashen.runs.files import create_held, is_held, now, sync_file

ENDING: Final = ".steps"
INTERRUPTED: Final = {"fault": "interrupted", "during": "step", "message": "the program ended in the middle of it"}
"""The incident of a fight that was cut off."""
_SYNC_EVERY: Final = 10
"""Steps between two moments at which all is on the disk: a second of the fight, which a power cut may cost."""
_CHECK: Final = np.dtype("<u4")


class FightJournal:
    """Writes one fight after the other into a file of its own, which goes when the fight is over and saved.

    Args:
        folder: of the run's recorded fights.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._meta: dict[str, Any] = {}
        self._file: BinaryIO | None = None
        self._row = np.zeros(0)
        self._steps = 0
        self._thread = ThreadPoolExecutor(1, "ashen-fight-journal")  # a disk may take longer than a step
        self._syncing: Future[None] | None = None

    def begin(self, meta: dict[str, Any]) -> dict[str, str]:
        """The next fight begins; it has no file before its first step.

        Args:
            meta: what its record will say, as far as it is known; the ``env_step`` of a training fight is that of now.

        Returns:
            What the record is to say too, so that it is known for the same fight: ``began_at``.
        """
        self.end()
        began = {"began_at": now()}
        self._meta, self._steps = meta | began, 0
        return began

    def add(self, rows: Sequence[Rows], after: NDArray[Any]) -> None:
        """Write a step with its waits.

        Args:
            rows: of one fight, as :meth:`ashen.runs.fights.Tape.add` returns them.
            after: FIGHT_STATE [1] that they led to.

        Raises:
            OSError: the disk is full.
        """
        if self._file is None:
            self._open(rows[0][1])
        reached = [*(row[0] for _, row in rows[1:]), after]
        for (_, (_, *parts)), state in zip(rows, reached, strict=True):
            for name, part in zip(self._row.dtype.names[:-1], (state, *parts), strict=True):
                self._row[name] = part
            self._file.write(_checked(self._row))
        self._file.flush()
        if self._steps % _SYNC_EVERY == 0 and (self._syncing is None or self._syncing.done()):
            self._synced()
            self._syncing = self._thread.submit(sync_file, Path(self._file.name))
        self._steps += 1

    def end(self) -> None:
        """The fight under way is over, and its record is saved."""
        if self._file is not None:
            self._close().unlink(missing_ok=True)

    def give_up(self, incident: dict[str, str] | None = None) -> Path | None:
        """Keep the fight under way, if there is one, as one that ended in a fault.

        Args:
            incident: what ended it; None: it was interrupted.

        Returns:
            The file of its record.
        """
        return None if self._file is None else _turned(self._close(), incident or INTERRUPTED)

    def _close(self) -> Path:
        self._synced()
        self._file.close()
        path, self._file = Path(self._file.name), None
        return path

    def _synced(self) -> None:
        """Wait until the disk has what was sent to it; says so, if it has no room for it."""
        if self._syncing is not None:
            self._syncing.result()
            self._syncing = None

    def _open(self, first: tuple[NDArray[Any], ...]) -> None:
        state, _, masks, terms, _, _ = first
        sizes = {"num_actions": masks.shape[1], "num_terms": terms.shape[1], "state_bytes": FIGHT_STATE.itemsize}
        self._row = np.zeros(1, _row_type(sizes))
        self._file = create_held(self._folder / f"under-way-{time.time_ns()}-{os.getpid()}{ENDING}")
        head = {"schema_version": SCHEMA_VERSION, **sizes, "meta": self._meta}
        begin = np.zeros(1, [("state", FIGHT_STATE), ("check", _CHECK)])
        begin["state"] = state
        self._file.write(json.dumps(head).encode("utf-8") + b"\n" + _checked(begin))


def keep_interrupted(folder: Path) -> list[Path]:
    """Make records of the fights whose program ended in their middle; those that still go on stay as they are.

    Args:
        folder: of a run's recorded fights.

    Returns:
        The files of the records, which end in a fault named ``interrupted``.
    """
    cut_off = [path for path in sorted(folder.glob(f"*{ENDING}")) if not is_held(path)]
    return [kept for path in cut_off if (kept := _turned(path, INTERRUPTED)) is not None]


def _turned(path: Path, incident: dict[str, str]) -> Path | None:
    """Turn the file of a fight under way into a record; None if no step is whole, or it was saved just before."""
    record = _read(path, incident)
    saved = None
    if record is not None and not _is_saved(record, path.parent):
        saved = save_new_fight(record, path.parent)
    path.unlink(missing_ok=True)
    return saved


def _read(path: Path, incident: dict[str, str]) -> FightRecord | None:
    line, _, body = path.read_bytes().partition(b"\n")
    try:
        head = json.loads(line)
        row_type, meta = _row_type(head), head["meta"]
    except (ValueError, KeyError, TypeError):
        return None  # not even its beginning came onto the disk
    begin = FIGHT_STATE.itemsize + _CHECK.itemsize
    if head["state_bytes"] != FIGHT_STATE.itemsize or head["schema_version"] != SCHEMA_VERSION:
        raise UserError(f"{path} is a fight that another version of ashen wrote; let that one keep it, or remove it")
    rows = np.frombuffer(_whole(body[begin:], row_type.itemsize), row_type)
    if not len(rows) or not _whole(body[:begin], begin):
        return None
    states = np.concatenate([np.frombuffer(body, FIGHT_STATE, 1), rows["state"]])
    steps = int((rows["action"] != WAITED).sum()) if meta["kind"] == "training" else 0
    known = {"schema_version": SCHEMA_VERSION, "recorded_at": now(), "num_steps": len(rows)}
    ended = {"outcome": Outcome.FAULT.name, "incident": incident, "env_step": meta["env_step"] + steps}
    parts = {"actions": "action", "masks": "mask", "reward_terms": "terms", "rewards": "reward", "scores": "scores"}
    arrays = {part: rows[name].copy() for part, name in parts.items()}
    return FightRecord(states=states, **arrays, meta=meta | known | ended)


def _is_saved(record: FightRecord, folder: Path) -> bool:
    """Whether the program ended after it had saved the fight and before it had removed this file."""
    for path in list_fights(folder, record.meta["kind"]):
        with suppress(UserError):  # a damaged one
            if load_meta(path).get("began_at") == record.meta["began_at"]:
                return True
    return False


def _row_type(sizes: dict[str, int]) -> np.dtype:
    return np.dtype([
        ("state", FIGHT_STATE),
        ("action", np.int16),
        ("mask", np.bool_, (sizes["num_actions"],)),
        ("terms", np.float32, (sizes["num_terms"],)),
        ("reward", np.float32),
        ("scores", np.float32, (sizes["num_actions"],)),
        ("check", _CHECK),
    ])


def _checked(row: NDArray[Any]) -> bytes:
    """A row as bytes that end in the check sum of the others."""
    data = row.tobytes()[: -_CHECK.itemsize]
    return data + np.array(zlib.crc32(data), _CHECK).tobytes()


def _whole(data: bytes, size: int) -> bytes:
    """The rows of so many bytes from the beginning on, as long as they are whole."""
    for begin in range(0, len(data), size):
        row = data[begin : begin + size]
        if len(row) < size or zlib.crc32(row[: -_CHECK.itemsize]) != int.from_bytes(row[-_CHECK.itemsize :], "little"):
            return data[:begin]
    return data[: len(data) // size * size]

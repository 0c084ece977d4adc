"""Checkpoints: all that a training needs to go on, written whole or not at all, loaded without running code."""

import hashlib
import io
import pickle
import re
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ashen.core.errors import UserError
from ashen.runs.files import write_bytes
from ashen.runs.folder import BEST, RunFolder
from ashen.runs.seal import sealed, unsealed

SCHEMA_VERSION = 1
KEEP = 3
"""Newest checkpoints kept beside the best one."""
PARENT = "parent.pt"
"""The agent a fine-tuning started from, frozen; BEST is the same file until a tuned one has beaten it."""
CANDIDATE = "candidate.pt"
"""The best tuned agent so far, which has yet to beat the parent."""
SET_ASIDE = "set-aside"
"""Folder, beside the checkpoints, of those that could not be gone on from."""


def save_checkpoint(run: RunFolder, env_step: int, state: dict[str, Any]) -> Path:
    """Write a checkpoint and remove all but the newest :data:`KEEP`.

    Args:
        run: whose it is.
        env_step: how far the training is.
        state: tensors and plain data only.

    Raises:
        OSError: the disk is full; older checkpoints stay.
        TypeError: the state holds what no reader would take; they stay too.
    """
    path = run.checkpoints / f"step-{env_step:012d}.pt"
    write_bytes(path, _packed(env_step, state))
    for old in run.numbered_checkpoints[:-KEEP]:
        old.unlink()
    return path


def save_best(run: RunFolder, env_step: int, state: dict[str, Any]) -> Path:
    """Write the checkpoint of the best match so far, apart from the others; beside a parent it is but a candidate."""
    path = run.checkpoints / (CANDIDATE if has_parent(run) else BEST)
    write_bytes(path, _packed(env_step, state))
    return path


def has_parent(run: RunFolder) -> bool:
    """Whether a run keeps the agent it started from, which stays the best until a tuned one has beaten it."""
    return (run.checkpoints / PARENT).is_file()


def has_numbered(run: RunFolder) -> bool:
    """Whether a run has a checkpoint that its training can go on from."""
    return bool(run.numbered_checkpoints)


def copy_checkpoint(source: Path, run: RunFolder, *names: str) -> None:
    """Copy a checkpoint into a run under other names, byte for byte."""
    for name in names:
        write_bytes(run.checkpoints / name, source.read_bytes())


def set_aside(run: RunFolder, path: Path) -> None:
    """Move a checkpoint to where it counts for nothing, and nothing is written over."""
    folder = run.checkpoints / SET_ASIDE
    folder.mkdir(exist_ok=True)
    names = (f"{path.stem}{f'-{number}' if number else ''}{path.suffix}" for number in count())
    path.rename(next(place for name in names if not (place := folder / name).exists()))


def latest_checkpoint(run: RunFolder) -> Path:
    """The newest checkpoint.

    Raises:
        UserError: the run has none.
    """
    return newest_checkpoints(run)[0]


def newest_checkpoints(run: RunFolder) -> list[Path]:
    """All checkpoints kept of a training, newest first.

    Raises:
        UserError: the run has none.
    """
    if not run.numbered_checkpoints:
        raise UserError(f"{run.checkpoints} holds no checkpoint; the training stopped too early, train anew")
    return run.numbered_checkpoints[::-1]


def sha256_of(path: Path) -> str:
    """What tells one checkpoint from every other."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; only tensors and plain data are accepted.

    Raises:
        UserError: the file is missing, damaged, or of another schema.
    """
    try:
        checkpoint = _read(unsealed(path.read_bytes()))
        version = checkpoint["schema_version"]
    except FileNotFoundError:
        raise UserError(f"no checkpoint at {path}") from None
    except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, OSError) as error:
        reason = re.split(r"[.\n]", str(error), maxsplit=1)[0]
        raise UserError(f"{path} is damaged ({reason}); put back a copy of it") from None
    if version != SCHEMA_VERSION:
        raise UserError(f"{path} has schema {version}, this ashen reads {SCHEMA_VERSION}; train anew")
    return checkpoint


def _packed(env_step: int, state: dict[str, Any]) -> bytes:
    # Packed in memory first: torch's own file writer turns a full disk into an error that does not say so.
    data = io.BytesIO()
    torch.save({"schema_version": SCHEMA_VERSION, "env_step": env_step} | state, data)
    try:
        _read(data.getvalue())
    except pickle.UnpicklingError as error:
        raise TypeError(f"a checkpoint may hold tensors and plain data only: {error}") from None
    return sealed(data.getvalue())


def _read(data: bytes) -> dict[str, Any]:
    """Tensors and plain data; an older ashen's may hold a truth value of NumPy's too."""
    with torch.serialization.safe_globals([(_plain, "numpy._core.multiarray.scalar"), np.dtype, np.dtypes.BoolDType]):
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _plain(dtype: np.dtype[Any], data: bytes) -> Any:
    return np.frombuffer(data, dtype).item()  # refuses what is no number

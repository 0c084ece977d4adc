"""Checkpoints are zip archives sealed by their own digest, so that damage is noticed, also without torch."""

import hashlib
import io
import zipfile
from pathlib import Path


def sealed(data: bytes) -> bytes:
    """A zip archive, which torch writes without looking at check sums again, with its own digest as its comment."""
    comment = hashlib.sha256(data).hexdigest().encode()
    return data[:-2] + len(comment).to_bytes(2, "little") + comment


def unsealed(data: bytes) -> bytes:
    """The archive without its comment; one of an older ashen has none.

    Raises:
        ValueError: it is not what was written.
    """
    end = len(data) - hashlib.sha256().digest_size * 2
    if data[-2:] == b"\0\0" and zipfile.is_zipfile(io.BytesIO(data)):
        return data
    archive = data[: max(end, 2)][:-2] + b"\0\0"
    if hashlib.sha256(archive).hexdigest().encode() != data[end:]:
        raise ValueError("its digest is another")
    return archive


def is_whole(path: Path) -> bool:
    """Whether a file is there, and is what was written."""
    try:
        unsealed(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True

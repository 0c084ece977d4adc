"""Writing files so that a crash, a full disk or a reader at the wrong moment never sees half of one."""

import errno
import os
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from ashen.core.errors import UserError
from ashen.core.locks import lock

MEDIA_MARKS: Final = {".mp4": b"ftyp", ".webp": b"WEBP", ".gif": b"GIF8", ".png": b"\x89PNG"}
"""What stands near the beginning of films and pictures, by file ending."""
_BEGIN_BYTES = 4096
"""The beginning of a file, in which its kind is told."""
_REPLACE_TRIES = 20
_REPLACE_WAIT_S = 0.05


def now() -> str:
    """The wall-clock time as ISO 8601 with the local offset, for example ``2026-11-22T18:03:11.250+01:00``."""
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


def check_out(out: Path, mark: bytes, kind: str, endings: Sequence[str] = ()) -> None:
    """Make sure, before the work is done, that a file can be written and replaces none but an older one of its kind.

    Args:
        out: the file to be written.
        mark: what stands near the beginning of all files of its kind.
        kind: what they are called.
        endings: by which programs know such a file; any will do if none is given.

    Raises:
        UserError: it has another ending, its folder is not there, it may not be written, or a folder or another file
            is in its place.
    """
    if endings and out.suffix.lower() not in endings:
        raise UserError(f"cannot write a {kind} to {out}; end its name in {' or '.join(endings)}")
    check_folder(out)
    if out.is_dir():
        raise UserError(f"{out} is a folder; choose a file in it")
    if not out.is_file():
        return
    try:
        with out.open("rb+") as file:  # Windows replaces no file that may not be written, or that another program shows
            begin = file.read(_BEGIN_BYTES)
    except OSError as error:
        raise _cannot_write(out, error) from None
    if begin and mark not in begin:
        raise UserError(f"{out} is there already and is no {kind}; choose another file, or remove it")


def check_folder(out: Path) -> None:
    """Make no folders of a mistyped path: what something is to be written into must be there, and take files.

    Raises:
        UserError: it is not, or does not.
    """
    if not out.parent.is_dir():
        raise UserError(f"cannot write {out}, there is no folder {out.parent}; make it, or choose another place")
    probe = _beside(out)  # what the system says of rights without trying is not to be trusted on Windows
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _cannot_write(out, error) from None


def _cannot_write(out: Path, error: OSError) -> UserError:
    return UserError(f"cannot write {out}: {error.strerror}; see to its rights, or choose another place")


def check_not_source(out: Path, source: Path | None, kind: str) -> None:
    """Make sure that writing a file does not replace what it is made of.

    Args:
        out: the file to be written.
        source: what it is made of, if that is a file.
        kind: what is written.

    Raises:
        UserError: both are one file.
    """
    if source is not None and source.is_file() and out.is_file() and out.samefile(source):
        raise UserError(f"{out} is what the {kind} is made of, and would be written over; give another --out")


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: beside it first, onto the disk, then in its place.

    Raises:
        OSError: the disk is full or broken, or the folder cannot be written; an older file stays as it was.
    """
    beside = _beside(path)
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if beside.read_bytes() != data:
            raise OSError(errno.EIO, "what was written reads back otherwise; check the disk", str(path))
        _replace(beside, path)
        _sync_folder(path.parent)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def write_text(path: Path, text: str) -> None:
    """:func:`write_bytes` for text, in UTF-8 with plain newlines."""
    write_bytes(path, text.encode("utf-8"))


def sync_file(path: Path) -> None:
    """Bring what was written to a file onto the disk, so that a power cut does not take it.

    Raises:
        OSError: the disk is full or broken.
    """
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def create_held(path: Path) -> BinaryIO:
    """Make a new file to append to, which :func:`is_held` until it is closed or the process has ended, however it did.

    Raises:
        OSError: it is there already, or cannot be made.
    """
    file = path.open("xb")
    lock(file)
    return file


def is_held(path: Path) -> bool:
    """Whether a file made by :func:`create_held` is still being written."""
    with path.open("rb+") as file:
        return not lock(file)


def append_line(path: Path, line: str) -> None:
    """Add one line to a file; starts a new one if the last was left unfinished by a crash.

    Raises:
        OSError: the disk is full or the file cannot be written.
    """
    with path.open("ab+") as file:
        if file.seek(0, os.SEEK_END) > 0:
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write(line.encode("utf-8") + b"\n")


def _sync_folder(folder: Path) -> None:
    """Bring a folder's entries onto the disk; Windows does that with each file."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(source: Path, target: Path) -> None:
    # Windows refuses to replace a file while another program reads it, which takes it milliseconds.
    for _ in range(_REPLACE_TRIES - 1):
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(_REPLACE_WAIT_S)
    os.replace(source, target)

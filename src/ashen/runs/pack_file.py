"""The file of a pack: a zip of a few parts with fixed names, written alike everywhere and read with suspicion.

Only names that are known are read, each up to a limit, and nothing in them is ever executed.
"""

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Final

from ashen.core.errors import UserError
from ashen.core.tables import data_file
from ashen.runs.folder import BASE, OVERLAY

SUFFIX: Final = ".ashen"
DESCRIPTION: Final = "pack.json"
CARD: Final = "card.md"
WEIGHTS: Final = "weights.safetensors"
FORMAT: Final = "ashen pack"
"""What ``format`` in the description says; it stands near the beginning of every pack."""
PHASES: Final = ("phase1", "phase2")
"""Folders of the agents of a pack that holds two."""

_MB: Final = 1024 * 1024
_OF_AN_AGENT: Final = {WEIGHTS: 64 * _MB, OVERLAY: 4 * _MB, BASE: 4 * _MB}
LIMITS: Final = {DESCRIPTION: _MB, CARD: _MB} | {
    f"{place}{name}": limit
    for place in ("", *(f"{phase}/" for phase in PHASES))
    for name, limit in _OF_AN_AGENT.items()
}
"""The parts there can be, with the most bytes each may have."""
_WHOLE_LIMIT: Final = sum(LIMITS.values())
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, NotImplementedError)
_PICKLES: Final = (".pkl", ".pickle", ".pt", ".pth")
_COPY_AGAIN: Final = "copy it again, or get another one"


def is_pack(word: str) -> bool:
    """Whether a word of the command line is the path of a pack."""
    return word.lower().endswith(SUFFIX)


def shipped_packs() -> dict[str, Path]:
    """The packs that come with ashen, name -> file."""
    return {path.stem: path for path in sorted(data_file("packs").glob(f"*{SUFFIX}"))}


def pack_bytes(parts: dict[str, bytes]) -> bytes:
    """The file that holds some parts: the same bytes for the same parts, on any machine.

    Args:
        parts: name, one of :data:`LIMITS`, to content.
    """
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as file:  # compressors differ from machine to machine
        for name in LIMITS:
            if name in parts:
                entry = zipfile.ZipInfo(name, _LONG_AGO)
                entry.create_system, entry.external_attr = _UNIX, 0o644 << 16
                file.writestr(entry, parts[name])
    return data.getvalue()


def read_pack(path: Path) -> bytes:
    """The bytes of a pack.

    Raises:
        UserError: there is no such file, it cannot be read, or it is far too large.
    """
    try:
        if path.stat().st_size > _WHOLE_LIMIT:
            raise UserError(f"{path} is larger than any pack ({_WHOLE_LIMIT // _MB} MB); give another one")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; give the path of a pack ({SUFFIX})") from None


def parts_of(data: bytes, where: str) -> dict[str, bytes]:
    """The parts of a pack.

    Args:
        data: the bytes of the file.
        where: what it is called in errors.

    Raises:
        UserError: it is no pack or a damaged one, or holds anything but the parts there can be, each within its limit.
    """
    if data[:1] == b"\x80":  # how a pickle begins
        raise UserError(f"{where} is a pickle, which could run code; it was not opened, a pack is a zip without any")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            entries = file.infolist()
            _check_names([entry.filename for entry in entries], where)
            parts = {entry.filename: _content(file, entry, where) for entry in entries}
    except (*_DAMAGE, RuntimeError) as error:  # the zip's reader says by a RuntimeError that a part is encrypted
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise UserError(f"{where} is no pack, or a damaged one ({reason}); {_COPY_AGAIN}") from None
    for name in (DESCRIPTION, CARD):
        if name not in parts:
            raise UserError(f"{where} lacks {name}, so it is no whole pack; {_COPY_AGAIN}")
    return parts


def _check_names(names: list[str], where: str) -> None:
    for name in names:
        if name.lower().endswith(_PICKLES):
            raise UserError(
                f"{where} holds {name!r}, a pickle, which could run code; nothing in it was opened, "
                "a pack is made with: ashen pack RUN"
            )
        if name not in LIMITS:
            raise UserError(f"{where} holds {name!r}, which no pack has; nothing in it was opened, get another one")
        if names.count(name) > 1:
            raise UserError(f"{where} holds {name} twice; nothing in it was opened, get another one")


def _content(file: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> bytes:
    """What a part holds, whatever size it claims to have."""
    limit = LIMITS[entry.filename]
    with file.open(entry) as part:
        content = part.read(limit + 1)
    if len(content) > limit:
        raise UserError(f"{where} holds a {entry.filename} of more than {limit // _MB} MB; get another one")
    return content

"""Copies of the game's saves, which nothing ever overwrites."""

import filecmp
import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ashen.core.errors import UserError
from ashen.doctor.pc import Pc


class Backup(NamedTuple):
    """The newest copy."""

    folder: Path
    at: datetime


def back_up(pc: Pc, folder: Path) -> Path:
    """Copy the saves into a new folder and remember where that is.

    Args:
        pc: the computer.
        folder: must not exist yet, or be empty.

    Returns:
        The folder, absolute.

    Raises:
        UserError: there are no saves, the game writes into them just now, or the folder will not do.
    """
    saves, folder = pc.saves(), folder.resolve()
    if not saves.is_dir():
        raise UserError(f"there are no saves in {saves}; start the game once and make a character")
    if pc.game() is not None:
        raise UserError("the game is running and may be writing its save; close it and repeat")
    if folder.is_relative_to(saves.resolve()):
        raise UserError(f"{folder} lies within the saves themselves; choose a folder elsewhere")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"{folder} is there already and not empty; choose a new folder")
    try:
        shutil.copytree(saves, folder, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise UserError(f"cannot copy {saves} to {folder} ({error}); choose another folder, or make room") from None
    _compare(saves, folder)
    note = _note(saves)
    note.parent.mkdir(parents=True, exist_ok=True)
    at = datetime.now().astimezone().isoformat(timespec="seconds")
    note.write_text(json.dumps({"folder": str(folder), "at": at}), encoding="utf-8")
    return folder


def last_backup(saves: Path) -> Backup | None:
    """The newest copy made by :func:`back_up`, None if none is known."""
    try:
        told = json.loads(_note(saves).read_text(encoding="utf-8"))
        return Backup(Path(told["folder"]), datetime.fromisoformat(told["at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(saves: Path) -> Path:
    """Where it is remembered: beside the game's folder, in one of ours."""
    return saves.parent / "ashen" / "save-copy.json"


def _compare(saves: Path, copy: Path) -> None:
    """Raises UserError if a file of the copy differs."""
    files = [path.relative_to(saves) for path in saves.rglob("*") if path.is_file()]
    _, differ, broken = filecmp.cmpfiles(saves, copy, files, shallow=False)
    if differ or broken:
        raise UserError(f"the copy {copy} differs in {(differ + broken)[0]}; delete it and copy again")

"""Order among runs: what they are sorted by, tags, and the trash. Nothing is ever deleted here."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from ashen.core.errors import UserError, unknown
from ashen.runs.claim import at_work, is_claimed
from ashen.runs.files import write_text
from ashen.runs.folder import TRASH, RunFolder, check_new_name, run_names

SCHEMA_VERSION: Final = 1
BAD: Final = "bad"
"""Tag of a run that the list leaves out."""
KEEP: Final = "keep"
"""Tag of a run that is not to be thrown away."""
SORTS: Final = {"date": "created_at", "name": "name", "win-rate": "win_rate", "steps": "env_steps"}
"""What a list of runs can be sorted by -> the figure that decides."""
Sort = Literal[tuple(SORTS)]
_TAG: Final = re.compile(r"[\w.+-]+")


def read_tags(run: RunFolder) -> list[str]:
    """The tags of a run, sorted.

    Raises:
        UserError: their file is damaged.
    """
    if not run.tags_file.is_file():
        return []
    try:
        file = json.loads(run.tags_file.read_text(encoding="utf-8"))
        return sorted(str(tag) for tag in file["tags"])
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{run.tags_file} is damaged; remove it, and tag the run anew") from None


def change_tags(run: RunFolder, add: Iterable[str] = (), remove: Iterable[str] = ()) -> list[str]:
    """Put tags on a run and take others off.

    Returns:
        All tags it has then.

    Raises:
        UserError: a tag is no plain word, or one to take off is not there.
        OSError: the disk is full.
    """
    tags = read_tags(run)
    for tag in add:
        if not _TAG.fullmatch(tag):
            raise UserError(f"'{tag}' cannot be a tag; give one plain word, such as {BAD} or {KEEP}")
    for tag in remove:
        if not tags:
            raise UserError(f"{run.name} has no tags")
        if tag not in tags:
            raise unknown("tag", tag, tags, run.name)
    tags = sorted({*tags, *add} - {*remove})
    write_text(run.tags_file, json.dumps({"schema_version": SCHEMA_VERSION, "tags": tags}) + "\n")
    return tags


def trash(run: RunFolder) -> RunFolder:
    """Throw a run away: it moves into the folder :data:`TRASH` beside it, where no verb but ``restore`` looks.

    Returns:
        The run in its new place; under another name, if one of its own lies there already.

    Raises:
        UserError: it is tagged :data:`KEEP`, somebody is at work on it, or a file of it is open elsewhere.
    """
    if KEEP in read_tags(run):
        raise UserError(f"{run.name} is tagged {KEEP}; take that off first: ashen runs untag {run.name} {KEEP}")
    if is_claimed(run):
        raise UserError(at_work(run))
    folder = run.path.resolve()
    place = folder.parent / TRASH
    place.mkdir(exist_ok=True)
    names = (folder.name if number == 1 else f"{folder.name}-{number}" for number in range(1, 10_000))
    return _move(folder, next(place / name for name in names if not (place / name).exists()))


def restore(name: str, runs_dir: Path, new_name: str | None = None) -> RunFolder:
    """Take a run out of the trash.

    Args:
        name: its name there.
        runs_dir: folder of all runs.
        new_name: what it is to be called from now on; None: as it was.

    Raises:
        UserError: there is none of that name, a run of the name it is to have is there by now, or that is no name.
    """
    known = trashed_names(runs_dir)
    if not known:
        raise UserError(f"the trash of {runs_dir} is empty")
    if name not in known:
        raise unknown("run", name, known, f"the trash of {runs_dir}")
    if new_name is None and (runs_dir / name).exists():
        way = f"ashen runs restore {name} --name {name}-before"
        raise UserError(f"there is a run '{name}' by now; restore the older one under another name: {way}")
    check_new_name(new_name, runs_dir)
    return _move(runs_dir / TRASH / name, runs_dir / (new_name or name))


def trashed_names(runs_dir: Path) -> list[str]:
    """Names of the runs in the trash, sorted."""
    return run_names(runs_dir / TRASH)


def _move(folder: Path, target: Path) -> RunFolder:
    try:
        return RunFolder(folder.rename(target))
    except PermissionError as error:
        raise UserError(f"cannot move {folder}: {error.strerror}; close what has a file of it open") from None

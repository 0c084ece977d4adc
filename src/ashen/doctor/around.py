"""Checks of what surrounds the game: the speed hack's pipe, the one owner, the save, disk and processor."""

from datetime import datetime
from typing import Final

from ashen.core.errors import UserError
from ashen.doctor.findings import CannotTell, Finding, failed, ok, warning, windows_only
from ashen.doctor.pc import Pc
from ashen.doctor.saves import last_backup

GIB: Final = 2**30
LEAST_DISK_BYTES: Final = GIB
EASY_DISK_BYTES: Final = 5 * GIB
EASY_THREADS: Final = 4


def pipe(pc: Pc) -> Finding:
    """Whether the speed hack would listen to us."""
    windows_only(pc)
    state = pc.pipe()
    if state == "busy":
        return failed(
            "another program holds the game's speed",
            "end other SoulsGym programs and old Pythons in the task manager, or start the game again",
        )
    return ok("the speed hack is in the game, and listens" if state == "free" else "not in the game yet")


def owner(pc: Pc) -> Finding:
    """Whether somebody else plays."""
    windows_only(pc)
    from ashen.game.owner import Ownership

    try:
        Ownership().release()
    except UserError as held:
        found, _, fix = str(held).partition("; ")
        return failed(found, fix)
    return ok("nobody")


def save(pc: Pc) -> Finding:
    """Whether there is a copy of the saves."""
    windows_only(pc)
    if not pc.saves().is_dir():
        raise CannotTell(f"there is no {pc.saves()} yet")
    backup = last_backup(pc.saves())
    fix = "close the game, then: ashen doctor --back-up-save FOLDER"
    if backup is None:
        return warning("no copy was made with ashen", fix)
    if not backup.folder.is_dir():
        return warning(f"the copy {backup.folder} is gone", fix)
    age_days = (datetime.now().astimezone() - backup.at).days
    return ok(f"{backup.folder}, {f'{age_days} days old' if age_days else 'of today'}")


def disk(pc: Pc) -> Finding:
    """Room for runs."""
    free = pc.free_disk_bytes()
    found = f"{free / GIB:.1f} GiB free"
    if free < LEAST_DISK_BYTES:
        return failed(found, "make room: a run with its fights, films and checkpoints takes up to 1 GiB")
    return ok(found) if free >= EASY_DISK_BYTES else warning(found, "make room for some runs: up to 1 GiB each")


def threads(pc: Pc) -> Finding:
    """Whether game and learner find room on the processor."""
    found = f"{pc.threads()} threads"
    if pc.threads() >= EASY_THREADS:
        return ok(found)
    return warning(found, "the game alone wants two: close other programs, and train at --game-speed 1 or 2")

"""The one list of checks, in the order of the screen; help and documentation are written from it."""

from typing import Final

from ashen.doctor import around, keyboard, running, software
from ashen.doctor.findings import Check, Finding, look
from ashen.doctor.live import LIVE, look_live
from ashen.doctor.pc import Pc

CHECKS: Final = (
    Check(
        "Python",
        "64-bit CPython 3.11, from 3.11.2 on: SoulsGym 1.1.0 holds a window capture built for 3.11 alone, and before "
        "3.11.2 Python drew wrongly from ranges",
        software.python,
    ),
    Check(
        "NumPy and torch",
        "an array goes from NumPy to torch and back: builds that do not fit each other fail here, or far later",
        software.numpy_and_torch,
    ),
    Check("SoulsGym's packages", "pymem, psutil, PyYAML, OpenCV and pywin32 can be imported", software.packages),
    Check(
        "SoulsGym",
        "which build there is, that it can be imported, and whether it has Vordt: both call themselves 1.1.0 and are "
        "told apart by what they have; what Gymnasium no longer has is supplied",
        software.soulsgym,
    ),
    Check(
        "speed hack dll",
        "its path has plain letters only and is short enough: from a folder with an accent in its name, such as a "
        "user's, SoulsGym cannot load it; virus scanners remove it",
        software.dll_path,
    ),
    Check(
        "keyboard layouts",
        "all installed layouts, and which of SoulsGym's keys they move: on azerty the lock-on key arrives as a step to "
        "the left, and SoulsGym waits for ever",
        keyboard.installed_layouts,
    ),
    Check("game running", "the game's process, and that this program may read and write its memory", running.process),
    Check("game version", "that it is 1.15.2: SoulsGym's addresses are of that version", running.game_version),
    Check(
        "game's layout", "keyboard layout of the game's own thread: Windows keeps one for each", keyboard.game_layout
    ),
    Check("window", "its title, windowed mode, 800x450: SoulsGym does not start otherwise", running.window),
    Check(
        "keys can reach it", "the window answers, is shown, and Windows lets keys through to it", running.can_be_focused
    ),
    Check("player in game", "a living player stands in the world: SoulsGym cannot get past menus", running.in_game),
    Check(
        "Knight",
        "the stats are those of a new Knight: SoulsGym overwrites them at every start, so use a character that is for "
        "nothing else; a sword taken off by accident shows later, as damage",
        running.knight,
    ),
    Check("offline", "the game has no connection to the internet, and Steam starts offline: ban risk", running.offline),
    Check("speed hack pipe", "nobody else holds it: the game takes its speed from one program", around.pipe),
    Check("owner", "no other ashen plays: two that press keys in one game both learn nonsense", around.owner),
    Check("save copied", "there is a copy of the saves: ashen doctor --back-up-save FOLDER makes one", around.save),
    Check("disk", "room for runs: 5 GiB is easy, below 1 GiB they end early", around.disk),
    Check("processor", "4 threads or more: the game wants two", around.threads),
)


def examine(pc: Pc, live: bool = False, use_scan_codes: bool = True) -> dict[str, Finding]:
    """Make every check; those that take the game over only if asked for.

    Args:
        pc: the computer.
        live: whether to take the game over too.
        use_scan_codes: whether keys are pressed by place then.

    Returns:
        What was found, by the names of the checks, in their order.
    """
    found = {check.name: look(check, pc) for check in CHECKS}
    return found | look_live(pc, use_scan_codes) if live else found


def check_list() -> str:
    """What is checked, as lines of plain text."""
    rows = [f"  {check.name:<20} {check.what}" for check in (*CHECKS, *LIVE)]
    return (
        "What is checked:\n"
        + "\n".join(rows[: len(CHECKS)])
        + "\n\nWith --live also:\n"
        + "\n".join(rows[len(CHECKS) :])
    )


def check_table() -> str:
    """The checks as a Markdown table."""
    rows = [("line", "what it looks at, and why"), ("---",) * 2]
    rows += [(check.name, check.about) for check in CHECKS]
    rows += [(f"{check.name} (`--live`)", check.about) for check in LIVE]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)

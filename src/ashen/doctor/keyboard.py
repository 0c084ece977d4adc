"""Checks of keyboard layouts: on azerty, SoulsGym's lock-on key arrives as a step to the left."""

from ashen.doctor.findings import CannotTell, Finding, failed, ok, warning, windows_only
from ashen.doctor.pc import Layout, Pc
from ashen.game.keys import SOULSGYM_KEYS, US_SCAN_CODES

REMOVE = "Settings, Time & language, Language & region"


def installed_layouts(pc: Pc) -> Finding:
    """All layouts that Windows could switch to."""
    windows_only(pc)
    layouts = pc.layouts()
    found = ", ".join(describe(layout) for layout in layouts)
    if not any(moved_keys(layout) for layout in layouts):
        return ok(found)
    return warning(
        found,
        f"{REMOVE}: leave English (US) alone. ashen presses keys by place, which layouts do not move; plain SoulsGym, "
        "and you in the game's menus, press by letter",
    )


def game_layout(pc: Pc) -> Finding:
    """The layout of the game's own thread."""
    windows_only(pc)
    window = pc.window()
    if window is None:
        raise CannotTell("needs the game running")
    if not moved_keys(window.layout):
        return ok(describe(window.layout))
    return failed(describe(window.layout), "click into the game's window and press Windows + Space until it is English")


def moved_keys(layout: Layout) -> str:
    """Which of SoulsGym's keys the layout has at another place than a US keyboard; a letter for each."""
    return "".join(key for key in sorted(SOULSGYM_KEYS) if layout.places.get(ord(key)) != US_SCAN_CODES[ord(key)])


def describe(layout: Layout) -> str:
    """Its name, what kind it is and what it moves."""
    moved = moved_keys(layout)
    kind = "azerty, " if {"A", "Q", "W"} <= set(moved) else ""
    return f"{layout.name} ({kind}moves {' '.join(moved)})" if moved else layout.name

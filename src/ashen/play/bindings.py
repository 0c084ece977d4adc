"""The one list of keys and buttons and what they do; help, hints and the table in docs/play.md follow from it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Command(StrEnum):
    """What a key or button can ask for; the value is its short name on the screen."""

    FORWARD = "forward"
    RIGHT = "right"
    BACK = "back"
    LEFT = "left"
    ROLL = "roll"
    LIGHT_ATTACK = "light attack"
    HEAVY_ATTACK = "heavy attack"
    PARRY = "parry"
    START = "start"
    PAUSE = "pause"
    RESTART = "restart"
    SHOW_ACTIONS = "actions"
    QUIT = "end"


STEERING: Final = (Command.FORWARD, Command.RIGHT, Command.BACK, Command.LEFT)
MOVES: Final = (Command.ROLL, Command.LIGHT_ATTACK, Command.HEAVY_ATTACK, Command.PARRY)


@dataclass(frozen=True)
class Binding:
    """What asks for one command."""

    command: Command
    does: str
    """In a few words."""
    keys: tuple[str, ...]
    """Places on the keyboard, by what a US keyboard has there: names of pygame's ``KSCAN_`` codes."""
    pad: tuple[str, ...] = ()
    """Names of pygame's ``CONTROLLER_`` buttons and triggers; they stand for places too."""


BINDINGS: Final = (
    Binding(Command.FORWARD, "walk forward, which is up", ("W", "UP"), ("BUTTON_DPAD_UP",)),
    Binding(Command.LEFT, "walk left", ("A", "LEFT"), ("BUTTON_DPAD_LEFT",)),
    Binding(Command.BACK, "walk back", ("S", "DOWN"), ("BUTTON_DPAD_DOWN",)),
    Binding(Command.RIGHT, "walk right", ("D", "RIGHT"), ("BUTTON_DPAD_RIGHT",)),
    Binding(Command.ROLL, "roll where you steer, else back", ("SPACE",), ("BUTTON_B",)),
    Binding(Command.LIGHT_ATTACK, "light attack", ("J",), ("BUTTON_RIGHTSHOULDER",)),
    Binding(Command.HEAVY_ATTACK, "heavy attack", ("K",), ("AXIS_TRIGGERRIGHT",)),
    Binding(Command.PARRY, "parry", ("L",), ("AXIS_TRIGGERLEFT",)),
    Binding(Command.START, "start; after a fight, the next one", ("RETURN", "KP_ENTER"), ("BUTTON_A",)),
    Binding(Command.PAUSE, "pause, and go on", ("P",), ("BUTTON_START",)),
    Binding(Command.RESTART, "the same fight from its start", ("R",), ("BUTTON_BACK",)),
    Binding(Command.SHOW_ACTIONS, "show which actions are accepted", ("M",), ("BUTTON_Y",)),
    Binding(Command.QUIT, "end", ("ESCAPE",)),
)

LABELS: Final = {
    "UP": "up arrow",
    "RIGHT": "right arrow",
    "DOWN": "down arrow",
    "LEFT": "left arrow",
    "SPACE": "Space",
    "RETURN": "Enter",
    "KP_ENTER": "keypad Enter",
    "ESCAPE": "Esc",
    "BUTTON_DPAD_UP": "stick, d-pad",
    "BUTTON_DPAD_RIGHT": "stick, d-pad",
    "BUTTON_DPAD_DOWN": "stick, d-pad",
    "BUTTON_DPAD_LEFT": "stick, d-pad",
    "BUTTON_A": "A (cross)",
    "BUTTON_B": "B (circle)",
    "BUTTON_Y": "Y (triangle)",
    "BUTTON_RIGHTSHOULDER": "RB (R1)",
    "AXIS_TRIGGERRIGHT": "RT (R2)",
    "AXIS_TRIGGERLEFT": "LT (L2)",
    "BUTTON_START": "Start (Options)",
    "BUTTON_BACK": "Back (Share)",
}
"""What pygame's names are called on keyboards and on pads; a name that is not here is its own label."""


def key_rows() -> list[tuple[str, str, str]]:
    """What each binding does, its keys and its buttons, in words."""
    return [(binding.does, _labels(binding.keys), _labels(binding.pad)) for binding in BINDINGS]


def key_text() -> str:
    """The same as lines of plain text."""
    return "\n".join(f"  {does:<35}{keys:<21}{pad}".rstrip() for does, keys, pad in key_rows())


def key_table() -> str:
    """The same as a Markdown table."""
    rows = [("what", "keyboard", "gamepad"), ("---",) * 3, *key_rows()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def hint() -> str:
    """The keys in one line, for the screen during a fight."""
    steering = "".join(binding.keys[0] for binding in BINDINGS if binding.command in STEERING)
    others = [binding for binding in BINDINGS if binding.command not in (*STEERING, Command.START)]
    return "   ".join([f"{steering} walk", *(f"{_labels(binding.keys[:1])} {binding.command}" for binding in others)])


def buttons(command: Command) -> str:
    """What to press for a command: its first key and its first button."""
    binding = next(binding for binding in BINDINGS if binding.command is command)
    return " / ".join(_labels(names[:1]) for names in (binding.keys, binding.pad) if names)


def _labels(names: tuple[str, ...]) -> str:
    return ", ".join(LABELS.get(name, name) for name in names)

"""Keys that no keyboard layout moves: soulsgym presses by scan code, the place of a key, not by the letter on it.

soulsgym sends the virtual key of a letter, and Windows looks up where the layout in use has that letter. The game
listens to places. On azerty the lock-on key Q then arrives as A, a step to the left, and soulsgym waits for ever.
"""

import ctypes
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, Final

KEYEVENTF_SCANCODE: Final = 0x0008
US_ROWS: Final = {0x02: "1234567890", 0x10: "QWERTYUIOP", 0x1E: "ASDFGHJKL", 0x2C: "ZXCVBNM", 0x39: " "}
"""The first scan code of each row of a US keyboard, and its keys from there on."""
US_SCAN_CODES: Final = {ord(key): first + place for first, row in US_ROWS.items() for place, key in enumerate(row)}
"""Virtual key to scan code on a US keyboard: the places that soulsgym and the game's default keys mean."""
SOULSGYM_KEYS: Final = "WSADQELHMJKOPR "
"""The keys soulsgym presses in Dark Souls III, the same in both builds."""
_NEEDED: Final = ("GameInput", "_INPUT", "INPUT_KEYBOARD", "KEYEVENTF_KEYUP")
_METHODS: Final = ("_press_key", "_release_key")
_replaced: dict[str, Any] = {}
"""soulsgym's own methods while ours stand in their place."""


def install() -> bool:
    """Let soulsgym, which is imported by then, press keys by scan code from now on.

    Returns:
        Whether it does. A build that presses keys in another way is left as it is, with a warning.
    """
    if is_installed():
        return True
    try:
        module = import_module("soulsgym.core.game_input")
    except ImportError:
        module = ModuleType("missing")
    missing = [name for name in _NEEDED if not hasattr(module, name)]
    missing += [name for name in _METHODS if name not in vars(getattr(module, "GameInput", object))]
    if missing:
        warnings.warn(
            f"this soulsgym presses keys in a way ashen does not know (no {', '.join(missing)}): have English (US) as "
            "the only keyboard layout",
            stacklevel=2,
        )
        return False
    _replaced.update({name: vars(module.GameInput)[name] for name in _METHODS})
    for name, flags in zip(_METHODS, (0, module.KEYEVENTF_KEYUP), strict=True):
        setattr(module.GameInput, name, staticmethod(_sender(module, flags)))
    return True


def is_installed() -> bool:
    """Whether keys go by scan code."""
    return bool(_replaced)


def uninstall() -> None:
    """Let soulsgym press keys in its own way again."""
    if not is_installed():
        return
    module = import_module("soulsgym.core.game_input")
    for name, method in _replaced.items():
        setattr(module.GameInput, name, method)
    _replaced.clear()


@contextmanager
def scan_codes(use_scan_codes: bool = True) -> Iterator[bool]:
    """Scan codes for a while, and then as before; gives whether keys go by scan code.

    Args:
        use_scan_codes: False lets soulsgym press keys in its own way.
    """
    before = is_installed()
    if not use_scan_codes:
        uninstall()
    try:
        yield use_scan_codes and install()
    finally:
        if before:
            install()
        else:
            uninstall()


def _sender(module: ModuleType, flags: int) -> Callable[[int], None]:
    """A function that sends one key event, given the virtual key."""

    def send(key: int) -> None:
        event = module._INPUT(type=module.INPUT_KEYBOARD)
        # Set one by one: the constructor of soulsgym's key struct would ask the layout for the scan code.
        event.ki.wVk = 0
        event.ki.wScan = US_SCAN_CODES[key]
        event.ki.dwFlags = flags | KEYEVENTF_SCANCODE
        module.USER32.SendInput(1, ctypes.byref(event), ctypes.sizeof(event))

    return send

"""The keyboard: what SendInput sends becomes scan codes by the layout, and the game listens to those."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

KEY_UP, SCAN_CODE = 0x2, 0x8
_ROW_STARTS = (0x10, 0x1E, 0x2C)
_SPACE = (0x20, 0x39)
LAYOUTS = {
    "qwerty": ("qwertyuiop", "asdfghjkl;", "zxcvbnm,./"),
    "azerty": ("azertyuiop", "qsdfghjklm", "wxcvbn,;:!"),
    "qwertz": ("qwertzuiop", "asdfghjklö", "yxcvbnm,.-"),
}
"""The letters in their three rows; a layout says which key's scan code a virtual key means."""


def scan_code(layout: str, virtual_key: int) -> int:
    """The scan code of a virtual key in a layout, 0 if it has none."""
    if virtual_key == _SPACE[0]:
        return _SPACE[1]
    for start, row in zip(_ROW_STARTS, LAYOUTS[layout], strict=True):
        if (place := row.find(chr(virtual_key).lower())) >= 0:
            return start + place
    return 0


class Keyboard:
    """Keys held and keys pressed since somebody asked, by the game's names for them.

    Args:
        layout: one of :data:`LAYOUTS`, the one Windows uses.
        static: the module ``soulsgym.core.static``, whose key table is what the player set in the game's menu.
        is_heard: whether the game has the focus.
    """

    def __init__(self, layout: str, static: Any, is_heard: Callable[[], bool]) -> None:
        self.layout, self._is_heard = layout, is_heard
        keymap = static.keymap["DarkSoulsIII"]
        # The game's own key settings speak of keys, not of letters: those an English keyboard has there.
        self._meaning = {
            scan_code("qwerty", keymap[key]): name for name, key in static.keybindings["DarkSoulsIII"].items()
        }
        self.held: set[str] = set()
        self._pressed: set[str] = set()
        self.lets_through: Callable[[str, bool], bool] = lambda _name, _is_down: True
        self.is_blocked = False
        self.delay_ticks = 0
        self._on_its_way: list[tuple[int, str, bool]] = []

    def user32(self) -> SimpleNamespace:
        """What stands in for user32.dll."""
        return SimpleNamespace(
            MapVirtualKeyExW=lambda key, _kind, _layout: scan_code(self.layout, key), SendInput=self._send_input
        )

    def _send_input(self, _count: int, reference: Any, _size: int) -> int:
        if self.is_blocked:
            return 0
        key = reference._obj.ki
        code = key.wScan if key.dwFlags & SCAN_CODE else scan_code(self.layout, key.wVk)
        self.key(code, is_down=not key.dwFlags & KEY_UP)
        return 1

    def key(self, code: int, is_down: bool) -> None:
        """A key goes down or up."""
        name = self._meaning.get(code)
        if name is None or not self._is_heard() or not self.lets_through(name, is_down):
            return
        self._on_its_way.append((self.delay_ticks, name, is_down))
        self._arrive()

    def tick(self) -> None:
        """The game looks at its keys."""
        if self._on_its_way:
            self._on_its_way = [(ticks - 1, name, is_down) for ticks, name, is_down in self._on_its_way]
            self._arrive()

    def _arrive(self) -> None:
        while self._on_its_way and self._on_its_way[0][0] <= 0:
            _, name, is_down = self._on_its_way.pop(0)
            if is_down and name not in self.held:
                self._pressed.add(name)
            (self.held.add if is_down else self.held.discard)(name)

    def take(self, *names: str) -> set[str]:
        """Which of these keys went down since the last time they were asked for."""
        taken = self._pressed & set(names)
        self._pressed -= taken
        return taken

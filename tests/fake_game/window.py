"""The game's window: found by its title, with the focus or without, and a picture of the right size."""

from types import SimpleNamespace
from typing import Any

import numpy as np

TITLE = "DARK SOULS III"
HANDLE, OTHER = 0x1234, 0x5678


class Window:
    """One window on the desktop."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error
        self.exists, self.is_focused, self.may_be_focused = True, True, True
        self.width, self.height = 800, 450

    def win32gui(self) -> SimpleNamespace:
        """What stands in for win32gui."""
        return SimpleNamespace(
            FindWindow=lambda _kind, title: HANDLE if self.exists and title == TITLE else 0,
            GetForegroundWindow=lambda: HANDLE if self.is_focused else OTHER,
            SetForegroundWindow=self._focus,
            GetWindowRect=lambda _handle: (0, 0, self.width, self.height),
        )

    def _focus(self, _handle: int) -> None:
        if not self.may_be_focused:
            raise self._error(0, "SetForegroundWindow", "No error message is available")
        self.is_focused = True

    def capture(self) -> type:
        """What stands in for soulsgym's compiled capture of the screen."""
        window = self

        class Capture:
            def open(self, _handle: int) -> None:
                """Nothing to attach to."""

            def get_img(self) -> Any:
                return np.full((window.height, window.width, 3), 90, np.uint8)

            def close(self) -> None:
                """Nothing was attached."""

        return Capture

"""Ctrl-C as a polite request: what runs is ended well, not torn off."""

import signal
import threading
from typing import Any

from ashen.core.errors import UserError

_UNDER_WAY: list["StopOnSignal"] = []


class StopOnSignal:
    """Turns the first Ctrl-C (or polite request to end) into a flag; a second one interrupts at once.

    Only the main thread can hear signals; in another the flag is never set.
    """

    def __enter__(self) -> "StopOnSignal":
        self.is_set = False
        can_hear = threading.current_thread() is threading.main_thread()
        names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if can_hear and hasattr(signal, name)]
        self._old = {getattr(signal, name): signal.signal(getattr(signal, name), self._set) for name in names}
        _UNDER_WAY.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _UNDER_WAY.remove(self)
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.is_set

    def _set(self, *_: object) -> None:
        if self.is_set:
            raise KeyboardInterrupt
        self.is_set = True


def is_stop_asked() -> bool:
    """Whether Ctrl-C was pressed in this process: for what waits deep inside of what is to stop."""
    return any(one.is_set for one in _UNDER_WAY)


def heed_stop(*_: Any) -> None:
    """End what is under way if Ctrl-C was pressed; takes whatever it is called with.

    Raises:
        UserError: it was.
    """
    if is_stop_asked():
        raise UserError("stopped by Ctrl-C")

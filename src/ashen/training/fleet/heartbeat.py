"""A sign of life beside what may take minutes, such as a match."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_EVERY_S: Final = 5.0


class Heartbeat:
    """Calls a function every five seconds, in a thread of its own, until it is stopped.

    Args:
        beat: must not wait for anything.
    """

    def __init__(self, beat: Callable[[], object]):
        self._beat, self._is_over = beat, threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()

    def _go(self) -> None:
        while not self._is_over.wait(_EVERY_S):
            with suppress(Exception):  # whoever waits for an answer is told that nobody is there
                self._beat()

    def stop(self) -> None:
        """Beat no more."""
        self._is_over.set()
        self._thread.join()

"""Ctrl-C as a polite request: what runs is ended well, not torn off."""

import signal


class StopOnSignal:
    """Turns the first Ctrl-C (or polite request to end) into a flag; a second one interrupts at once."""

    def __enter__(self) -> "StopOnSignal":
        self.is_set = False
        names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
        self._old = {getattr(signal, name): signal.signal(getattr(signal, name), self._set) for name in names}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.is_set

    def _set(self, *_: object) -> None:
        if self.is_set:
            raise KeyboardInterrupt
        self.is_set = True

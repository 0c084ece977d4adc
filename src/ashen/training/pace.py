"""The clock of a world that makes so many steps a second: learning gets what time is left beside it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Pace:
    """How much time there is for learning; saved up where it is not used, so that a burst may spend it.

    Args:
        steps_per_s: of the world, which makes them whether there is learning or not; 0 sets no limit.
    """

    def __init__(self, steps_per_s: float):
        self._steps_per_s = steps_per_s
        self.left_s = 0.0
        """What was not used so far."""
        self._ends_s = float("inf")

    @contextmanager
    def beside(self, steps: float) -> Iterator[None]:
        """Learn within the block, beside so many steps of the world and in the time saved up before them."""
        if not self._steps_per_s:
            yield
            return
        begin = time.perf_counter()
        self._ends_s = begin + self.left_s + steps / self._steps_per_s
        yield
        self.left_s = max(0.0, self._ends_s - time.perf_counter())

    def is_over(self) -> bool:
        """Whether learning has used up its time."""
        return time.perf_counter() >= self._ends_s

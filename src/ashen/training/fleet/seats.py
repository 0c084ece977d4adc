"""A player's place in a training: who sits there now, what he was asked for, and how he answers.

On a fleet's machines players are asked by Ray's calls. On this machine Ray starts them and tells why one has died, and
they are asked and answer over a connection of their own, beside memory that is shared: a call of Ray's takes some two
milliseconds, and wakes a player a hundred times a second while he has nothing to do.
"""

import secrets
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing import connection
from typing import Any, Final

from ashen.training.fleet.batch import Batch
from ashen.training.fleet.engine import ray
from ashen.training.fleet.shared import Reader, Readers

_ANSWER_S: Final = 5.0
"""For Ray to tell why a player has died."""


class _Seat(ABC):
    """What both kinds have in common.

    Args:
        name: of whoever sits there.
        start: starts a player of that name; returns Ray's actor.

    Attributes:
        is_asked: to play by the present networks.
    """

    def __init__(self, name: str, start: Callable[[str], Any]):
        self.name, self._start, self._actor, self.is_asked = name, start, None, False

    def fill(self) -> None:
        """Have a new player sit there, in place of one that has died."""
        if self._actor is not None:
            ray.kill(self._actor)
        self.clear()
        self._actor, self.is_asked = self._start(self.name), False

    @abstractmethod
    def clear(self) -> None:
        """Nobody sits there any more."""


class FarSeat(_Seat):
    """Of a player on a fleet's machines; see :class:`_Seat`."""

    def __init__(self, name: str, start: Callable[[str], Any]):
        super().__init__(name, start)
        self._calls = list[Any]()

    @property
    def open_calls(self) -> int:
        """Batches that were asked for and not taken."""
        return len(self._calls)

    def is_there(self) -> bool:
        """Whether a player can be asked; Ray asks him when he has started."""
        return True

    def ask(self, weights: bytes, record: bool) -> None:
        """Ask for a batch by these networks."""
        self._calls.append(self._actor.play.remote(weights, record))

    def calls(self) -> Sequence[Any]:
        """What Ray can wait for."""
        return self._calls

    def take(self, call: Any) -> Batch:
        """The batch of a call that is ready.

        Raises:
            RayError: the player has died, or cannot play.
        """
        batch = ray.get(call)
        self._calls.remove(call)
        return batch

    def clear(self) -> None:
        """Nobody sits there any more."""
        self._calls.clear()


class NearSeat(_Seat):
    """Of a player on this machine; see :class:`_Seat`."""

    def __init__(self, name: str, start: Callable[[str], Any]):
        super().__init__(name, start)
        self._readers, self._asked = Readers(), deque[Reader]()
        self._opening = self._serving = self._line = None

    @property
    def open_calls(self) -> int:
        """Batches that were asked for and not taken."""
        return len(self._asked)

    def fill(self) -> None:
        """Have a new player sit there, in place of one that has died."""
        super().fill()
        self._key = secrets.token_bytes(32)
        self._opening = self._actor.listen.remote(self._key)

    def is_there(self) -> bool:
        """Whether the player has started.

        Raises:
            RayError, EOFError, OSError: he has died, or cannot play.
        """
        if self._line is None and ray.wait([self._opening], timeout=0)[0]:
            address = ray.get(self._opening)
            self._serving = self._actor.serve.remote()
            self._line = connection.Client(address, authkey=self._key)
        return self._line is not None

    def ask(self, weights: bytes | str, record: bool) -> None:
        """Ask for a batch by these networks, or by the latest in a block of that name."""
        reader = self._readers.free(self._asked)
        with suppress(OSError):  # of a player that has died, which is told when his batch is taken
            self._line.send((weights, record, reader.name))
        self._asked.append(reader)

    def take(self) -> Batch | None:
        """The next batch, of a line that is ready; None if it went with a player that has died since.

        Raises:
            RayError, EOFError, OSError: the player has died, or cannot play.
        """
        try:
            batch, lies = self._line.recv()
        except (EOFError, OSError):
            ray.get(self._serving, timeout=_ANSWER_S)
            raise
        reader = self._asked.popleft()
        try:
            return replace(batch, part=reader.get(lies) if lies else batch.part, digest=None)
        except FileNotFoundError:  # Windows takes a block away with a player that has died since
            return None

    def clear(self) -> None:
        """Nobody sits there any more; what he wrote and nobody read is taken away."""
        if self._line is not None:
            self._line.close()
        self._readers.clear()
        self._asked.clear()
        self._opening = self._serving = self._line = None

    @staticmethod
    def ready(seats: Sequence["NearSeat"], timeout_s: float) -> list["NearSeat"]:
        """Those of whom there is something to take, after waiting so long at most for the first one."""
        lines = {seat._line: seat for seat in seats if seat._line is not None}
        if not lines:
            ray.wait([seat._opening for seat in seats], timeout=timeout_s)
            return []
        return [lines[line] for line in connection.wait(list(lines), timeout_s)]

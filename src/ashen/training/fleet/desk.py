"""Where the learner and players from outside meet: a process of Ray's that keeps little, and never waits for either."""

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from http import HTTPStatus
from secrets import token_hex
from typing import Any, Final, NamedTuple

from ashen.training.fleet.batch import MAX_BYTES, Tag
from ashen.training.fleet.wire import ENDED, TRAINING

NAME: Final = "desk"
"""Under which Ray finds it."""
MAX_WAITING: Final = 8
"""Batches of a player that wait for the learner; who brings more is told to come again."""
MAX_HURRIED_BYTES: Final = 2**24
"""The same of a player that cannot wait: some seven minutes of a game."""
TRIAL: Final = "trial "
"""With what the names of a sweep's trials begin, by which Ray finds them."""
GONE_AFTER_S: Final = 30.0
"""A player that was not heard of for so long does not count as playing."""
NAME_FREE_AFTER_S: Final = 10.0
"""Nor does its name belong to it any more, if it went without a word."""


class Caller(NamedTuple):
    """Who is at the door."""

    player: str
    """Its name, of which there is one."""
    life: str = ""
    """Drawn when it was started."""
    run: str = ""
    """Key of the run that it plays for."""


@dataclass
class _Tray:
    """What one player has brought."""

    is_hurried: bool
    """It plays on whether or not there is room, as a game does."""
    batches: deque[tuple[str, bytes]] = field(default_factory=deque)
    """Of whom and what, oldest first."""

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(len(data) for _, data in self.batches)

    @property
    def is_full(self) -> bool:
        return self.size >= MAX_HURRIED_BYTES if self.is_hurried else len(self.batches) >= MAX_WAITING

    def turn(self) -> list[tuple[str, bytes]]:
        """Take what the learner gets at once: all of who cannot wait, else the oldest."""
        return [self.batches.popleft() for _ in range(len(self.batches) if self.is_hurried else 1)]


class Desk:
    """Keeps what the learner offers and what players bring.

    Batches are bytes here, which nobody has looked into yet.

    Args:
        door: URL at which players knock.
    """

    def __init__(self, door: str = "") -> None:
        self._door = door
        self._about: dict[str, Any] | None = None
        self._key, self._run = "", None
        self._over: dict[str, str] = {}
        """By key, whether a run has ended or was stopped."""
        self._weights, self._tag = b"", Tag("", 0)
        self._inbox: dict[str, _Tray] = {}
        self._shelf, self._taken = token_hex(8), Counter[str]()
        """Name of what keeps the inbox, another when it has been emptied unread; of each sender, how many were read."""
        self._arrived = asyncio.Event()
        self._heard: dict[str, tuple[str, float]] = {}
        """By name, of whom, and when."""
        self._refused = 0
        self._status: dict[str, Any] = {}
        self._learner_s = -float("inf")

    async def open(self, about: dict[str, Any]) -> tuple[str, str | None]:
        """A learner begins: what is to be played; what waited for another run is dropped.

        Returns:
            The door's URL, and the run of another learner who is at work, in which case the desk stays with that.
        """
        if (run := await self.busy_with(about["key"])) is not None:
            return self._door, run
        if self._key != about["key"]:
            self._inbox.clear()
            self._shelf, self._taken = token_hex(8), Counter()
            self._weights, self._tag = b"", Tag("", 0)
        self._about, self._key, self._run = about, about["key"], about["run"]
        self._over.pop(self._key, None)
        self._refused = 0
        self._learner_s = time.monotonic()
        return self._door, None

    async def busy_with(self, key: str = "") -> str | None:
        """The run of a learner who is at work, unless it has that key; None if there is none."""
        is_busy = self._key != key and self._about is not None and self._learner_silent_s() < GONE_AFTER_S
        return self._run if is_busy else None

    async def close(self, key: str, how: str) -> None:
        """A learner ends, unless it has before: ``how`` is ENDED, or STOPPED for one that may go on with what waits."""
        if self._about is None or self._key != key:
            return
        self._over[key], self._about, self._weights, self._status = how, None, b"", {}
        if how == ENDED:
            self._inbox.clear()

    async def publish(self, key: str, weights: bytes, tag: Tag) -> None:
        """The networks of the learner whose desk it is from now on."""
        if self._key == key:
            self._weights, self._tag = weights, tag

    async def hear(self, key: str) -> None:
        """The learner is there, though it takes nothing now."""
        if self._key == key:
            self._learner_s = time.monotonic()

    async def take(self, key: str, timeout_s: float, status: dict[str, Any]) -> list[bytes] | None:
        """All that players have brought who cannot wait, then the oldest batch of each other, after waiting so long at
        most for the first; called by a learner that has learned from those before. None if the desk has become
        another's while this learner was silent.
        """
        if self._key != key:
            return None
        self._status, self._learner_s = status, time.monotonic()
        if not self._inbox:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), timeout_s)
            except TimeoutError:
                return []
        trays = sorted(self._inbox.values(), key=lambda tray: not tray.is_hurried)
        turn = [batch for tray in trays for batch in tray.turn()]
        self._inbox = {player: tray for player, tray in self._inbox.items() if tray.batches}
        self._taken.update(sender for sender, _ in turn)
        return [data for _, data in turn]

    async def receipt(self, sender: str) -> str:
        """Where batches lie now, and how many of a sender's the learner has taken from there."""
        return f"{self._shelf} {self._taken[sender]}"

    async def run(self, who: Caller) -> tuple[HTTPStatus, dict[str, Any] | None]:
        """What is to be played, and by how many from outside; None without a learner."""
        if self._is_taken(who):
            return HTTPStatus.LOCKED, None
        if self._about is None:
            return HTTPStatus.SERVICE_UNAVAILABLE, None
        return HTTPStatus.OK, self._about | {"outside": len(self._present())}

    async def leave(self, who: Caller) -> None:
        """A player ends, and its name is free."""
        if not self._is_taken(who):
            del self._heard[who.player]

    async def weights(self, who: Caller, have: Tag) -> tuple[HTTPStatus, bytes]:
        """The learner's networks, unless a player has them already, there are none, or they are another run's."""
        if refusal := self._refusal(who):
            return refusal
        if have == self._tag or not self._weights:
            return HTTPStatus.NOT_MODIFIED, b""
        return HTTPStatus.OK, self._weights

    async def put(
        self, who: Caller, data: bytes, is_hurried: bool = False, sender: str = ""
    ) -> tuple[HTTPStatus, bytes]:
        """Bring a batch, which is refused if there is no room yet, or its run is trained no more."""
        if refusal := self._refusal(who):
            return refusal
        size = sum(tray.size for tray in self._inbox.values() if tray.is_hurried == is_hurried)
        tray = self._inbox.get(who.player, _Tray(is_hurried))
        if self._about is None or tray.is_full or size + len(data) > MAX_BYTES:
            self._refused += self._about is not None
            return HTTPStatus.TOO_MANY_REQUESTS, b""
        tray.batches.append((sender, data))
        self._inbox[who.player] = tray
        self._arrived.set()
        return HTTPStatus.OK, b""

    def _refusal(self, who: Caller) -> tuple[HTTPStatus, bytes] | None:
        """Why somebody cannot play now; None if his run is trained, and where nobody knows yet."""
        if self._is_taken(who):
            return HTTPStatus.LOCKED, b""
        if who.run in self._over:
            return HTTPStatus.GONE, self._over[who.run].encode()
        return (HTTPStatus.CONFLICT, b"") if self._about is not None and self._key != who.run else None

    def _is_taken(self, who: Caller) -> bool:
        """Whether another has the name; who has it was heard of just now."""
        now_s = time.monotonic()
        life, heard_s = self._heard.get(who.player, (who.life, now_s))
        if life != who.life and now_s - heard_s < NAME_FREE_AFTER_S:
            return True
        self._heard[who.player] = who.life, now_s
        return False

    async def status(self) -> dict[str, Any]:
        """Who is there, and what the learner last said of itself."""
        return {
            "run": self._run,
            "state": self._over.get(self._key, TRAINING) if self._key else None,
            "learner_seen_s_ago": round(self._learner_silent_s(), 1) if self._about else None,
            "outside": self._present(),
            "waiting": sum(len(tray.batches) for tray in self._inbox.values()),
            "refused": self._refused,
            "learner": self._status,
        }

    def _learner_silent_s(self) -> float:
        return time.monotonic() - self._learner_s

    def _present(self) -> list[str]:
        now_s = time.monotonic()
        self._heard = {name: heard for name, heard in self._heard.items() if now_s - heard[1] < GONE_AFTER_S}
        return sorted(self._heard)

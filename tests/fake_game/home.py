"""A fake game, the door to it and its keeper in one process, by the fake's clock: a minute's wait takes no minute."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from ashen.game import keys, soulsgym_builds
from ashen.game.door import Door
from ashen.game.keeper import Keeper
from fake_game.install import FakeGame, install

HANG_S = 2_000.0
"""More of the fake's time without a fight than all deadlines together."""


class Here:
    """The door in this process, as the keeper sees a process and the connection to it."""

    def __init__(self, does: str) -> None:
        self._door, self._answer = Door(), None
        self.does = does
        """``answers``, or what a broken one does: ``door_dies``, ``door_blocks``."""

    @property
    def exitcode(self) -> int | None:
        """As of a process that should have ended by now."""
        return {"answers": 0, "door_dies": 3, "door_blocks": None}[self.does]

    def send(self, request: tuple[Any, ...] | None) -> None:
        if self.does == "door_dies":
            raise BrokenPipeError
        if self.does == "door_blocks":
            return
        if request is None:
            self._door.leave()
        else:
            self._answer = self._door.answer(request)

    def poll(self, _seconds: float) -> bool:
        return self.does == "answers"

    def recv(self) -> Any:
        return self._answer

    def join(self, _seconds: float | None = None) -> None:
        """It has ended by then, or never does."""

    def kill(self) -> None:
        self._door._env = None  # soulsgym lets go of the game with the last environment

    def close(self) -> None:
        """Nothing is open."""


class Home:
    """A fake game in this process, the keeper of a door in it, and a user who can be asked."""

    def __init__(self, fake: FakeGame) -> None:
        self.fake = fake
        self.keeper = Keeper(self.tell)
        self.said: list[str] = []
        self.user_does: Callable[[], None] = lambda: None
        self._door: Here | None = None
        self._next_does = "answers"

    def tell(self, text: str) -> None:
        """The user reads, and does what he is told."""
        self.said.append(text)
        self.user_does()

    def launch(self) -> tuple[Here, Here]:
        """A new door."""
        self._door, self._next_does = Here(self._next_does), "answers"
        return self._door, self._door

    def break_door(self, how: str) -> None:
        """From now on the door does that; if there is none yet, the first one will."""
        if self._door is None:
            self._next_does = how
        else:
            self._door.does = how


@contextmanager
def at_home() -> Iterator[Home]:
    """All that a trial needs, for a while; the door's deadlines and the keeper's waits go by the fake's clock."""
    with ExitStack() as stack:
        lock = Path(stack.enter_context(TemporaryDirectory())) / "lock.pid"
        fake = stack.enter_context(install(budget_s=HANG_S))
        stack.callback(keys.uninstall)  # what tests SoulsGym alone wants its own keys
        soulsgym_builds.load()
        fake.patch()
        home = Home(fake)
        stack.callback(home.keeper.close)
        for name, stands_in in {
            "ashen.game.watchdog.time": fake.clock.module(),
            "ashen.game.keeper.time": fake.clock.module(),
            "ashen.game.keeper.launch_door": home.launch,
            "ashen.game.owner.lock_file": lambda: lock,
            "ashen.game.backend.the_keeper": lambda: home.keeper,
            "ashen.game.keeper.the_keeper": lambda: home.keeper,
        }.items():
            stack.enter_context(mock.patch(name, stands_in))
        yield home

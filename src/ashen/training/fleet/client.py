"""A player from outside: a game PC, or any machine that is no node of Ray's. It plays on while the head is away."""

import queue
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.env.worlds import ONLY_ON_GAME
from ashen.runs.fights import save_new_fight
from ashen.runs.folder import RunFolder
from ashen.training.fleet.batch import Batch, Tag, to_bytes
from ashen.training.fleet.gatherer import Gatherer
from ashen.training.fleet.spool import Spool
from ashen.training.fleet.tables import unpack_tables
from ashen.training.fleet.weights import unpacked
from ashen.training.fleet.wire import AwayError, FullError, IdleError, RunOverError, Wire
from ashen.training.recipe import Recipe, kept_recipe

TRY_AGAIN_S: Final = 1.0
"""Between two attempts to reach the head."""
_PAUSE_S: Final = 0.2
"""Between two calls of the head, each of which costs it some ten milliseconds."""
_FAREWELL_S: Final = 2.0
"""A player that ends gives the learner so long to take what lies at the head."""
MOST_WAITING: Final = 8
"""Batches on their way at which a player that no game hurries waits: it would play faster than anybody learns."""
_PATIENCE_S: Final = 20.0
"""An agent that learns from its present policy alone waits so long for the next one before it plays on by the old."""
_SILENT_S: Final = 30.0
"""A player who has sent nothing for so long says how far he is."""

_ON: Final = "playing on; what is played meanwhile is handed over later"
_LATE: Final = (
    "the learner has gone on without this player, whose rollout is too late: PPO learns from its present policy alone, "
    "in rounds that last as long as the quick ones make them; fights are still recorded, but for steps to count have "
    "all play at one speed (--pace), or train by a recipe of DQN"
)
_UNTIL: Final = f"playing on until {MOST_WAITING} batches wait"


def player_name() -> str:
    """What a player from outside is called, unless it is told."""
    return socket.gethostname()


def wait_for_run(
    wire: Wire, should_stop: Callable[[], bool], tell: Callable[[str], None], is_told: bool = False
) -> dict[str, Any] | None:
    """What is to be played, as soon as the head says so; None if told to stop before.

    Args:
        wire: to the head.
        should_stop: asked again and again.
        tell: told why nothing is played yet.
        is_told: that no training is under way was told already.

    Raises:
        UserError: the token is wrong.
    """
    said = ""
    while not should_stop():
        try:
            return wire.run()
        except AwayError as error:
            is_new, said = str(error) != said, str(error)
            if isinstance(error, IdleError):
                if is_new and not is_told:
                    tell(f"{error}; waiting for one")
                is_told = True
            elif is_new:
                tell(f"{error}; trying again every {TRY_AGAIN_S:g} s; its address is what ashen fleet start told there")
                is_told = False
            _sleep(TRY_AGAIN_S, should_stop)
    return None


def recipe_here(about: dict[str, Any], backend: str, game_speed: float, scan_codes: bool = True) -> Recipe:
    """The recipe of a run, to be played here.

    Raises:
        UserError: this ashen does not know the recipe.
    """
    recipe = unpack_tables(kept_recipe(about["recipe"], "the head"), about["luggage"])
    how = {"backend": backend, "game_speed": game_speed, "scan_codes": scan_codes}
    return replace(recipe, **how, **(ONLY_ON_GAME if backend == "game" else {}))


class Client:
    """Plays, keeps what it played, and hands it over.

    Args:
        wire: to the head.
        about: what is to be played, by :meth:`Wire.run`.
        recipe: the same, as it is played here.
        run: folder for recorded fights and for batches on their way.
        pace: steps of 0.1 s in a second at most, of all its fights together; 0 sets no limit.

    Raises:
        UserError: encoder or actions differ here from the head's.
    """

    def __init__(self, wire: Wire, about: dict[str, Any], recipe: Recipe, run: RunFolder, pace: float = 0.0):
        self._gatherer = Gatherer(recipe, about["players"] + about["outside"], run.name, pace)
        _check_alike(about, self._gatherer)
        self._run, self._wire = run, wire
        self._gatherer.record(run, lambda fight: save_new_fight(fight, run.fights))
        self._waits = self._gatherer.agent.replay is None
        self._is_hurried = recipe.is_on_game or pace > 0.0
        self._spool = Spool(run.path / "on-the-way")
        self._courier = _Courier(wire, self._spool, self._is_hurried)
        self.sent_steps = self.late_steps = self.unfinished_steps = 0
        self._is_drop_told = self._is_late_told = False
        self._began_s = self._spoke_s = time.monotonic()

    @property
    def left(self) -> int:
        """Batches that the learner does not have."""
        return len(self._spool.waiting())

    def play(self, should_stop: Callable[[], bool], tell: Callable[[str], None]) -> None:
        """Play until told to stop; what is not handed over by then stays in the folder.

        Raises:
            UserError: the game cannot go on until the user mends it, or the head refuses us.
            OtherRunError: the head trains another run by now.
            RunOverError: it trains this one no more; what was on the way for one that is complete is dropped.
        """
        try:
            with self._courier, closing(self._gatherer.player.env):
                try:
                    self._play(should_stop, tell)
                finally:
                    self._keep(self._gatherer.finish(), tell)
        except RunOverError as error:
            if error.is_complete:
                self._spool.clear()
            raise

    def _play(self, should_stop: Callable[[], bool], tell: Callable[[str], None]) -> None:
        played_by = None
        while not should_stop():
            self._fetch(played_by, should_stop)
            self._began_s = self._spoke_s = time.monotonic()
            batch = self._gatherer.play(should_stop=lambda: self._must_stop(should_stop, tell))
            played_by = batch.tag
            self._keep(batch, tell)
            self._wait_for_room(should_stop, tell)
            self._tell_news(tell)
            if self._courier.error:
                raise self._courier.error

    def _must_stop(self, should_stop: Callable[[], bool], tell: Callable[[str], None]) -> bool:
        """Between two steps of a batch, which may take minutes."""
        self._tell_news(tell)
        now_s, done = time.monotonic(), self._gatherer.rollout_share
        is_same = self._courier.tag.session == self._gatherer.tag.session  # of another, nobody could be in time
        if done and is_same and not self._is_late_told and self._is_late():
            self._is_late_told = True
            tell(_LATE)
        if done and now_s - self._spoke_s > _SILENT_S:
            self._spoke_s, left_s = now_s, (now_s - self._began_s) * (1.0 - done) / done
            tell(f"played {done:.0%} of a rollout, which PPO learns from as a whole; {left_s / 60.0:.0f} min to go")
        return should_stop() or self._courier.error is not None

    def _wait_for_room(self, should_stop: Callable[[], bool], tell: Callable[[str], None]) -> None:
        while not (self._is_hurried or should_stop() or self._courier.error):
            if len(self._spool.waiting()) <= MOST_WAITING:
                return
            self._tell_news(tell)
            time.sleep(0.05)

    def _tell_news(self, tell: Callable[[str], None]) -> None:
        for line in self._courier.news():
            tell(line)

    def _keep(self, batch: Batch, tell: Callable[[str], None]) -> None:
        if not batch.part:
            self.unfinished_steps += batch.counts["steps"]
        elif self._is_late():
            self.late_steps += batch.counts["steps"]
        if not (batch.part or batch.fights):
            return
        notes = []
        if self._spool.dropped and not self._is_drop_told:
            notes, self._is_drop_told = ["no room for more on the way: the oldest batches are dropped"], True
            tell(f"{notes[0]}; recorded fights stay in {self._run.fights}")
        self._spool.add(to_bytes(replace(batch, notes=notes).sealed()))
        self.sent_steps += batch.counts["steps"] if batch.part else 0

    def _is_late(self) -> bool:
        """Whether the learner has gone on without the rollout under way, of which its newest networks tell."""
        return self._waits and self._courier.weights is not None and self._courier.tag != self._gatherer.tag

    def _fetch(self, played_by: Tag | None, should_stop: Callable[[], bool]) -> None:
        """The newest networks; waits for the first, and where nothing is learned from the old ones for the next."""
        patient_s = time.monotonic() + _PATIENCE_S
        while not should_stop():
            newest = self._courier.weights
            if newest is not None and (not self._waits or unpacked(newest)[1] != played_by):
                self._gatherer.load(newest)
                return
            if self._courier.error:
                return
            if newest is not None and time.monotonic() > patient_s:
                return
            time.sleep(0.02)


class _Courier:
    """Takes batches to the head and brings networks, beside the game, which must not wait for either."""

    def __init__(self, wire: Wire, spool: Spool, is_hurried: bool):
        self._wire, self._spool, self._is_hurried = wire, spool, is_hurried
        self._news: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)
        self.weights: bytes | None = None
        self.error: Exception | None = None
        self.tag = Tag("", 0)
        self._sender, self._shelf = secrets.token_hex(8), ""
        self._sent: deque[Path] = deque()
        """What lies at the head, oldest first, and was not taken by the learner yet."""
        self._settled = 0
        self._ends_s = 0.0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        """Hand over what can be handed over at once, and end."""
        self._ends_s = time.monotonic() + _FAREWELL_S
        self._is_over.set()
        self._thread.join()

    def news(self) -> list[str]:
        """What is to be told since the last call."""
        return [self._news.get() for _ in range(self._news.qsize())]

    def _go(self) -> None:
        is_away = is_told = False
        while not self._is_over.is_set() or (self._has_more() and not is_away):
            try:
                self._round()
            except AwayError as error:
                is_away, is_here = True, isinstance(error, FullError)
                if is_told and is_here:
                    self._news.put("the head is back; it takes what waits here as its training goes on")
                if not is_told and not is_here:
                    self._news.put(f"{error}; {_ON if self._is_hurried else _UNTIL}")
                is_told = not is_here
                self._is_over.wait(TRY_AGAIN_S)
            except Exception as error:  # of whatever kind: the player has to hear of it
                self.error = error
                return
            else:
                if is_told:
                    self._news.put("the head is back, and has all that waited")
                is_away = is_told = False
                time.sleep(_PAUSE_S)

    def _round(self) -> None:
        if (new := self._wire.weights(self.tag, self._sender)) is not None:
            self.tag, self.weights = unpacked(new)[1], new
        self._settle()
        for path in self._unsent():
            if (data := self._spool.read(path)) is not None:
                self._wire.send(data, self._is_hurried, self._sender)
                self._settle()
                self._sent.append(path)

    def _has_more(self) -> bool:
        return bool(self._unsent() or (self._sent and time.monotonic() < self._ends_s))

    def _unsent(self) -> list[Path]:
        at_head = set(self._sent)
        return [path for path in self._spool.waiting() if path not in at_head]

    def _settle(self) -> None:
        """Forget what the learner has taken; what lay at a head that has gone is to be sent again."""
        shelf, taken = self._wire.receipt
        if shelf != self._shelf:
            self._shelf, self._settled = shelf, 0
            self._sent.clear()
        while self._sent and self._settled < taken:
            self._spool.remove(self._sent.popleft())
            self._settled += 1


def _check_alike(about: dict[str, Any], gatherer: Gatherer) -> None:
    env = gatherer.player.env
    for what, ours in (("inputs", list(env.encoder.names)), ("actions", list(env.action_names))):
        theirs = about[what]
        if ours != theirs:
            odd = sorted(set(ours) ^ set(theirs))[:3]
            raise UserError(
                f"the head's {what} differ from ours ({', '.join(odd) or 'in order'}); install its version of ashen"
            )


def _sleep(seconds: float, should_stop: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s and not should_stop():
        time.sleep(0.05)

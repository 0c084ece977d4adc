"""Players in processes of their own, on this machine or on a fleet's, which Ray starts and watches.

Every player has at most so many calls open, so nothing queues up that nobody takes; one that has died is replaced.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.training.fleet.actor import Actor
from ashen.training.fleet.batch import Batch, Tag, from_bytes
from ashen.training.fleet.cluster import has_gone, start_again
from ashen.training.fleet.desk import NAME
from ashen.training.fleet.engine import GetTimeoutError, RayError, last_line, ray, ray_running
from ashen.training.fleet.heartbeat import Heartbeat
from ashen.training.fleet.plan import FleetPlan
from ashen.training.fleet.seats import FarSeat, NearSeat
from ashen.training.fleet.shared import Writer
from ashen.training.fleet.tables import Luggage
from ashen.training.recipe import Recipe

_ANSWER_S: Final = 5.0
"""For a desk to answer."""
_ONE_AT_A_TIME: Final = "it trains one run at a time: do this after that, or start a fleet on other ports"
_DEATHS_IN_A_ROW: Final = 5
"""For each player, while nobody sends anything: then it is no accident."""


class _Wish:
    """In place of a recorder, which every player has: whether one of them is to record a fight."""

    def __init__(self) -> None:
        self._is_wanted = False

    def ask(self) -> None:
        self._is_wanted = True

    def take(self) -> bool:
        was_wanted, self._is_wanted = self._is_wanted, False
        return was_wanted

    def give_up(self) -> None:
        """Players end theirs by themselves."""


class Crew:
    """The players of a training.

    Args:
        recipe: of the training.
        plan: how many there are, and where.
        luggage: files that the recipe names.
    """

    def __init__(self, recipe: Recipe, plan: FleetPlan, luggage: Luggage):
        self._words, self._fleet, self.door = (recipe, luggage, plan.actors, plan.pace), plan.fleet or "", ""
        self._desk, self._desk_call, self._key, self.status = None, None, "", dict[str, Any]()
        self._heartbeat: Heartbeat | None = None
        self.restarts = self.unreadable = 0
        self._news = list[str]()
        self._deaths = 0
        """Since anybody last sent something."""
        self._is_near = plan.fleet is None
        seat = NearSeat if self._is_near else FarSeat
        self._seats = [seat(f"actor-{place}", self._start) for place in range(plan.actors)]
        self._weights: bytes | str = b""
        self.recorder = _Wish()
        self._shared = Writer()

    def start(self, about: dict[str, Any] | None = None) -> None:
        """Start all players.

        Args:
            about: what players from outside are told; None without any.

        Raises:
            UserError: the fleet has no door for them, or has gone.
        """
        with self._head_needed():
            if about is not None:
                self._open_desk(about)
            for seat in self._seats:
                seat.fill()

    def _open_desk(self, about: dict[str, Any]) -> None:
        self._desk, self._key = _desk(), about["key"]
        self.door, busy_with = ray.get(self._desk.open.remote(about))
        if busy_with is not None:
            self._desk = None
            raise _busy(busy_with)
        self._heartbeat = Heartbeat(partial(self._desk.hear.remote, self._key))

    def _start(self, name: str) -> Any:
        recipe, luggage, players, pace = self._words
        return Actor.remote(recipe, luggage, players, name, pace)

    def room(self) -> int:
        """How many actors the machines that are there by now have cores for."""
        with self._head_needed():
            return int(ray.cluster_resources().get("CPU", 0))

    def is_deserted(self) -> bool:
        """Whether nobody from outside was heard of lately, and no machine has a core for an actor.

        Raises:
            UserError: the fleet's head has gone.
        """
        with self._head_needed():
            try:
                outside = ray.get(self._desk.status.remote(), timeout=_ANSWER_S)["outside"]
            except GetTimeoutError:  # who is too busy to say who is there is not deserted
                return False
        return not outside and min(self.room(), len(self._seats)) == 0

    @contextmanager
    def _head_needed(self) -> Iterator[None]:
        """Say in a line that the head has gone, of which Ray has many ways to tell."""
        try:
            yield
        except (RayError, OSError) as error:
            if isinstance(error, UserError):  # raised by a player; Ray makes one error of both
                raise
            raise self._gone(last_line(error)) from None

    def _gone(self, reason: str) -> UserError:
        if not self._fleet:
            return UserError(f"Ray has ended on this machine ({reason})")
        why = "" if has_gone(self._fleet) else f" ({reason})"
        return UserError(f"the fleet's head has gone{why}; start it again: {start_again(self._fleet, self.door)}")

    def publish(self, weights: bytes, tag: Tag) -> None:
        """Have everybody act by these networks from the next call on."""
        self._weights = weights
        if self._is_near:
            with suppress(OSError):  # without room there they go with the calls
                self._weights = self._shared.say(weights)
        for seat in self._seats:
            seat.is_asked = False
        if self._desk is not None:
            self._desk.publish.remote(self._key, weights, tag)

    def ask(self, open_calls: int, again: bool) -> None:
        """Ask for batches.

        Args:
            open_calls: each player may have open at most.
            again: also whoever was asked to play by the present networks before.
        """
        with self._head_needed():
            for seat in self._seats:
                while (
                    (again or not seat.is_asked)
                    and seat.open_calls < open_calls
                    and self._answered(seat, seat.is_there)
                ):
                    seat.ask(self._weights, self.recorder.take())
                    seat.is_asked = True

    def wait(self, timeout_s: float) -> list[Batch]:
        """Batches that have come, after waiting so long at most for the first one; at once if nobody is asked.

        Raises:
            UserError: a player cannot play, or the fleet's head has gone.
        """
        with self._head_needed():
            batches = self._from_near(timeout_s) if self._is_near else self._from_far(timeout_s)
        if not batches and self._fleet and has_gone(self._fleet):  # of which Ray itself says nothing for a while
            raise self._gone("")
        self._deaths = 0 if batches else self._deaths
        return batches

    def _from_near(self, timeout_s: float) -> list[Batch]:
        seats = NearSeat.ready(self._seats, timeout_s)
        return [batch for seat in seats if (batch := self._answered(seat, seat.take))]

    def _from_far(self, timeout_s: float) -> list[Batch]:
        seats = {call: seat for seat in self._seats for call in seat.calls()}
        is_ready = self.waiting > 0
        if self._desk is not None and self._desk_call is None:
            self._desk_call = self._desk.take.remote(self._key, 0.0 if is_ready else timeout_s, self.status)
        desk = [self._desk_call] if self._desk_call else []
        if is_ready and desk:  # who cannot wait is asked in every turn, though others need not be waited for
            ray.wait(desk, timeout=timeout_s)
        calls = [*seats, *desk]
        ready, _ = ray.wait(calls, num_returns=1, timeout=timeout_s)
        if ready:
            ready, _ = ray.wait(calls, num_returns=len(calls), timeout=0)
        batches = self._from_outside() if self._desk_call in ready else []
        for call in ready:
            if call in seats and call in seats[call].calls():  # not of a player that has been replaced meanwhile
                batch = self._answered(seats[call], partial(seats[call].take, call))
                batches += [batch] if batch else []
        return batches

    def take_news(self) -> list[str]:
        """What is to be told of the players since the last call."""
        news, self._news = self._news, []
        return news

    def close(self, key: str, how: str) -> list[Batch]:
        """Tell players from outside that their training has ended or was stopped, see :meth:`Desk.close`.

        Returns:
            What the desk had handed out before.
        """
        if self._desk is None:
            return []
        if self._heartbeat is not None:
            self._heartbeat.stop()
            self._heartbeat = None
        try:
            rest = self._from_outside() if self._desk_call is not None else []
            ray.get(self._desk.close.remote(key, how), timeout=_ANSWER_S)
        except (RayError, OSError, UserError):  # a head that has gone has nothing to say
            return []
        return rest

    def release(self) -> None:
        """Give shared memory back, when the players have ended."""
        for seat in self._seats:
            seat.clear()
        self._shared.close()

    def _from_outside(self) -> list[Batch]:
        call, self._desk_call = self._desk_call, None
        batches, brought = [], ray.get(call, timeout=_ANSWER_S)
        if brought is None:
            raise UserError(f"the fleet trains another run by now, since this one was silent; {_ONE_AT_A_TIME}")
        for data in brought:
            try:
                batches.append(from_bytes(data))
            except UserError:
                self.unreadable += 1
        return batches

    def _answered(self, seat: FarSeat | NearSeat, question: Callable[[], Any]) -> Any:
        """What a player's seat answers; None of one that has died, who is replaced."""
        try:
            return question()
        except (RayError, EOFError, OSError) as error:
            if isinstance(error, UserError):  # raised by the player; Ray makes one error of both
                raise UserError(f"{seat.name}: {error.args[0] if error.args else error}") from None
            self._replace(seat, error)
            return None

    def _replace(self, seat: FarSeat | NearSeat, error: Exception) -> None:
        if self._fleet and has_gone(self._fleet):
            raise self._gone("")
        self._deaths += 1
        self.restarts += 1
        self._news.append(f"{seat.name} has died and is replaced: {last_line(error)}")
        if self._deaths >= _DEATHS_IN_A_ROW * len(self._seats):
            raise UserError(f"players died {self._deaths} times before anybody sent anything: {last_line(error)}")
        seat.fill()

    @property
    def waiting(self) -> int:
        """Batches that have come and were not taken yet; none from a head that has gone."""
        if self._is_near:
            return len(NearSeat.ready(self._seats, 0.0))
        calls = [call for seat in self._seats for call in seat.calls()]
        try:
            return len(ray.wait(calls, num_returns=len(calls), timeout=0)[0]) if calls else 0
        except (RayError, OSError):  # which the next wait for a batch tells
            return 0


def check_is_idle(plan: FleetPlan) -> None:
    """Whether a fleet has no training yet.

    Raises:
        UserError: it has one, or there is no fleet.
    """
    with ray_running(plan):
        try:
            busy_with = ray.get(_desk().busy_with.remote(), timeout=_ANSWER_S)
        except (RayError, OSError):  # who does not answer now says so when the training is to begin
            return
    if busy_with is not None:
        raise _busy(busy_with)


def _desk() -> Any:
    try:
        return ray.get_actor(NAME)
    except ValueError:
        raise UserError("this is no fleet of ashen's; start it with: ashen fleet start") from None


def _busy(run: str) -> UserError:
    return UserError(f"the fleet trains {run}; {_ONE_AT_A_TIME}")

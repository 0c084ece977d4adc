"""The trainer's side of the process that owns the game: deadlines, new attempts, and an account of what went wrong."""

import atexit
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache
from math import ceil
from typing import Any, Final, NamedTuple
from weakref import WeakSet

from ashen.core.errors import UserError
from ashen.core.fight import STEP_S
from ashen.core.signals import is_stop_asked
from ashen.game.door import Failed, Shown, serve
from ashen.game.faults import Fault, Kind, fault_named
from ashen.game.monitors.monitors import FOCUS_LOST, SILENT_FAULTS
from ashen.game.options import GameOptions
from ashen.game.owner import Ownership
from ashen.game.soulsgym_builds import FightSpec

ATTEMPTS: Final = 4
"""To start a fight, each harsher than the one before."""
MOST_IN_A_ROW: Final = 5
"""Fights that end by the same finding of a monitor: it will not go away by itself."""
_GRACE_S: Final = 3.0
"""The process has so long to find out by itself that time is up."""
_UNSTICK_S: Final = 120.0
"""A process that starts anew on a busy machine has to load first."""
_LEAVE_S: Final = 10.0
_LOOK_EVERY_S: Final = 2.0
"""Between two looks for a game that has ended, or for its window."""
_HEAR_EVERY_S: Final = 0.5
"""Between two looks for Ctrl-C while an answer is waited for."""
_STOP_S: Final = 1.5
"""What is asked for at Ctrl-C may still take so long."""


class Incident(NamedTuple):
    """Something that went wrong."""

    at: str
    """Wall-clock time, ISO 8601."""
    during: str
    """``open``, ``reset``, ``step`` or ``unstick``."""
    fault: str
    kind: str
    message: str


def launch_door() -> tuple[Any, Any]:
    """Start the process that owns the game; it and the connection to it."""
    context = multiprocessing.get_context("spawn")
    connection, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), name="ashen-game", daemon=True)
    process.start()
    theirs.close()
    return process, connection


class Keeper:
    """Keeps one process that owns the game, for all backends of this process: there is one game.

    Args:
        tell: what says to the user what only he can do.
    """

    def __init__(self, tell: Callable[[str], None]):
        self._tell = tell
        self._process: Any = None
        self._connection: Any = None
        self._ownership: Ownership | None = None
        self._trouble: Kind | None = None
        self._last: Failed | None = None
        self._in_a_row = 0
        self.holder: object = None
        """Whose fight is under way."""
        self._untouched: tuple[FightSpec, Shown] | None = None
        """The fight under way, as long as nobody has acted in it."""
        self.users: WeakSet[Any] = WeakSet()
        """Backends that are open."""
        self.incidents: list[Incident] = []
        self.unknown_animations: Counter[str] = Counter()
        """Steps in which an animation was shown that no table knows, by ``player NAME`` or ``boss NAME``."""
        self.measured: dict[str, Counter[float]] = {"game_speed": Counter(), "input_latency_steps": Counter()}
        """How often each value was measured: a step's speed, and steps of 0.1 s from a press to what it starts."""
        atexit.register(self.close)

    def open(self, spec: FightSpec, options: GameOptions) -> None:
        """Make sure that the game is there, so that what is missing is said before anything begins.

        Raises:
            UserError: it is not, or someone else owns it.
        """
        if self._untouched is not None and self._untouched[0] == spec:
            return None
        for _ in range(ATTEMPTS):
            answer = self._ask("open", options.reset_deadline_s, spec)
            if not isinstance(answer, Failed):
                return None
            if answer.fault == "not_in_game":  # it may be loading
                return self._wait_for_game(answer, spec, options)
            if fault_named(answer.fault).kind >= Kind.NEEDS_GAME_RESTART:
                break
        raise self._stopped(answer)

    def begin(self, holder: object, spec: FightSpec, options: GameOptions) -> Shown:
        """Start a fight; after faults by ever harsher means.

        One that has begun and in which nobody has acted, for example because an environment went on by itself, is
        handed over as it stands: the game waits between steps, and a new start takes 20 s after a full fight.

        Raises:
            UserError: no fight can be started; the game is left playable.
        """
        self.holder = holder
        if self._trouble is None:
            self._last, self._in_a_row = None, 0
            if self._untouched is not None and self._untouched[0] == spec:
                return self._untouched[1]
        elif self._last is not None and (self._trouble == Kind.NEEDS_YOU or self._in_a_row >= MOST_IN_A_ROW):
            raise self._stopped(self._last)
        attempts, has_waited = ATTEMPTS, False
        while attempts > 0:
            attempts -= 1
            before = self._trouble
            answer = self._ask("reset", options.reset_deadline_s, spec, before)
            if isinstance(answer, Shown):
                self._trouble = None
                self._note(answer)
                self._untouched = (spec, answer)
                return answer
            kind = fault_named(answer.fault).kind
            if kind == Kind.NEEDS_YOU:
                break
            if kind == Kind.NEEDS_GAME_RESTART:
                self._wait_for_game(answer, spec, options)
                if not has_waited:  # the user has done his part
                    attempts, has_waited = ATTEMPTS, True
            elif answer.fault == FOCUS_LOST:
                self._wait_for_focus(answer, options)
            elif before is not None:
                self._trouble = Kind(min(max(kind, before + 1), Kind.NEEDS_GAME_RESTART))
            self._heed_stop()
        raise self._stopped(answer)

    def step(self, action: int, options: GameOptions) -> Shown | None:
        """One step; None if it went wrong, which ends the fight."""
        if self._trouble is not None:
            return None
        answer = self._ask("step", options.step_deadline_s, action)
        if isinstance(answer, Failed):
            self._count(answer)
            return None
        self._note(answer)
        return answer

    def unstick(self) -> dict[str, str] | None:
        """Put back in the game what a run changes; what failed, and why. None if no game runs, and so nothing is stuck.

        Raises:
            UserError: the game cannot be reached, or someone else owns it.
        """
        answer = self._ask("unstick", _UNSTICK_S)
        if isinstance(answer, Failed) and answer.fault == "game_gone":
            return None
        if isinstance(answer, Failed):
            raise self._stopped(answer)
        return answer

    def account(self) -> list[str]:
        """What went wrong and what no table knows, in lines; none if all was well."""
        faults = Counter(incident.fault for incident in self.incidents)
        parts = {"went wrong on the game": faults, "shown by the game and in no table": self.unknown_animations}
        return [
            f"{what}: {', '.join(f'{name} ({times} times)' for name, times in counts.items())}"
            for what, counts in parts.items()
            if counts
        ]

    def interrupt(self) -> None:
        """Account for a fight that ended because another one began."""
        self._record("step", fault_named("interrupted"), "two environments of one process used the game in turns")

    def close(self) -> None:
        """End the process, which leaves the game playable."""
        process, connection = self._process, self._connection
        if process is not None:
            with suppress(OSError):
                connection.send(None)
            process.join(_LEAVE_S)
            has_left = process.exitcode == 0
            self._end()
            if not has_left:
                self._start()
                self._exchange("unstick", _UNSTICK_S)
                self._end()
        self._let_go()

    def _note(self, shown: Shown) -> None:
        self.unknown_animations.update(shown.unknown)
        if shown.speed == shown.speed:
            self.measured["game_speed"][round(shown.speed, 1)] += 1
        if shown.latency_s is not None:
            self.measured["input_latency_steps"][round(shown.latency_s / STEP_S, 1)] += 1

    def _count(self, failed: Failed) -> None:
        """Count fights that the same finding of a monitor ended, one after the other."""
        is_again = self._last is not None and self._last.fault == failed.fault
        self._in_a_row = (self._in_a_row if is_again else 0) + (failed.fault in SILENT_FAULTS)
        self._last = failed

    def _let_go(self) -> None:
        if self._ownership is not None:
            self._ownership.release()
            self._ownership = None

    def _ask(self, name: str, limit_s: float, *arguments: Any) -> Any:
        """The answer; a failure is recorded, and a process that does not answer is replaced."""
        if self._process is None:
            self._start()
        self._untouched = None
        answer = self._exchange(name, limit_s, *arguments)
        if isinstance(answer, Failed):
            self._trouble = self._record(name, fault_named(answer.fault), answer.report).kind
            if self._process is None:
                self._start()
                # A game left paused would look hung itself.
                self._exchange("unstick", _UNSTICK_S)
        return answer

    def _exchange(self, name: str, limit_s: float, *arguments: Any) -> Any:
        """One request and its answer; ends a process that gives none."""
        if self._process is None:
            return Failed("door_died", "it could not be started")
        try:
            self._connection.send((name, limit_s, *arguments))
            if self._is_answered(limit_s + _GRACE_S, can_be_stopped=name != "unstick"):
                return self._connection.recv()
            failed = Failed("door_hung", f"no answer to {name} within {limit_s:g} s")
        except (EOFError, OSError):
            failed = Failed("door_died", f"its process ended during {name}")
        self._end()
        return failed

    def _is_answered(self, limit_s: float, can_be_stopped: bool) -> bool:
        """Whether an answer comes in time; a long wait for it ends at Ctrl-C."""
        looks = ceil(limit_s / _HEAR_EVERY_S)
        while looks > 0:
            with suppress(InterruptedError):  # so Ctrl-C ends a wait on Windows; its handler has set the flag
                if self._connection.poll(_HEAR_EVERY_S):
                    return True
            looks -= 1
            if can_be_stopped and is_stop_asked():
                looks = min(looks, ceil(_STOP_S / _HEAR_EVERY_S))
        if can_be_stopped:
            self._heed_stop()
        return False

    def _start(self) -> None:
        if self._ownership is None:
            self._ownership = Ownership()
        self._process, self._connection = launch_door()

    def _end(self) -> None:
        self._untouched = None
        if self._process is None:
            return
        self._process.kill()
        self._process.join()
        self._connection.close()
        self._process = self._connection = None

    def _record(self, during: str, fault: Fault, message: str) -> Fault:
        now = datetime.now().astimezone().isoformat(timespec="milliseconds")
        self.incidents.append(Incident(now, during, fault.name, fault.kind.name, message))
        return fault

    def _wait_for_game(self, failed: Failed, spec: FightSpec, options: GameOptions) -> None:
        """Wait for the game to be started or its save to be loaded, and meet it.

        Raises:
            UserError: it was not.
        """
        advice, is_told = fault_named(failed.fault).advice, False
        for _ in self._looks(options):
            answer = self._exchange("open", options.reset_deadline_s, spec)
            if not isinstance(answer, Failed):
                self._trouble = Kind.TRANSIENT
                return
            if self._process is None:
                self._start()
            failed = answer
            if not is_told:
                self._tell(f"the game cannot be played now; {advice}: it goes on by itself")
                is_told = True
        raise self._stopped(failed)

    def _wait_for_focus(self, failed: Failed, options: GameOptions) -> None:
        """Wait for the user to click into the game's window; whatever else comes up is met by the next attempt.

        Raises:
            UserError: he did not.
        """
        self._tell(f"the game is paused: {failed.message}; click into it, and the training goes on by itself")
        for _ in self._looks(options):
            if self._exchange("is_in_front", options.step_deadline_s) is not False:
                return
        raise self._stopped(failed)

    def _looks(self, options: GameOptions) -> Iterator[None]:
        """Moments to look again, until patience is over or somebody presses Ctrl-C."""
        ends_s = time.monotonic() + options.patience_s
        while time.monotonic() < ends_s:
            self._heed_stop()
            yield
            time.sleep(min(_LOOK_EVERY_S, options.patience_s))

    def _heed_stop(self) -> None:
        """Let Ctrl-C end what would wait on."""
        if is_stop_asked():
            raise self._ended("stopped by Ctrl-C while it was waited for")

    def _stopped(self, failed: Failed) -> UserError:
        said = failed.report if failed.fault == "unknown" else failed.message
        return self._ended(f"{said}; {fault_named(failed.fault).advice}")

    def _ended(self, why: str) -> UserError:
        """The error that ends it all, with the game left playable."""
        self.close()
        self._trouble, self._last, self._in_a_row = None, None, 0
        return UserError(f"the game: {why}")


@cache
def the_keeper() -> Keeper:
    """The one of this process."""
    return Keeper(lambda text: print(f"ashen: {text}", file=sys.stderr, flush=True))

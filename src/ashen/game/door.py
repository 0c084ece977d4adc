"""The process that owns the game: it alone imports soulsgym, plays a fight at a time and leaves the game playable."""

import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError, said_by
from ashen.game import focus, keys
from ashen.game import soulsgym_builds as builds
from ashen.game.faults import Fault, ImpossibleValueError, Kind, NoticedError, classify, fault_named
from ashen.game.monitors.monitors import Monitors
from ashen.game.monitors.pace import Stopwatch
from ashen.game.repair import repair
from ashen.game.soulsgym_builds import FightSpec
from ashen.game.translate import SHOWN_BYTES, Translator
from ashen.game.unstick import restore, unstick
from ashen.game.watchdog import HungError, Watchdog, watch

_FAREWELL_S: Final = 5.0
"""For what is put back at the end."""


class Shown(NamedTuple):
    """What a reset or a step came to."""

    row: bytes
    """The shown part of a FIGHT_STATE record."""
    mask: bytes
    """The valid actions, bool [20]."""
    unknown: list[str]
    """Animations in it that no table knows."""
    speed: float = float("nan")
    """How many times faster than real the game ran in this step, as measured; NaN if that is not known."""
    latency_s: float | None = None
    """Game time from a press to what it started in this step; None if it started nothing."""


class Failed(NamedTuple):
    """What went wrong instead."""

    fault: str
    """Its name in :data:`ashen.game.faults.FAULTS`."""
    message: str
    error: str = ""
    """Class of the exception, if it is none of ashen's."""

    @property
    def report(self) -> str:
        """The message with the exception's class, for whoever looks into it; the user is told without it."""
        return f"{self.error}: {self.message}" if self.error else self.message


class Door:
    """One fight at a time. Everything that goes wrong comes back as :class:`Failed`.

    Every request but the last is a method with a time limit in seconds as its first argument.
    """

    REQUESTS: Final = ("open", "reset", "step", "is_in_front", "unstick")

    def __init__(self) -> None:
        self._env: Any = None
        self._spec: FightSpec | None = None
        self._watchdog = Watchdog()

    def answer(self, request: tuple[Any, ...]) -> Any:
        """Do what is asked: the name of a method, the time limit, arguments."""
        name, limit_s, *arguments = request
        self._watchdog.allow(limit_s)
        try:
            return getattr(self, name)(*arguments)
        except Exception as error:
            self._watchdog.allow(_FAREWELL_S)
            fault = self._fault(error)
            self._pause()
            if fault.kind == Kind.NEEDS_GAME_RESTART:
                self._env = None  # its memory is another process's
            is_own = isinstance(error, UserError | HungError | NoticedError)
            return Failed(fault.name, said_by(error), "" if is_own else type(error).__name__)

    def open(self, spec: FightSpec) -> None:
        """Be ready for a kind of fight."""
        is_new = self._env is None or self._spec is None or self._spec.world != spec.world
        if is_new:
            self._env = None
            builds.load()
            env = builds.make_env(spec)
            watch(env, self._watchdog)
            self._env, self._is_fresh = env, True
        (keys.install if spec.use_scan_codes else keys.uninstall)()
        if not is_new and self._spec.table == spec.table:
            return
        table = Path(spec.table)
        self._translator = Translator(table, spec.fight, builds.arena_box(self._env))
        self._stopwatch, self._monitors = Stopwatch(self._env.game), Monitors(table, spec.game_speed)
        self._spec = spec

    def reset(self, spec: FightSpec, trouble: int | None) -> Shown:
        """Start a fight.

        Args:
            spec: what is fought.
            trouble: the :class:`~ashen.game.faults.Kind` of what went wrong before; None if nothing did.
        """
        if trouble is not None and trouble >= Kind.NEEDS_GAME_RESTART:
            self._env = None
        self.open(spec)
        focus.require_in_front(self._env)
        builds.set_random_start(self._env, spec.random_start)
        # After a full fight one of the two is dead, and the game loads its world.
        if trouble is not None or self._is_fresh or spec.fight == "full":
            repair(self._env, reload=trouble == Kind.NEEDS_RELOAD)
        self._is_fresh = False
        obs, info = self._env.reset()
        row, mask = self._seen(obs, info, terminated=False)
        self._monitors.begin(row, mask)
        return self._shown(row, mask)

    def step(self, action: int) -> Shown:
        """Do one action, 0..19, and let 0.1 s of the game pass."""
        self._stopwatch.begin()
        obs, _, terminated, _, info = self._env.step(action)
        row, mask = self._seen(obs, info, terminated)
        focus.expect_in_front(self._env)
        self._monitors.look(action, row, mask, self._stopwatch)
        return self._shown(row, mask)._replace(speed=self._stopwatch.speed, latency_s=self._monitors.latency_s)

    def is_in_front(self) -> bool:
        """Whether the game's window has the focus; looks and does nothing."""
        return focus.is_in_front(self._env)

    def unstick(self) -> dict[str, str]:
        """Put back what a run changes in the game; what failed, and why."""
        return unstick() if self._env is None else restore(self._env.game)

    def leave(self) -> None:
        """Leave the game playable; called at the end, whatever the end is."""
        self._watchdog.allow(_FAREWELL_S)
        if self._env is not None:
            restore(self._env.game)

    def _seen(
        self, obs: dict[str, Any], info: dict[str, Any], terminated: bool
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The row [1] and the valid actions [20]."""
        row = self._translator.row(builds.state_of(self._env), obs["phase"])
        is_over = bool(row["player_hp"][0] <= 0 or row["boss_hp"][0] <= 0)
        if is_over != terminated:
            said = "over" if terminated else "going on"
            raise ImpossibleValueError(f"soulsgym says the fight is {said}, but hit points say otherwise")
        return row, builds.mask_of(info)

    def _shown(self, row: NDArray[Any], mask: NDArray[np.bool_]) -> Shown:
        return Shown(row.tobytes()[:SHOWN_BYTES], mask.tobytes(), self._translator.unknown)

    def _fault(self, error: Exception) -> Fault:
        """What went wrong; a game that has ended or was started anew explains everything else."""
        fault = classify(error)
        if self._env is None or fault.kind == Kind.NEEDS_YOU:
            return fault
        try:
            is_same = builds.game_pid() == self._env.game.mem.pid
        except Exception:
            is_same = False
        return fault if is_same else fault_named("game_gone")

    def _pause(self) -> None:
        """After a fault the player should not be killed while nobody plays."""
        if self._env is None:
            return
        with suppress(Exception):
            self._env.game.game_speed = 0


def serve(connection: Connection) -> None:
    """The life of the process: answer requests until there are none, then leave the game playable."""
    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)  # Ctrl-C is for the trainer, which ends this one
    door = Door()
    threading.Thread(target=_end_with_trainer, args=(door,), daemon=True).start()
    try:
        while True:
            request = connection.recv()
            if request is None:
                break
            connection.send(door.answer(request))
    except (EOFError, OSError):  # the trainer is gone
        pass
    finally:
        door.leave()


def _end_with_trainer(door: Door) -> None:
    """When the trainer is gone, end too: also where a call of soulsgym or of the system does not return."""
    trainer = multiprocessing.parent_process()
    if trainer is None:
        return
    trainer.join()
    time.sleep(_FAREWELL_S)  # a process that can notices it by itself
    door.leave()
    os._exit(1)

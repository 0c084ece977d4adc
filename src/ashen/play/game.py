"""The loop: start, fight, pause, fight again, until the window closes. Every fight is kept, also one broken off."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import pygame
from numpy.typing import NDArray

from ashen.core.fight import Outcome
from ashen.core.seeding import derive_seed
from ashen.draw import picture
from ashen.env import FightEnv
from ashen.play.bindings import Command, buttons, hint, key_rows
from ashen.play.bout import Bout, Setting
from ashen.play.controls import Controls
from ashen.play.devices import Devices, Reading
from ashen.play.kept import human_run, keep
from ashen.play.pace import SLOW_PER_S, Frames, Pace, WallClock
from ashen.play.window import SIZE, Window, Words
from ashen.runs.folder import RunFolder


class Clock(Protocol):
    """What tells the time and lets it pass."""

    def now_s(self) -> float:
        """Seconds since some moment."""

    def rest(self, seconds: float) -> None:
        """Let time pass."""


class Stage(Enum):
    """Where a game stands."""

    READY = auto()
    FIGHTING = auto()
    PAUSED = auto()
    OVER = auto()
    CLOSED = auto()


@dataclass(frozen=True)
class Plan:
    """What is to be played."""

    setting: Setting = Setting()
    seed: int = 0
    """Same seed, same fights, those of ``ashen evaluate`` with it."""
    speed: float = 1.0
    """1 is the game's."""
    fights: int | None = None
    """End after so many; None goes on until the window closes."""


def play(plan: Plan, runs_dir: Path, stop: Callable[[], bool], clock: Clock | None = None) -> list[Path]:
    """Open a window and fight.

    Args:
        plan: what is to be played.
        runs_dir: folder of all runs; the fights are kept in its run ``human``.
        stop: asked at every picture whether to end.
        clock: the time; real time if None.

    Returns:
        The records made, in order.

    Raises:
        UserError: an unknown name, no display, or nowhere to keep the fights.
        OSError: the disk is full.
    """
    clock, frames, controls = clock or WallClock(), Frames(), Controls()
    with (
        closing(plan.setting.make_env()) as env,
        closing(Window("ashen")) as window,
        closing(Devices(controls)) as devices,
        closing(Game(plan, env, controls, human_run(runs_dir))) as game,
    ):
        before_s = clock.now_s()
        while game.stage is not Stage.CLOSED and not stop():
            game.obey(devices.read(pygame.event.get()))
            now_s = clock.now_s()
            game.pass_time(now_s - before_s)
            before_s = now_s
            slow = f"slow: {frames.per_s:.0f} pictures/s" if frames.per_s < SLOW_PER_S else ""
            window.show(game.image(), game.words(slow))
            clock.rest(frames.rest_s(clock.now_s()))
    return game.records


class Game:
    """What is shown and asked for, apart from windows and time.

    Args:
        plan: what is to be played.
        env: of the plan's setting.
        controls: what is held and pressed.
        run: where fights are kept.
    """

    def __init__(self, plan: Plan, env: FightEnv, controls: Controls, run: RunFolder) -> None:
        self._plan, self._env, self._controls, self._run = plan, env, controls, run
        self._seeds = (derive_seed(plan.seed, "fight", number) for number in count())
        self._seed = next(self._seeds)
        self._with_actions = False
        self._ended = 0
        self.records: list[Path] = []
        """The fights kept, in order."""
        self._begin(Stage.READY)

    def _begin(self, stage: Stage) -> None:
        self._bout, self._pace = Bout(self._env, self._plan.setting, self._seed), Pace(self._plan.speed)
        self.stage = stage
        self._controls.forget()

    def obey(self, reading: Reading) -> None:
        """Do what was asked for."""
        if reading.is_interrupted and self.stage is Stage.FIGHTING:
            self.stage = Stage.PAUSED
        for command in reading.commands:
            if deed := _DEEDS.get(command):
                deed(self)
        if reading.is_closed:
            self.close()

    def pass_time(self, elapsed_s: float) -> None:
        """Let real time pass: only a fight that is not paused goes on."""
        if self.stage is not Stage.FIGHTING:
            return
        for _ in range(self._pace.pass_time(elapsed_s)):
            self._bout.step(self._controls.take())
            if self._bout.outcome is not Outcome.RUNNING:
                self._ended += 1
                self.stage = Stage.OVER
                self._keep()
                return

    def close(self) -> None:
        """End; a fight that is on is kept as far as it went."""
        self._break_off()
        self.stage = Stage.CLOSED

    def image(self) -> NDArray[np.uint8]:
        """The picture as it stands, uint8 [540, 960, 3], turned so that forward is up."""
        overlay = self._bout.overlay(self._with_actions and self.stage in (Stage.FIGHTING, Stage.OVER))
        return picture(self._bout.state(self._pace.share), self._plan.setting.boss, overlay, SIZE, camera_up=True)

    def words(self, warning: str) -> Words:
        """What is to be written over it."""
        if self.stage is Stage.FIGHTING:
            return Words(hint=hint(), warning=warning)
        start, again = buttons(Command.START), buttons(Command.RESTART)
        if self.stage is Stage.PAUSED:
            return Words(hint=f"{start}: go on      {again}: from the start", title="Paused", rows=_ROWS)
        if self.stage is Stage.OVER:
            what = "end" if self._is_last else "next fight"
            return Words(hint=f"{start}: {what}      {again}: the same fight again", warning=warning)
        setting = self._plan.setting
        varied = "" if setting.randomise == "none" else f", varied ({setting.randomise})"
        title = f"{setting.boss}, {setting.fight}, {setting.start} start{varied}"
        return Words(hint=f"{start}: start", title=title, rows=_ROWS)

    @property
    def _is_last(self) -> bool:
        return self._plan.fights is not None and self._ended >= self._plan.fights

    def _start(self) -> None:
        if self.stage in (Stage.READY, Stage.PAUSED):
            self._go_on()
        elif self.stage is Stage.OVER and self._is_last:
            self.close()
        elif self.stage is Stage.OVER:
            self._seed = next(self._seeds)
            self._begin(Stage.FIGHTING)

    def _pause(self) -> None:
        if self.stage is Stage.FIGHTING:
            self.stage = Stage.PAUSED
        elif self.stage is Stage.PAUSED:
            self._go_on()

    def _go_on(self) -> None:
        self._controls.forget()
        self.stage = Stage.FIGHTING

    def _restart(self) -> None:
        if self.stage in (Stage.FIGHTING, Stage.PAUSED, Stage.OVER):
            self._break_off()
            self._begin(Stage.FIGHTING)

    def _show_actions(self) -> None:
        self._with_actions = not self._with_actions

    def _break_off(self) -> None:
        if self.stage in (Stage.FIGHTING, Stage.PAUSED) and self._bout.num_steps:
            self.stage = Stage.OVER
            self._keep()

    def _keep(self) -> None:
        self.records.append(keep(self._run, self._bout))


_ROWS: Final = tuple(key_rows())
_DEEDS: Final = {
    Command.START: Game._start,
    Command.PAUSE: Game._pause,
    Command.RESTART: Game._restart,
    Command.SHOW_ACTIONS: Game._show_actions,
    Command.QUIT: Game.close,
}
"""What the game does at a command; the others are the fight's own."""

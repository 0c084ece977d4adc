"""Faults at random moments, drawn by a seed: what a training must get over by itself, for as long as it runs."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from ashen.game import watchdog
from fake_game.clock import Clock
from fake_game.fault_rows import GOES_ON, RECOVERS, RESET, ROWS, STEP

RECOVERABLE = tuple(
    row
    for row in ROWS
    if (row.moment in (RESET, STEP) and row.follows in (GOES_ON, RECOVERS) and row.fight == "phase1")
    and (row.moment, row.fault) not in ((RESET, "door_blocks"), (RESET, "time_saturated"))
)
"""All but two that cost two minutes of the machine's time and say nothing new: a door that blocks in a reset, and a
play time that jumps to its end while SoulsGym waits, which then sleeps for eight days in one call."""


class RandomFaults:
    """Provokes recoverable rows in a fake game, each at its own moment.

    Args:
        fake: the game.
        seed: of moments and rows.
        every_ticks: mean time between two faults, in ticks of 1/60 s of game time.
        log: a file; each fault provoked is a line of JSON in it. A process that starts anew goes on drawing behind it.
    """

    def __init__(self, fake: Any, seed: int, every_ticks: float, log: str) -> None:
        self._fake, self._every_ticks, self._log = fake, every_ticks, Path(log)
        before = self._log.read_text(encoding="utf-8").count("\n") if self._log.exists() else 0
        self._rng = np.random.default_rng([seed, before])
        self._tick_as_before = fake.game.on_tick
        self._draw()
        fake.game.on_tick = self.tick
        _let_door_go_by(fake.clock)

    def _draw(self) -> None:
        self._row = RECOVERABLE[int(self._rng.integers(len(RECOVERABLE)))]
        self._left = self._rng.exponential(self._every_ticks)

    def tick(self) -> None:
        """1/60 s of the game."""
        self._tick_as_before()
        self._left -= 1
        if self._left <= 0 and self._fake.game.is_in_fight == (self._row.moment == STEP):
            row = self._row
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"fault": row.fault, "moment": row.moment, "classes": row.classes}) + "\n")
            self._draw()
            self._fake.fault(row.fault, for_ticks=row.for_ticks, **row.details)


def _let_door_go_by(clock: Clock) -> None:
    """The door's deadlines go by the fake's clock from here on, so that equal seeds meet equal ends."""
    ahead_s = clock.wall_s - time.monotonic()
    watchdog.time = SimpleNamespace(monotonic=lambda: clock.wall_s - ahead_s)

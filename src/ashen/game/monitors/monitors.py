"""All monitors in one list, and how a step is shown to them.

What one of them finds ends the fight as a fault, so that nothing of it is learned from: the steps since the trouble
began are among its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import NOTHING
from ashen.game.faults import NoticedError, fault_named
from ashen.game.monitors.glance import Glance, Monitor
from ashen.game.monitors.pace import SPEED_STEPS, SPEED_TOLERANCE, Stopwatch, WrongSpeed
from ashen.game.monitors.pressed import (
    LATE_PRESSES,
    LATE_S,
    PRESSES_WITHOUT_EFFECT,
    WALKED_ON_STEPS,
    WALKS_WITHOUT_EFFECT,
    InputLate,
    KeysLost,
)
from ashen.game.monitors.shown import (
    DAMAGE_TOLERANCE,
    FROZEN_STEPS,
    LOCK_STEPS,
    OTHER_HITS,
    Frozen,
    LockLost,
    OtherDamage,
)

FOCUS_LOST: Final = "focus_lost"
INPUT_LATE: Final = "input_late"


@dataclass(frozen=True)
class Watched:
    """One row of the list."""

    fault: str
    """Its name in :data:`ashen.game.faults.FAULTS`."""
    about: str
    """What is looked at, and when it is called a fault."""
    make: Callable[[Path, float], Monitor] | None
    """Of the boss's table and the game's speed; None: another file looks."""


MONITORS: Final = (
    Watched(
        FOCUS_LOST,
        "the game's window is not in front. It is brought there again; if Windows does not let it, the game is paused "
        "until you click into it, and the training goes on by itself",
        None,
    ),
    Watched("lock_lost", f"no lock on the boss for {LOCK_STEPS} steps, throws aside", lambda *_: LockLost()),
    Watched(
        "wrong_speed",
        f"play time against the PC's clock, within steps: the median of {SPEED_STEPS} is more than "
        f"{SPEED_TOLERANCE:.0%} off",
        lambda _, game_speed: WrongSpeed(game_speed),
    ),
    Watched(
        "other_damage",
        f"what a light attack costs the boss: {OTHER_HITS} hits in a row more than {DAMAGE_TOLERANCE:.0%} off",
        lambda table, _: OtherDamage(table),
    ),
    Watched("frozen", f"nothing that is shown changes for {FROZEN_STEPS} steps of game time", lambda *_: Frozen()),
    Watched(
        "keys_lost",
        f"a walking key moves nobody {WALKS_WITHOUT_EFFECT} times, {PRESSES_WITHOUT_EFFECT} presses to roll, attack or "
        f"parry start nothing, or the player walks on for {WALKED_ON_STEPS} steps without a key",
        lambda *_: KeysLost(),
    ),
    Watched(
        INPUT_LATE,
        f"{LATE_PRESSES} presses in a row take more than {LATE_S:g} s of game time to begin",
        lambda *_: InputLate(),
    ),
)
SILENT_FAULTS: Final = frozenset(row.fault for row in MONITORS)
"""Their names."""


class Monitors:
    """The monitors of one kind of fight.

    Args:
        table: the boss's.
        game_speed: what it should be.
    """

    def __init__(self, table: Path, game_speed: float) -> None:
        self._how = table, game_speed
        self._renew()

    def _renew(self) -> None:
        self._all = {row.fault: row.make(*self._how) for row in MONITORS if row.make is not None}

    def begin(self, row: NDArray[Any], mask: NDArray[np.bool_]) -> None:
        """A fight begins: its first FIGHT_STATE [1], and the actions that are valid [20]."""
        for monitor in self._all.values():
            monitor.begin()
        self._before, self._mask = row[0].copy(), mask

    def look(self, action: int, row: NDArray[Any], mask: NDArray[np.bool_], stopwatch: Stopwatch) -> None:
        """A step has been made.

        Args:
            action: that was asked for, 0..19.
            row: FIGHT_STATE [1] after it.
            mask: the actions that are valid now, [20].
            stopwatch: which measured it.

        Raises:
            NoticedError: something is wrong; all monitors begin anew then.
        """
        pressed = action if self._mask[action] else NOTHING
        glance = Glance(self._before, row[0].copy(), pressed, stopwatch.speed, stopwatch.set_speed)
        self._before, self._mask = glance.now, mask
        for fault, monitor in self._all.items():
            if said := monitor.look(glance):
                self._renew()
                raise NoticedError(fault, said)

    @property
    def latency_s(self) -> float | None:
        """Game time from a press to what it started in the last step; None if it started nothing."""
        return self._all[INPUT_LATE].latency_s


def monitor_table() -> str:
    """The monitors as a Markdown table."""
    rows = [("fault", "what is looked at", "what to do"), ("---",) * 3]
    rows += [(f"`{row.fault}`", row.about, fault_named(row.fault).advice) for row in MONITORS]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)

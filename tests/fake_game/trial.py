"""A trial: one row of the list of faults through backend, keeper and door over the fake game, and what it came to."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.fight import LIGHT_ATTACK, Outcome
from ashen.game.backend import GameBackend
from ashen.game.faults import fault_named
from ashen.game.options import GameOptions
from fake_game.clock import TICKS_PER_S
from fake_game.fault_rows import CLOSE, DEMO, ELSEWHERE, GOES_ON, RECOVERS, RESET, START, STEP, STOPS, WAITS, Row
from fake_game.game import ARENA, BONFIRE
from fake_game.home import Home, at_home
from fake_game.layout import FLAGS

OPTIONS = GameOptions(reset_deadline_s=40.0, step_deadline_s=2.0, patience_s=60.0)
ONE = np.ones(1, np.bool_)
PLAYS_ON = 5
"""Steps of the fight that follows."""
_FORWARD, _REACH_M = 0, 2.8


class Result(NamedTuple):
    """What a trial came to."""

    row: Row
    classed: list[str]
    """Faults as the keeper named them, in order."""
    follows: str
    """As in :class:`~fake_game.fault_rows.Row`."""
    said: str
    """The line that told the user, empty without one."""
    fights_lost: int
    steps_lost: int
    plays_on: bool
    """Whether the fight that followed went on."""
    is_left_playable: bool
    """Whether the game runs at its own speed after the end, all flags as they were and no key down."""

    @property
    def hangs(self) -> int:
        """Waits that nothing but the fake's own budget ended."""
        return self.classed.count("hang")

    @property
    def unclassified(self) -> int:
        """Faults without a name."""
        return self.classed.count("unknown")

    @property
    def kinds(self) -> list[str]:
        """How bad the faults were, without repetition."""
        return list(dict.fromkeys(fault_named(name).kind.name for name in self.classed if name != "hang"))

    @property
    def is_as_expected(self) -> bool:
        """Whether it is what the row asks for."""
        row = self.row
        is_named = set(self.classed[:1]) <= set(row.classes) and bool(self.classed) == bool(row.classes)
        is_known = not self.hangs and not self.unclassified
        return is_named and is_known and self.follows == row.follows and self.plays_on and self.is_left_playable


class Trial:
    """One row in a fake game.

    Args:
        row: what is provoked.
        home: where.
    """

    def __init__(self, row: Row, home: Home) -> None:
        self.row, self.fake, self.home = row, home.fake, home
        if row.follows == WAITS:  # else he is told what does not help, and goes on waiting
            home.user_does = self.mend
        self.backend: GameBackend | None = None
        self.rng = np.random.default_rng(0)
        self.fights_lost = self.steps_lost = 0
        self.line = ""

    def play(self) -> Result:
        """Provoke the fault at its moment, let follow what follows, and look at the game that is left."""
        moment = self.row.moment
        if moment == START:
            self.provoke()
        self.begin()
        if moment in (STEP, DEMO):
            self.steps(3)
            self.provoke()
            self.steps(self.row.steps)
            self.begin()
        elif moment == CLOSE:
            self.steps(3)
            self.provoke()
            self.backend.close()
            self.mend()
            self.settle()
            is_left = self.is_playable()
            self.begin()
        plays_on = self.steps(PLAYS_ON) == Outcome.RUNNING
        self.backend.close()
        is_left = self.is_playable() and (moment != CLOSE or is_left)
        return Result(
            self.row, self.classed(), self.followed(), self.line or " ".join(self.home.said), self.fights_lost,
            self.steps_lost, plays_on, is_left,
        )  # fmt: skip

    def provoke(self) -> None:
        """Let the fault begin."""
        if self.row.fault.startswith("door_"):
            self.home.break_door(self.row.fault)
            return
        self.fake.fault(self.row.fault, for_ticks=self.row.for_ticks, **self.row.details)

    def mend(self) -> None:
        """What the user does when he is told to."""
        self.fake.mend(self.row.fault)

    def begin(self) -> None:
        """Start a fight; where only the user can help, let him, and start again."""
        try:
            self._begin()
        except UserError as error:
            if self.line:
                raise
            self.line = str(error)
            self.mend()
            self._begin()

    def _begin(self) -> None:
        if self.backend is None or self.backend not in self.home.keeper.users:
            self.backend = None
            self.backend = GameBackend("iudex", self.row.fight, OPTIONS)
            if self.row.moment == RESET and not self.line:
                self.provoke()
        self.backend.reset(ONE)

    def steps(self, count: int) -> Outcome:
        """So many steps at random, over fights; how the last one stands."""
        outcome = Outcome.RUNNING
        for _ in range(count):
            if outcome != Outcome.RUNNING:
                self.begin()
            self.backend.step(self.action())
            outcome = Outcome(int(self.backend.outcome()[0]))
            if outcome == Outcome.FAULT:
                self.fights_lost += 1
                self.steps_lost += int(self.backend.states["step"][0])
        return outcome

    def action(self) -> NDArray[np.int64]:
        """What the player does next."""
        if not self.row.hunts:
            return self.rng.choice(np.flatnonzero(self.backend.valid_actions()[0]), 1)
        body = self.backend.states[0]
        away_m = math.hypot(body["boss_x_m"] - body["player_x_m"], body["boss_y_m"] - body["player_y_m"])
        return np.array([LIGHT_ATTACK if away_m < _REACH_M else _FORWARD])

    def settle(self) -> None:
        """Let a game that loads come to rest."""
        for _ in range(10_000):
            if self.fake.game.scene in (BONFIRE, ARENA):
                return
            self.fake.clock.sleep(0.1)

    def is_playable(self) -> bool:
        """Whether the user could play on."""
        flags = [int(self.fake.game.records.get(name) or 0) for name in FLAGS]
        return self.fake.clock.speed == 1.0 and not any(flags) and not self.fake.keyboard.held

    def classed(self) -> list[str]:
        """What the keeper counted; a wait that only the fake ended is a hang."""
        return ["hang" if "FakeHang" in one.message else one.fault for one in self.home.keeper.incidents]

    def followed(self) -> str:
        """Which of the four ways it went."""
        if self.line:
            return STOPS
        if self.home.said:
            return WAITS
        return RECOVERS if self.home.keeper.incidents else GOES_ON


def play(row: Row) -> Result:
    """Play a row in a fake game of its own."""
    with at_home() as home:
        return Trial(row, home).play()


def figures(result: Result) -> dict[str, Any]:
    """What a table says of a result."""
    row = result.row
    return {
        "fault": row.label,
        "lasts": f"{row.for_ticks / TICKS_PER_S:g} s" if row.for_ticks else "",
        "classed as": ", ".join(f"`{name}`" for name in dict.fromkeys(result.classed)),
        "kind": ", ".join(kind.lower().replace("_", " ") for kind in result.kinds),
        "then": result.follows,
        "fights lost (steps)": f"{result.fights_lost} ({result.steps_lost})" if result.fights_lost else "",
        "next fight": "begins" if result.plays_on else "**does not begin**",
        "game left": "playable" if result.is_left_playable else "**not playable**",
    }


def line(result: Result) -> str:
    """A result as a line of a table in Markdown."""
    return f"| {' | '.join(figures(result).values())} |"


def totals(results: list[Result]) -> dict[str, int]:
    """What all rows together come to."""
    return {
        "rows": len(results),
        "as expected": sum(one.is_as_expected for one in results),
        "hangs": sum(one.hangs for one in results),
        "unclassified": sum(one.unclassified for one in results),
        "fights lost": sum(one.fights_lost for one in results),
        "steps lost": sum(one.steps_lost for one in results),
    }


def table(results: list[Result]) -> str:
    """All results in Markdown, with their totals, and what stands in no row."""
    names = list(figures(results[0]))
    lines = [f"| {' | '.join(names)} |", f"| {' | '.join('---' for _ in names)} |", *map(line, results)]
    found = totals(results)
    sums = f"{found['rows']} provoked, {found['as expected']} as expected; {found['hangs']} hangs, "
    sums += f"{found['unclassified']} unclassified; {found['fights lost']} fights of {found['steps lost']} steps lost."
    lines += [
        "",
        sums,
        "",
        "In no row, and why or where else:",
        "",
        "| where and what | why not here |",
        "| --- | --- |",
    ]
    return "\n".join([*lines, *(f"| {what} | {why} |" for what, why in ELSEWHERE), ""])

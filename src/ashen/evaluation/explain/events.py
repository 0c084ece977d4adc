"""What explanations are made of: events, the names behind the numbers, and how figures are written."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ashen.core.tables import boss_file, load_facts
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.sim.records import FRAMES_PER_S, NO_ATTACK

Kind = Literal["boss", "hit", "player"]


@dataclass(frozen=True)
class Event:
    """Something that happened in one frame of a fight.

    Args:
        kind: ``"boss"`` what he decided or did, ``"hit"`` a blow tested or hit points lost, ``"player"`` the rest.
        text: what happened and why, without step and time.
        body: who lost hit points by it, ``""`` for nobody.
        hp_lost: how many, not rounded.
        cause: what took them, for sums.
        step: which step, from 0; its action was chosen from the state of the same number.
        frame: frame of the step, 0 (the keys) or 1 to 3.
    """

    kind: Kind
    text: str
    body: Literal["", "player", "boss"] = ""
    hp_lost: float = 0.0
    cause: str = ""
    step: int = 0
    frame: int = 0


class Names:
    """The names behind the ids of one boss's fight.

    Args:
        boss: name or table of the boss.
        table: his packed TABLE record.
    """

    def __init__(self, boss: str, table: np.void) -> None:
        path = boss_file(boss)
        self._boss, self._player = boss_vocabulary(path), player_vocabulary()
        self._shown = table["moves"]["shown"]
        self._acts = {int(number): tuple(phase["acts"]) for number, phase in load_facts(path)["phases"].items()}

    def boss(self, animation: int) -> str:
        """A boss animation or attack."""
        return self._boss.name(int(animation))

    def move(self, move: int) -> str:
        """A move of the player; one without a name of its own goes by the name it shows."""
        if move < len(self._player.names):
            return self._player.name(int(move))
        return f"{self._player.name(int(self._shown[move]))} (the name only)"

    def act(self, phase: int, act: int) -> str:
        """An act of the boss's AI."""
        return self._acts[int(phase)][int(act)]

    def chain(self, attacks: Iterable[int]) -> str:
        """The attacks of a chain."""
        return " > ".join(self.boss(attack) for attack in attacks if attack != NO_ATTACK)


def seconds(frames: float) -> str:
    """Frames as seconds."""
    return f"{frames / FRAMES_PER_S:.1f} s"


def side(bearing_rad: float) -> str:
    """Where one is seen from a body, positive to the left."""
    degrees = math.degrees(bearing_rad)
    if abs(degrees) < 0.5:
        return "ahead"
    return f"{abs(degrees):.0f} deg {'left' if degrees > 0.0 else 'right'}"


def span(values: Iterable[float], digits: int = 0) -> str:
    """Least and greatest value, or the one there is."""
    texts = [f"{value:.{digits}f}" for value in sorted(values)]
    return texts[0] if texts[0] == texts[-1] else f"{texts[0]}-{texts[-1]}"


def points(value: float) -> str:
    """Hit points or stamina, with decimals only where there are some."""
    return f"{value:.1f}".removesuffix(".0")

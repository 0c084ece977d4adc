"""What became of every attack the boss made: whether it hit, and if not, what saved the player."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ashen.evaluation.explain.events import Names
from ashen.evaluation.explain.windows import (
    GRABBED,
    HALF_PARRIED,
    HIT,
    IN_DEAD_ZONE,
    OUT_OF_ARC,
    OUT_OF_REACH,
    PARRIED,
    ROLLED,
    tested,
)
from ashen.sim.records import ACT_ATTACK, MODE_ATTACK
from ashen.sim.trace import FrameTrace

FATES: Final = {
    "hit": "a hit window landed: full, a grab, or a parry that came too early",
    "rolled": "a blow that would have hit fell into the i-frames of a roll",
    "walked out": "the player stood outside reach or arc, or inside the dead zone, while the windows were open",
    "parried": "the parry caught it",
    "otherwise safe": "he could not be hit just then: getting up, falling, in a riposte",
    "broken off": "ended before its last hit window closed: a stagger, a change of phase, the end of the fight",
    "no blow": "it has no hit window",
}
"""What can become of an attack, the first that fits."""
_LANDED: Final = {HIT, GRABBED, HALF_PARRIED}
_OUTSIDE: Final = {OUT_OF_REACH, IN_DEAD_ZONE, OUT_OF_ARC, ""}


@dataclass
class MadeAttack:
    """One attack from the start of its motion to its end.

    Args:
        name: of the attack.
        phase: 1 or 2.
        is_drawn: the boss drew it, or drew its chain; else it followed another in a chain.
        step: of the fight, in which it began.
        windows: how many hit windows it has.
        last_f: frame of its motion in which the last of them closes.
    """

    name: str
    phase: int
    is_drawn: bool
    step: int
    windows: int
    last_f: int
    verdicts: list[str] = field(default_factory=list)
    """Of every frame of an open window, see :mod:`~ashen.evaluation.explain.windows`."""
    motion_f: int = 0
    """Frame of its motion it has come to."""
    hp_lost: float = 0.0
    """What it cost the player."""
    hit_step: int | None = None
    """Step of its first blow that landed."""

    @property
    def fate(self) -> str:
        """What became of it, one of :data:`FATES`."""
        return fate_of(self.verdicts, self.windows, is_whole=self.motion_f >= self.last_f)

    @property
    def miss(self) -> str:
        """Of an attack that was walked out of, where the player stood as the last window closed."""
        return self.verdicts[-1] or OUT_OF_REACH if self.fate == "walked out" else ""


def fate_of(verdicts: Iterable[str], windows: int, is_whole: bool) -> str:
    """What became of an attack, one of :data:`FATES`.

    Args:
        verdicts: of every frame of an open window.
        windows: how many hit windows the attack has.
        is_whole: the last of them closed.
    """
    said = set(verdicts)
    if said & _LANDED:
        return "hit"
    if PARRIED in said:
        return "parried"
    if ROLLED in said:
        return "rolled"
    if said - _OUTSIDE:
        return "otherwise safe"
    if not windows:
        return "no blow"
    return "walked out" if is_whole else "broken off"


class Attacks:
    """Keeps account of the boss's attacks, frame by frame.

    Args:
        table: the packed TABLE record.
        names: what things are called.
    """

    def __init__(self, table: np.void, names: Names) -> None:
        self.made: list[MadeAttack] = []
        self._table, self._names = table, names
        self._thrower: MadeAttack | None = None

    def watch(self, frame: FrameTrace, step: int) -> None:
        """Take in the next frame, of this step of the fight."""
        if _begins(frame) or (not self.made and frame.decided["mode"] == MODE_ATTACK):
            self.made.append(self._begun(frame.decided, step))
        if frame.at_strike["mode"] == MODE_ATTACK:  # else a swing has just broken it off
            self.made[-1].motion_f = int(frame.at_strike["motion_f"])
        for blow in frame.blows:
            found = tested(blow, self._table, self._names)
            if found is None:
                continue
            attack, verdict = self.made[-1], found[1].verdict
            attack.verdicts.append(verdict)
            attack.hp_lost += float(blow.before["player_hp"] - blow.after["player_hp"])
            if verdict in _LANDED and attack.hit_step is None:
                attack.hit_step = step
            if verdict == GRABBED:
                self._thrower = attack
        last = frame.blows[-1].after if frame.blows else frame.at_strike
        if self._thrower is not None:
            self._thrower.hp_lost += max(0.0, float(last["player_hp"] - frame.after["player_hp"]))

    def _begun(self, world: np.void, step: int) -> MadeAttack:
        phase = int(world["phase"])
        attack = self._table["attacks"][phase - 1, world["attack"]]
        act = self._table["acts"][phase - 1, world["act"]]
        windows = int(attack["num_hits"])
        return MadeAttack(
            name=self._names.boss(world["attack"]),
            phase=phase,
            is_drawn=bool(act["kind"] == ACT_ATTACK and world["link"] == 0),
            step=step,
            windows=windows,
            last_f=int(attack["hit_to_f"][:windows].max(initial=0)) - 1,
        )


def _begins(frame: FrameTrace) -> bool:
    """Whether the boss begins an attack in this frame: its motion starts, or is to start once the old one is over."""
    before, now = frame.before, frame.decided
    if now["mode"] != MODE_ATTACK:
        return False
    goes_on = before["mode"] == MODE_ATTACK and now["attack"] == before["attack"]
    return not goes_on or bool(now["motion_f"] <= before["motion_f"])

"""The boss's animations of a recorded fight, on one time line of frames, with the moment each attack's motion began."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.sim.forced import frames_of_clock
from ashen.sim.records import (
    B_IDLE,
    B_LEFT90,
    B_LEFT180,
    B_PARRIED,
    B_RIGHT90,
    B_RIGHT180,
    B_STAGGER,
    B_THROW,
    B_THROWN,
    B_WALK,
    B_WALK_LEFT,
    B_WALK_RIGHT,
    FRAMES_PER_STEP,
    NO_ATTACK,
)

STEPPING = (B_WALK, B_WALK_LEFT, B_WALK_RIGHT, B_LEFT90, B_LEFT180, B_RIGHT90, B_RIGHT180)
"""Names that are shown only once the motion before them is over."""
HELD = (B_THROW, B_THROWN, B_STAGGER, B_PARRIED)
"""Names that cut off whatever the boss did."""


@dataclass
class Span:
    """One animation, shown from ``first`` on until before step ``end``.

    Args:
        phase: 1 or 2.
        name: boss animation id.
        first: first step that shows it.
        end: first step that shows the next one.
        start_f: frame of the fight in which it began, 0 at the fight's first state.
        end_f: the same of the next one; the fight's last frame if there is none.
        is_attack: whether it is an attack with a motion of its own.
        delay_f: frames until its motion began.
        is_clean: whether nothing ran on when it was named, so that ``delay_f`` is 0 whatever the table says.
        after: the attack of whose chain it is a link, NO_ATTACK if none.
    """

    phase: int
    name: int
    first: int
    end: int
    start_f: int
    end_f: int
    is_attack: bool
    delay_f: int = 0
    is_clean: bool = True
    after: int = NO_ATTACK

    @property
    def motion_start_f(self) -> int:
        """Frame of the fight in which its motion began."""
        return self.start_f + self.delay_f


def spans_of(states: NDArray[Any], table: np.void) -> list[Span]:
    """The animations of one fight.

    Args:
        states: FIGHT_STATE [T].
        table: the packed TABLE record, which tells when motions end and which attacks form chains.
    """
    shown, clock = states["boss_animation"], states["boss_animation_s"]
    is_new = np.diff(shown, prepend=-1) != 0
    is_new[1:] |= np.diff(clock) < 0.0
    firsts = np.flatnonzero(is_new).tolist()
    starts = [FRAMES_PER_STEP * first - frames_of_clock(float(clock[first])) for first in firsts]
    ends_f = [*starts[1:], FRAMES_PER_STEP * (len(states) - 1)]
    spans = []
    for first, end, start_f, end_f in zip(firsts, [*firsts[1:], len(states)], starts, ends_f, strict=True):
        phase, name = int(states["phase"][first]), int(shown[first])
        is_attack = bool(table["attacks"][phase - 1, name]["name_end_f"] > 0)
        spans.append(Span(phase, name, first, end, start_f, end_f, is_attack))
    _time_motions(spans, table)
    return spans


def _time_motions(spans: Sequence[Span], table: np.void) -> None:
    """Find when the motion of each attack began: at once in a chain, else when the last one's was over."""
    stepping, held = set(table["ids"][list(STEPPING)].tolist()), set(table["ids"][list(HELD)].tolist())
    pairs, last, previous = chain_pairs(table), None, None
    for span in spans:
        if span.name in held or span.name in stepping:
            last = None if span.name in held else last
        elif span.is_attack:
            span.is_clean = last is None or previous is None or previous.name in stepping
            if last is not None and not span.is_clean:
                _follow(span, last, previous is last, table, pairs)
            last = span
        previous = span


def _follow(span: Span, last: Span, is_next: bool, table: np.void, pairs: set[tuple[int, int, int]]) -> None:
    row = table["attacks"][last.phase - 1, last.name]
    at_f = span.start_f - last.motion_start_f
    off_combo, off_end = abs(at_f - int(row["combo_f"])), abs(at_f - int(row["name_end_f"]))
    if is_next and (last.phase, last.name, span.name) in pairs and off_combo < off_end:
        span.after = last.name
    else:
        span.delay_f = max(0, int(row["next_motion_f"]) - at_f)


def chain_pairs(table: np.void) -> set[tuple[int, int, int]]:
    """All (phase, attack, attack that may follow it in a chain)."""
    pairs = set()
    for phase in (1, 2):
        for act in table["acts"][phase - 1]:
            for chain in act["chain"][: act["num_chains"]].tolist():
                pairs |= {(phase, before, after) for before, after in pairwise(chain) if after != NO_ATTACK}
    return pairs


def motion_f(span: Span, states: NDArray[Any], step: int) -> int:
    """Frames of an attack's motion at the end of a step that shows it, negative before it begins."""
    return frames_of_clock(float(states["boss_animation_s"][step])) - span.delay_f


def is_idle(span: Span, table: np.void) -> bool:
    """Whether it shows the idle name."""
    return span.name == int(table["ids"][B_IDLE])

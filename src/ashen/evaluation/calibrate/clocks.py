"""When names change, chains go on and motions end: read from the order of the boss's animations and their clocks."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

import numpy as np

from ashen.core.geometry import distance_m
from ashen.evaluation.calibrate.numbers import Numbers
from ashen.evaluation.calibrate.spans import STEPPING, Span, chain_pairs, is_idle, spans_of
from ashen.evaluation.recording import Recording
from ashen.sim.records import (
    B_IDLE,
    B_LEFT90,
    B_LEFT180,
    B_PARRIED,
    B_RIGHT90,
    B_RIGHT180,
    B_STAGGER,
    B_THROWN,
    B_WALK_LEFT,
    B_WALK_RIGHT,
    FRAMES_PER_S,
)

LEAST_SEEN = 2
"""A time is refitted if it was seen at least this often."""
LEAST_WALKS = 12
_APART_F = 2
"""Times further apart than this are not the same time read twice."""
_HELD_KEYS = {B_STAGGER: "body.stagger_s", B_PARRIED: "body.parry_stun_s", B_THROWN: "body.riposte_s"}
_PASSES = 3
Key = tuple[int, int]


def fit_clocks(numbers: Numbers, fights: Sequence[Recording]) -> None:
    """Refit name ends, chain times, ends of motions and lengths of stays.

    Attacks that nothing delayed come first; with their times known, those that waited for another's motion follow.
    """
    for number in range(_PASSES):
        table = numbers.table()
        spans = [spans_of(fight.states, table) for fight in fights]
        _put_all(numbers, _name_times(spans, table, only_clean=number == 0))
        table = numbers.table()
        spans = [spans_of(fight.states, table) for fight in fights]
        _put_all(numbers, _motion_ends(spans, table, only_clean=number == 0))
    _put_held(numbers, spans, table)
    _fit_after_moves(numbers, fights, spans, table)


def most_common(frames: Sequence[int]) -> int:
    """The frame that most agree on to within one, of equals the one seen most often, then the earliest."""
    counts = Counter(frames)
    return min(counts, key=lambda f: (-sum(counts[f + off] for off in (-1, 0, 1)), -counts[f], f))


def _put_all(numbers: Numbers, seen: dict[str, dict[Key, list[int]]]) -> None:
    for suffix, by_attack in seen.items():
        for key, frames in by_attack.items():
            if len(frames) >= LEAST_SEEN:
                frame = most_common(frames)
                agree = sum(abs(other - frame) <= 1 for other in frames)
                if agree >= LEAST_SEEN or agree == len(frames):
                    numbers.put_frames(f"{numbers.attack_path(*key)}.{suffix}", frame, agree)


def _name_times(spans: Sequence[Sequence[Span]], table: np.void, only_clean: bool) -> dict[str, dict[Key, list[int]]]:
    """Frames of the motion at which each attack's name gave way: to its chain, or to anything else."""
    pairs, idle = chain_pairs(table), int(table["ids"][B_IDLE])
    stepping = set(table["ids"][list(STEPPING)].tolist())
    ends, chained = defaultdict(list), defaultdict(list)
    for span, after in _followed(spans, only_clean):
        shown_f, key = after.start_f - span.motion_start_f, (span.phase, span.name)
        if (span.phase, span.name, after.name) in pairs:
            chained[key].append(shown_f)
        elif after.is_attack or after.name == idle or after.name in stepping:
            ends[key].append(shown_f)
    combos = {}
    for key, frames in chained.items():
        row = table["attacks"][key[0] - 1, key[1]]
        end_f = most_common(ends[key]) if ends[key] else int(row["name_end_f"])
        combos[key] = [f for f in frames if f < end_f - _APART_F]
    return {"name_end_s": ends, "combo_s": combos}


def _followed(spans: Sequence[Sequence[Span]], only_clean: bool) -> Iterator[tuple[Span, Span]]:
    for of_fight in spans:
        for span, after in pairwise(of_fight):
            if span.is_attack and (span.is_clean or not only_clean):
                yield span, after


def _motion_ends(spans: Sequence[Sequence[Span]], table: np.void, only_clean: bool) -> dict[str, dict[Key, list[int]]]:
    """Frames at which each attack's motion was over: when the boss set foot again, or the next motion began."""
    stepping, seen = set(table["ids"][list(STEPPING)].tolist()), defaultdict(list)
    for of_fight in spans:
        for span, after, then in zip_longest(of_fight, of_fight[1:], of_fight[2:]):
            if not span.is_attack or after is None or then is None or (only_clean and not span.is_clean):
                continue
            if is_idle(after, table) and then.name in stepping:
                seen[span.phase, span.name].append(then.start_f - span.motion_start_f)
            elif after.is_attack and after.after != span.name and is_idle(then, table):
                own_f = int(table["attacks"][after.phase - 1, after.name]["name_end_f"])
                begun_f = then.start_f - own_f
                if begun_f > after.start_f:
                    seen[span.phase, span.name].append(begun_f - span.motion_start_f)
    return {"next_motion_s": seen}


def _put_held(numbers: Numbers, spans: Sequence[Sequence[Span]], table: np.void) -> None:
    """How long he staggers, reels from a parry and is held in a riposte."""
    for index, path in _HELD_KEYS.items():
        name = int(table["ids"][index])
        frames = [
            span.end_f - span.start_f
            for of_fight in spans
            for span, after in pairwise(of_fight)
            if span.name == name and (is_idle(after, table) or after.is_attack)
        ]
        if len(frames) >= LEAST_SEEN:
            numbers.put_frames(path, most_common(frames), len(frames))


def _fit_after_moves(
    numbers: Numbers, fights: Sequence[Recording], spans: Sequence[Sequence[Span]], table: np.void
) -> None:
    """The rate of the walks aside: they last uniformly long, so the longest tells it best."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    for fight, of_fight in zip(fights, spans, strict=True):
        for span, life_f in _side_walks(of_fight, table):
            state, phase = fight.states[span.end - 1], f"phases.{span.phase}"
            apart = distance_m(state["boss_x_m"], state["boss_y_m"], state["player_x_m"], state["player_y_m"])
            is_near = apart - table["rules"]["surface_offset_m"] < numbers.value(f"{phase}.after_move_near_m")
            most_s = numbers.value(f"{phase}.after_move_{'near' if is_near else 'far'}_s")[1]
            rates[span.phase].append(life_f / FRAMES_PER_S / most_s)
    for phase, of_phase in rates.items():
        if len(of_phase) >= LEAST_WALKS:
            # A few outliers: walks whose band was misjudged at its edge.
            rate = float(np.quantile(of_phase, 0.98))
            slack = 4.0 * rate / len(of_phase)
            bounds = (rate - slack, rate + slack)
            numbers.put(f"phases.{phase}.after_move_life_rate", rate, bounds, seen=len(of_phase))


def _side_walks(spans: Sequence[Span], table: np.void) -> Iterator[tuple[Span, int]]:
    """Every attack followed by a walk aside without a turn, and the frames from its end to the walk's."""
    walks = table["ids"][[B_WALK_LEFT, B_WALK_RIGHT]].tolist()
    turns = table["ids"][[B_LEFT90, B_LEFT180, B_RIGHT90, B_RIGHT180]].tolist()
    for span, idle, walk, after in zip(spans, spans[1:], spans[2:], spans[3:], strict=False):
        if span.is_attack and is_idle(idle, table) and walk.name in walks and after.name not in turns:
            yield span, walk.end_f - idle.start_f

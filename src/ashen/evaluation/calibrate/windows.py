"""When attacks hit: each lost hit point bounds the time of its blow to a step; together they tell the frame."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ashen.evaluation.calibrate.blows import Loss, Swing
from ashen.evaluation.calibrate.numbers import Numbers
from ashen.sim.records import FRAMES_PER_S

LEAST_HITS = 2
"""A window is refitted if it hit at least this often."""
_TOO_EARLY_COSTS = 2
"""A blow before the window weighs as much as this many that were not prompt."""
_REACH_F = 15
"""A loss further than this from every window of an attack has another cause."""
_PASSES = 3
Key = tuple[int, int, int]


def fit_windows(numbers: Numbers, swings: Sequence[Swing]) -> dict[Key, list[tuple[Swing, Loss]]]:
    """Refit when each hit window opens; how long it stays open stays, unless a blow came later.

    Returns:
        The losses of each window seen, by phase, attack and number of the hit.
    """
    table = numbers.table()
    opens = {key: _opens(table, key) for key in {swing.key for swing in swings}}
    for _ in range(_PASSES):
        hits = _assigned(swings, opens)
        for (phase, attack, slot), of_window in hits.items():
            if len(of_window) >= LEAST_HITS:
                opens[phase, attack][slot] = sum(opening(_bounds(of_window))) // 2
    for (phase, attack, slot), of_window in hits.items():
        if len(of_window) >= LEAST_HITS:
            _put(numbers, (phase, attack, slot), _bounds(of_window), table)
    return hits


def opening(bounds: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The first and last frame in which a window may have opened.

    Most blows land in the window's first frame, some later, because the player came or his roll ended; none earlier.

    Args:
        bounds: of each blow, the frame it came after and the one it had come by.
    """
    after, until = np.array(bounds).T
    frames = np.arange(after.min() + 1, until.max() + 1)
    prompt = ((after < frames[:, None]) & (frames[:, None] <= until)).sum(axis=1)
    early = (until < frames[:, None]).sum(axis=1)
    scores = prompt - _TOO_EARLY_COSTS * early
    best = np.flatnonzero(scores == scores.max())
    whole = best[: 1 + int(np.argmax(np.append(np.diff(best) > 1, True)))]
    return int(frames[whole[0]]), int(frames[whole[-1]])


def _opens(table: np.void, key: tuple[int, int]) -> list[int]:
    row = table["attacks"][key[0] - 1, key[1]]
    return row["hit_from_f"][: row["num_hits"]].tolist()


def _assigned(swings: Sequence[Swing], opens: dict[tuple[int, int], list[int]]) -> dict[Key, list[tuple[Swing, Loss]]]:
    """Every loss to the nearest window of its attack; two losses to the windows in their order."""
    hits: dict[Key, list[tuple[Swing, Loss]]] = defaultdict(list)
    for swing in swings:
        starts = opens[swing.key]
        for number, loss in enumerate(swing.losses):
            offs = [abs(0.5 * (loss.after_f + 1 + loss.until_f) - start) for start in starts]
            if not offs or min(offs) > _REACH_F:
                continue
            in_order = len(swing.losses) == len(starts)
            hits[*swing.key, number if in_order else int(np.argmin(offs))].append((swing, loss))
    return hits


def _bounds(of_window: Sequence[tuple[Swing, Loss]]) -> list[tuple[int, int]]:
    return [(loss.after_f, loss.until_f) for _, loss in of_window]


def _put(numbers: Numbers, key: Key, bounds: Sequence[tuple[int, int]], table: np.void) -> None:
    phase, attack, slot = key
    first, last = opening(bounds)
    row = table["attacks"][phase - 1, attack]
    open_f, length_f = (first + last) // 2, int(row["hit_to_f"][slot] - row["hit_from_f"][slot])
    late = [after + 2 for after, _ in bounds if after + 2 <= open_f + 2 * length_f]
    close_f = max([open_f + length_f, *late])
    slack = (close_f - open_f + first - 0.5) / FRAMES_PER_S, (close_f - open_f + last + 0.5) / FRAMES_PER_S
    window = [open_f / FRAMES_PER_S, close_f / FRAMES_PER_S]
    numbers.put(f"{numbers.attack_path(phase, attack)}.hits.{slot}.window_s", window, slack, seen=len(bounds))

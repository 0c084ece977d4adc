"""Whom attacks reach: the ring sector that tells hits from misses best, and how hard and how far a blow knocks."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ashen.evaluation.calibrate.blows import Loss, Places, Swing, places
from ashen.evaluation.calibrate.numbers import Numbers
from ashen.evaluation.calibrate.windows import Key
from ashen.sim.records import FRAMES_PER_STEP, LEVELS, P_ADDITIVE

LEAST_HITS, LEAST_MISSES = 3, 3
"""A shape is refitted if the attack hit and missed at least this often."""
BOUNDS = {"reach_m": (1.0, 9.0), "half_arc_deg": (5.0, 180.0), "inner_m": (0.0, 4.0)}
"""Between what each number is sought."""
_GRID = 81
_PASSES = 4
_SAME_POINTS = 2.0
"""Losses that differ by more than this are not the same blow, such as one half parried."""
_MOVED_STEPS = 5
_TOLD_SHARE = 0.3


@dataclass(frozen=True)
class Sector:
    """A ring sector about the boss.

    Args:
        reach_m: its outer radius.
        half_arc_deg: half its width.
        inner_m: its inner radius.
    """

    reach_m: float
    half_arc_deg: float
    inner_m: float

    def holds(self, distance_m: NDArray[np.float64], off_deg: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which places lie inside."""
        inside = (self.inner_m <= distance_m) & (distance_m <= self.reach_m)
        return inside & (off_deg <= self.half_arc_deg)


@dataclass(frozen=True)
class Cases:
    """Where the player stood when a blow hit [H], and all the places of each miss [M], padded with places far away.

    Args:
        hit_m: distance at each hit.
        hit_deg: how far off the middle of the sector.
        miss_m: distances in each miss [M, F].
        miss_deg: the same off the middle [M, F].
    """

    hit_m: NDArray[np.float64]
    hit_deg: NDArray[np.float64]
    miss_m: NDArray[np.float64]
    miss_deg: NDArray[np.float64]

    def wrong(self, sector: Sector) -> int:
        """How many hits lie outside a sector and how many misses inside."""
        missed = ~sector.holds(self.hit_m, self.hit_deg)
        struck = sector.holds(self.miss_m, self.miss_deg).any(axis=1)
        return int(missed.sum() + struck.sum())


def fit_shapes(numbers: Numbers, swings: Sequence[Swing], hits: dict[Key, list[tuple[Swing, Loss]]]) -> None:
    """Refit reach, arc and dead zone of every hit window that hit and missed often enough."""
    table = numbers.table()
    by_attack: dict[tuple[int, int], list[Swing]] = defaultdict(list)
    for swing in swings:
        by_attack[swing.key].append(swing)
    for (phase, attack, slot), struck in hits.items():
        cases = _cases(by_attack[phase, attack], struck, slot, table)
        if len(cases.hit_m) < LEAST_HITS or len(cases.miss_m) < LEAST_MISSES:
            continue
        path = f"{numbers.attack_path(phase, attack)}.hits.{slot}"
        before = Sector(*(float(numbers.value(f"{path}.{key}")) for key in BOUNDS))
        for key, (value, low, high) in best_sector(cases, before).items():
            numbers.put(f"{path}.{key}", value, (low, high), seen=min(len(cases.hit_m), len(cases.miss_m)))


def best_sector(cases: Cases, before: Sector) -> dict[str, tuple[float, float, float]]:
    """The sector that tells hits from misses best.

    Args:
        cases: the hits and misses.
        before: the sector so far; a number of it stays where the cases do not speak against it.

    Returns:
        For each number that the cases bound on both sides: its value, and between what it can lie.
    """
    sector, told = before, {}
    for _ in range(_PASSES):
        for key, limits in BOUNDS.items():
            grid = np.append(np.linspace(*limits, _GRID), getattr(sector, key))
            wrong = np.array([cases.wrong(replace(sector, **{key: value})) for value in grid])
            low, high = _plateau(grid, wrong, getattr(sector, key))
            is_told = low > limits[0] and high < limits[1]
            value = float(np.clip(getattr(before, key), low, high))
            sector = replace(sector, **{key: value})
            told[key] = (value, low, high, is_told)
    return {key: found[:3] for key, found in told.items() if found[3] or found[0] != getattr(before, key)}


def _plateau(grid: NDArray[np.float64], wrong: NDArray[np.int64], now: float) -> tuple[float, float]:
    """The widest stretch of best values, that around the present one if it is among them."""
    order = np.argsort(grid)
    grid, wrong = grid[order], wrong[order]
    best = np.concatenate([[False], wrong == wrong.min(), [False]])
    edges = np.flatnonzero(np.diff(best.astype(np.int8))).reshape(-1, 2)
    stretches = [(float(grid[first]), float(grid[last - 1])) for first, last in edges]
    around = [stretch for stretch in stretches if stretch[0] <= now <= stretch[1]]
    return around[0] if around else max(stretches, key=lambda stretch: stretch[1] - stretch[0])


def _cases(swings: Sequence[Swing], struck: Sequence[tuple[Swing, Loss]], slot: int, table: np.void) -> Cases:
    """Hits, and the swings whose whole window passed without a loss though the player could be hit all the while."""
    row = table["attacks"][swings[0].span.phase - 1, swings[0].span.name]
    from_f, to_f = int(row["hit_from_f"][slot]), int(row["hit_to_f"][slot])
    middle = float(row["bearing_rad"][slot])
    at_hits = []
    for swing, loss in struck:
        hit_f = min(max(from_f, loss.after_f + 1), loss.until_f)
        seen = places(swing, hit_f, hit_f + 1, table)
        at_hits += [(seen.distance_m[0], _off_deg(seen, middle)[0])] if len(seen.frame) else []
    hit_m, hit_deg = np.array(at_hits).reshape(-1, 2).T
    misses = [_open(places(swing, from_f, to_f, table), middle) for swing in _unhurt(swings, to_f)]
    misses = [miss for miss in misses if miss.shape[1]]
    most = max((miss.shape[1] for miss in misses), default=1)
    padded = np.full((len(misses), 2, most), 1e3)
    for number, miss in enumerate(misses):
        padded[number, :, : miss.shape[1]] = miss
    return Cases(hit_m, hit_deg, padded[:, 0], padded[:, 1])


def _unhurt(swings: Sequence[Swing], to_f: int) -> list[Swing]:
    return [swing for swing in swings if not swing.losses and swing.span.end_f - swing.span.motion_start_f >= to_f]


def _open(seen: Places, middle_rad: float) -> NDArray[np.float64]:
    """Distance and angle off the sector's middle [2, F] of the frames in which the player could be hit."""
    return np.array([seen.distance_m, _off_deg(seen, middle_rad)])[:, seen.is_open]


def _off_deg(seen: Places, middle_rad: float) -> NDArray[np.float64]:
    off = seen.off_rad - middle_rad
    return np.degrees(np.abs((off + np.pi) % (2.0 * np.pi) - np.pi))


def fit_force(numbers: Numbers, hits: dict[Key, list[tuple[Swing, Loss]]]) -> None:
    """Refit the damage of every window that hit, and how far its blows knock the player."""
    table = numbers.table()
    for (phase, attack, slot), struck in hits.items():
        path = f"{numbers.attack_path(phase, attack)}.hits.{slot}"
        whole = np.array([loss.points for _, loss in struck if not loss.was_last and loss.points > 0.0])
        same = whole[np.abs(whole - np.median(whole)) <= _SAME_POINTS] if len(whole) else whole
        if len(same) >= LEAST_HITS:
            numbers.put(f"{path}.damage", same.mean(), (same.min() - 1.0, same.max() + 1.0), seen=len(same))
        row = table["attacks"][phase - 1, attack]
        own_m = float(table["rules"]["reaction_own_m"][row["level"][slot]])
        ways = [
            way for swing, loss in struck if (way := knock_m(swing, loss, table, int(row["level"][slot]))) is not None
        ]
        if len(ways) >= LEAST_HITS:
            knocks = np.maximum(0.0, np.array(ways) - own_m)
            low, high = np.quantile(knocks, (0.25, 0.75))
            numbers.put(f"{path}.knockback_m", np.median(knocks), (low, high), seen=len(ways))


def knock_m(swing: Swing, loss: Loss, table: np.void, level: int) -> float | None:
    """How far a blow knocked the player, from the part of his reaction that was seen; None if that is too little."""
    states, move = swing.fight.states, int(table["rules"]["reaction_move"][level])
    shown = states["player_animation"]
    first = loss.step + 1 if shown[min(loss.step, len(shown) - 1)] != move else loss.step
    if LEVELS[level] == "None" or first >= len(shown) or shown[first] != move:
        return None
    last = first
    while last + 1 < len(shown) and shown[last + 1] == move:
        last += 1
    if last - first < _MOVED_STEPS or move == table["ids"][P_ADDITIVE]:
        return None
    travel, per_s = table["moves"][move]["travel"], FRAMES_PER_STEP / 0.097
    told = travel[
        round(states["player_animation_s"][first] * per_s) : round(states["player_animation_s"][last] * per_s)
    ]
    if told.sum() < _TOLD_SHARE:
        return None
    dx = float(states["player_x_m"][last] - states["player_x_m"][first])
    dy = float(states["player_y_m"][last] - states["player_y_m"][first])
    return float(np.hypot(dx, dy) / told.sum())

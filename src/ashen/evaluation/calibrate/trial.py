"""Numbers tried on fights held out: how far they are off, and which groups of them foretell those fights worse."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ashen.evaluation.alignment import drift, pooled
from ashen.evaluation.calibrate.numbers import Numbers
from ashen.evaluation.hits_check import recorded_strikes
from ashen.evaluation.recording import Recording

HORIZON_STEPS = 10
HELD_OUT_EVERY = 5
"""One fight in so many is held out."""
_CLEARLY = 0.02
"""A group is left out if the fights held out are foretold better without it by this share; less is chance."""
_TINY = 0.01
"""Added to both figures of a ratio (1 cm, 0.01 degrees, 1 %): what was nearly nothing may double."""

LEAST = {"_m": 0.001, "_deg": 0.1, "_strikes": 0.01}
"""Differences that matter, by the end of a figure's name: 1 mm, 0.1 degrees, 1 %; and 2 % of the figure at least."""


@dataclass(frozen=True)
class Alignment:
    """How far a table is off after 1 s on some fights, medians over all starts.

    Args:
        boss_m: of the boss's place.
        player_m: of the player's place.
        boss_yaw_deg: of the boss's facing.
        boss_mean_m: the same as ``boss_m``, as a mean.
        player_mean_m: the same as ``player_m``, as a mean.
        wrong_strikes: share of the hit windows in which the wrong one was hit, or at another time, or harder.
    """

    boss_m: float
    player_m: float
    boss_yaw_deg: float
    boss_mean_m: float
    player_mean_m: float
    wrong_strikes: float


def alignment(fights: Sequence[Recording], table: np.void, boss: str) -> Alignment:
    """Judge a packed table on fights."""
    off = pooled([drift(fight, table, HORIZON_STEPS) for fight in fights if len(fight.states) > HORIZON_STEPS + 2])
    strikes = recorded_strikes(list(fights), table, boss)
    return Alignment(
        boss_m=float(np.median(off.boss_m)),
        player_m=float(np.median(off.player_m)),
        boss_yaw_deg=float(np.degrees(np.median(off.boss_yaw_rad))),
        boss_mean_m=float(off.boss_m.mean()),
        player_mean_m=float(off.player_m.mean()),
        wrong_strikes=float(np.mean([not strike.is_right for strike in strikes])) if strikes else 0.0,
    )


def split(fights: Sequence[Recording]) -> tuple[list[Recording], list[Recording]]:
    """Fights to fit and fights held out, every fifth."""
    held_out = [fight for number, fight in enumerate(fights) if number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1]
    return [fight for number, fight in enumerate(fights) if number % HELD_OUT_EVERY != HELD_OUT_EVERY - 1], held_out


def left_of(after: Alignment, before: Alignment) -> float:
    """Which share of the errors is left: the mean of the ratios of all figures."""
    figures = asdict(before)
    return float(np.mean([(now + _TINY) / (figures[name] + _TINY) for name, now in asdict(after).items()]))


def changed(after: Alignment, before: Alignment) -> tuple[list[str], list[str]]:
    """Names of the figures that got better, and of those that got worse, by what matters (:data:`LEAST`)."""
    better, worse = [], []
    for name, was in asdict(before).items():
        least = max(_CLEARLY * was, *(least for end, least in LEAST.items() if name.endswith(end)))
        off = asdict(after)[name] - was
        if abs(off) >= least:
            (worse if off > 0.0 else better).append(name)
    return better, worse


def without_harm(
    numbers: Numbers, fights: Sequence[Recording], boss: str, before: Alignment, say: Callable[[str], object]
) -> tuple[Alignment, list[str]]:
    """Leave out, one after the other, the groups of refitted numbers without which fights are foretold better.

    Args:
        numbers: refitted to other fights.
        fights: held out.
        boss: whose animation names they hold.
        before: how far the table is off on them.
        say: told what is tried.

    Returns:
        How far the numbers that stay are off, and the groups left out.
    """
    left_out: list[str] = []
    after = alignment(fights, numbers.table(), boss)
    known = -1
    while known < len(left_out):  # once more if something was: the others were judged beside it
        known = len(left_out)
        for group in numbers.groups:
            say(f"trying without the {group}")
            rest = numbers.without([group])
            without = alignment(fights, rest.table(), boss)
            if left_of(without, before) < (1.0 - _CLEARLY) * left_of(after, before):
                numbers, after = rest, without
                left_out.append(group)
    return after, left_out

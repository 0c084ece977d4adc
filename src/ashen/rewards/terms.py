"""The reward terms: each a scalar function of one step. One list yields names, amounts and the documentation."""

from typing import Final, NamedTuple

import numpy as np

from ashen.core.compiled import njit
from ashen.core.fight import MAX_STEPS, Outcome
from ashen.core.geometry import distance_m

WIN, LOSS = int(Outcome.WIN), int(Outcome.LOSS)
FIRST_ROLL, LAST_ROLL = 8, 15
CENTRE_REACHED_M = 4.0
"""Inside this distance from the arena's centre SoulsGym pays nothing for coming closer."""


@njit
def damage_dealt(previous, now):
    """Share of the boss's full hit points dealt in this step."""
    return (previous.boss_hp - now.boss_hp) / now.boss_max_hp


@njit
def damage_taken(previous, now):
    """Share of the player's full hit points lost in this step."""
    return (previous.player_hp - now.player_hp) / now.player_max_hp


@njit
def win(outcome):
    """1 on the step that wins the fight."""
    return 1.0 if outcome == WIN else 0.0


@njit
def death(outcome):
    """1 on the step that loses the fight, also by a fall."""
    return 1.0 if outcome == LOSS else 0.0


@njit
def approach(previous, now, outcome, arena):
    """Metres gained towards the arena's centre while farther than 4 m from it; 0 on the step that wins or loses."""
    if outcome in (WIN, LOSS):
        return 0.0
    left_m = distance_m(now.player_x_m, now.player_y_m, arena.center_x_m, arena.center_y_m)
    if left_m <= CENTRE_REACHED_M:
        return 0.0
    return distance_m(previous.player_x_m, previous.player_y_m, arena.center_x_m, arena.center_y_m) - left_m


@njit
def distance(previous, now, outcome):
    """Metres gained towards the boss; 0 on the step that wins or loses."""
    if outcome in (WIN, LOSS):
        return 0.0
    before_m = distance_m(previous.player_x_m, previous.player_y_m, previous.boss_x_m, previous.boss_y_m)
    return before_m - distance_m(now.player_x_m, now.player_y_m, now.boss_x_m, now.boss_y_m)


@njit
def roll(action):
    """1 on every step on which a roll is chosen, whether it can start or not."""
    return 1.0 if FIRST_ROLL <= action <= LAST_ROLL else 0.0


@njit
def time(previous):
    """1 on every step."""
    return 1.0


@njit
def escalating_hit(previous, now, hits):
    """The number of this hit on the boss in the fight, whatever its damage: the first counts 1, the tenth 10."""
    return hits + 1.0 if now.boss_hp < previous.boss_hp else 0.0


@njit
def any_hit(previous, now):
    """1 on every step on which the player loses hit points, however many."""
    return 1.0 if now.player_hp < previous.player_hp else 0.0


TERMS = (damage_dealt, damage_taken, win, death, approach, distance, roll, time, escalating_hit, any_hit)
TERM_NAMES = tuple(term.__name__ for term in TERMS)
AMOUNTS = np.dtype([(name, np.float32) for name in TERM_NAMES])
"""The amounts of all terms of one step, unweighted; can also be read as a plain vector."""


class Size(NamedTuple):
    """What a term's amounts add up to over a fight, or over the rest of one."""

    least: float
    most: float
    usual: float
    """In a fight as a good player wins it, and a bad one loses it."""


SIZES: Final = {
    "damage_dealt": Size(0, 1, 1),
    "damage_taken": Size(0, 1, 1),
    "win": Size(0, 1, 1),
    "death": Size(0, 1, 1),
    "approach": Size(-60, 60, 5),  # no two places of the arena lie farther apart
    "distance": Size(-60, 60, 12),
    "roll": Size(0, MAX_STEPS, 15),
    "time": Size(0, MAX_STEPS, 500),
    "escalating_hit": Size(0, 820, 250),  # at most 40 hits, usually 22
    "any_hit": Size(0, 50, 4),
}
"""Of every term. What a reward allows follows from them: how much a value can be, what outweighs what."""
EACH_STEP: Final = ("roll", "time")
"""Terms that can pay 1 on every step, so that the discount bounds what they are worth."""
WINNING: Final = ("damage_dealt", "win", "escalating_hit")
"""What winning a fight pays."""
DYING: Final = ("damage_taken", "death", "any_hit")
"""What losing it costs. All other terms are shaping."""


@njit
def fill_amounts(previous, now, outcome, action, hits, arena, out):
    """Compute every term of one step.

    Args:
        previous: FIGHT_STATE record before the step.
        now: FIGHT_STATE record after it.
        outcome: how the fight stands after it.
        action: what was chosen, 0..19, or NO_ACTION.
        hits: hits on the boss in this fight before this step.
        arena: ARENA record.
        out: AMOUNTS record, changed in place.
    """
    out.damage_dealt = damage_dealt(previous, now)
    out.damage_taken = damage_taken(previous, now)
    out.win = win(outcome)
    out.death = death(outcome)
    out.approach = approach(previous, now, outcome, arena)
    out.distance = distance(previous, now, outcome)
    out.roll = roll(action)
    out.time = time(previous)
    out.escalating_hit = escalating_hit(previous, now, hits)
    out.any_hit = any_hit(previous, now)


def term_table() -> str:
    """Documentation of all terms as a markdown table."""
    lines = ["| term | amount in one step | in a fight | usually |", "|---|---|---|---|"]
    for term in TERMS:
        size = SIZES[term.__name__]
        lines.append(f"| {term.__name__} | {term.py_func.__doc__} | {size.least} to {size.most} | {size.usual} |")
    return "\n".join(lines) + "\n"

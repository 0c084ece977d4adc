"""The reward terms: each a scalar function of one step. One list yields names, amounts and the documentation."""

import numpy as np

from ashen.core.compiled import njit
from ashen.core.fight import Outcome
from ashen.core.geometry import distance_m

WIN, LOSS = int(Outcome.WIN), int(Outcome.LOSS)
FIRST_ROLL, LAST_ROLL = 8, 15
CENTRE_REACHED_M = 4.0
"""Inside this distance from the arena's centre SoulsGym pays nothing for coming closer."""
FARTHEST_M = 40.0
"""Farther than a body gets from the other, or from the centre: the fog wall lies 38 m from the centre."""
MOST_HITS = 30
"""No fight sees more hits on one body: 20 light attacks kill the boss."""


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
FIGHT_TOTALS = {
    "damage_dealt": (0.0, 1.0),
    "damage_taken": (0.0, 1.0),
    "win": (0.0, 1.0),
    "death": (0.0, 1.0),
    "approach": (-FARTHEST_M, FARTHEST_M),
    "distance": (-FARTHEST_M, FARTHEST_M),
    "roll": None,
    "time": None,
    "escalating_hit": (0.0, MOST_HITS * (MOST_HITS + 1) / 2.0),
    "any_hit": (0.0, float(MOST_HITS)),
}
"""Least and most that the amounts of each term add up to from any step to the end of a fight, generously; None where
they are 0 to 1 a step for as long as it lasts."""
AMOUNTS = np.dtype([(name, np.float32) for name in TERM_NAMES])
"""The amounts of all terms of one step, unweighted; can also be read as a plain vector."""


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
    lines = ["| term | amount in one step |", "|---|---|"]
    lines += [f"| {term.__name__} | {term.py_func.__doc__} |" for term in TERMS]
    return "\n".join(lines) + "\n"

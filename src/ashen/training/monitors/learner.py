"""Guards over the learner: its values, its losses, its exploration."""

import math

from ashen.core.percent import percent
from ashen.training.monitors.look import UNCLEAR, Look, fight_mean

BEYOND = 0.1
"""How far beyond the bounds values may lie on average, as a share of their span: estimates err, and bounds are wide."""
COLLAPSED_NATS = 0.1
"""Entropy of one action at 98 %: what a policy no longer tries it cannot learn. Good policies end at 0.5 and more."""
GOOD_ENOUGH = 0.5
"""A policy that wins so often may be as sure of itself as it likes."""
NO_WIN_SHARE = 0.2
"""Share of the training at the floor of epsilon without a win after which exploring has ended too early."""
STILL_KL = 1e-5
STILL_ROWS = 5
"""A policy whose updates clip nothing and move it less than this for so many rows stands still."""
STILL_RATE = 1e-4
"""From this learning rate on, a policy that stands still has collapsed: the rate is too high, if anything."""
STILL_LEFT = 0.1
"""Share of a run's steps at its end in which it may: where the learning rate ends at 0, so do its updates."""
ENOUGH_FIGHTS = 50
"""Fights over which a win rate is taken."""


def beyond_reward(look: Look) -> str | None:
    """The learner's values lie beyond what the rest of a fight can pay under this reward and discount."""
    mean = look.newest.get("q_mean", look.newest.get("value_mean"))
    if mean is None or not math.isfinite(mean):
        return UNCLEAR
    # A decision that skips steps collects their rewards undiscounted.
    discount = 1.0 if look.recipe.skip_steps else look.recipe.config.discount
    low, high = sorted(bound * look.reward_scale for bound in look.reward.value_bounds(discount))
    slack = BEYOND * (high - low)
    if low - slack <= mean <= high + slack:
        return None
    return f"mean value {mean:.3g}, but this reward allows {low:.3g} to {high:.3g}"


def not_finite(look: Look) -> str | None:
    """A loss or another of the learner's numbers is infinite or not a number."""
    row = look.newest
    names = [key for key, value in row.items() if "/" not in key and isinstance(value, float)]
    bad = [name for name in names if not math.isfinite(row[name])]
    return f"{', '.join(bad)} not finite" if bad else None


def ended_exploring(look: Look) -> str | None:
    """The policy has stopped trying (PPO: entropy near 0; DQN: epsilon long at its floor), and does not win."""
    entropy = look.newest.get("entropy")
    rows = look.latest(ENOUGH_FIGHTS)
    if entropy is not None and entropy < COLLAPSED_NATS and rows and fight_mean(rows, "win_rate") < GOOD_ENOUGH:
        return f"entropy {entropy:.2g} at a win rate of {percent(fight_mean(rows, 'win_rate'))}"
    dqn = look.recipe.dqn
    if look.newest.get("epsilon", math.inf) > dqn.epsilon_end or dqn.noisy:
        return None
    rows = look.since(look.env_step - NO_WIN_SHARE * look.recipe.total_steps)
    at_floor = [row for row in rows if row["epsilon"] <= dqn.epsilon_end]
    is_long = len(at_floor) == len(rows) and look.env_step > NO_WIN_SHARE * look.recipe.total_steps
    won = any(row["win_rate"] for row in rows) or look.match_win_rate()
    if not is_long or won or sum(row["fights"] for row in rows) < ENOUGH_FIGHTS:
        return None
    return f"epsilon at its floor of {dqn.epsilon_end:g}, and no win in the last {NO_WIN_SHARE:.0%} of the training"


def nothing_moves(look: Look) -> str | None:
    """PPO's updates at a rate below 1e-4 move nothing (no clipping, approx_kl below 1e-5), 10 % of the steps left."""
    rows = [row for row in look.rows if row["kind"] == "train"]
    moved = [row for row in rows if row.get("approx_kl") is not None][-STILL_ROWS:]
    if len(moved) < STILL_ROWS or any(row["clip_fraction"] or row["approx_kl"] >= STILL_KL for row in moved):
        return None
    left, whole = (look.recipe.total_steps - row["env_step"] for row in (rows[-1], rows[0]))
    rate = rows[-1]["learning_rate"]
    if left < STILL_LEFT * whole or rate >= STILL_RATE or look.was_warned("values"):
        return UNCLEAR
    return f"no update has moved the policy lately (learning rate {rate:.2g}), {left:,} steps left"

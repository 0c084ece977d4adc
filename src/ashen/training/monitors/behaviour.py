"""Guards over what the policy does."""

from collections.abc import Callable

import numpy as np

from ashen.training.monitors.look import Look

HARDLY_EVER = 0.01
"""Share of its choices below which a policy does not do a thing; one that only begins to dodge still attacks in 4 %."""
ALWAYS = 0.9
"""Share of its choices above which a policy has forgotten all actions but one."""
STUCK_SHARE = 0.03
"""Share of the time: random play has under 0.5 %, always walking or rolling backwards 25 % and more."""
ENOUGH_ATTACKS = 60
"""Attacks seen of which at least one should have hurt: in blind attacking one in eight does."""
ENOUGH_HITS = 20
"""Hits seen over which their mean is taken."""
BLUNT = 0.5
"""Share of what a hit first took: between a Long Sword's heavy attack instead of the light one, and fists."""


def stands_still(look: Look) -> str | None:
    """The policy walks or rolls in under 1 % of its choices."""
    return _hardly_ever(look, "walks or rolls", lambda name: name.startswith(("walk", "roll")))


def never_attacks(look: Look) -> str | None:
    """The policy attacks in under 1 % of its choices."""
    return _hardly_ever(look, "attacks", _is_attack)


def one_action(look: Look) -> str | None:
    """The policy takes one action in over 90 % of its choices."""
    shares = look.own_shares()
    if shares is None or len(shares) == 1 or shares.max() <= ALWAYS:
        return None
    return f"{look.action_names[int(shares.argmax())]} in {shares.max():.0%} of the choices"


def runs_against(look: Look) -> str | None:
    """The player is sent to walk or roll, but does not come from the spot for 10 s: he runs against a wall."""
    if not look.windows or look.windows[-1].stuck < STUCK_SHARE * look.windows[-1].seen:
        return None
    window = look.windows[-1]
    x_m, y_m = window.stuck_at_m
    return (
        f"walks or rolls on the spot {window.stuck / window.seen:.0%} of the time, last at x {x_m:.1f} m, y {y_m:.1f} m"
    )


def weak_hits(look: Look) -> str | None:
    """Attacks never hurt the boss, or a hit takes less than half of what it took at first."""
    if not look.windows:
        return None
    window = look.windows[-1]
    attacks = window.chosen[[_is_attack(name) for name in look.action_names]].sum()
    if window.hits == 0:
        return f"{attacks:.0f} attacks seen, none of them hurt" if attacks >= ENOUGH_ATTACKS else None
    first = next((one.points_per_hit for one in look.windows if one.hits >= ENOUGH_HITS), np.nan)
    if window.hits < ENOUGH_HITS or not window.points_per_hit < BLUNT * first:
        return None
    return f"a hit takes {window.points_per_hit:.0f} points, at first it took {first:.0f}"


def _hardly_ever(look: Look, what: str, is_such: Callable[[str], bool]) -> str | None:
    shares = look.own_shares()
    if shares is None:
        return None
    share = max(shares[[is_such(name) for name in look.action_names]].sum(), 0.0)
    return f"{what} in {share:.1%} of its choices" if share < HARDLY_EVER else None


def _is_attack(name: str) -> bool:
    return name.endswith("attack")

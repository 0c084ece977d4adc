"""Guards over what the network sees."""

from collections import defaultdict

import numpy as np

from ashen.training.monitors.look import Look

STEADY = frozenset({
    "phase", "lock_on", "player_max_hp", "player_max_sp", "boss_max_hp",
    "player_z_m", "boss_z_m", "height_m", "boss_height_m",
    "wall_m", "cliff_m", "cliff_ahead_m", "cliff_right_m", "cliff_back_m", "cliff_left_m",
})  # fmt: skip
"""Features that may stand still in a sound training: one phase, one build, a flat floor, an unbroken lock-on, and a
player who keeps away from the edges."""
NAMED = 5
"""At most so many are named."""


def dead_inputs(look: Look) -> str | None:
    """All numbers that show a feature have stood still over a whole window of fights."""
    if not look.windows:
        return None
    window, names, alive = look.windows[-1], defaultdict(list), set()
    for (name, feature), low, high in zip(look.inputs, window.low, window.high, strict=True):
        names[feature].append(name)
        if low != high:
            alive.add(feature)
    dead = [of_feature[0] for feature, of_feature in names.items() if feature not in alive | STEADY]
    return f"{_listed(dead)} never changed in {window.steps:,} steps" if dead else None


def broken_inputs(look: Look) -> str | None:
    """A number of the observations was infinite or not a number."""
    if not look.windows:
        return None
    window = look.windows[-1]
    broken = np.flatnonzero(~np.isfinite(window.low) | ~np.isfinite(window.high))
    return f"{_listed([look.inputs[place][0] for place in broken])} not finite" if len(broken) else None


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more

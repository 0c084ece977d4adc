"""Subsets of the 20 actions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError, unknown
from ashen.core.fight import ACTION_NAMES, ACTION_SETS


def action_subset(spec: str | Sequence[str]) -> tuple[str, ...]:
    """Names of the actions an agent may choose.

    Args:
        spec: name of a set in :data:`ashen.core.fight.ACTION_SETS`, or names of actions in the order wanted.

    Raises:
        UserError: unknown set or action, a name twice, or none at all.
    """
    if isinstance(spec, str):
        if spec not in ACTION_SETS:
            raise unknown("set of actions", spec, ACTION_SETS)
        return ACTION_SETS[spec]
    names = tuple(spec)
    for name in names:
        if name not in ACTION_NAMES:
            raise unknown("action", name, ACTION_NAMES, "actions")
    if not names or len(set(names)) < len(names):
        raise UserError(f"actions = {list(names)} must name at least one action and none twice")
    return names


def action_ids(names: Sequence[str]) -> NDArray[np.int64]:
    """Their numbers 0..19, [A]."""
    return np.array([ACTION_NAMES.index(name) for name in names], np.int64)

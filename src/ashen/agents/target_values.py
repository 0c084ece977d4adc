"""What a target network says of replayed observations, remembered: it stands still between two syncs."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ashen.agents.networks import QNetwork


class TargetValues:
    """Q-values of the observations reached, one row for each place in replay, computed when first asked for.

    Args:
        capacity: places in replay.
        num_actions: A.
    """

    def __init__(self, capacity: int, num_actions: int):
        self._values = np.zeros((capacity, num_actions), np.float32)
        self._is_known = np.zeros(capacity, np.bool_)

    def of(self, target: QNetwork, places: NDArray[np.int64], next_obs: Tensor) -> Tensor:
        """Q-values [B, A] of ``next_obs`` [B, D], which lie at ``places`` [B] of replay."""
        new = np.flatnonzero(~self._is_known[places])
        if len(new):
            with torch.no_grad():
                self._values[places[new]] = target(next_obs.index_select(0, torch.from_numpy(new))).numpy()
            self._is_known[places[new]] = True
        return torch.from_numpy(self._values.take(places, 0))

    def forget(self, places: NDArray[np.int64] | slice = slice(None)) -> None:
        """Forget what new transitions lie at, or all, when the target network moves."""
        self._is_known[places] = False

    def state_dict(self) -> dict[str, Any]:
        """All that is known, as live arrays."""
        return {"values": self._values, "is_known": self._is_known}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave for the same sizes."""
        self._values[:], self._is_known[:] = state["values"], state["is_known"]

"""Ring buffer of transitions, sampled uniformly or by priority.

Source: Schaul et al. 2016, Prioritized Experience Replay, equations 1 and 2 (arXiv:1511.05952).
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.replay.sum_tree import SumTree
from ashen.replay.transitions import transition_dtype

PRIORITY_FLOOR: Final = 1e-6
"""Added to every error, so that no transition is lost for good."""
_NO_FIGHT: Final = -1


class Batch(NamedTuple):
    """A sample of B transitions."""

    rows: NDArray[Any]  # [B] of transition_dtype
    indices: NDArray[np.int64]  # [B], for update_priorities
    weights: NDArray[np.float32]  # [B] importance weights, the largest is 1


class ReplayBuffer:
    """The last ``capacity`` transitions, one packed row each.

    Args:
        capacity: transitions kept.
        obs_dim: numbers in an observation.
        num_actions: actions there are.
        alpha: how strongly priorities count in sampling; 0 samples uniformly, 1 in proportion to the errors.
    """

    def __init__(self, capacity: int, obs_dim: int, num_actions: int, alpha: float = 0.0):
        self.capacity, self.alpha = capacity, alpha
        self.rows = np.zeros(capacity, transition_dtype(obs_dim, num_actions))
        self.tree = SumTree(capacity) if alpha > 0.0 else None
        self.max_priority = 1.0
        self.written = 0
        """Transitions ever appended; the newest of them lies at this number less one, around the ring."""
        self.fights = np.full(capacity, _NO_FIGHT)
        """Numbers of the fights that the rows are of, [capacity], to take one out again; -1 where nobody knows it."""
        self._is_removed = np.zeros(capacity, np.bool_)
        self._removed = 0

    def __len__(self) -> int:
        return self._size - self._removed

    @property
    def _size(self) -> int:
        return min(self.written, self.capacity)

    def extend(self, rows: NDArray[Any], fights: NDArray[np.int64] | int = _NO_FIGHT) -> NDArray[np.int64]:
        """Append ``rows`` [M] with M <= capacity, over the oldest. New rows get the highest priority seen so far.

        Args:
            rows: of ``transition_dtype``.
            fights: numbers of the fights they are of, [M], for :meth:`remove`.

        Returns:
            Where they lie, [M].
        """
        indices = (self.written + np.arange(len(rows))) % self.capacity
        self.rows[indices], self.fights[indices] = rows, fights
        self._mark(indices, is_removed=False)
        if self.tree is not None:
            self.tree.set(indices, np.full(len(rows), self.max_priority))
        self.written += len(rows)
        return indices

    def remove(self, fights: NDArray[np.int64]) -> NDArray[np.int64]:
        """Take out every row of these fights: none of them is drawn again. What was learned from them stays learned.

        Returns:
            Where they lay; these places stay empty until the ring comes round to them.
        """
        indices = np.flatnonzero(np.isin(self.fights, fights))
        self.rows[indices], self.fights[indices] = 0, _NO_FIGHT
        self._mark(indices, is_removed=True)
        if self.tree is not None:
            self.tree.set(indices, np.zeros(len(indices)))
        return indices

    def _mark(self, indices: NDArray[np.int64], is_removed: bool) -> None:
        if is_removed or self._removed:
            self._is_removed[indices] = is_removed
            self._removed = int(self._is_removed.sum())

    def sample(self, batch_size: int, rng: np.random.Generator, beta: float = 1.0) -> Batch:
        """Draw ``batch_size`` transitions, with replacement.

        Args:
            batch_size: B; there must be a transition.
            rng: where the randomness comes from.
            beta: how far the importance weights make up for unequal sampling, 0 not at all, 1 fully.
        """
        if self.tree is None:
            indices = rng.integers(self._size, size=batch_size)
            while self._removed and (again := self._is_removed[indices]).any():
                indices[again] = rng.integers(self._size, size=int(again.sum()))
            return Batch(self.rows.take(indices), indices, np.ones(batch_size, np.float32))
        indices = self.tree.sample(rng.random(batch_size))
        weights = (self.tree.get(indices) * (len(self) / self.tree.total)) ** -beta
        return Batch(self.rows.take(indices), indices, (weights / weights.max()).astype(np.float32))

    def update_priorities(self, indices: NDArray[np.int64], errors: NDArray[np.floating]) -> None:
        """Make the TD ``errors`` [B] of the rows ``indices`` [B] their priorities; without effect if uniform."""
        if self.tree is None:
            return
        priorities = (np.abs(errors).astype(np.float64) + PRIORITY_FLOOR) ** self.alpha
        self.tree.set(indices, priorities)
        self.max_priority = max(self.max_priority, float(priorities.max()))

    def rows_from(self, first: int) -> NDArray[Any]:
        """The transitions from the ``first`` ever appended on [M], as far as they are still there, oldest first."""
        return self.rows[np.arange(max(first, self.written - self._size), self.written) % self.capacity]

    def state_dict(self) -> dict[str, Any]:
        """All but the rows, see :meth:`rows_from`, and whose they are. The arrays are live: save or copy them."""
        state = {"capacity": self.capacity, "written": self.written, "max_priority": self.max_priority}
        state["removed"] = np.flatnonzero(self._is_removed)
        if self.tree is not None:
            state["priorities"] = self.tree.get(np.arange(self._size))
        return state

    def load_state_dict(self, state: dict[str, Any], rows: NDArray[Any]) -> None:
        """Restore what :meth:`state_dict` gave. No fight of it can be removed, unless :attr:`fights` is restored too.

        Args:
            state: it.
            rows: the newest transitions [min(written, capacity)] of then, oldest first.

        Raises:
            UserError: it was of another capacity, or prioritised and this one is not, or the reverse.
        """
        if state["capacity"] != self.capacity:
            raise UserError(f"the saved replay was made with replay_capacity = {state['capacity']:,}; set it alike")
        if (self.tree is not None) != ("priorities" in state):
            raise UserError(
                "the saved replay is prioritised and this run is not, or the reverse; set prioritised alike"
            )
        self.written, self.max_priority = state["written"], state["max_priority"]
        self.rows[np.arange(self.written - len(rows), self.written) % self.capacity] = rows
        self.fights[:], self._is_removed[:] = _NO_FIGHT, False
        self.rows[state["removed"]] = 0
        self._mark(state["removed"], is_removed=True)
        if self.tree is not None:
            self.tree = SumTree(self.capacity)
            self.tree.set(np.arange(self._size), state["priorities"])

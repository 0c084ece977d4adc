"""Sum tree: draws leaves in proportion to their values, in log(capacity) steps. Compiled.

Source: Schaul et al. 2016, Prioritized Experience Replay, appendix B.2.1 (arXiv:1511.05952).
"""

import numpy as np
from numpy.typing import NDArray

from ashen.core.compiled import njit


class SumTree:
    """A packed binary tree: node 1 is the root, node k has the children 2k and 2k+1, every node is their sum.

    Args:
        capacity: number of leaves; all begin at 0 and are then never drawn.
    """

    def __init__(self, capacity: int):
        self.leaves = 1 << max(0, capacity - 1).bit_length()
        self.nodes = np.zeros(2 * self.leaves, np.float64)

    @property
    def total(self) -> float:
        """Sum of all leaves."""
        return float(self.nodes[1])

    def get(self, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values [B] of the leaves ``indices`` [B]."""
        return self.nodes[self.leaves + indices]

    def set(self, indices: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Set the leaves ``indices`` [B] to ``values`` [B] >= 0; of a leaf named twice the last value stays."""
        set_many(self.nodes, indices, values)

    def sample(self, uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
        """Draw one leaf from each of B equal strata of the total.

        Args:
            uniforms: [B] in [0, 1), the place within each stratum.

        Returns:
            Leaves [B], int64.
        """
        return sample_stratified(self.nodes, uniforms)


@njit
def set_many(nodes, indices, values):
    """Write leaves and mend the sums above them. Sums are always those of the children, so nothing drifts."""
    leaves = nodes.shape[0] // 2
    touched = indices + leaves
    for b in range(indices.shape[0]):
        nodes[touched[b]] = values[b]
    # Level by level, here and below: the reads of one level do not wait for each other.
    while leaves > 1:
        leaves //= 2
        for b in range(indices.shape[0]):
            node = touched[b] // 2
            touched[b] = node
            nodes[node] = nodes[2 * node] + nodes[2 * node + 1]


@njit
def sample_stratified(nodes, uniforms):
    """Leaves [B] in proportion to their values, one from each of B equal strata."""
    leaves, batch = nodes.shape[0] // 2, uniforms.shape[0]
    rest = (np.arange(batch) + uniforms) * (nodes[1] / batch)
    drawn = np.ones(batch, np.int64)
    level = 1
    while level < leaves:
        level *= 2
        for b in range(batch):
            left = 2 * drawn[b]
            # Rounding may carry the rest past the last leaf in use; an empty subtree is never entered.
            right = (rest[b] >= nodes[left]) & (nodes[left + 1] > 0.0)
            rest[b] -= nodes[left] * right
            drawn[b] = left + right
    return drawn - leaves

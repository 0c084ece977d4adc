"""What one step of N environments adds to a replay, here or in another process: transitions, and whose they are."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.core.protocols import Transitions
from ashen.replay.n_step import NStep


class Gathered(NamedTuple):
    """M transitions that S steps completed."""

    rows: NDArray[Any]  # [M] of transition_dtype
    fights: NDArray[np.int64]  # [M], numbers of the fights they are of
    faulted: NDArray[np.int64]  # [F], fights that must not be learned from, earlier rows of theirs included
    obs: NDArray[np.float32]  # [S, D], of the steps; [S, 0] where nobody wants their statistics
    ended: NDArray[np.bool_]  # [S], whether a step was its fight's last


class Gatherer:
    """Completes transitions over n steps and numbers the fights; nothing of a fight that faulted is handed on.

    Args:
        n_step: the pending steps of the N environments.
        num_envs: N.
    """

    def __init__(self, n_step: NStep, num_envs: int):
        self.n_step = n_step
        self._numbers = np.arange(num_envs)  # [N] of the fights under way; never saved, never used again

    def __call__(self, step: Transitions) -> Gathered:
        """Take in one step; ``rows`` is rewritten by the next."""
        rows, envs = self.n_step.push(step)
        ended = step.terminated | step.truncated | step.faulted
        gathered = Gathered(rows, self._numbers[envs], self._numbers[step.faulted], step.obs, ended)
        if ended.any():
            self._numbers[ended] = self._numbers.max() + 1 + np.arange(ended.sum())
        return gathered

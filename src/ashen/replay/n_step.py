"""n-step accumulation: single steps of N environments become transitions over up to n steps. Compiled.

Every transition carries its own discount, so what ended where never has to be guessed later:

- after n steps: gamma^n, and the observation n steps on;
- at termination all steps still pending are emitted with discount 0: there is nothing after the end;
- at truncation all pending are emitted with gamma^k from the true last observation: the fight would have gone on;
- at a fault all pending are dropped: nothing may be learned from how that fight ended.

Source: Sutton 1988; Hessel et al. 2018, Rainbow (arXiv:1710.02298).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.compiled import njit
from ashen.core.protocols import Transitions
from ashen.replay.transitions import transition_dtype


class NStep:
    """Pending steps of each environment.

    Args:
        num_envs: N.
        n: steps a transition spans at most.
        discount: gamma, per step.
        obs_dim: numbers in an observation.
        num_actions: actions there are.
    """

    def __init__(self, num_envs: int, n: int, discount: float, obs_dim: int, num_actions: int):
        self.discount = discount
        self._obs = np.zeros((num_envs, n, obs_dim), np.float32)  # [N, n, D], a ring per environment
        self._action = np.zeros((num_envs, n), np.int32)
        self._return = np.zeros((num_envs, n), np.float64)
        self._discount = np.zeros((num_envs, n), np.float64)
        self._first = np.zeros(num_envs, np.int64)
        self._count = np.zeros(num_envs, np.int64)
        self._out = np.zeros(num_envs * n, transition_dtype(obs_dim, num_actions))
        self._out_env = np.zeros(num_envs * n, np.int64)

    def push(self, step: Transitions) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Take in one step of the N environments.

        Returns:
            The transitions completed by it, [M] of ``transition_dtype``, 0 <= M <= N n, and of which environment each
            is, [M]; both are rewritten by the next call.
        """
        pending = (self._obs, self._action, self._return, self._discount, self._first, self._count)
        fields = tuple(self._out[name] for name in ("obs", "next_obs", "n_return", "discount", "action", "next_mask"))
        count = push_step(pending, tuple(step), self.discount, (*fields, self._out_env))
        return self._out[:count], self._out_env[:count]

    def state_dict(self) -> dict[str, Any]:
        """The pending steps, as live arrays."""
        return {name[1:]: getattr(self, name) for name in _PENDING}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave for the same shapes."""
        for name in _PENDING:
            getattr(self, name)[:] = state[name[1:]]


_PENDING = ("_obs", "_action", "_return", "_discount", "_first", "_count")


@njit
def push_step(pending, step, gamma, out):
    """Add a step to every environment's pending ones and write what is complete to ``out``; returns how many."""
    obs, action, n_return, discount, first, count = pending
    step_obs, _, step_action, reward, next_obs, next_mask, terminated, truncated, faulted = step
    num_envs, n = action.shape
    written = 0
    for i in range(num_envs):
        if faulted[i]:
            count[i] = 0
            continue
        newest = (first[i] + count[i]) % n
        obs[i, newest] = step_obs[i]
        action[i, newest] = step_action[i]
        n_return[i, newest] = 0.0
        discount[i, newest] = 1.0
        count[i] += 1
        for k in range(count[i]):
            slot = (first[i] + k) % n
            n_return[i, slot] += discount[i, slot] * reward[i]
            discount[i, slot] *= gamma
        ended = terminated[i] or truncated[i]
        complete = count[i] if ended else (1 if count[i] == n else 0)
        for _ in range(complete):
            slot = first[i]
            out[0][written] = obs[i, slot]
            out[1][written] = next_obs[i]
            out[2][written] = n_return[i, slot]
            out[3][written] = 0.0 if terminated[i] else discount[i, slot]
            out[4][written] = action[i, slot]
            out[5][written] = next_mask[i]
            out[6][written] = i
            written += 1
            first[i] = (slot + 1) % n
            count[i] -= 1
    return written

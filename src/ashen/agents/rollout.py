"""The steps an on-policy agent learns from once: preallocated, filled in order, scaled, learned from when full."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.protocols import Transitions


class Rollout:
    """T steps of N environments.

    Of the observations reached only those are kept whose value cannot be read off the next row: where a fight was
    truncated, and after the last step.

    Where a fight ends in a fault, all its steps in here count as faulted, which keeps them out of learning; those of
    rollouts before cannot be unlearned.

    Args:
        num_steps: T.
        num_envs: N.
        obs_dim: D.
        num_actions: A.
    """

    def __init__(self, num_steps: int, num_envs: int, obs_dim: int, num_actions: int):
        self.obs = np.zeros((num_steps, num_envs, obs_dim), np.float32)
        self.mask = np.zeros((num_steps, num_envs, num_actions), np.bool_)
        self.actions = np.zeros((num_steps, num_envs), np.int64)
        self.rewards = np.zeros((num_steps, num_envs), np.float32)
        self.terminated = np.zeros((num_steps, num_envs), np.bool_)
        self.truncated = np.zeros((num_steps, num_envs), np.bool_)
        self.faulted = np.zeros((num_steps, num_envs), np.bool_)
        self.length = 0
        self._cut_obs: list[NDArray[np.float32]] = []  # rows of the truncated steps, in order
        self._last_obs = np.zeros((num_envs, obs_dim), np.float32)

    @property
    def is_full(self) -> bool:
        """Whether T steps are in."""
        return self.length == len(self.obs)

    def add(self, step: Transitions) -> None:
        """Append one step of the N environments."""
        t = self.length
        for name in _FIELDS:
            getattr(self, name)[t] = getattr(step, name)
        for env in np.flatnonzero(step.faulted):
            ends = np.flatnonzero((self.terminated | self.truncated | self.faulted)[:t, env])
            self.faulted[ends[-1] + 1 if len(ends) else 0 : t, env] = True
        if step.truncated.any():
            self._cut_obs.append(step.next_obs[step.truncated])
        self._last_obs[:] = step.next_obs
        self.length += 1

    def bootstraps(self) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Where the next value is not that of the next row, [T, N], and the observations [M, D] reached there."""
        where = self.truncated.copy()
        where[-1] = True
        last = self.truncated[-1]
        cut = np.concatenate(self._cut_obs) if self._cut_obs else self._last_obs[:0]
        # The last row's own truncated observations are among _last_obs too, which stands for the whole row.
        return where, np.concatenate([cut[: len(cut) - int(last.sum())], self._last_obs])

    def cut(self) -> None:
        """The fights under way do not go on: the step that came last was their last."""
        if self.length:
            last = self.length - 1
            going_on = ~(self.terminated[last] | self.truncated[last] | self.faulted[last])
            old = int(self.truncated[last].sum())
            self.truncated[last] |= going_on
            kept = np.concatenate(self._cut_obs)[: -old or None] if self._cut_obs else self._last_obs[:0]
            self._cut_obs = [kept, self._last_obs[self.truncated[last]]]

    def clear(self) -> None:
        """Begin again."""
        self.length = 0
        self._cut_obs.clear()

    @classmethod
    def of(cls, states: list[dict[str, Any]]) -> "Rollout":
        """The full ones that :meth:`state_dict` was taken of, all of T steps, as one of all their environments.

        It may share memory with them.
        """
        rollout = cls(0, 0, states[0]["obs"].shape[-1], states[0]["mask"].shape[-1])
        for name in _FIELDS:
            setattr(rollout, name, _side_by_side([state[name] for state in states], axis=1))
        rollout.length = len(rollout.obs)
        rollout._last_obs = _side_by_side([state["last_obs"] for state in states], axis=0)
        places = rollout.truncated.astype(np.int64)
        places[rollout.truncated] = np.arange(rollout.truncated.sum())  # a truncated step -> its row, by time
        of_states = np.split(places, np.cumsum([state["truncated"].shape[1] for state in states])[:-1], axis=1)
        rows = [own[state["truncated"]] for own, state in zip(of_states, states, strict=True)]
        rollout._cut_obs = [np.concatenate([state["cut_obs"] for state in states])[np.argsort(np.concatenate(rows))]]
        return rollout

    def state_dict(self) -> dict[str, Any]:
        """The steps so far."""
        state = {name: getattr(self, name)[: self.length] for name in _FIELDS}
        cut = np.concatenate(self._cut_obs) if self._cut_obs else self._last_obs[:0]
        return state | {"cut_obs": cut, "last_obs": self._last_obs}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave for the same N, D and A and no smaller T."""
        self.length = len(state["obs"])
        for name in _FIELDS:
            getattr(self, name)[: self.length] = state[name]
        self._cut_obs = [state["cut_obs"].copy()] if len(state["cut_obs"]) else []
        self._last_obs[:] = state["last_obs"]


def _side_by_side(arrays: list[NDArray[Any]], axis: int) -> NDArray[Any]:
    """One array of several; of one itself, or a copy if it may not be written to, of which torch would warn."""
    return np.concatenate(arrays, axis) if len(arrays) > 1 else np.require(arrays[0], requirements="W")


_FIELDS = ("obs", "mask", "actions", "rewards", "terminated", "truncated", "faulted")


class RewardScaler:
    """Divides rewards by the running standard deviation of each environment's discounted return.

    Source: Engstrom et al. 2020, Implementation Matters in Deep RL, section 3 (arXiv:2005.12729). All rewards of a
    rollout are divided by the same number, its own returns included.

    Args:
        num_envs: N.
        discount: gamma, per step.
    """

    def __init__(self, num_envs: int, discount: float):
        self.discount = discount
        self.running = np.zeros(num_envs)  # [N] discounted return so far
        self.mean, self.squares, self.count = 0.0, 0.0, 0

    def returns(self, rollout: Rollout) -> NDArray[np.float64]:
        """Go through the next full rollout: the discounted returns of its steps, [T, N]."""
        ended = rollout.terminated | rollout.truncated | rollout.faulted
        returns = np.zeros(rollout.rewards.shape)
        for t, reward in enumerate(rollout.rewards * ~rollout.faulted):
            self.running = self.discount * self.running + reward
            returns[t] = self.running
            self.running = self.running * ~ended[t]
        return returns

    @property
    def scale(self) -> float:
        """What rewards are divided by; next to nothing before the first rollout."""
        return float(np.sqrt(self.squares / max(self.count, 1)) + 1e-8)

    def take_in(self, returns: NDArray[np.float64]) -> None:
        """Count in discounted returns of any shape."""
        total = self.count + returns.size
        delta = returns.mean() - self.mean
        self.squares += float(returns.var() * returns.size + delta**2 * self.count * returns.size / total)
        self.mean += float(delta * returns.size / total)
        self.count = total

    def state_dict(self) -> dict[str, Any]:
        """Statistics and running returns."""
        return {"running": self.running, "mean": self.mean, "squares": self.squares, "count": self.count}

    def load_state_dict(self, state: dict[str, Any], same_envs: bool) -> None:
        """Restore statistics, and the running returns if they belong to as many environments."""
        self.mean, self.squares, self.count = state["mean"], state["squares"], state["count"]
        if same_envs:
            self.running = state["running"].copy()

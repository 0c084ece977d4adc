"""The shapes the rooms meet in: backends write fights, agents act on observations. N fights, A actions, D numbers."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ashen.core.vocabulary import Vocabulary


class Backend(Protocol):
    """N fights that can be reset and stepped: the simulator, or the real game with N = 1."""

    num_fights: int
    states: NDArray[Any]
    """FIGHT_STATE [N], rewritten in place by reset and step. Memory fields are not the backend's to write."""
    player_vocabulary: Vocabulary
    boss_vocabulary: Vocabulary
    table_hash: str
    """Identifies the tables the fights are made of; recorded with every fight and run."""

    def reset(self, which: NDArray[np.bool_], seeds: NDArray[np.uint64] | None = None) -> None:
        """Start new fights where ``which`` [N] is true; ``seeds`` [N] restart their random streams, else they go on."""

    def step(self, actions: NDArray[np.int64], which: NDArray[np.bool_] | None = None) -> None:
        """Advance by 0.1 s the fights in ``which`` [N] (all, if None) with ``actions`` [N] in 0..19."""

    def valid_actions(self) -> NDArray[np.bool_]:
        """Mask [N, 20] of the actions that would have an effect now."""

    def outcome(self) -> NDArray[np.int8]:
        """How each fight stands after its last step, :class:`ashen.core.fight.Outcome` values [N]."""

    def close(self) -> None:
        """Give back what the backend holds."""


class Transitions(NamedTuple):
    """One step of N environments, as an agent observes it; where a fight ended, ``next_obs`` is its true end."""

    obs: NDArray[np.float32]  # [N, D]
    mask: NDArray[np.bool_]  # [N, A]
    actions: NDArray[np.int64]  # [N]
    rewards: NDArray[np.float32]  # [N]
    next_obs: NDArray[np.float32]  # [N, D]
    next_mask: NDArray[np.bool_]  # [N, A]; of next_obs
    terminated: NDArray[np.bool_]  # [N]
    truncated: NDArray[np.bool_]  # [N]
    faulted: NDArray[np.bool_]  # [N]; the fight ended in a fault and must not be learned from


Part = dict[str, NDArray[Any]]
"""What an agent has gathered for a learner elsewhere, by name."""


class Decision(NamedTuple):
    """What an agent chose and why."""

    actions: NDArray[np.int64]  # [N]
    scores: NDArray[np.float32]  # [N, A]; Q-values or probabilities, see Agent.score_kind


class Agent(Protocol):
    """A learner. One training loop serves all of them, on-policy and off-policy."""

    score_kind: str
    """``"q_values"`` or ``"probabilities"``."""
    reward_scale: float
    """Factor from rewards to what it learns from, and so to its values."""
    discount: float
    """Weight of the next step's value."""
    replay: Any
    """The transitions it remembers, :class:`ashen.replay.ReplayBuffer`; None without."""

    precision: str | None
    """Numbers of the matrix products in learning where that can be chosen, ``auto`` until :meth:`tune`; else None."""

    def tune(self) -> str:
        """Settle what depends on this machine, such as the precision; returns what was chosen and why, for the log."""

    def act(self, obs: NDArray[np.float32], mask: NDArray[np.bool_], explore: bool) -> Decision:
        """Choose valid actions for ``obs`` [N, D] under ``mask`` [N, A]; greedy unless ``explore``."""

    def value(self, obs: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Expected discounted rewards [N] from ``obs`` [N, D] on, in the environment's rewards, as last learned."""

    def observe(self, step: Transitions) -> None:
        """Take in one step of the N environments, in order, whose actions this agent chose with ``explore=True``."""

    def update(self, is_over: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """Learn if it is time to; returns metrics of the updates made, empty if none was.

        Args:
            is_over: asked before every gradient step; what has not been learned by then is left out.
        """

    def gather(self, step: Transitions) -> Part | None:
        """As :meth:`observe`, for a learner elsewhere: what it may :meth:`take`, None if there is nothing yet.

        The arrays are live: copy them before the next step.
        """

    def take(self, parts: list[Part], is_over: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """Learn, if it is time to, from what others of this shape have gathered; otherwise as :meth:`update`."""

    def status(self) -> dict[str, float]:
        """Where the schedules stand now (epsilon, learning_rate, entropy_coefficient ...), for the display."""

    def state_dict(self, with_replay: bool = False) -> dict[str, Any]:
        """All it needs to go on but its replay: networks, optimiser, schedules, counters, random states.

        Args:
            with_replay: also what is known of each of the replay's transitions, which goes with its rows.

        Returns:
            Tensors and plain data.
        """

    def cut_fights(self) -> None:
        """The fights under way do not go on; after :meth:`load_state_dict`, where the world was not saved."""

    def begin_schedules(self) -> None:
        """The schedules that end with the training, such as the learning rate, run from here to there, not from 0."""

    def load_parent(self, state: dict[str, Any]) -> None:
        """Start from another agent: take networks and statistics out of its state; all else begins anew."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave; raises UserError if the shapes do not fit."""

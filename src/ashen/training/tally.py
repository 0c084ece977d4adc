"""What happened between two rows of metrics: fights, rewards by term, learner's numbers, and where the time went."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import Outcome

PARTS = ("world", "acting", "learning", "evaluation")


class Stopwatch:
    """Adds up the seconds spent in each part of a training."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(PARTS, 0.0)
        self._started = time.perf_counter()

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Time a block; ``part`` is one of :data:`PARTS`."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[part] += time.perf_counter() - begin

    def leave_out(self, part: str, seconds: float) -> None:
        """So many of this part were a pause."""
        self._seconds[part] -= seconds
        self._started += seconds

    @property
    def seconds(self) -> float:
        """All of them so far."""
        return time.perf_counter() - self._started

    def state_dict(self) -> dict[str, Any]:
        """The seconds so far."""
        return {"all": self.seconds, "parts": dict(self._seconds)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there; what went by meanwhile does not count."""
        self._started, self._seconds = time.perf_counter() - state["all"], dict(state["parts"])

    def take(self) -> tuple[float, dict[str, float]]:
        """All seconds and the seconds by part since the last call."""
        now = time.perf_counter()
        taken = now - self._started, self._seconds
        self._seconds, self._started = dict.fromkeys(PARTS, 0.0), now
        return taken


class Tally:
    """Counts finished fights and averages what the learner reports, until a row is taken.

    Args:
        num_envs: N, fights side by side.
        term_names: reward terms, K of them.
        full_fight: whether the fights can change phase; adds ``phase_change_rate`` to the row.
    """

    def __init__(self, num_envs: int, term_names: Sequence[str], full_fight: bool = False):
        self.episodes = self.game_steps = 0
        self._term_names, self._full_fight = term_names, full_fight
        self._terms = np.zeros((num_envs, len(term_names)))
        self._returns = np.zeros(num_envs)
        self._watch = Stopwatch()
        self.time, self.leave_out = self._watch.__call__, self._watch.leave_out
        self._clear()

    @property
    def seconds(self) -> float:
        """Since the last row, pauses of the training left out."""
        return self._watch.seconds

    def add_step(
        self,
        rewards: NDArray[Any],
        info: dict[str, Any],
        ended: NDArray[np.bool_],
        whole: NDArray[np.bool_],
        final: NDArray[Any],
        passed: NDArray[np.int32],
    ) -> None:
        """Take in one step of all fights.

        Args:
            rewards: [N].
            info: of the step, as :class:`ashen.env.vector.FightVectorEnv` gives it.
            ended: fights that are over [N].
            whole: fights that began at the beginning [N]; only these are counted when they end.
            final: FIGHT_STATE [N], read where fights ended.
            passed: steps of 0.1 s that went by in each fight [N], waits among them.
        """
        self.steps += len(rewards)
        self.game_steps += int(passed.sum())
        self._returns += rewards
        self._terms += info["reward_terms"]
        for slot in np.flatnonzero(ended & whole):
            self.episodes += 1
            self._outcomes.append(Outcome(int(info["outcome"][slot])))
            self._lengths.append(int(final["step"][slot]))
            self._reached_phase2.append(bool(final["phase"][slot] == 2))
            self._fight_returns.append(float(self._returns[slot]))
            self._fight_terms.append(self._terms[slot].copy())
        self.start_anew(ended)

    def start_anew(self, which: NDArray[np.bool_]) -> None:
        """Forget the fights under way in these slots [N]."""
        self._returns[which] = 0.0
        self._terms[which] = 0.0

    def begin_after(self, state: dict[str, Any]) -> None:
        """Count on from what another had counted in all, see :meth:`state_dict`; what was under way is left out."""
        self.episodes, self.game_steps = state["episodes"], state["game_steps"]

    def take_counts(self) -> dict[str, Any]:
        """What was counted since the last call, for :meth:`add_counts` of another; counting starts anew."""
        counts = {name: getattr(self, name) for name in _SENT}
        self.episodes = self.game_steps = 0
        self._clear()
        return counts

    def add_counts(self, counts: dict[str, Any]) -> None:
        """Take in what another has counted."""
        for name in _SENT:
            setattr(self, name, getattr(self, name) + deepcopy(counts[name]))  # arrays may be others' memory

    def add_update(self, metrics: dict[str, float]) -> None:
        """Take in what the learner says of one update; averaged in the row."""
        for name, value in metrics.items():
            self._metrics[name].append(value)

    def take_row(self) -> dict[str, Any]:
        """The row of a ``train`` record, see :mod:`ashen.runs.metrics`; counting starts anew."""
        seconds, parts = self._watch.take()
        fights, wins = len(self._outcomes), self._outcomes.count(Outcome.WIN)
        judged = fights - self._outcomes.count(Outcome.FAULT)
        terms = np.mean(self._fight_terms, axis=0) if fights else np.full(len(self._term_names), np.nan)
        row = {
            "fights": fights,
            "faults": fights - judged,
            "win_rate": wins / judged if judged else None,
            "return_mean": float(np.mean(self._fight_returns)) if fights else None,
            "length_mean_steps": float(np.mean(self._lengths)) if fights else None,
            "steps_per_s": self.steps / seconds,
        }
        if self._full_fight:
            row["phase_change_rate"] = float(np.mean(self._reached_phase2)) if fights else None
        row |= {name: float(np.mean(values)) for name, values in self._metrics.items()}
        row |= {f"term/{name}": float(value) for name, value in zip(self._term_names, terms, strict=True)}
        row |= {f"seconds/{part}": value for part, value in parts.items()}
        self._clear()
        return row

    def state_dict(self) -> dict[str, Any]:
        """All that was counted since the last row, and in all. The arrays are live: save or copy them."""
        return {name: getattr(self, name) for name in _COUNTED} | {
            "outcomes": [int(outcome) for outcome in self._outcomes],
            "metrics": dict(self._metrics),
            "seconds": self._watch.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on counting from there, over as many environments."""
        for name in _COUNTED:
            setattr(self, name, state[name])
        self._outcomes = [Outcome(outcome) for outcome in state["outcomes"]]
        self._metrics = defaultdict(list, state["metrics"])
        self._watch.load_state_dict(state["seconds"])

    def _clear(self) -> None:
        self.steps = 0
        self._outcomes: list[Outcome] = []
        self._lengths: list[int] = []
        self._reached_phase2: list[bool] = []
        self._fight_returns: list[float] = []
        self._fight_terms: list[NDArray[np.float64]] = []
        self._metrics: dict[str, list[float]] = defaultdict(list)


_SENT = (
    "episodes", "game_steps", "steps", "_outcomes", "_lengths", "_reached_phase2", "_fight_returns", "_fight_terms",
)  # fmt: skip
_COUNTED = (
    "episodes", "game_steps", "steps", "_returns", "_terms", "_lengths", "_reached_phase2", "_fight_returns",
    "_fight_terms",
)  # fmt: skip

"""What a guard may judge by: the recipe, the reward, the rows of metrics so far and the windows of fights seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ashen.runs.metrics import Row
from ashen.training.monitors.window import Window
from ashen.training.recipe import Recipe

ENOUGH_WINDOWS = 3
"""Windows over which a policy's choices are judged: it may leave out a thing for a while before it learns its use."""

UNCLEAR: Final = ""
"""What a guard finds where it cannot tell: nothing is said of it, and what was found before is not over by that."""


@dataclass
class Look:
    """Everything there is to judge by; it grows as the training goes on.

    Attributes:
        recipe: what is trained, and how.
        reward: an :class:`ashen.rewards.Reward`.
        action_names: names of the A actions.
        inputs: (name, feature) of each of the D numbers of an observation.
        reward_scale: factor from rewards to the learner's values.
        rows: rows of metrics, oldest first; numbers that are not finite stand in them, or None where rows were read.
        windows: full windows of fights, oldest first.
    """

    recipe: Recipe
    reward: Any
    action_names: Sequence[str]
    inputs: Sequence[tuple[str, str]]
    reward_scale: float = 1.0
    rows: list[Row] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)

    @property
    def newest(self) -> Row:
        """The newest row about training; empty before the first."""
        return next((row for row in reversed(self.rows) if row["kind"] == "train"), {})

    @property
    def env_step(self) -> int:
        """Where the training stands."""
        return self.newest.get("env_step", 0)

    def since(self, env_step: float) -> list[Row]:
        """The training rows after ``env_step`` in which fights ended, oldest first."""
        return [row for row in self.rows if row["kind"] == "train" and row["env_step"] > env_step and row["fights"]]

    def latest(self, fights: int) -> list[Row]:
        """The newest training rows that hold so many fights together, newest first; none if there are not as many."""
        found, count = [], 0
        for row in reversed(self.rows):
            if row["kind"] == "train" and row["fights"]:
                found.append(row)
                count += row["fights"]
                if count >= fights:
                    return found
        return []

    def was_warned(self, guard: str) -> bool:
        """Whether a guard of this name has found something so far."""
        return any(row["kind"] == "warning" and row["guard"] == guard for row in self.rows)

    def match_win_rate(self) -> float:
        """Win rate of the newest match, 0..1; 0 before the first."""
        matches = (row["win_rate"] for row in reversed(self.rows) if row["kind"] == "evaluation")
        return next(matches, 0.0)

    def paces(self) -> list[tuple[int, float]]:
        """Of each training row in which updates were made, but the first: steps, and seconds without matches."""
        paces, is_learning = [], False
        for before, row in pairwise(row for row in self.rows if row["kind"] == "train"):
            if row.get("updates"):
                seconds = sum(row[f"seconds/{part}"] for part in ("world", "acting", "learning"))
                if is_learning:
                    paces.append((row["env_step"] - before["env_step"], seconds))
                is_learning = True
        return paces

    def own_shares(self) -> NDArray[np.float64] | None:
        """How often the policy itself takes each action where it has a choice, [A], without what epsilon chose.

        None before there are enough windows, without choices in them, and while chance chooses more than the policy.
        """
        windows, epsilon = self.windows[-ENOUGH_WINDOWS:], self.newest.get("epsilon", 0.0)
        if len(windows) < ENOUGH_WINDOWS or epsilon > 0.5:
            return None
        chosen, by_chance = (sum(getattr(one, name) for one in windows) for name in ("chosen", "by_chance"))
        return (chosen - epsilon * by_chance) / (chosen.sum() * (1.0 - epsilon)) if chosen.any() else None


def fight_mean(rows: Sequence[Row], key: str) -> float:
    """Mean over the fights of training rows of a number that stands in them per fight; rows without it do not count."""
    pairs = [(row[key], row["fights"]) for row in rows if row.get(key) is not None]
    return float(np.average([value for value, _ in pairs], weights=[fights for _, fights in pairs])) if pairs else 0.0

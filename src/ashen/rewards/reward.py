"""A reward: weights on terms, from a preset or a table of one's own."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ashen.core.compiled import njit
from ashen.core.errors import UserError, unknown
from ashen.core.fight import MAX_STEPS, NO_ACTION, Outcome
from ashen.core.tables import read_toml
from ashen.rewards.terms import AMOUNTS, DYING, EACH_STEP, SIZES, TERM_NAMES, WINNING, fill_amounts

PART = np.dtype([("source", np.int32), ("weight", np.float32)])
"""One term of a reward as the compiled code reads it: its place in AMOUNTS and its weight."""


class Reward:
    """A weighted sum of terms.

    Attributes:
        names: names of its K terms, those whose weight is not 0.
        weights: their weights, scale included, by name.
        parts: PART records [K].
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.weights = {name: float(weights[name]) for name in TERM_NAMES if weights.get(name, 0.0) != 0.0}
        self.names = tuple(self.weights)
        packed = [(TERM_NAMES.index(name), weight) for name, weight in self.weights.items()]
        self.parts = np.array(packed, PART)

    @property
    def usual(self) -> dict[str, float]:
        """What each term usually comes to in a fight, by name."""
        return {name: weight * SIZES[name].usual for name, weight in self.weights.items()}

    @property
    def winning(self) -> float:
        """What winning a fight usually pays, the damage it takes included."""
        return sum(value for name, value in self.usual.items() if name in WINNING)

    @property
    def dying(self) -> float:
        """What losing a fight usually pays, the damage it takes included; negative if it costs."""
        return sum(value for name, value in self.usual.items() if name in DYING)

    @property
    def shaping(self) -> tuple[str, ...]:
        """The terms that pay neither for winning nor for losing."""
        return tuple(name for name in self.names if name not in WINNING + DYING)

    def value_bounds(self, discount: float) -> tuple[float, float]:
        """The least and the most that the rest of a fight can be worth.

        Args:
            discount: weight of the next step's value, per step of 0.1 s; 1 where a decision may span many steps.
        """
        horizon_steps = min(MAX_STEPS, 1.0 / (1.0 - discount)) if discount < 1.0 else MAX_STEPS
        low = high = 0.0
        for name, weight in self.weights.items():
            most = horizon_steps if name in EACH_STEP else SIZES[name].most
            ends = weight * SIZES[name].least, weight * most
            low, high = low + min(ends), high + max(ends)
        return low, high

    def score(
        self,
        rows: NDArray[Any],
        outcome: Outcome,
        arena: NDArray[Any],
        actions: ArrayLike | None = None,
    ) -> NDArray[np.float32]:
        """Weighted terms of every step of a recorded fight, so that it can be judged by another reward.

        Args:
            rows: consecutive FIGHT_STATE rows [T + 1] of one fight.
            outcome: how the fight stood after the last row.
            arena: ARENA record [1].
            actions: [T], ``actions[t]`` led from row t to row t + 1; None if unknown.

        Returns:
            float32 [T, K]; the reward of a step is the sum over K.
        """
        steps = len(rows) - 1
        taken = np.full(steps, NO_ACTION, np.int64) if actions is None else np.asarray(actions, np.int64)
        if len(taken) != steps:
            raise UserError(f"{len(taken)} actions for {steps} steps; give one for each pair of rows")
        terms = np.empty((steps, len(self.names)), np.float32)
        room = np.zeros(1, AMOUNTS)
        _score_all(rows, int(outcome), taken, arena, self.parts, room, room.view(np.float32), terms)
        return terms


def make_reward(spec: str | Mapping[str, Any]) -> Reward:
    """A reward from the name of a preset, or from a table of weights that may start from one.

    Args:
        spec: ``"soulsgym"``, or for example ``{"preset": "diary", "damage_dealt": 1.5, "scale": 0.1}``.

    Raises:
        UserError: unknown preset or term, or a weight that is no finite number.
    """
    table = dict(_preset(spec)) if isinstance(spec, str) else _merged(spec)
    scale = _number("scale", table.pop("scale", 1.0))
    for name in table:
        if name not in TERM_NAMES:
            raise unknown("reward term", name, (*TERM_NAMES, "scale", "preset"), "the reward")
    reward = Reward({name: scale * _number(name, weight) for name, weight in table.items()})
    if not reward.names:
        raise UserError("the reward has no term with a weight; name a preset or give a weight, e.g. damage_dealt = 1.0")
    return reward


def preset_names() -> tuple[str, ...]:
    """The presets there are."""
    return tuple(_presets())


@cache
def _presets() -> dict[str, dict[str, float]]:
    return read_toml(Path(__file__).with_name("presets.toml"))


def _preset(name: str) -> dict[str, float]:
    if name not in _presets():
        raise unknown("reward preset", name, _presets())
    return _presets()[name]


def _merged(spec: Mapping[str, Any]) -> dict[str, Any]:
    own = dict(spec)
    base = own.pop("preset", None)
    return {**(_preset(base) if base is not None else {}), **own}


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise UserError(f"reward weight {name} = {value!r} is no number; write for example {name} = 1.0")
    return float(value)


@njit
def pay(previous, now, outcome, action, hits, arena, parts, amounts, values, terms):
    """Add one step's weighted terms to ``terms`` [K].

    Args:
        previous: FIGHT_STATE record before the step.
        now: FIGHT_STATE record after it.
        outcome: how the fight stands after it.
        action: what was chosen, 0..19, or NO_ACTION.
        hits: hits on the boss in this fight before this step.
        arena: ARENA record.
        parts: PART records [K].
        amounts: AMOUNTS record, room to work in.
        values: the same room read as a vector.
        terms: float32 [K], changed in place.

    Returns:
        the hits on the boss so far, and the sum of this step's terms.
    """
    fill_amounts(previous, now, outcome, action, hits, arena, amounts)
    reward = 0.0
    for k in range(len(parts)):
        value = parts[k].weight * values[parts[k].source]
        terms[k] += value
        reward += value
    return hits + (1 if now.boss_hp < previous.boss_hp else 0), reward


@njit
def _score_all(rows, outcome, actions, arena, parts, room, values, terms):
    terms[:] = 0.0
    hits = 0
    for t in range(len(actions)):
        stands = outcome if t == len(actions) - 1 else 0
        hits, _ = pay(rows[t], rows[t + 1], stands, actions[t], hits, arena[0], parts, room[0], values, terms[t])

"""Domain randomisation: a pool of tables in which every number varies within what its confidence allows.

How far is a table of its own, ``data/variation.toml``.
"""

from typing import Any

import numpy as np

from ashen.core.errors import unknown
from ashen.core.limits import TIME_COLUMNS
from ashen.core.seeding import generator
from ashen.core.tables import Fact, data_file, plain, read_toml

RANDOMISE = ("none", "facts", "wide")
POOL = 128
"""Tables in a pool; each fight takes one by its seed."""
_TRUSTED = "MDCW"
"""Confidences whose shapes vary by their own share, not by the factors of shapes."""
_MOST_INNER = 0.8
"""A dead zone never covers more than this share of its attack's reach."""


def pool(
    boss: dict[str, Any], player: dict[str, Any], mode: str, seed: int, share: float = 1.0
) -> list[tuple[dict[str, Any], ...]]:
    """Plain tables of boss and player, each varied anew.

    Args:
        boss: facts of the boss.
        player: facts of the player.
        mode: ``"facts"`` or ``"wide"``.
        seed: of the pool.
        share: of the pairs that are varied, 0..1; the others are the tables as they stand.

    Returns:
        POOL pairs; each player's table has ``inputs``: ``late_odds``, ``drop_odds``, ``clock_jitter_s``.

    Raises:
        UserError: there is no such mode.
    """
    if mode not in RANDOMISE[1:]:
        raise unknown("randomise", mode, RANDOMISE)
    table = read_toml(data_file("variation.toml"))
    rng = generator(seed, f"randomise-{mode}")
    varied = round(share * POOL)
    pairs = [(plain(boss), plain(player)) for _ in range(POOL - varied)]
    for _ in range(varied):
        draw = _Draw(rng, table[mode], frozenset(table["exact"]))
        foe, knight = draw.tree(boss), draw.tree(player)
        knight["inputs"] = {key: rng.uniform(*table[mode][key]) for key in ("late_odds", "drop_odds", "clock_jitter_s")}
        for phase in foe["phases"].values():
            for attack in phase["attacks"].values():
                _mend(attack)
        pairs.append((foe, knight))
    return pairs


class _Draw:
    """One variation of every fact of a tree."""

    def __init__(self, rng: np.random.Generator, spread: dict[str, Any], exact: frozenset[str]) -> None:
        self._rng, self._spread, self._exact = rng, spread, exact

    def tree(self, node: Any, key: str = "") -> Any:
        """The plain tree with every fact varied; ``key`` is the nearest name above."""
        if isinstance(node, Fact):
            return node.value if key in self._exact else self._vary(node, key)
        if isinstance(node, dict):
            return {name: self.tree(value, name) for name, value in node.items()}
        return [self.tree(value, key) for value in node] if isinstance(node, list) else node

    def _vary(self, fact: Fact, key: str) -> Any:
        value, spread = fact.value, self._spread
        if isinstance(value, list) and value and isinstance(value[0], list):
            times, factor = TIME_COLUMNS.get(key, 0), 1.0 + self._within(spread["share"][fact.confidence])
            return [[*row[:times], *(number * factor for number in row[times:])] for row in value]
        is_shape = fact.confidence not in _TRUSTED
        if is_shape and key in spread.get("between", {}):
            return self._rng.uniform(*spread["between"][key])
        if is_shape and key in spread.get("factor", {}):
            return value * self._rng.uniform(*spread["factor"][key])
        if fact.range is not None:
            inside = self._rng.uniform(*fact.range)
            return self._moved(value, inside - value[-1]) if isinstance(value, list) else inside
        if key.endswith("_s") and not key.endswith(("m_s", "deg_s", "per_s")):
            return self._moved(value, self._within(spread["shift_s"][fact.confidence]))
        return self._scaled(value, 1.0 + self._within(spread["share"][fact.confidence]))

    def _within(self, most: float) -> float:
        return float(self._rng.uniform(-most, most))

    @staticmethod
    def _moved(value: Any, by: float) -> Any:
        if isinstance(value, list):
            return [max(0.0, number + by) for number in value]
        return max(0.0, value + by)

    @staticmethod
    def _scaled(value: Any, factor: float) -> Any:
        if isinstance(value, list):
            return [number * factor for number in value]
        return round(value * factor) if isinstance(value, int) else value * factor


def _mend(attack: dict[str, Any]) -> None:
    """Keep an attack possible: it ends after its hits, and its shapes have an inside."""
    ends = [hit["window_s"][1] for hit in attack["hits"]]
    attack["name_end_s"] = max([attack["name_end_s"], attack.get("combo_s", 0.0), *ends])
    attack["next_motion_s"] = max(attack["next_motion_s"], attack["name_end_s"])
    for hit in attack["hits"]:
        hit["half_arc_deg"] = min(180.0, hit["half_arc_deg"])
        hit["inner_m"] = min(hit["inner_m"], _MOST_INNER * hit["reach_m"])

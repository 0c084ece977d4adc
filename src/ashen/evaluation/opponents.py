"""Built-in opponents: policies of a few lines that an agent has to beat, the reference lines of every table.

They see what an agent sees, FIGHT_STATE and the mask, and keep no memory.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import unknown
from ashen.core.fight import ACTION_NAMES, REPORTED_STEP_S, STEP_S
from ashen.core.protocols import Decision
from ashen.core.tables import boss_file, measured_facts, plain
from ashen.core.vocabulary import Vocabulary, boss_vocabulary

DESCRIPTIONS = {
    "random": "draws uniformly from all actions and ignores the mask, as measured on the game",
    "random-valid": "draws uniformly from the valid actions",
    "always-attack": "runs to the boss and attacks whenever it can",
    "roll-and-hit": "rolls on a fixed delay after each wind-up, hits when it is safe",
}
"""Every opponent and what it does."""

REACH_M = 2.6
"""Closer than this, the scripts swing."""
ROLL_LEAD_S = 0.25
"""Rolls start this long before an attack's hit window opens; they are safe for about 0.4 s."""
SAFE_AFTER_S = 0.3
"""An attack is over this long after its last hit window closes."""
DEFAULT_HIT_S = (1.0, 1.5)
"""Hit window of an attack whose table names none."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SALT = np.uint64(0xD1B54A32D192ED03)


def make_opponent(name: str, boss: str, action_names: Sequence[str]) -> "Opponent":
    """Build an opponent.

    Args:
        name: one of :data:`DESCRIPTIONS`.
        boss: name or table of the boss it meets.
        action_names: the actions of the environment it plays in, A of them.

    Raises:
        UserError: there is no opponent or boss of that name.
    """
    if name == "random":
        return RandomPolicy(name, action_names, only_valid=False)
    if name == "random-valid":
        return RandomPolicy(name, action_names, only_valid=True)
    if name == "always-attack":
        return AlwaysAttack(name, action_names)
    if name == "roll-and-hit":
        return RollAndHit(name, action_names, boss)
    raise unknown("opponent", name, DESCRIPTIONS)


class Opponent:
    """What all opponents share: a name, and actions by their names.

    Args:
        name: what it is called.
        action_names: the environment's actions, A of them.
    """

    score_kind = "probabilities"

    def __init__(self, name: str, action_names: Sequence[str]):
        self.name = name
        self._num_actions = len(action_names)
        # Actions left out of a small action set fall back on the nearest direction, or on the last action.
        self._index = {action: _nearest_index(action, action_names) for action in ACTION_NAMES}
        self._walks = np.array([self._index[action] for action in ACTION_NAMES[:8]])
        self._rolls = np.array([self._index[action] for action in ACTION_NAMES[8:16]])

    def begin(self, seeds: NDArray[np.uint64]) -> None:
        """Nothing to do for a script."""

    def act(self, states: NDArray[Any], obs: Any, mask: NDArray[np.bool_]) -> Decision:
        """Choose actions [N]; the scores are 1 for the choice, 0 for the rest."""
        actions = self._choose(states, mask)
        return Decision(actions, np.eye(self._num_actions, dtype=np.float32)[actions])

    def _choose(self, states: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        raise NotImplementedError

    def _approach_and_hit(self, states: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Swing in reach, else run to the boss; while swinging is not valid, wait."""
        distance_m, direction = _towards_boss(states)
        attack = self._index["light_attack"]
        near = np.where(mask[:, attack], attack, self._index["nothing"])
        return np.where(distance_m <= REACH_M, near, self._walks[direction])


class RandomPolicy(Opponent):
    """Draws uniformly, from all actions or from the valid ones; the draw depends on the fight's seed and step alone."""

    def __init__(self, name: str, action_names: Sequence[str], only_valid: bool):
        super().__init__(name, action_names)
        self._only_valid = only_valid
        self._seeds = np.zeros(0, np.uint64)

    def begin(self, seeds: NDArray[np.uint64]) -> None:
        """Keep what the draws come from; salted, so that they share no numbers with the fights on the same seeds."""
        self._seeds = seeds ^ _SALT

    def act(self, states: NDArray[Any], obs: Any, mask: NDArray[np.bool_]) -> Decision:
        """Draw one action a fight; the scores are the probabilities."""
        allowed = mask if self._only_valid else np.ones_like(mask)
        # Without a valid action, as while lying, any will do: it has no effect.
        allowed = allowed | ~allowed.any(axis=1, keepdims=True)
        chances = allowed / allowed.sum(axis=1, keepdims=True)
        draw = _uniform(self._seeds, states["step"])
        actions = (np.cumsum(chances, axis=1) <= draw[:, None]).sum(axis=1)
        return Decision(np.minimum(actions, self._num_actions - 1), chances.astype(np.float32))


class AlwaysAttack(Opponent):
    """Runs to the boss and swings whenever it can."""

    def _choose(self, states: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        return self._approach_and_hit(states, mask)


class RollAndHit(Opponent):
    """Rolls towards the boss just before each attack lands, hits when no attack is about to land.

    The times come from the boss's table, one pair an attack and phase, and are kept to blindly: an attack chained to
    another lands later than its clock says.
    """

    def __init__(self, name: str, action_names: Sequence[str], boss: str):
        super().__init__(name, action_names)
        path = boss_file(boss)
        vocabulary = boss_vocabulary(path)
        self._is_attack = np.append(vocabulary.is_attack(), False)
        facts = measured_facts(path, f"{name} knows no time to roll; take random, random-valid or always-attack")
        self._hits_s = _hit_windows_s(plain(facts), vocabulary)

    def _choose(self, states: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        shown, clock_s = states["boss_animation"], states["boss_animation_s"]
        opens_s, closes_s = self._hits_s[states["phase"] - 1, shown].T
        _, direction = _towards_boss(states)
        roll = self._rolls[direction]
        attacked = self._is_attack[shown]
        due = attacked & (clock_s >= opens_s - ROLL_LEAD_S) & (clock_s <= closes_s)
        waits = attacked & ~due & (clock_s < closes_s + SAFE_AFTER_S)
        rolls = due & mask[np.arange(len(mask)), roll]
        actions = self._approach_and_hit(states, mask)
        actions = np.where(waits | due, self._index["nothing"], actions)
        return np.where(rolls, roll, actions)


def _towards_boss(states: NDArray[Any]) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Distance [N] to the boss, and which of the eight directions [N] leads there (relative to the camera)."""
    dx, dy = states["boss_x_m"] - states["player_x_m"], states["boss_y_m"] - states["player_y_m"]
    # The game turns walking directions clockwise from the camera's bearing, in steps of 45 degrees.
    turn = np.arctan2(dx, dy) - np.arctan2(states["camera_nx"], states["camera_ny"])
    return np.hypot(dx, dy), np.rint(turn / (np.pi / 4)).astype(np.int64) % 8


def _nearest_index(action: str, action_names: Sequence[str]) -> int:
    names = list(action_names)
    if action in names:
        return names.index(action)
    kind, _, direction = action.partition("_")
    straight = f"{kind}_{direction.split('_')[0]}"
    return names.index(straight) if straight in names else len(names) - 1


def _hit_windows_s(table: dict[str, Any], vocabulary: Vocabulary) -> NDArray[np.float64]:
    """First opening and last closing of each attack's hit windows on the clock shown, [2 phases, V + 1, 2]."""
    windows = np.tile(np.array(DEFAULT_HIT_S), (2, len(vocabulary.names) + 1, 1))
    for phase, moves in table.get("phases", {}).items():
        for name, attack in moves.get("attacks", {}).items():
            if hits := attack.get("hits"):
                starts, ends = zip(*(hit["window_s"] for hit in hits), strict=True)
                windows[int(phase) - 1, vocabulary.id(name)] = min(starts), max(ends)
    return windows * (REPORTED_STEP_S / STEP_S)


def _uniform(seeds: NDArray[np.uint64], steps: NDArray[np.int32]) -> NDArray[np.float64]:
    """Uniform draws in [0, 1) that depend on seed and step alone (splitmix64's mixing)."""
    with np.errstate(over="ignore"):
        z = seeds + (steps.astype(np.uint64) + np.uint64(1)) * _MIX
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)) * 2.0**-53

"""Uniformly random play that ignores the mask, as real runs logged it: lengths, returns, what occurs."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.seeding import generator
from ashen.core.vocabulary import Vocabulary
from ashen.env import make_vec
from ashen.evaluation.logged import as_logged
from ashen.sim.backend import SimBackend

BATCH_STEPS = 1000


@dataclass
class RandomFights:
    """What N random fights came to.

    Args:
        lengths: steps [N].
        returns: [N].
        dealt: share of the boss's hit points dealt [N].
        fell: whether it ended by falling [N].
        boss_seen: how often each boss animation began, by name.
        player_seen: the same of the player.
    """

    lengths: NDArray[np.int64]
    returns: NDArray[np.float64]
    dealt: NDArray[np.float64]
    fell: NDArray[np.bool_]
    boss_seen: Counter[str] = field(default_factory=Counter)
    player_seen: Counter[str] = field(default_factory=Counter)

    @property
    def attacks_per_1000_steps(self) -> float:
        """Boss attacks that began, per 1,000 steps."""
        attacks = sum(count for name, count in self.boss_seen.items() if name.startswith("Attack"))
        return 1000.0 * attacks / float(self.lengths.sum())


def random_fights(
    boss: str, fight: str, fights: int, seed: int, actions: str = "all", tables: NDArray[Any] | None = None
) -> RandomFights:
    """Play fights from the fixed start under the default reward, each to its end.

    Args:
        boss: name or table.
        fight: kind of fight.
        fights: N.
        seed: of fights and actions.
        actions: the set drawn from.
        tables: TABLE [1] to fight by in place of the boss's own.
    """
    backend = _backend(boss, fight, fights, False, tables)
    env = make_vec(boss, encoder="raw26", reward="soulsgym", actions=actions, backend=backend)
    rng = generator(seed, "random play", fight, actions)
    env.reset(seed=seed)
    result = RandomFights(*(np.zeros(fights, kind) for kind in (np.int64, np.float64, np.float64, np.bool_)))
    alive, before = np.ones(fights, np.bool_), env.states.copy()
    fall_z_m = float(backend.tables["arena"]["fall_z_m"][0])
    while alive.any():
        _, rewards, terminated, truncated, _ = env.step(rng.integers(0, len(env.action_names), fights))
        after = env.final_states
        result.lengths += alive
        result.returns += alive * rewards
        for body, vocabulary, seen in (
            ("boss", env.backend.boss_vocabulary, result.boss_seen),
            ("player", env.backend.player_vocabulary, result.player_seen),
        ):
            _count_new(before, after, alive, body, vocabulary, seen)
        ended = alive & (terminated | truncated)
        result.dealt[ended] = 1.0 - after["boss_hp"][ended] / after["boss_max_hp"][ended]
        result.fell[ended] = after["player_z_m"][ended] < fall_z_m
        alive &= ~ended
        before = env.states.copy()
    env.close()
    return result


def reward_per_step(
    boss: str, fight: str, steps: int, seed: int, num_envs: int = 256, tables: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Mean diary reward over batches of 1,000 consecutive steps of random play from random starts.

    Returns:
        [batches]; batches of one environment follow each other, the first of each is left out.
    """
    backend = _backend(boss, fight, num_envs, True, tables)
    env = make_vec(boss, encoder="raw26", reward="diary", backend=backend)
    rng = generator(seed, "reward per step", fight)
    env.reset(seed=seed)
    batches = max(2, steps // (num_envs * BATCH_STEPS) + 1)
    means = np.zeros((batches, num_envs))
    for batch in range(batches):
        for _ in range(BATCH_STEPS):
            _, rewards, *_ = env.step(rng.integers(0, len(env.action_names), num_envs))
            means[batch] += rewards / BATCH_STEPS
    env.close()
    return means[1:].ravel()


def _backend(boss: str, fight: str, fights: int, random_start: bool, tables: NDArray[Any] | None) -> SimBackend:
    backend = SimBackend(boss, fight, fights, random_start)
    backend.tables = as_logged(backend.tables if tables is None else tables)
    return backend


def _count_new(
    before: NDArray[Any],
    after: NDArray[Any],
    alive: NDArray[np.bool_],
    body: str,
    vocabulary: Vocabulary,
    seen: Counter[str],
) -> None:
    shown = after[f"{body}_animation"]
    began = alive & (shown != before[f"{body}_animation"])
    ids, counts = np.unique(shown[began], return_counts=True)
    for index, count in zip(ids.tolist(), counts.tolist(), strict=True):
        seen[vocabulary.name(index)] += count

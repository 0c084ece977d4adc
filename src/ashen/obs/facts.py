"""What encoders must know of a boss and of the player: arena, lock times, attacks, animation bins, in one record."""

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.arena import ARENA, make_arena
from ashen.core.fight import MAX_BOSS_ANIMATIONS, MAX_HITS, NUM_PHASES, UNKNOWN_ANIMATION
from ashen.core.tables import load_facts, plain
from ashen.core.vocabulary import Vocabulary, boss_vocabulary, lock_times_s, player_vocabulary

MAX_PLAYER_ANIMATIONS = 64

STRIKES = np.dtype(
    [
        ("count", np.int32),
        ("from_s", np.float32, (MAX_HITS,)),
        ("to_s", np.float32, (MAX_HITS,)),
        ("reach_m", np.float32, (MAX_HITS,)),
        ("bearing_rad", np.float32, (MAX_HITS,)),
        ("half_arc_rad", np.float32, (MAX_HITS,)),
    ],
    align=True,
)
"""The hits of one of the boss's animations as his table has them, by the animation's clock; none but for attacks."""

FACTS = np.dtype(
    [
        ("arena", ARENA),
        ("with_geometry", np.int32),
        ("with_seen", np.int32),
        ("player_known", np.int32),
        ("boss_known", np.int32),
        ("boss_count", np.int32),
        ("player_bin", np.int32, (MAX_PLAYER_ANIMATIONS,)),
        ("boss_bin", np.int32, (MAX_BOSS_ANIMATIONS,)),
        ("boss_moves", np.int32, (MAX_BOSS_ANIMATIONS,)),
        ("boss_attacks", np.int32, (MAX_BOSS_ANIMATIONS,)),
        ("lock_s", np.float32, (MAX_PLAYER_ANIMATIONS, 3)),
        ("strikes", STRIKES, (NUM_PHASES, MAX_BOSS_ANIMATIONS)),
    ],
    align=True,
)
"""``with_geometry`` and ``with_seen`` are set by the encoder. ``*_known`` is how many ids SoulsGym has; ``*_bin``
are SoulsAI's bins by id, -1 for names SoulsGym lacks; ``boss_moves`` and ``boss_attacks`` are 1 for walks and turns,
for attacks; ``lock_s`` are the times until attacks, rolls, walks are accepted; ``strikes`` by phase and animation."""

MOVES_LABEL = "<Walk*|Turn*>"
_PLAYER_BINS = (
    ("<AddDamage*>", ("AddDamage",)),
    ("<Idle|Move|None|RunStop*>", ("Idle", "Move", "None", "RunStop")),
    ("<QuickTurn*>", ("QuickTurn",)),
    ("<LandFace*>", ("LandFace",)),
    ("<Land*>", ("Land",)),
    ("<Fall*>", ("Fall",)),
)


@cache
def make_facts(boss: Path) -> NDArray[Any]:
    """Pack the facts of one boss's table into a FACTS record, [1]; callers copy it before they change it."""
    player, foe = player_vocabulary(), boss_vocabulary(boss)
    facts = np.zeros(1, FACTS)
    facts["arena"] = make_arena(load_facts(boss)["arena"])
    facts["player_known"], facts["boss_known"] = player.soulsgym_count, foe.soulsgym_count
    facts["boss_count"] = len(foe.names)
    facts["player_bin"], facts["boss_bin"] = UNKNOWN_ANIMATION, UNKNOWN_ANIMATION
    facts["player_bin"][0, : player.soulsgym_count] = bins(player_labels(player))[1]
    facts["boss_bin"][0, : foe.soulsgym_count] = bins(boss_labels(foe))[1]
    facts["boss_moves"][0, : len(foe.names)] = foe.is_movement()
    facts["boss_attacks"][0, : len(foe.names)] = foe.is_attack()
    facts["lock_s"][0, : len(player.names)] = lock_times_s()
    for number, phase in plain(load_facts(boss).get("phases", {})).items():
        for name, attack in phase["attacks"].items():
            _fill_strikes(facts["strikes"][0, int(number) - 1, foe.id(name)], attack["hits"])
    return facts


def _fill_strikes(row: np.void, hits: list[dict[str, Any]]) -> None:
    row["count"] = min(len(hits), MAX_HITS)
    for slot, hit in enumerate(sorted(hits, key=lambda hit: hit["window_s"][0])[:MAX_HITS]):
        row["from_s"][slot], row["to_s"][slot] = hit["window_s"]
        row["reach_m"][slot] = hit["reach_m"]
        row["bearing_rad"][slot], row["half_arc_rad"][slot] = (
            math.radians(hit[key]) for key in ("bearing_deg", "half_arc_deg")
        )


def player_labels(vocabulary: Vocabulary) -> list[str]:
    """SoulsAI's bin of each player animation that SoulsGym knows, by name."""
    return [_player_label(name) for name in vocabulary.names[: vocabulary.soulsgym_count]]


def boss_labels(vocabulary: Vocabulary) -> list[str]:
    """SoulsAI's bin of each boss animation that SoulsGym knows: walks and turns share one."""
    known = vocabulary.soulsgym_count
    moves = vocabulary.is_movement()[:known]
    return [MOVES_LABEL if move else name for name, move in zip(vocabulary.names[:known], moves, strict=True)]


def bins(labels: list[str]) -> tuple[list[str], list[int]]:
    """Number labels in the order they first appear.

    Returns:
        the distinct labels, and the number of each given one.
    """
    distinct = list(dict.fromkeys(labels))
    return distinct, [distinct.index(label) for label in labels]


def _player_label(name: str) -> str:
    return next((label for label, starts in _PLAYER_BINS if name.startswith(starts)), name)

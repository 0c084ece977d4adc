"""Where and when an attack can hit, from the fact tables: what pictures show of swings, hit windows and dodges."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import radians
from pathlib import Path
from typing import Any

import numpy as np

from ashen.core.fight import REPORTED_STEP_S, STEP_S
from ashen.core.tables import load_facts, plain, player_facts
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary

_REAL_PER_REPORTED = STEP_S / REPORTED_STEP_S


@dataclass(frozen=True)
class Hit:
    """One hit: a ring sector about the attacker, dangerous for a while.

    Args:
        start_s: real seconds on the motion's clock at which it begins to hit.
        end_s: at which it ends.
        inner_m: who stands nearer is safe.
        reach_m: who stands farther is safe.
        half_arc_rad: half the sector's width.
        bearing_rad: its middle, 0 ahead, positive to the attacker's left.
    """

    start_s: float
    end_s: float
    inner_m: float
    reach_m: float
    half_arc_rad: float
    bearing_rad: float = 0.0


@dataclass(frozen=True)
class Attack:
    """One attack of a boss.

    Args:
        hits: in order.
        next_motion_s: real seconds after which another motion may start.
        follow_ups: names of the attacks that may cut it short as parts of a combo.
    """

    hits: tuple[Hit, ...]
    next_motion_s: float
    follow_ups: frozenset[str]


@cache
def boss_attacks(path: Path) -> dict[tuple[int, str], Attack]:
    """Every attack of a boss, by phase and name.

    Raises:
        UserError: the boss's table is missing or broken.
    """
    return {
        (int(phase), name): Attack(
            tuple(_hit(hit) for hit in attack.get("hits", ())), attack["next_motion_s"], _follow_ups(table, name)
        )
        for phase, table in plain(load_facts(path)).get("phases", {}).items()
        for name, attack in table.get("attacks", {}).items()
    }


def _follow_ups(phase: dict[str, Any], name: str) -> frozenset[str]:
    chains = [chain["attacks"] for act in phase.get("acts", {}).values() for chain in act.get("chains", ())]
    return frozenset(after for chain in chains for before, after in pairwise(chain) if before == name)


def _hit(table: dict[str, Any]) -> Hit:
    return Hit(
        *table["window_s"],
        inner_m=table["inner_m"],
        reach_m=table["reach_m"],
        half_arc_rad=radians(table["half_arc_deg"]),
        bearing_rad=radians(table["bearing_deg"]),
    )


def boss_hits(state: np.void, path: Path) -> tuple[tuple[Hit, ...], float]:
    """The hits of the attack a boss shows, and the clock of its motion.

    The name can change while the last attack's motion still runs; then the new motion starts late, unless it is a
    combo's follow-up, which cuts the old one short.

    Returns:
        hits: empty if it shows no attack.
        clock_s: real seconds since the motion began, negative before.
    """
    attacks, vocabulary, phase = boss_attacks(path), boss_vocabulary(path), int(state["phase"])
    name = vocabulary.name(int(state["boss_animation"]))
    attack = attacks.get((phase, name))
    if attack is None:
        return (), 0.0
    clock_s = float(state["boss_animation_s"]) * _REAL_PER_REPORTED
    before = attacks.get((phase, vocabulary.name(int(state["previous_boss_attack"]))))
    if before is not None and name not in before.follow_ups:
        age_s = float(state["previous_boss_attack_since_s"]) * _REAL_PER_REPORTED - clock_s
        clock_s -= max(0.0, before.next_motion_s - age_s)
    return attack.hits, clock_s


@cache
def _player_table(boss: Path) -> dict[str, Any]:
    return plain(player_facts(boss))


def sword_hit(state: np.void, boss: Path) -> Hit | None:
    """The player's swing if it can hit now; ``boss`` is the boss's table."""
    table, move, clock_s = _player_move(state, boss)
    start_s, end_s = move.get("active_s", (0.0, 0.0))
    if not start_s <= clock_s < end_s:
        return None
    sword = table["sword"]
    return Hit(start_s, end_s, 0.0, sword["reach_m"], radians(sword["half_arc_deg"]))


def is_invulnerable(state: np.void, boss: Path) -> bool:
    """Whether the player's roll or fall lets every hit pass now; ``boss`` is the boss's table."""
    _, move, clock_s = _player_move(state, boss)
    start_s, end_s = move.get("iframes_s", move.get("invulnerable_s", (0.0, 0.0)))
    return start_s <= clock_s < end_s


def _player_move(state: np.void, boss: Path) -> tuple[dict[str, Any], dict[str, Any], float]:
    """The player's table, the move shown and its clock in real seconds."""
    name = player_vocabulary().name(int(state["player_animation"]))
    clock_s = float(state["player_animation_s"]) * _REAL_PER_REPORTED
    table = _player_table(boss)
    return table, table["moves"].get(name, {}), clock_s

"""The boss's attacks one by one: how often each came, what became of it, what it cost, and what went before a hit."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from ashen.core.fight import STEP_S
from ashen.core.vocabulary import player_vocabulary
from ashen.evaluation.explain.attacks import FATES, MadeAttack
from ashen.evaluation.report.phases import share_of
from ashen.evaluation.report.subject import ACTION_KINDS, Missing, Subject, action_kinds
from ashen.runs.fights import FightRecord

BEFORE_S: Final = 0.6
"""How long before a hit the actions are looked at."""


def attack_table(subject: Subject) -> dict[str, Any]:
    """What became of every attack.

    Returns:
        ``fights``; ``attacks``: by phase and name, costliest first, each with ``phase, name, made, drawn`` (by the
        boss; the rest followed in a chain), ``fates`` (count of each of the explanation's ``FATES``), ``hit`` (share
        of those made, as of :func:`~ashen.evaluation.report.phases.share_of`), ``misses`` (where the player stood out
        of it), ``hp_lost`` in all; ``fates``: what each means; ``falls``: hit points lost to falls; ``hp_lost``: all.

    Raises:
        Missing: the boss made no attack.
    """
    rows = table_of(attack for fight in subject.attacks for attack in fight)
    if not rows:
        raise Missing("the boss made no attack in these fights.")
    lost = sum(float(record.states["player_hp"][0] - record.states["player_hp"][-1]) for record in subject.records)
    by_attacks = sum(row["hp_lost"] for row in rows)
    return {
        "fights": len(subject.records), "attacks": rows, "fates": FATES,
        "falls": max(0.0, lost - by_attacks), "hp_lost": max(lost, by_attacks),
    }  # fmt: skip


def table_of(made: Iterable[MadeAttack]) -> list[dict[str, Any]]:
    """One row an attack and phase, costliest first; see :func:`attack_table`."""
    groups: dict[tuple[int, str], list[MadeAttack]] = {}
    for attack in made:
        groups.setdefault((attack.phase, attack.name), []).append(attack)
    rows = [
        {
            "phase": phase,
            "name": name,
            "made": len(attacks),
            "drawn": sum(attack.is_drawn for attack in attacks),
            "fates": Counter(attack.fate for attack in attacks),
            "hit": share_of(attack.fate == "hit" for attack in attacks),
            "misses": Counter(attack.miss for attack in attacks if attack.miss),
            "hp_lost": sum(attack.hp_lost for attack in attacks),
        }
        for (phase, name), attacks in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row["hp_lost"], row["phase"], row["name"]))


def before_hits(subject: Subject) -> dict[str, Any]:
    """What the player did in the 0.6 s before each blow that landed.

    Returns:
        ``hits``: how many; ``lags_s``: seconds before the hit, a step each; ``kinds``: of actions; ``by_lag``: share of
        the hits, [kinds][lags]; ``attacks``: costliest first, each with ``phase, name, hits``, ``actions`` (share of
        the steps by kind) and ``caught_in`` (the player's animations as the blow landed, with their counts).

    Raises:
        Missing: no blow landed.
    """
    hits: list[tuple[MadeAttack, list[str], str]] = []
    for record, fight in zip(subject.records, subject.attacks, strict=True):
        kinds = action_kinds(record)
        hits += [
            (attack, actions_before(kinds, attack.hit_step), player_vocabulary().name(_shown(record, attack.hit_step)))
            for attack in fight
            if attack.hit_step is not None
        ]
    if not hits:
        raise Missing(f"no blow landed in {len(subject.records)} fights.")
    lags = range(round(BEFORE_S / STEP_S) + 1)
    by_lag = [[sum(actions[lag] == kind for _, actions, _ in hits if lag < len(actions)) for lag in lags] for kind in
              ACTION_KINDS]  # fmt: skip
    counted = [max(1, sum(lag < len(actions) for _, actions, _ in hits)) for lag in lags]
    return {
        "hits": len(hits),
        "lags_s": [round(lag * STEP_S, 1) for lag in lags],
        "kinds": list(ACTION_KINDS),
        "by_lag": [[count / total for count, total in zip(row, counted, strict=True)] for row in by_lag],
        "attacks": _by_attack(hits),
    }


def actions_before(kinds: list[str], hit_step: int) -> list[str]:
    """The kinds of action of the step of a hit and of those up to 0.6 s before, latest first."""
    first = max(0, hit_step - round(BEFORE_S / STEP_S))
    return kinds[first : hit_step + 1][::-1]


def _by_attack(hits: list[tuple[MadeAttack, list[str], str]]) -> list[dict[str, Any]]:
    groups: dict[tuple[int, str], list[tuple[MadeAttack, list[str], str]]] = {}
    for hit in hits:
        groups.setdefault((hit[0].phase, hit[0].name), []).append(hit)
    rows = []
    for (phase, name), group in groups.items():
        actions = Counter(kind for _, before, _ in group for kind in before)
        total = sum(actions.values())
        rows.append({
            "phase": phase, "name": name, "hits": len(group), "hp_lost": sum(attack.hp_lost for attack, _, _ in group),
            "actions": {kind: actions[kind] / total for kind in ACTION_KINDS},
            "caught_in": Counter(shown for _, _, shown in group),
        })  # fmt: skip
    return sorted(rows, key=lambda row: -row["hp_lost"])


def _shown(record: FightRecord, step: int) -> int:
    return int(record.states["player_animation"][step])

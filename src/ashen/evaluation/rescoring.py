"""What recorded fights would have paid under another reward; nothing is played, and no record is changed."""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata, spearmanr

from ashen.core.errors import UserError
from ashen.core.fight import NO_ACTION
from ashen.env.recorded import paid
from ashen.env.view import View
from ashen.evaluation.fight_list import boss_of, recorded_fights
from ashen.evaluation.fights import as_recording
from ashen.runs.fights import WAITED, FightRecord
from ashen.runs.folder import RunFolder

MOST_CHANGED = 10
"""How many of the fights are named whose places change most."""
_EXACT_TO = 5
"""Decimals; returns that differ by less differ by rounding, and share a place."""


class Rescored(NamedTuple):
    """One fight under two rewards."""

    file: str
    kind: str
    outcome: str
    old: float
    """The return it was recorded with."""
    new: float


def reward_from(text: str) -> str | dict[str, Any]:
    """The reward that a word of the command line means.

    Args:
        text: the name of a preset, or weights such as ``damage_dealt=1.5,win=2``; ``preset=diary,win=2`` starts from
            one.

    Raises:
        UserError: a weight is no number.
    """
    if "=" not in text:
        return text
    table: dict[str, Any] = {}
    for part in text.split(","):
        name, _, value = (word.strip() for word in part.partition("="))
        try:
            table[name] = value if name == "preset" else float(value)
        except ValueError:
            raise UserError(
                f"--reward {text}: '{part}' is no weight; write for example damage_dealt=1.5,win=2"
            ) from None
    return table


def rescore(run: RunFolder, reward: str | dict[str, Any]) -> dict[str, Any]:
    """Compute the returns of a run's fights under another reward.

    Args:
        run: whose fights.
        reward: name of a preset, or a table of weights.

    Returns:
        ``fights``; ``groups``, of each kind and outcome ``kind, outcome, fights, old_mean, new_mean``;
        ``rank_correlation`` of the fights by old and by new return (Spearman's, -1..1; None where all returns of one
        reward are equal); ``changed``, the fights whose place changes most: ``file, old, new, old_place, new_place``,
        the best first place being 1, and equals sharing the mean of theirs.

    Raises:
        UserError: an unknown reward, no fights, damaged ones or a boss whose table is gone.
    """
    view = cache(lambda boss: View(boss, "ashen", "all", reward=reward))
    fights = [_rescored(path, record, view(boss_of(run, record))) for path, record in recorded_fights(run)]
    returns = (np.array([getattr(fight, side) for fight in fights]) for side in ("old", "new"))
    old, new = (part.round(_EXACT_TO) for part in returns)
    is_ranked = np.ptp(old) > 0.0 and np.ptp(new) > 0.0
    return {
        "fights": len(fights),
        "groups": _groups(fights),
        "rank_correlation": float(spearmanr(old, new).statistic) if is_ranked else None,
        "changed": _changed(fights, rankdata(-old), rankdata(-new)),
    }


def _rescored(path: Path, record: FightRecord, view: View) -> Rescored:
    done = as_recording(record, str(path)).actions[1:]
    terms = paid(view, record.states, np.where(record.actions == WAITED, NO_ACTION, done), record.outcome)
    returns = (float(part.sum(dtype=np.float64)) for part in (record.rewards, terms))
    return Rescored(path.name, record.meta["kind"], record.meta["outcome"].lower(), *returns)


def _groups(fights: list[Rescored]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[Rescored]] = {}
    for fight in fights:
        groups.setdefault((fight.kind, fight.outcome), []).append(fight)
    return [
        {"kind": kind, "outcome": outcome, "fights": len(group)}
        | {f"{side}_mean": float(np.mean([getattr(fight, side) for fight in group])) for side in ("old", "new")}
        for (kind, outcome), group in sorted(groups.items())
    ]


def _changed(fights: list[Rescored], old_places: Any, new_places: Any) -> list[dict[str, Any]]:
    most = np.argsort(-np.abs(new_places - old_places), kind="stable")[:MOST_CHANGED]
    return [
        {"file": fights[at].file, "old": fights[at].old, "new": fights[at].new}
        | {"old_place": float(old_places[at]), "new_place": float(new_places[at])}
        for at in most.tolist()
        if old_places[at] != new_places[at]
    ]

"""Where fights are won and lost: the win rate by phase, and what the player had left when the boss changed his."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from ashen.core.fight import Outcome
from ashen.evaluation.report.subject import Missing, Subject
from ashen.evaluation.statistics import bootstrap_interval, wilson_interval
from ashen.runs.fights import FightRecord

HP_BANDS: Final = {
    "up to a third": (0.0, 1 / 3),
    "a third to two thirds": (1 / 3, 2 / 3),
    "above two thirds": (2 / 3, 1.0),
}
"""Of the player's hit points at the change of phase, above the first share and up to the second."""


def share_of(happened: Iterable[bool]) -> dict[str, Any]:
    """How often something happened: ``count`` of ``n``, ``rate`` with ``low`` and ``high`` (95 %); none without any."""
    each = [bool(one) for one in happened]
    low, high = wilson_interval(sum(each), len(each))
    rate = sum(each) / len(each) if each else None
    return {"count": sum(each), "n": len(each), "rate": rate, "low": low, "high": high}


def win_rates(subject: Subject) -> dict[str, Any]:
    """Of every phase fought, and of whole fights: the share won of those that came so far.

    Returns:
        ``rates``: by what was won, as of :func:`share_of`; ``outcomes``: how many fights ended how.
    """
    results = [result for result in subject.results if result.outcome != Outcome.FAULT]
    wins = [result.outcome == Outcome.WIN for result in results]
    fight = subject.env_options["fight"]
    if fight == "full":
        reached = [result.reached_phase2 for result in results]
        rates = {
            "whole fight": share_of(wins),
            "phase 1": share_of(reached),
            "phase 2, once reached": share_of(won for won, came in zip(wins, reached, strict=True) if came),
        }
    else:
        rates = {f"phase {fight[-1]} alone": share_of(wins)}
    outcomes = {outcome.name: sum(result.outcome == outcome for result in subject.results) for outcome in Outcome}
    return {"rates": rates, "outcomes": {name: count for name, count in outcomes.items() if count}}


def phase_change(subject: Subject) -> dict[str, Any]:
    """What the player had left when phase 2 began, and what became of it.

    Returns:
        ``hp``: list of the player's hit points, one a fight that came so far, ``won``: whether it was won, ``max_hp``,
        ``mean`` with ``low`` and ``high`` (95 %), ``bands``: win rate by band of hit points, as of :func:`share_of`.

    Raises:
        Missing: no fight changed phase.
    """
    if subject.env_options["fight"] != "full":
        raise Missing(f"this agent fights {subject.env_options['fight']} alone, in which the phase does not change.")
    hps = [
        (hp, record.outcome == Outcome.WIN) for record in subject.records if (hp := hp_at_change(record)) is not None
    ]
    if not hps:
        raise Missing(f"none of the {len(subject.records)} fights came into phase 2.")
    values = [hp for hp, _ in hps]
    max_hp = float(subject.records[0].states["player_max_hp"][0])
    low, high = bootstrap_interval(values)
    bands = {
        name: share_of(won for hp, won in hps if above * max_hp < hp <= up_to * max_hp)
        for name, (above, up_to) in HP_BANDS.items()
    }
    return {
        "hp": values, "won": [won for _, won in hps], "max_hp": max_hp,
        "mean": float(np.mean(values)), "low": low, "high": high, "bands": bands,
    }  # fmt: skip


def hp_at_change(record: FightRecord) -> float | None:
    """The player's hit points when the boss of a fight changed to phase 2; None if he did not."""
    phases = record.states["phase"]
    changed = np.flatnonzero((phases[1:] == 2) & (phases[:-1] == 1))
    return float(record.states["player_hp"][changed[0] + 1]) if len(changed) else None

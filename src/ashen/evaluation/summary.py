"""What a match came to, as the figures everyone quotes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ashen.core.fight import Outcome
from ashen.evaluation.match import FightResult, wins_of
from ashen.evaluation.sequential import SureWhen, anytime_interval
from ashen.evaluation.statistics import bootstrap_interval, wilson_interval


def summarise(results: Sequence[FightResult], *, full_fight: bool, sure_when: SureWhen | None = None) -> dict[str, Any]:
    """Figures of a match, ready for JSON.

    Args:
        results: one a fight, at least one.
        full_fight: whether the fights could change phase; adds ``phase_change_rate``, the share that reached phase 2.
        sure_when: by which the match could stop early; its win rate then gets the interval that allows it.

    Returns:
        ``fights, wins, losses, timeouts, faults``; of the fights without a fault, if there is one: ``win_rate`` with
        ``win_rate_low, win_rate_high`` (95 %) and ``interval``, ``fixed`` (Wilson) or ``anytime``, then with ``sure``,
        the answer that ended the match, or None; ``return_mean`` with ``return_low, return_high`` (95 %);
        ``length_mean_steps``;
        ``boss_hp_left_mean`` (0..1); ``longest_boss_idle_s`` of all fights, ``kills_without_blow_share`` of the wins,
        see :mod:`ashen.evaluation.exploits`; ``damage_per_attack``: for each attack how often it was shown, and the hit
        points it cost, both per fight; ``ThrowAtk`` is the boss's throw, ``fall`` what falls cost.
    """
    count = {outcome: sum(result.outcome == outcome for result in results) for outcome in Outcome}
    fights = len(results)
    wins, judged = wins_of(results)
    low, high = (wilson_interval if sure_when is None else anytime_interval)(wins, judged)
    results = [result for result in results if result.outcome != Outcome.FAULT] or results
    returns = [result.fight_return for result in results]
    return_low, return_high = bootstrap_interval(returns)
    figures = {
        "fights": fights,
        "wins": wins,
        "losses": count[Outcome.LOSS],
        "timeouts": count[Outcome.TIMEOUT],
        "faults": count[Outcome.FAULT],
        "win_rate": wins / judged if judged else 0.0,
        "win_rate_low": low,
        "win_rate_high": high,
        "interval": "fixed" if sure_when is None else "anytime",
        "return_mean": float(np.mean(returns)),
        "return_low": return_low,
        "return_high": return_high,
        "length_mean_steps": float(np.mean([result.length_steps for result in results])),
        "boss_hp_left_mean": float(np.mean([result.boss_hp_left for result in results])),
        "longest_boss_idle_s": max(result.longest_boss_idle_s for result in results),
        "kills_without_blow_share": _share_without_blow(results),
    }
    if sure_when is not None:
        figures["sure"] = sure_when.answer(wins, judged)
    if full_fight:
        figures["phase_change_rate"] = float(np.mean([result.reached_phase2 for result in results]))
    return figures | {"damage_per_attack": _damage_per_attack(results)}


def _share_without_blow(results: Sequence[FightResult]) -> float:
    blows = [result.ended_in_blow for result in results if result.outcome == Outcome.WIN]
    return 1.0 - sum(blows) / len(blows) if blows else 0.0


def _damage_per_attack(results: Sequence[FightResult]) -> dict[str, dict[str, float]]:
    names = sorted({name for result in results for name in (*result.attacks, *result.damage)})
    return {
        name: {
            "shown": sum(result.attacks.get(name, 0) for result in results) / len(results),
            "damage": sum(result.damage.get(name, 0.0) for result in results) / len(results),
        }
        for name in names
    }

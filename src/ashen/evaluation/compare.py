"""Compares recipes over seeds: interquartile means, learning curves and probabilities of improvement, with intervals.

Source: Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice" (arXiv:2108.13264).
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.evaluation.groups import Group, JudgedRun, check_comparable, grouped, judged_run, table_hashes
from ashen.evaluation.statistics import (
    CONFIDENCE,
    improvement_interval,
    interquartile_mean,
    iqm_interval,
    probability_of_improvement,
)
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import METRICS

FEW_SEEDS: Final = 5
"""Below, a 95 % bootstrap interval holds the truth clearly less often: with 3 seeds in 7 of 10 cases."""


def compare(
    runs: Sequence[RunFolder], metric: str = "win_rate", as_now: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> dict[str, Any]:
    """Compare trainings, grouped by recipe.

    Args:
        runs: folders of trainings against one boss in one fight; those without a final match are left out.
        metric: one of :data:`~ashen.runs.metrics.METRICS`.
        as_now: from a recipe as a run keeps it, perhaps an older ashen's, to one with all settings of this one.

    Returns:
        Ready for JSON: ``metric, boss, fight, confidence``; ``groups``, each with ``name, differs, runs, seeds,
        scores``, the ``iqm`` with ``iqm_low, iqm_high``, for a seed alone ``fights_low, fights_high`` in their place
        (how sure its own fights make its win rate), ``env_steps`` and the ``curve`` over them with ``curve_low,
        curve_high``;
        ``improvements``, of every group over every earlier one: ``of, over, probability, low, high``; ``warnings``.
        What the seeds are too few for is null.

    Raises:
        UserError: no run has ended, two fought different fights, or two are of one recipe and one seed.
    """
    found = [(run.name, judged_run(run, metric, as_now)) for run in runs]
    judged = [run for _, run in found if run is not None]
    if not judged:
        names = ", ".join(name for name, _ in found)
        raise UserError(f"no final {metric} in {names} yet; end the training, with: ashen resume RUN")
    check_comparable(judged, metric)
    groups = grouped(judged)
    world = judged[0].settings
    return {
        "metric": metric,
        "boss": world["boss"],
        "fight": world["fight"],
        "confidence": CONFIDENCE,
        "groups": [_group_figures(group) for group in groups],
        "improvements": [
            _improvement(group, earlier, METRICS[metric].is_gain)
            for number, group in enumerate(groups)
            for earlier in groups[:number]
        ],
        "warnings": _warnings([name for name, run in found if run is None], groups),
    }


def _group_figures(group: Group) -> dict[str, Any]:
    scores = _scores(group.runs)
    low, high = iqm_interval(scores)
    own = group.runs[0].interval if len(group.runs) == 1 else None
    steps = sorted(set.intersection(*(set(run.curve) for run in group.runs)))
    columns = [[run.curve[step] for run in group.runs] for step in steps]
    bands = [iqm_interval(column) for column in columns]
    return {
        "name": group.name,
        "differs": group.differs,
        "runs": [run.name for run in group.runs],
        "seeds": [run.seed for run in group.runs],
        "scores": scores,
        "iqm": float(interquartile_mean(scores)),
        "iqm_low": low,
        "iqm_high": high,
        "fights_low": own and own[0],
        "fights_high": own and own[1],
        "env_steps": steps,
        "curve": [float(interquartile_mean(column)) for column in columns],
        "curve_low": [low for low, _ in bands],
        "curve_high": [high for _, high in bands],
    }


def _improvement(group: Group, other: Group, is_gain: bool) -> dict[str, Any]:
    better, worse = (group, other) if is_gain else (other, group)
    pair = _scores(better.runs), _scores(worse.runs)
    low, high = improvement_interval(*pair)
    probability = float(probability_of_improvement(*pair))
    return {"of": group.name, "over": other.name, "probability": probability, "low": low, "high": high}


def _scores(runs: Sequence[JudgedRun]) -> list[float]:
    return [run.score for run in runs]


def _warnings(left_out: Sequence[str], groups: Sequence[Group]) -> list[str]:
    """What a reader of the figures has to know, one line each."""
    warnings = []
    if left_out:
        warnings.append(f"left out, for they have no final match: {', '.join(left_out)}")
    if len(hashes := table_hashes(groups)) > 1:
        warnings.append(f"judged against different numbers of the boss: tables {', '.join(hashes)}")
    chosen: dict[str, list[str]] = {}
    for run in itertools.chain(*(group.runs for group in groups)):
        if run.chosen_precision:
            chosen.setdefault(run.chosen_precision, []).append(run.name)
    if len(chosen) > 1:
        named = "; ".join(f"{precision}: {', '.join(names)}" for precision, names in chosen.items())
        warnings.append(f"a trial at their start chose different precisions to learn in ({named})")
    few = {group.name: len(group.runs) for group in groups if len(group.runs) < FEW_SEEDS}
    for seeds in sorted(set(few.values())):
        named = [name for name, count in few.items() if count == seeds]
        names = "every group" if len(named) == len(groups) else "; ".join(named)
        alone = "1 seed: its interval is that of its fights, and tells nothing of other seeds"
        said = alone if seeds == 1 else f"{seeds} seeds: the interval is too narrow"
        warnings.append(f"{said} ({names})")
    return warnings

"""The drift from the recorded fights as tables: by forecast, by field, by what the boss was doing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import STEP_S
from ashen.core.vocabulary import Vocabulary
from ashen.evaluation.alignment import Drift, pooled
from ashen.evaluation.fidelity.forecasts import (
    HORIZONS_STEPS,
    JUDGED_STEPS,
    NOBODY_MOVES,
    OTHER_FIGHT,
    TABLE,
    Forecasts,
)
from ashen.evaluation.fidelity.recording_rows import judged_drifts

LEAST_STARTS = 10
"""What the boss did in fewer starts is too rare to be named among what drifts most."""
NAMED = 3


@dataclass(frozen=True)
class Field:
    """Something the game shows, and when a forecast of it is right.

    Args:
        name: of the field.
        within: how near is right.
        is_right: for every start, True or False; NaN where it cannot be judged.
    """

    name: str
    within: str
    is_right: Callable[[Drift], NDArray[np.float64]]

    def share(self, drift: Drift) -> float:
        """Share of the starts for which the forecast is right."""
        return float(np.nanmean(self.is_right(drift)))


def _below(name: str, limit: float) -> Callable[[Drift], NDArray[np.float64]]:
    def is_right(drift: Drift) -> NDArray[np.float64]:
        off = np.abs(getattr(drift, name))
        return np.where(np.isnan(off), np.nan, off <= limit)

    return is_right


FIELDS = (
    Field("boss's place", "0.5 m", _below("boss_m", 0.5)),
    Field("player's place", "0.5 m", _below("player_m", 0.5)),
    Field("boss's yaw", "5 degrees", _below("boss_yaw_rad", np.radians(5.0))),
    Field("player's yaw", "5 degrees", _below("player_yaw_rad", np.radians(5.0))),
    Field("boss's animation", "the same", lambda drift: drift.same_boss_animation.astype(float)),
    Field("player's animation", "the same", lambda drift: drift.same_player_animation.astype(float)),
    Field("boss's clock, same animation", "0.05 s", _below("boss_clock_s", 0.05)),
    Field("player's clock, same animation", "0.05 s", _below("player_clock_s", 0.05)),
    Field("stamina", "5 points", _below("stamina", 5.0)),
    Field("player's hit points", "1 point", _below("player_hp", 1.0)),
    Field("boss's hit points", "1 point", _below("boss_hp", 1.0)),
)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def by_forecast(forecasts: Forecasts) -> list[str]:
    """Lines of a table: median and ninth decile of the drift of every forecast; out of sample each fight for itself."""
    titles = [f"{name} ({unit})" for name, (_, unit) in judged_drifts(forecasts.drift(OTHER_FIGHT, 1)).items()]
    rows = []
    for steps in HORIZONS_STEPS:
        entries = [(name, forecasts.drift(name, steps)) for name in forecasts.ahead]
        each = forecasts.drifts(OTHER_FIGHT, steps)
        entries[1:1] = [(f"the same, judged on fight {number} alone", drift) for number, drift in enumerate(each)]
        rows += [[f"{steps * STEP_S:g} s", name, *_quantiles(drift)] for name, drift in entries]
    return markdown_table(("after", "forecast", *titles), rows)


def by_field(forecasts: Forecasts) -> list[str]:
    """Lines of a table: share of starts for which each field is right, the worst first; then which those are."""
    ahead = [forecasts.drift(OTHER_FIGHT, steps) for steps in HORIZONS_STEPS]
    judged, beside = ahead[HORIZONS_STEPS.index(JUDGED_STEPS)], (TABLE, NOBODY_MOVES)
    fields = sorted(FIELDS, key=lambda field: field.share(judged))
    others = [forecasts.drift(name, JUDGED_STEPS) for name in beside]
    rows = [[one.name, one.within, *(f"{one.share(drift):.0%}" for drift in (*ahead, *others))] for one in fields]
    seconds = f"{JUDGED_STEPS * STEP_S:g} s"
    head = ("field", "right within", *(f"{steps * STEP_S:g} s" for steps in HORIZONS_STEPS))
    names = ", ".join(one.name for one in fields[:NAMED])
    table = markdown_table((*head, *(f"{name}, {seconds}" for name in beside)), rows)
    return [*table, "", f"The fields that drift most: {names}."]


def by_attack(forecasts: Forecasts, names: Vocabulary) -> list[str]:
    """Lines of a table: drift by what the boss was doing at the start, the worst first; then which those are."""
    judged = pooled(forecasts.drifts(OTHER_FIGHT, JUDGED_STEPS))
    in_sample = forecasts.drift(TABLE, JUDGED_STEPS)
    shown = [set(np.unique(fight.states["boss_animation"]).tolist()) for fight in forecasts.fights]
    attacks, counts = np.unique(judged.boss_attack, return_counts=True)
    worst = sorted(
        zip(attacks.tolist(), counts.tolist(), strict=True),
        key=lambda pair: -float(np.median(judged.boss_m[judged.boss_attack == pair[0]])),
    )
    rows = []
    for attack, count in worst:
        which = judged.boss_attack == attack
        seen_in = [str(number) for number, seen in enumerate(shown) if attack in seen]
        before = f"{np.median(in_sample.boss_m[in_sample.boss_attack == attack]):.2f}"
        rows.append([names.name(attack), str(count), " and ".join(seen_in), *_quantiles(judged, which), before])
    head = ("boss at the start", "starts", "seen in fight", "boss (m)", "player (m)", "boss's yaw (degrees)")
    named = [names.name(attack) for attack, count in worst if count >= LEAST_STARTS][:NAMED]
    table = markdown_table((*head, "boss by the table, in sample (m)"), rows)
    return [
        *table,
        "",
        f"The attacks that drift most, of those with {LEAST_STARTS} starts or more: {', '.join(named)}.",
    ]


def _quantiles(drift: Drift, which: NDArray[np.bool_] | None = None) -> list[str]:
    """Median and ninth decile of each judged drift."""
    cells = []
    for values, _ in judged_drifts(drift).values():
        chosen = values if which is None else values[which]
        cells.append(" / ".join(f"{value:.3g}" for value in np.quantile(chosen, (0.5, 0.9))))
    return cells

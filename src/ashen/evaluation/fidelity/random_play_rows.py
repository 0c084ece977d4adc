"""Random play in the simulator against random play on the real game: lengths, returns, rewards, what occurs.

The figures in sample are those that tools/fit_guesses.py fits the guesses of phase 1 to.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import stats

from ashen.evaluation.fidelity.rows import IN_SAMPLE, Row, inside_row, mean_and_error, near_row, ratio_and_error
from ashen.evaluation.random_play import RandomFights, random_fights, reward_per_step

FIGHTS = 10_000
BATCH_STEPS = 1_000_000
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def random_play_rows(boss: str, seed: int, real: dict[str, Any]) -> Iterator[Row]:
    """Rows of fights from the fixed start.

    Args:
        boss: name or table of the boss.
        seed: of the fights.
        real: what was measured, ``real_figures.toml`` without sources.
    """
    figures = real["random_play"]
    play = random_fights(boss, "phase1", FIGHTS, seed)
    fewer = random_fights(boss, "phase1", FIGHTS, seed, "diary15")
    yield near_row(f"fight length, random play (steps), {IN_SAMPLE}", figures["length_steps"], play.lengths, 0.10)
    ratio, error = ratio_and_error(fewer.lengths, play.lengths)
    yield Row("its ratio with the diary's 15 actions", figures["length_ratio_diary15"], ratio, error, "shown", None)
    yield _lengths_row(np.array(figures["lengths"]), play)
    mean, error = mean_and_error(play.returns)
    is_near = abs(mean - figures["return_mean"]) <= 0.05
    name = f"return, random play, default reward, {IN_SAMPLE}"
    yield Row(name, figures["return_mean"], mean, error, "within 0.05", is_near)
    sd = float(play.returns.std(ddof=1))
    is_near = abs(sd - figures["return_sd"]) <= 0.04
    error, name = sd / np.sqrt(2 * FIGHTS), f"its standard deviation, {IN_SAMPLE}"
    yield Row(name, figures["return_sd"], sd, error, "within 0.04", is_near)
    yield inside_row(f"share of the boss dealt, {IN_SAMPLE}", figures["boss_hp_dealt"], play.dealt)
    yield inside_row(f"share of fights that end in a fall, {IN_SAMPLE}", figures["fall_share"], play.fell.astype(float))
    bounds, attacks = figures["attacks_per_1000_steps"], play.attacks_per_1000_steps
    error = float(np.sqrt(attacks / (play.lengths.sum() / 1000)))
    fits = bounds[0] <= attacks <= bounds[1]
    name = f"boss attacks per 1,000 steps, {IN_SAMPLE}"
    yield Row(name, f"{bounds[0]:g} to {bounds[1]:g}", attacks, error, "inside", fits)
    second = random_fights(boss, "phase2", FIGHTS, seed)
    for number, fights in ((1, play), (2, second)):
        never = real["never_seen"]
        wrong = sorted(set(never[f"phase{number}"]) & set(fights.boss_seen))
        wrong += sorted(set(never[f"player_phase{number}"]) & set(fights.player_seen))
        name = f"animations that never occur, phase {number}"
        yield Row(name, "none", ", ".join(wrong) or "none", 0.0, "none occurs", not wrong)


def reward_rows(boss: str, seed: int, real: dict[str, Any]) -> Iterator[Row]:
    """Rows of the reward per step from random starts; arguments as of :func:`random_play_rows`."""
    figures = real["random_play"]
    for number, share in ((1, 0.10), (2, 0.15)):
        batches = reward_per_step(boss, f"phase{number}", BATCH_STEPS, seed)
        goal = figures[f"reward_per_step_phase{number}"]
        name = f"reward per step, random play, phase {number}"
        yield near_row(f"{name}, {IN_SAMPLE}" if number == 1 else name, goal, batches, share)
        if number == 1:
            sd = float(batches.std(ddof=1))
            fits = abs(sd - figures["batch_sd"]) <= 0.15 * figures["batch_sd"]
            error = sd / np.sqrt(2 * batches.size)
            name = f"its deviation over 1,000 steps, {IN_SAMPLE}"
            yield Row(name, figures["batch_sd"], sd, error, "within 15%", fits)


def _lengths_row(real_lengths: np.ndarray, play: RandomFights) -> Row:
    test = stats.ks_2samp(real_lengths, play.lengths)
    real, simulated = (
        "/".join(f"{value:.0f}" for value in np.quantile(lengths, _QUANTILES))
        for lengths in (real_lengths, play.lengths)
    )
    name = "fight lengths, quantiles 5/25/50/75/95"
    return Row(name, real, simulated, 0.0, "KS test, p > .01", test.pvalue > 0.01)

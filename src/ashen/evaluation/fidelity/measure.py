"""Measures every figure but the trained ones."""

from collections.abc import Callable

from ashen.evaluation.fidelity.forecasts import Forecasts
from ashen.evaluation.fidelity.hit_time_rows import hit_time_rows
from ashen.evaluation.fidelity.random_play_rows import random_play_rows, reward_rows
from ashen.evaluation.fidelity.recording_rows import drift_rows, strike_rows
from ashen.evaluation.fidelity.rows import Row
from ashen.evaluation.logged import real_figures


def fidelity_rows(
    forecasts: Forecasts, boss: str = "iudex", seed: int = 0, say: Callable[[str], object] = lambda text: None
) -> list[Row]:
    """All rows but the trained one.

    Args:
        forecasts: of the recorded fights, for the same boss.
        boss: name or table of the boss.
        seed: of the random fights.
        say: told what is being measured.
    """
    real = real_figures()
    say("random play")
    rows = list(random_play_rows(boss, seed, real))
    say("reward per step")
    rows.extend(reward_rows(boss, seed, real))
    say("recorded fights")
    rows.extend((*drift_rows(forecasts), *strike_rows(forecasts, boss), *hit_time_rows(boss)))
    return rows

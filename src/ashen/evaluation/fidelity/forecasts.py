"""What each way of knowing the fight foretells of the recorded ones: the table, motion fitted elsewhere, nothing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.tables import boss_file
from ashen.evaluation.alignment import Drift, drift_of, pooled, simulated_ahead
from ashen.evaluation.fit.table import fitted_table
from ashen.evaluation.recording import Recording, recorded_fights
from ashen.evaluation.reference_lines import constant_velocity, nobody_moves
from ashen.sim.pack import load_tables

HORIZONS_STEPS = (5, 10, 20)
JUDGED_STEPS = 10
OTHER_FIGHT = "motion fitted on the other fight, out of sample"
TABLE = "the boss's table, in sample"
SAME_FIGHT = "motion fitted on the same fight, in sample"
NOBODY_MOVES = "nobody moves"
CONSTANT_VELOCITY = "constant velocity"


@dataclass(frozen=True)
class Forecasts:
    """Recorded fights, and what was foretold from each of their steps.

    Args:
        fights: the recordings.
        tables: per fight, the packed table whose motion the other fights show.
        ahead: name of the forecast -> per fight FIGHT_STATE [T, 20], see :func:`simulated_ahead`.
    """

    fights: list[Recording]
    tables: list[np.void]
    ahead: dict[str, list[NDArray[Any]]]

    def drifts(self, name: str, horizon_steps: int) -> list[Drift]:
        """Per fight, how far a forecast is off after a horizon."""
        return [
            drift_of(ahead, fight, horizon_steps) for ahead, fight in zip(self.ahead[name], self.fights, strict=True)
        ]

    def drift(self, name: str, horizon_steps: int) -> Drift:
        """The same over all starts of all fights."""
        return pooled(self.drifts(name, horizon_steps))


def forecast(boss: str = "iudex") -> Forecasts:
    """Foretell the recorded fights from every step.

    Args:
        boss: name or table of the boss.
    """
    table, fights, steps = load_tables(boss_file(boss))[0][0], recorded_fights(), max(HORIZONS_STEPS)
    others = [fitted_table([other for other in fights if other is not fight], table, forget=True) for fight in fights]
    ahead = {
        OTHER_FIGHT: [simulated_ahead(*pair, steps) for pair in zip(fights, others, strict=True)],
        TABLE: [simulated_ahead(fight, table, steps) for fight in fights],
        SAME_FIGHT: [simulated_ahead(fight, fitted_table([fight], table, forget=True), steps) for fight in fights],
        NOBODY_MOVES: [nobody_moves(fight, steps) for fight in fights],
        CONSTANT_VELOCITY: [constant_velocity(fight, steps) for fight in fights],
    }
    return Forecasts(fights, others, ahead)

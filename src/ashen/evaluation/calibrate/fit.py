"""All numbers of a boss refitted to recorded fights: first the clocks, which everything else is told by."""

from collections.abc import Sequence
from pathlib import Path

from ashen.evaluation.calibrate.blows import swings_of
from ashen.evaluation.calibrate.clocks import fit_clocks
from ashen.evaluation.calibrate.motion import fit_motion
from ashen.evaluation.calibrate.numbers import Numbers
from ashen.evaluation.calibrate.shapes import fit_force, fit_shapes
from ashen.evaluation.calibrate.spans import spans_of
from ashen.evaluation.calibrate.speeds import fit_speeds
from ashen.evaluation.calibrate.windows import fit_windows
from ashen.evaluation.calibrate.world import fit_world
from ashen.evaluation.recording import Recording


def calibrate(fights: Sequence[Recording], boss: Path) -> Numbers:
    """Refit a boss's numbers to recorded fights; what they do not show stays.

    Args:
        fights: the recordings.
        boss: the boss's table.
    """
    steps = sum(len(fight.states) - 1 for fight in fights)
    numbers = Numbers(boss, f"own fights ({len(fights)} fights, {steps:,} steps)")
    numbers.begin("clocks")
    fit_clocks(numbers, fights)
    table = numbers.table()
    swings = [swing for fight in fights for swing in swings_of(fight, spans_of(fight.states, table), table)]
    numbers.begin("hit windows")
    hits = fit_windows(numbers, swings)
    numbers.begin("shapes")
    fit_shapes(numbers, swings, hits)
    numbers.begin("damage and knock-back")
    fit_force(numbers, hits)
    numbers.begin("motion of attacks")
    fit_motion(numbers, fights)
    numbers.begin("speeds")
    fit_speeds(numbers, fights)
    numbers.begin("surroundings")
    fit_world(numbers, fights)
    return numbers

"""The fights to calibrate from: enough of them, none against a varied boss, none in which the game failed."""

from collections.abc import Sequence
from pathlib import Path

from ashen.core.errors import UserError
from ashen.core.fight import Outcome
from ashen.core.tables import boss_file
from ashen.evaluation.calibrate.numbers import check_can_refit
from ashen.evaluation.fights import as_recording, records_from
from ashen.evaluation.recording import Recording

LEAST_FIGHTS = 5
LEAST_STEPS = 1_000
"""Fewer fights or steps than these say too little: one fight in five is held out to judge by."""


def fights_from(places: Sequence[str], runs_dir: Path, boss: str | None) -> tuple[list[Recording], str]:
    """Read the recorded fights of some places; arguments as of :func:`~ashen.evaluation.fights.records_from`.

    If ``boss`` is given, his numbers are refitted, also to fights that were all against another table like his.

    Returns:
        The fights in the order of the places, each once and none that ended in a fault, and the name or path of the
        boss whose numbers they refit.

    Raises:
        UserError: there are no fights, too few, damaged ones or some of another or a varied boss, or of one whom nobody
            measured.
    """
    if boss is not None:
        check_can_refit(boss_file(boss))
    records, boss = records_from(places, runs_dir, boss, or_alike=True)
    check_can_refit(boss_file(boss))
    records = [(where, record) for where, record in records if record.outcome != Outcome.FAULT]
    for where, record in records:
        if record.meta.get("randomise", "none") != "none":
            raise UserError(
                f"{where} was fought against a varied boss, whose numbers are no one's; leave it out of --from"
            )
    # In the step that a fault ended, no time need have passed.
    fights = [as_recording(record, where) for where, record in records if record.outcome != Outcome.FAULT]
    steps = sum(len(fight.states) - 1 for fight in fights)
    if len(fights) < LEAST_FIGHTS or steps < LEAST_STEPS:
        wanted = f"at least {LEAST_FIGHTS} fights and {LEAST_STEPS:,} steps ({LEAST_STEPS / 600:.0f} minutes)"
        raise UserError(f"{', '.join(places)}: {len(fights)} fights of {steps:,} steps are too few; record {wanted}")
    return fights, boss

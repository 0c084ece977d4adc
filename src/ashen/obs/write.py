"""The compiled loop of every encoder: features of a row, then its columns."""

from ashen.core.compiled import njit
from ashen.obs.features import measure


@njit
def write(row, facts, runs, measured, values, out):
    """Encode one row.

    Args:
        row: FIGHT_STATE record with its memory filled in.
        facts: FACTS record.
        runs: RUN records [R].
        measured: MEASURED record, room to work in.
        values: the same room read as a vector, float32 [Q].
        out: float32 [D].
    """
    if len(runs) == 0:
        return
    measure(row, facts, measured)
    out[:] = 0.0
    for r in range(len(runs)):
        run = runs[r]
        value = values[run.source]
        if run.one_hot != 0:
            place = run.first + int(value) - run.equals
            if run.first <= place < run.end:
                out[place] = 1.0
        else:
            out[run.first] = min(max((value - run.shift) * run.scale, run.low), run.high)

"""The compiled loop of every encoder: features of a row, then its columns."""

from ashen.core.compiled import njit
from ashen.obs.features import measure


@njit
def write(row, facts, columns, measured, values, out):
    """Encode one row.

    Args:
        row: FIGHT_STATE record with its memory filled in.
        facts: FACTS record.
        columns: COLUMN records [D].
        measured: MEASURED record, room to work in.
        values: the same room read as a vector, float32 [Q].
        out: float32 [D].
    """
    if len(columns) == 0:
        return
    measure(row, facts, measured)
    for k in range(len(columns)):
        column = columns[k]
        value = values[column.source]
        if column.one_hot != 0:
            out[k] = 1.0 if value == column.shift else 0.0
        else:
            out[k] = min(max((value - column.shift) * column.scale, column.low), column.high)

"""The numbers of every row for TensorBoard, as event files in the run folder."""

from numbers import Real

from tensorboard.summary import Writer

from ashen.runs.folder import RunFolder
from ashen.runs.metrics import HEAD, Row


class ScalarsLog:
    """Writes rows as scalars named ``<kind>/<number>`` over the env step.

    Args:
        run: the run's folder.
    """

    def __init__(self, run: RunFolder):
        self._writer = Writer(str(run.path))

    def write(self, row: Row) -> None:
        """Write the numbers of one row."""
        for name, value in row.items():
            if name not in HEAD and isinstance(value, Real):
                self._writer.add_scalar(f"{row['kind']}/{name}", float(value), step=row["env_step"])
        self._writer.flush()

    def close(self) -> None:
        """Write what is still held back."""
        self._writer.close()

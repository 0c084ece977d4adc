"""A run by its name or folder, told apart from opponents, which have none."""

from pathlib import Path

from ashen.core.errors import UserError
from ashen.runs.folder import RunFolder, open_run


def find_run(run: str, runs_dir: Path) -> RunFolder:
    """Find a run where no opponent will do.

    Args:
        run: a name in ``runs_dir`` or a path.
        runs_dir: folder of all runs.

    Raises:
        UserError: there is no such run; if it names an opponent, with how to film one.
    """
    try:
        return open_run(run, runs_dir)
    except UserError:
        from ashen.training.contenders import OPPONENTS  # where it is needed only: loading it takes a while

        if run not in OPPONENTS:
            raise
        way = f"ashen evaluate {run} --record FOLDER, then: ashen film FOLDER/FIGHT.npz"
        raise UserError(
            f"{run} is an opponent, which has no run; give a run, or film an opponent with: {way}"
        ) from None

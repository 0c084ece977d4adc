"""Where the fights of humans are kept: the run folder ``human``, which films and plots find by this name."""

from pathlib import Path

from ashen.core.errors import UserError
from ashen.play.bout import Bout
from ashen.runs.fights import save_new_fight
from ashen.runs.folder import HUMAN, RunFolder, create_run


def human_run(runs_dir: Path) -> RunFolder:
    """The run folder of all human fights, made if it is not there.

    Raises:
        UserError: it cannot be made, or a training has taken its name.
    """
    run = RunFolder(runs_dir / HUMAN)
    if not run.config_file.is_file():
        run = create_run(runs_dir, HUMAN, HUMAN)
        run.write_config({"policy": HUMAN})
    elif run.read_config().get("policy") != HUMAN:
        raise UserError(f"{run.path} is a training's folder; rename it, or choose another --runs-dir")
    return run


def keep(run: RunFolder, bout: Bout) -> Path:
    """Save a fight under the next free number.

    Raises:
        OSError: the disk is full.
    """
    return save_new_fight(bout.record(), run.fights)

"""A run by its name or folder, or a pack opened as one; told apart from opponents, which have none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ashen.core.errors import UserError
from ashen.runs.folder import FightsFolder, RunFolder, open_run
from ashen.runs.pack_file import is_pack, shipped_packs

NOTHING_TO_GO_ON: Final = (
    "its training stayed behind; a new one starts from it: ashen train RECIPE --parent PACK, or ashen finetune PACK"
)
"""Of a pack, where a training is to go on."""


def pack_named(word: str, runs_dir: Path) -> Path | None:
    """The pack that a word of the command line means: a file, or one that is shipped unless a run has its name."""
    if is_pack(word):
        return Path(word)
    return None if _is_run(word, runs_dir) else shipped_packs().get(word)


def _is_run(word: str, runs_dir: Path) -> bool:
    return any((path / "config.json").is_file() for path in (runs_dir / word, Path(word)))


def find_own_run(run: str, runs_dir: Path, instead: str) -> RunFolder:
    """Find a run where a pack will not do.

    Args:
        run: a name in ``runs_dir``, or a path.
        runs_dir: folder of all runs.
        instead: what a pack cannot do, and what can be done.

    Raises:
        UserError: there is no such run, or it is a pack.
    """
    if pack_named(run, runs_dir) is not None:
        raise UserError(f"{run} is a pack, one file of an agent: {instead}")
    return find_run(run, runs_dir)


def find_fights(run: str, runs_dir: Path, instead: str) -> RunFolder:
    """Find whose recorded fights are meant: a run's, or a folder's that holds nothing else.

    Args:
        run, runs_dir, instead: as of :func:`find_own_run`.

    Raises:
        UserError: there is neither, or it is a pack.
    """
    if holds_fights(Path(run)) and not _is_run(run, runs_dir):
        return FightsFolder(Path(run))
    if Path(run).is_dir() and not (_is_run(run, runs_dir) or (runs_dir / run).is_dir()):
        raise UserError(f"{run} holds no recorded fights, and is no run; give a run, or a folder of evaluate --record")
    return find_own_run(run, runs_dir, instead)


def holds_fights(path: Path) -> bool:
    """Whether recorded fights lie in a folder itself, as ashen evaluate --record puts them there."""
    return path.is_dir() and any(path.glob("*.npz"))


def find_run(run: str, runs_dir: Path, others: Sequence[str] = ()) -> RunFolder:
    """Find a run.

    Args:
        run: a name in ``runs_dir``, a path, a pack, or the name of a shipped pack.
        runs_dir: folder of all runs.
        others: opponents' names, where one would have been right too.

    Raises:
        UserError: there is no such run; if it names an opponent where none will do, with how to film one.
    """
    if (pack := pack_named(run, runs_dir)) is not None:
        from ashen.training.packs.unpacking import open_pack  # torch takes a while, and other runs do without it

        return open_pack(pack)
    try:
        return open_run(run, runs_dir, tuple(others))
    except UserError:
        if holds_fights(Path(run)):
            one = "give one of its files to film or explain, or the folder to fights, calibrate --from, pretrain --from"
            raise UserError(f"{run} is a folder of recorded fights, and no run; {one}") from None
        from ashen.training.contenders import OPPONENTS  # where it is needed only: loading it takes a while

        if run not in OPPONENTS:
            raise
        film = f"ashen evaluate {run} --record FOLDER, then: ashen film FOLDER/FIGHT.npz"
        raise UserError(
            f"{run} is an opponent, which has no run; give a run, or see how it fights with: ashen evaluate {run}; "
            f"ashen explain {run}; to film it: {film}"
        ) from None

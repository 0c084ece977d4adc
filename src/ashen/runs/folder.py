"""The run folder: where everything about one training lies, and how it is named, made and found.

``config.json · metrics.jsonl · metrics.csv · events.out.tfevents.* · checkpoints/ · fights/*.npz · run.log ·
journal.md · tags.json · curves.png · fight.mp4``
"""

import json
import logging
import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from ashen.core.errors import UserError, unknown
from ashen.runs.files import now, write_bytes, write_text
from ashen.runs.log import run_logger

SCHEMA_VERSION = 1
"""Rises when a reader of older folders would misread a newer one."""
HUMAN = "human"
"""Name of the run that keeps the fights of humans, and what their records are called."""
NO_HUMAN_FIGHTS = "no fights of yours yet: play some with ashen play"
BEST = "best.pt"
"""The checkpoint that played best, in the folder of checkpoints."""
OVERLAY = "overlay.toml"
"""A run's own copy of the overlay it was trained with."""
BASE = "base.toml"
"""A run's own copy of the table that its overlay changes."""
TRASH = ".trash"
"""Folder, beside the runs, of those that were thrown away."""
PLAYERS = "players"
"""Folder, beside the runs, of what is kept for those that are trained elsewhere: they are no runs of this machine."""
MOST_LETTERS: Final = 100
"""Of a name: folders of players hold two, and file systems take some 250."""
_PLAIN = re.compile(r'[^<>:"/\\|?*\x00-\x1f. ]([^<>:"/\\|?*\x00-\x1f]*[^<>:"/\\|?*\x00-\x1f. ])?')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that Windows gives to no folder, whatever their ending."""


def default_runs_dir() -> Path:
    """Where runs are kept: the ``ASHEN_RUNS`` environment variable, else ``runs`` in the current folder."""
    return Path(os.environ.get("ASHEN_RUNS") or "runs")


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run, and the small files written straight into it.

    Args:
        path: the folder itself.
    """

    path: Path

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.resolve().name

    @property
    def word(self) -> str:
        """What a command finds it by: its name where runs are kept, else its path."""
        path = self.path.resolve()
        word = path.name if path.parent == default_runs_dir().resolve() else str(path)
        return f'"{word}"' if " " in word else word

    @property
    def config_file(self) -> Path:
        """What was asked for: recipe, versions, table hash. Written once."""
        return self.path / "config.json"

    @property
    def overlay_file(self) -> Path:
        """The run's own copy of the overlay it was trained with, if there was one."""
        return self.path / OVERLAY

    @property
    def calibrated_file(self) -> Path:
        """The overlay that a fine-tuning has refitted to its agent's own fights, and trains with."""
        return self.path / "calibrated.toml"

    @property
    def learned_animations_file(self) -> Path:
        """An overlay with the boss's animations that the real game showed and no table knows."""
        return self.path / "learned-animations.toml"

    @property
    def base_file(self) -> Path:
        """The run's own copy of the table that its overlay changes, if that is not a shipped one."""
        return self.path / BASE

    @property
    def metrics_file(self) -> Path:
        """One JSON object a line, append-only."""
        return self.path / "metrics.jsonl"

    @property
    def csv_file(self) -> Path:
        """The same rows for a spreadsheet."""
        return self.path / "metrics.csv"

    @property
    def checkpoints(self) -> Path:
        """Folder of what a training needs to go on."""
        return self.path / "checkpoints"

    @property
    def numbered_checkpoints(self) -> list[Path]:
        """Those that its training can go on from, each named after its step, oldest first."""
        return sorted(self.checkpoints.glob("step-*.pt"))

    @property
    def fights(self) -> Path:
        """Folder of recorded fights."""
        return self.path / "fights"

    @property
    def log_file(self) -> Path:
        """What happened, in words, with times."""
        return self.path / "run.log"

    @property
    def journal_file(self) -> Path:
        """What the run is, and what came of it, for a human who comes back after a month."""
        return self.path / "journal.md"

    @property
    def tags_file(self) -> Path:
        """Words that its owner put on the run."""
        return self.path / "tags.json"

    @property
    def lock_file(self) -> Path:
        """Empty; locked while somebody is at work on the run."""
        return self.path / "run.lock"

    @property
    def is_trashed(self) -> bool:
        """Whether the run was thrown away."""
        return self.path.resolve().parent.name == TRASH

    @property
    def game_file(self) -> Path:
        """What went wrong on the real game, and animations that no table knows."""
        return self.path / "game.json"

    @property
    def curves_file(self) -> Path:
        """Picture of the learning curves, redrawn at every evaluation."""
        return self.path / "curves.png"

    @property
    def film_file(self) -> Path:
        """Film of a typical fight, made when the training ends."""
        return self.path / "fight.mp4"

    def log(self, message: str, level: int = logging.INFO) -> None:
        """Append a line with the time to ``run.log``.

        Raises:
            OSError: the disk is full.
        """
        run_logger(self.log_file).log(level, "%s", message)

    def write_config(self, config: dict[str, Any]) -> None:
        """Write ``config.json``; schema version, name and time are added."""
        head = {"schema_version": SCHEMA_VERSION, "name": self.name, "created_at": now()}
        write_text(self.config_file, json.dumps(head | config, indent=2) + "\n")

    def keep_overlay(self, overlay: Path, base: Path | None) -> None:
        """Copy an overlay, and its base where that is a file of the user's, so that the run depends on neither.

        Args:
            overlay: a TOML file with the key ``base``.
            base: the table it changes; None if that is a shipped one.
        """
        for name, text in own_tables(overlay, base).items():
            write_text(self.path / name, text)

    def keep_run(self, run: "RunFolder", checkpoint: Path, place: str) -> None:
        """Copy what another run's agent needs to play, as a run folder within this one.

        Args:
            run: the other run.
            checkpoint: the one of its checkpoints to copy.
            place: name of the folder.
        """
        copy = RunFolder(self.path / place)
        copy.checkpoints.mkdir(parents=True)
        write_bytes(copy.checkpoints / BEST, checkpoint.read_bytes())
        for file in (run.overlay_file, run.base_file, run.config_file):
            if file.is_file():
                write_bytes(copy.path / file.name, file.read_bytes())

    def read_config(self) -> dict[str, Any]:
        """What :meth:`write_config` wrote.

        Raises:
            UserError: the file is missing, damaged or of another schema.
        """
        try:
            config = json.loads(self.config_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"cannot read {self.config_file}: {error}; the run folder is damaged") from None
        version = config.get("schema_version") if isinstance(config, dict) else None
        if version != SCHEMA_VERSION:
            raise UserError(f"{self.config_file} has schema {version}, this ashen reads {SCHEMA_VERSION}; train anew")
        return config


class FightsFolder(RunFolder):
    """A folder of recorded fights and nothing else, for what reads a run's fights."""

    @property
    def fights(self) -> Path:
        """The folder itself."""
        return self.path


def step_of(checkpoint: Path) -> int:
    """How far the training was, of one of :attr:`RunFolder.numbered_checkpoints`."""
    return int(checkpoint.stem.rpartition("-")[2])


def own_tables(overlay: Path, base: Path | None) -> dict[str, str]:
    """Copies of an overlay and its base that need each other and nothing else, name -> text.

    Args:
        overlay: a TOML file with the key ``base``.
        base: the table it changes; None if that is a shipped one.
    """
    text = overlay.read_text(encoding="utf-8")
    if base is None:
        return {OVERLAY: text}
    text = re.sub(r"(?m)^base\s*=.*$", f'base = "{BASE}"', text, count=1)
    return {BASE: base.read_text(encoding="utf-8"), OVERLAY: text}


def is_plain(name: str) -> bool:
    """Whether a folder can be called so, on Windows too."""
    return len(name) <= MOST_LETTERS and bool(_PLAIN.fullmatch(name)) and not _DEVICES.fullmatch(name)


def check_new_name(name: str | None, runs_dir: Path) -> None:
    """Make sure that a new run can be called so; None is a name that is yet to be made.

    Raises:
        UserError: it is no plain name, or taken.
    """
    if name is None:
        return
    if not is_plain(name) or name in (PLAYERS, "journal.md"):
        raise UserError(
            f"'{name}' cannot be a run's name; give one plain folder name of at most {MOST_LETTERS} letters, which "
            "Windows can make too and ashen does not use itself, and its place with --runs-dir"
        )
    if (runs_dir / name / "config.json").is_file():
        way = f"make room with: ashen runs trash {name}"
        raise UserError(f"there is already a run '{name}' in {runs_dir}; give another --name, or {way}")
    if (runs_dir / name).exists():
        raise UserError(f"there is something else called '{name}' in {runs_dir}, no run; give another --name")


def create_run(runs_dir: Path, name: str | None, label: str) -> RunFolder:
    """Make the folder of a new run.

    Args:
        runs_dir: folder of all runs, made if missing.
        name: the run's name; None makes one of today's date, the label and a number.
        label: for example ``"iudex-full"``.

    Raises:
        UserError: there is a run of that name, or the folder cannot be made.
    """
    check_new_name(name, runs_dir)
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
        run = RunFolder(_new_folder(runs_dir, name, label))
        run.checkpoints.mkdir()
        run.fights.mkdir()
    except FileExistsError as error:
        raise UserError(f"cannot make {error.filename}: a file is in the way; choose another --runs-dir") from None
    except OSError as error:
        raise UserError(f"cannot make a run in {runs_dir}: {error.strerror}; choose another --runs-dir") from None
    return run


def open_run(run: str, runs_dir: Path, others: tuple[str, ...] = (), or_else: str = "") -> RunFolder:
    """Find a run by its name or by its folder.

    Args:
        run: a name in ``runs_dir`` or a path.
        runs_dir: folder of all runs.
        others: further names that would have been right here, for the error message.
        or_else: what else would have been, in words.

    Raises:
        UserError: there is no such run.
    """
    for path in (runs_dir / run, Path(run)):
        if (path / "config.json").is_file() and not RunFolder(path).is_trashed:
            return RunFolder(path)
    if run == HUMAN:
        raise UserError(NO_HUMAN_FIGHTS)
    name = Path(run).name
    if (runs_dir / TRASH / name / "config.json").is_file():
        raise UserError(f"'{name}' is in the trash; get it back with: ashen runs restore {name}")
    known = [*run_names(runs_dir), *others]
    more = f"; or give {or_else}" if or_else else ""
    if not known:
        raise UserError(f"unknown run '{run}'; there are none in {runs_dir} yet, make one with: ashen train{more}")
    raise UserError(f"{unknown('run', run, known, str(runs_dir))}{more}")


def run_names(runs_dir: Path) -> list[str]:
    """Names of all runs in a folder, sorted."""
    return sorted(path.parent.name for path in runs_dir.glob("*/config.json"))


def _new_folder(runs_dir: Path, name: str | None, label: str) -> Path:
    if name is not None:
        (runs_dir / name).mkdir()
        return runs_dir / name
    stem = f"{date.today().isoformat()}-{label}-"
    places = (runs_dir, runs_dir / TRASH)
    taken = [path.name.removeprefix(stem) for place in places for path in place.glob(f"{stem}*")]
    number = 1 + max((int(text) for text in taken if text.isdigit()), default=0)
    path = runs_dir / f"{stem}{number}"
    path.mkdir()
    return path

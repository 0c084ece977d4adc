"""Options of the verb that keeps order among runs, and of the words after it."""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from ashen.core.errors import UserError
from ashen.runs.folder import default_runs_dir
from ashen.runs.shelf import Sort


@dataclass(frozen=True)
class RunsOptions:
    """List the runs and what came of each: its last match with the 95 % interval of the win rate, and how it stands.

    Tagged bad, a run is left out here; tagged keep, it cannot be thrown away. Other tags are yours to give.
    """

    sort: Sort = "date"
    """By what; the newest, or the one with most wins or steps, stands last."""
    tag: str | None = None
    """Only runs with this tag."""
    all: bool = False
    """Also runs tagged bad, and those in the trash."""
    json: bool = False
    """Print one JSON object a run, one a line."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""


@dataclass(frozen=True)
class TagOptions:
    """Put tags on a run, or take them off with untag, as in: ashen runs tag RUN bad."""

    run: tyro.conf.Positional[str]
    """A run's name or folder."""
    tags: tyro.conf.Positional[tuple[str, ...]] = ()
    """Plain words; bad and keep mean something to ashen runs."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if not self.tags:
            raise UserError(f"no tag given; as in: ashen runs tag {self.run} bad")


@dataclass(frozen=True)
class TrashOptions:
    """Throw a run away: it moves into the folder .trash beside it, from where ashen runs restore brings it back."""

    run: tyro.conf.Positional[str]
    """A run's name or folder."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""


@dataclass(frozen=True)
class RestoreOptions:
    """Bring a run back out of the trash."""

    run: tyro.conf.Positional[str]
    """Its name there; see: ashen runs --all."""
    name: str | None = None
    """What it is to be called from now on; as it was if not given."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

"""Options of the verbs that make a run of what was trained before."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from ashen.options.parse import check_counts
from ashen.runs.folder import default_runs_dir


@dataclass(frozen=True)
class ResumeOptions:
    """Go on with a run from its newest checkpoint, by its own recipe: as if it had never stopped.

    By other settings a run is gone on with in a new one: ashen fork RUN [OPTIONS].
    """

    run: tyro.conf.Positional[str]
    """A run's name or folder."""
    actors: int | None = None
    """Players from here on, of a run with --actors or --fleet; as before if not given."""
    fleet: str | None = None
    """Address of the fleet from here on; as before if not given."""
    scan_codes: bool | None = None
    """Press the game's keys by place from here on, or else by letter; as before if not given."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""


@dataclass(frozen=True)
class JoinOptions:
    """Make one run of two for the full fight: RUN1 plays phase 1, RUN2 phase 2; the phase shown decides.

    The new run holds copies of both agents. They may differ in algorithm, encoder and actions. Their first fights are
    recorded and counted. The return is counted in RUN1's reward.
    """

    run1: tyro.conf.Positional[str]
    """Plays phase 1: a run's name or folder."""
    run2: tyro.conf.Positional[str]
    """Plays phase 2: a run's name or folder."""
    name: str | None = None
    """Name of the new run; made from date and boss if not given."""
    fights: int = 50
    """Fights in the first match, those of ashen evaluate with the same number."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        check_counts(self, "fights")


@dataclass(frozen=True)
class ImportOptions:
    """Make a run of a checkpoint of RL-Souls: a file of torch with the ReLU network of a DQN under model_state_dict.

    Only tensors are read from the file, no code in it is ever run. Its first fights are recorded and counted.
    """

    file: tyro.conf.Positional[Path]
    """The checkpoint."""
    encoder: str = "onehot74"
    """What its network sees: onehot74, raw26 or ashen."""
    actions: str = "all"
    """Action set it chooses among: all, diary16, diary15, no_shield."""
    fight: Literal["full", "phase1", "phase2"] = "phase1"
    """What it was trained for."""
    name: str | None = None
    """Name of the new run; made from date, boss and fight if not given."""
    fights: int = 50
    """Fights in the first match, those of ashen evaluate with the same number."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        check_counts(self, "fights")

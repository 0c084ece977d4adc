"""Options of the verbs about the recorded fights of a run."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from ashen.runs.fights import Kind
from ashen.runs.folder import default_runs_dir


@dataclass(frozen=True)
class FightsOptions:
    """List the recorded fights of a run.

    On the real game every fight is recorded, elsewhere those of matches and a sample of the training's. A fight whose
    program was killed in its middle is listed too: it ended in the fault "interrupted".
    """

    run: tyro.conf.Positional[str]
    """A run's name or folder, human for your own fights, or a folder that ashen evaluate --record has filled."""
    outcome: Literal["win", "loss", "timeout", "fault"] | None = None
    """Only those that ended so."""
    kind: Kind | None = None
    """Only those fought for this; a gate is the match in which a fine-tuning on the game chooses between two agents."""
    incident: str | None = None
    """Only those that this fault ended, such as memory or interrupted."""
    sort: Literal["step", "length", "damage", "return"] = "step"
    """By the training's step, the first first; or by length, damage dealt or return, the most first."""
    json: bool = False
    """Print one JSON object instead of a table."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""


@dataclass(frozen=True)
class ExportOptions:
    """Write the recorded fights of a run as a data set for other learners; fights that ended in a fault are left out.

    Observations are those of the run's encoder; infos hold the action masks, the metadata of an episode tells kind and
    outcome. Needs Minari: python bootstrap.py export installs it.
    """

    run: tyro.conf.Positional[str]
    """A run's name or folder, human for your own fights, or a folder that ashen evaluate --record has filled."""
    minari: str
    """The new data set: a name such as gundyr/mine-v0 (two letters or more before the /), then it lies where Minari
    keeps them (~/.minari/datasets), or a folder, as an absolute path or one that begins with ./"""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""


@dataclass(frozen=True)
class RescoreOptions:
    """Compute what the recorded fights of a run would have paid under another reward, without playing.

    Old returns are those that were recorded. Told are the mean returns by kind and outcome, the rank correlation of the
    fights by old and by new return, and the fights whose place changes most. The records stay as they are.
    """

    run: tyro.conf.Positional[str]
    """A run's name or folder, human for your own fights, or a folder that ashen evaluate --record has filled."""
    reward: str
    """A preset (see docs/rewards.md), or weights: damage_dealt=1.5,win=2; preset=diary,win=2 starts from a preset."""
    json: bool = False
    """Print one JSON object instead of tables."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

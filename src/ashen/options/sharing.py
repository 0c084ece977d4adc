"""Options of the verbs that hand agents on: packs, the leaderboard, the demo."""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from ashen.options.parse import check_counts
from ashen.runs.folder import default_runs_dir


@dataclass(frozen=True)
class PackOptions:
    """Make one file of a run's best agent: NAME.ashen, which plays on any machine and executes nothing.

    It holds the weights (safetensors), recipe, encoder, actions, table hashes, lineage, overlay if there is one, the
    figures of a match fought now, and a card for humans. Wherever a run's agent is asked for, the file will do.
    """

    run: tyro.conf.Positional[str]
    """A run's name or folder; a joined run makes a pack of both its agents."""
    out: Path | None = None
    """The file; NAME.ashen in the current folder if not given. A pack that is there is replaced, unless it is
    RUN itself, any other file refused."""
    fights: int = 1000
    """Fights of the match that the pack tells of, from the benchmark's seed."""
    half: bool = False
    """Keep weight matrices in 16 bits: half the size, weights rounded to 3 digits. The match is fought with them."""
    json: bool = False
    """Print one JSON object instead of lines."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        check_counts(self, "fights")


@dataclass(frozen=True)
class LeaderboardOptions:
    """Let packs, runs and opponents fight the benchmark's fights, and rank them by wins, with 95 % intervals.

    The fights are the same for all and always (docs/benchmark.md). The scripted opponents take part too. Without NAMES
    the shipped packs fight.
    """

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Packs (files, or names of shipped ones), runs (names or folders) and opponents."""
    fights: int = 1000
    """How many of the benchmark's fights, the first ones; all count."""
    out: Path | None = None
    """Write the ranking to this file too, as JSON. A ranking that is there is replaced, any other file refused."""
    json: bool = False
    """Print one JSON object instead of a table."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        check_counts(self, "fights")


@dataclass(frozen=True)
class DemoOptions:
    """Watch a trained agent fight, at once: in a window, or without a display as a film.

    The agent came with ashen; another pack or run will do too. Escape closes the window.
    """

    run: tyro.conf.Positional[str] = "iudex-full"
    """Who fights: a pack (file, or name of a shipped one) or a run; the agent that came with ashen if not given."""
    seed: int = 0
    """Same seed, same fight."""
    out: Path | None = None
    """Make a film (mp4, webp, gif or png) of it instead of a window."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        check_counts(self, "seed", least=0)

"""Options of the verbs that show: fights, curves, comparisons."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import tyro

from ashen.core.errors import UserError
from ashen.core.fight import MAX_STEPS
from ashen.options.parse import Boss, check_counts, world_changes
from ashen.runs.folder import default_runs_dir
from ashen.runs.metrics import MetricName

AROUND_STEPS = 10
"""How much is told before and after a step that was asked for."""
_ANEW = "--seed, --fight, --boss and --randomise"
"""What makes a run's agent fight anew to be explained."""


@dataclass(frozen=True)
class PlayOptions:
    """Fight yourself, in a window, at the game's speed; every fight is recorded, and filmed by: ashen film human."""

    boss: str = "iudex"
    """Name or table of the boss."""
    fight: Literal["full", "phase1", "phase2"] = "full"
    """What is fought."""
    start: Literal["fixed", "random"] = "fixed"
    """Start pose: the fixed one, or one of eleven drawn at random."""
    randomise: Literal["none", "facts", "wide"] = "none"
    """Vary the boss from fight to fight: within what is known of his numbers, or wider. The picture shows the attack
    shapes of the boss as he is without that."""
    seed: int | None = None
    """Same seed, same fights, which are also those of ashen evaluate; drawn if not given."""
    speed: float = 1.0
    """1 is the game's speed."""
    fights: int | None = None
    """End after so many fights."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs, the fights go to human/fights in it; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if not 0.1 <= self.speed <= 10.0:
            raise UserError(f"--speed {self.speed} must lie between 0.1 and 10")
        check_counts(self, "fights")
        check_counts(self, "seed", least=0)


@dataclass(frozen=True)
class FilmOptions:
    """Film a fight: arena, bodies, bars, animations, action and scores."""

    run: tyro.conf.Positional[str]
    """A run's name or folder, human for your own fights, the path of a recorded fight, or a pack (NAME.ashen), of which
    the first fight of ashen evaluate is filmed."""
    which: str | None = None
    """Which fight of a run's newest match: typical (if not given), best, worst, last (of your own fights that if not
    given), or its number."""
    out: Path = Path("fight.mp4")
    """The film: an mp4, webp, gif or png; a name alone is in the current folder. One that is there already is replaced,
    any other file refused."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""


@dataclass(frozen=True)
class ExplainOptions:
    """Tell why a fight went as it did: every decision of the boss, every blow that hit or missed, every refused input.

    RUN is a recorded fight (npz), a run, a pack or an opponent. A run's recorded fight is told, unless --seed, --fight,
    --boss or --randomise is given: then its agent, like a pack or an opponent, fights anew, the first fight of ashen
    evaluate with them.
    """

    run: tyro.conf.Positional[str]
    """A recorded fight, a run's name or folder, a pack (NAME.ashen), or an opponent: random, random-valid,
    always-attack, roll-and-hit, oracle."""
    which: str | None = None
    """Which recorded fight of a run's newest match: typical (if not given), best, worst, last, or its number."""
    fight: Literal["full", "phase1", "phase2"] | None = None
    """What is fought anew: the run's own if not given, full for opponents."""
    boss: Boss = None
    """Boss of the fight fought anew, by name, table or overlay: the run's own if not given, iudex for opponents."""
    randomise: Literal["none", "facts", "wide"] = "none"
    """Fight anew against a boss varied within what is known of his numbers, or wider."""
    seed: int | None = None
    """Of the fight fought anew, 0 if not given; same seed, same fight."""
    show: Literal["all", "events", "hits"] = "events"
    """All steps, those in which something happened, or only blows and lost hit points."""
    around: int | None = None
    """Only the second before and after this step."""
    from_step: int | None = None
    """Only from this step on."""
    to_step: int | None = None
    """Only up to this step."""
    out: Path | None = None
    """The file; the terminal if not given. An explanation that is there already is replaced, any other file refused."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if self.around is not None and (self.from_step is not None or self.to_step is not None):
            raise UserError("--around and --from-step, --to-step exclude each other; give one of the two")
        if self.which is not None and self.is_anew:
            raise UserError(f"--which chooses a recorded fight, {_ANEW} make a new one; give one of the two")
        if self.run.endswith(".npz") and (self.which is not None or self.is_anew):
            raise UserError(f"{self.run} is one recorded fight; leave out --which, {_ANEW}")
        check_counts(self, "around", "from_step", "to_step", "seed", least=0)

    @property
    def is_anew(self) -> bool:
        """Whether a run's agent is to fight anew."""
        return self.seed is not None or self.randomise != "none" or bool(self.changes)

    @property
    def changes(self) -> dict[str, Any]:
        """What was asked for in place of the contender's own world."""
        return world_changes(self, "boss", "fight")

    @property
    def steps(self) -> range:
        """The steps asked for."""
        if self.around is not None:
            return range(self.around - AROUND_STEPS, self.around + AROUND_STEPS + 1)
        last = MAX_STEPS if self.to_step is None else self.to_step
        return range(self.from_step or 0, last + 1)


@dataclass(frozen=True)
class ReportOptions:
    """Explain a run on one page of HTML that needs no network: how it learned, where it wins and loses, and why.

    Its greedy agent plays fights for it in the simulator, on seeds that no training uses.
    """

    run: tyro.conf.Positional[str]
    """A run's name or folder, or a pack (NAME.ashen)."""
    fights: int = 50
    """How many fights it plays; more take longer and make the intervals narrower."""
    films: bool = True
    """Film the best, the median and the worst fight, into a folder beside the page."""
    out: Path | None = None
    """The page; report.html in the run's folder if not given, of a pack NAME-report.html in the current one. A report
    that is there already is replaced, any other file refused."""
    open: bool = False
    """Open the page in the browser."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        check_counts(self, "fights")


@dataclass(frozen=True)
class PlotOptions:
    """Draw learning curves, one colour a run, the win rate with its 95 % band."""

    runs: tyro.conf.Positional[tuple[str, ...]]
    """Names or folders of runs."""
    out: Path = Path("curves.png")
    """The picture, a png; a name alone is in the current folder. One that is there already is replaced, any other file
    refused."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if not self.runs:
            raise UserError("no run to plot; give at least one, see: ashen plot --help")


@dataclass(frozen=True)
class CompareOptions:
    """Compare recipes over seeds: runs that differ in nothing but the seed are one group, named by what sets it apart.

    Where much does, the name is cut short, and --json has all of it. Of each group the interquartile mean over its
    seeds, of the best network in the final match and of the matches on the way, with 95 % bootstrap intervals; and how
    likely a seed of it is better than a seed of the first group.
    """

    runs: tyro.conf.Positional[tuple[str, ...]]
    """Names or folders of runs, no packs, against one boss in one fight; five seeds of a recipe, better ten, tell
    something."""
    metric: MetricName = "win_rate"
    """What they are compared by."""
    out: Path = Path("compare.png")
    """The picture, a png; a name alone is in the current folder."""
    json: bool = False
    """Print one JSON object with all figures instead of a table."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if not self.runs:
            raise UserError("no run to compare; give at least one, see: ashen compare --help")

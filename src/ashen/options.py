"""Command-line options from dataclasses, through tyro; what tyro has to say about a mistake is put into one line."""

import io
import re
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from inspect import cleandoc
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tyro

from ashen.core.errors import UserError
from ashen.core.fight import MAX_STEPS
from ashen.runs.folder import default_runs_dir
from ashen.runs.metrics import MetricName

Options = TypeVar("Options")
AROUND_STEPS = 10
"""How much is told before and after a step that was asked for."""
_ANEW = "--seed, --fight, --boss and --randomise"
"""What makes a run's agent fight anew to be explained."""


@dataclass(frozen=True)
class EvaluateOptions:
    """Fight many times and count. Fights are fixed by the seed; the greedy agent plays from its best checkpoint."""

    run: tyro.conf.Positional[str]
    """A run's name or folder, or an opponent: random, random-valid, always-attack, roll-and-hit, oracle."""
    fights: int = 200
    """How many fights; the most there may be with --until-sure."""
    fight: Literal["full", "phase1", "phase2"] | None = None
    """What is fought: the run's own if not given, full for opponents."""
    start: Literal["fixed", "random"] = "fixed"
    """Start pose: the fixed one, or one of eleven drawn at random."""
    boss: str | None = None
    """Boss, by name or by the path of a table: the run's own if not given, iudex for opponents."""
    randomise: Literal["none", "facts", "wide"] = "none"
    """Vary the boss from fight to fight: within what is known of his numbers, or wider."""
    seed: int = 0
    """Same seed, same fights."""
    reward: str | None = None
    """What the return is counted in: the run's own if not given, soulsgym for opponents."""
    until_sure: bool = False
    """Stop as soon as the win rate is known to within 10 points."""
    num_envs: int | None = None
    """Fights side by side; changes the speed, not the fights."""
    plan: bool = False
    """Try the agent's best actions on copies of the fight before each decision. Only for simulated fights: the copies
    hold what the game does not show, such as the chain the boss has chosen, his cooldowns and his poise."""
    plan_steps: int = 10
    """Steps that a copy plays before its value network judges."""
    plan_samples: int = 4
    """Copies of each action tried, each with other dice."""
    record: Path | None = None
    """A new folder for the recorded fights, all of them, for film, explain and what learns from fights."""
    json: bool = False
    """Print one JSON object instead of a table."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if self.fights < 1 or (self.num_envs is not None and self.num_envs < 1):
            raise UserError("--fights and --num-envs must be at least 1")
        if min(self.plan_steps, self.plan_samples) < 1:
            raise UserError("--plan-steps and --plan-samples must be at least 1")

    @property
    def changes(self) -> dict[str, Any]:
        """What was asked for in place of the contender's own world."""
        return _given(self, "boss", "fight", "reward")


@dataclass(frozen=True)
class ExploitsOptions:
    """Check that wins are earned: the boss is never stuck, dies of blows, and is beaten without the cliff too.

    The exit code is 0 if all checks pass, 1 if one fails. The same match is fought twice, with the cliff and without.
    """

    run: tyro.conf.Positional[str]
    """A run's name or folder, or an opponent: random, random-valid, always-attack, roll-and-hit, oracle."""
    fights: int = 200
    """How many fights each time."""
    fight: Literal["full", "phase1", "phase2"] | None = None
    """What is fought: the run's own if not given, full for opponents."""
    boss: str | None = None
    """Boss, by name or by the path of a table: the run's own if not given, iudex for opponents."""
    seed: int = 0
    """Same seed, same fights."""
    json: bool = False
    """Print one JSON object instead of lines."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if self.fights < 1:
            raise UserError("--fights must be at least 1")

    @property
    def changes(self) -> dict[str, Any]:
        """What was asked for in place of the contender's own world."""
        return _given(self, "boss", "fight")


@dataclass(frozen=True)
class FilmOptions:
    """Film a fight: arena, bodies, bars, animations, action and scores."""

    run: tyro.conf.Positional[str]
    """A run's name or folder, human for your own fights, or the path of a recorded fight."""
    which: Literal["typical", "best", "worst", "last"] | None = None
    """Which fight of a run's newest match: the typical one if not given, of your own fights the last."""
    out: Path = Path("fight.mp4")
    """The film: an mp4, webp, gif or png. One that is there already is replaced, any other file refused."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""


@dataclass(frozen=True)
class ExplainOptions:
    """Tell why a fight went as it did: every decision of the boss, every blow that hit or missed, every refused input.

    RUN is a recorded fight (npz), a run or an opponent. A run's recorded fight is told, unless --seed, --fight, --boss
    or --randomise is given: then its agent, like an opponent, fights anew, the first fight of ashen evaluate with them.
    """

    run: tyro.conf.Positional[str]
    """A recorded fight, a run's name or folder, or an opponent: random, random-valid, always-attack, roll-and-hit,
    oracle."""
    which: str | None = None
    """Which recorded fight of a run's newest match: typical (if not given), best, worst, last, or its number."""
    fight: Literal["full", "phase1", "phase2"] | None = None
    """What is fought anew: the run's own if not given, full for opponents."""
    boss: str | None = None
    """Boss of the fight fought anew, by name or table: the run's own if not given, iudex for opponents."""
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
        for name in ("around", "from_step", "to_step"):
            if (getattr(self, name) or 0) < 0:
                raise UserError(f"--{name.replace('_', '-')} {getattr(self, name)} must be at least 0")

    @property
    def is_anew(self) -> bool:
        """Whether a run's agent is to fight anew."""
        return self.seed is not None or self.randomise != "none" or bool(self.changes)

    @property
    def changes(self) -> dict[str, Any]:
        """What was asked for in place of the contender's own world."""
        return _given(self, "boss", "fight")

    @property
    def steps(self) -> range:
        """The steps asked for."""
        if self.around is not None:
            return range(self.around - AROUND_STEPS, self.around + AROUND_STEPS + 1)
        last = MAX_STEPS if self.to_step is None else self.to_step
        return range(self.from_step or 0, last + 1)


@dataclass(frozen=True)
class PlotOptions:
    """Draw learning curves, one colour a run, the win rate with its 95 % band."""

    runs: tyro.conf.Positional[tuple[str, ...]]
    """Names or folders of runs."""
    out: Path = Path("curves.png")
    """The picture, a png. One that is there already is replaced, any other file refused."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if not self.runs:
            raise UserError("no run to plot; give at least one, see: ashen plot --help")


@dataclass(frozen=True)
class CompareOptions:
    """Compare recipes over seeds: runs that differ in nothing but the seed are one group, named by what sets it apart.

    Of each group the interquartile mean over its seeds, of the best network in the final match and of the matches on
    the way, with 95 % bootstrap intervals; and how likely a seed of it is better than a seed of the first group.
    """

    runs: tyro.conf.Positional[tuple[str, ...]]
    """Names or folders of runs against one boss in one fight; five seeds of a recipe, better ten, tell something."""
    metric: MetricName = "win_rate"
    """What they are compared by."""
    out: Path = Path("compare.png")
    """The picture."""
    json: bool = False
    """Print one JSON object with all figures instead of a table."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if not self.runs:
            raise UserError("no run to compare; give at least one, see: ashen compare --help")


@dataclass(frozen=True)
class BenchOptions:
    """Measure speed on this machine: of the simulated fight, of our learners against others', or on a GPU.

    Without --peers and --device it is the fight's alone.
    """

    peers: bool = False
    """Our DQN and PPO against those of Stable-Baselines3 and TorchRL, on the same job; takes some minutes."""
    device: str | None = None
    """Whether a GPU pays, recipe by recipe: the devices to measure, cpu or cpu,cuda."""
    recipe: tuple[str, ...] = ()
    """Recipes to measure on devices, by name or file; all shipped ones if not given."""
    repeats: int = 5
    """Measurements of each figure; the median is given."""
    json: bool = False
    """Print one JSON object instead of lines."""

    def __post_init__(self) -> None:
        if self.repeats < 1:
            raise UserError(f"--repeats {self.repeats} must be at least 1")
        if self.peers and self.device:
            raise UserError("--peers and --device are two measurements; give one of the two")
        if self.recipe and not self.device:
            raise UserError("--recipe says what --device measures; add --device cpu,cuda")
        if self.device and self.device not in ("cpu", "cpu,cuda"):
            raise UserError(f"--device {self.device} must be cpu or cpu,cuda")


@dataclass(frozen=True)
class FidelityOptions:
    """Measure every figure of the real game again in the simulator, and write the page of what holds."""

    boss: str = "iudex"
    """Name or table of the boss."""
    fast: bool = False
    """Leave out the figure that takes three trainings of the diary's pipeline."""
    seed: int = 0
    """Same seed, same figures."""
    out: Path = Path("docs/fidelity.md")
    """The page."""
    plots: Path | None = None
    """Folder for a picture of each recorded fight beside what is foretold of it; the page shows them."""
    json: bool = False
    """Print one JSON object instead of the page."""


@dataclass(frozen=True)
class CalibrateOptions:
    """Refit a boss's numbers to recorded fights, and write those that they show as an overlay.

    An overlay stands wherever a boss's name does (--boss FILE), and ashen train --overlay FILE trains with it. What the
    fights do not show stays as it was. The table judges numbers fitted on four fifths of the fights by the last fifth.
    """

    places: Annotated[tuple[str, ...], tyro.conf.arg(name="from")]
    """Runs (names or folders; human for your own fights), folders of fights, or recorded fights (npz)."""
    boss: str | None = None
    """Name or table of the boss; that of the fights if not given."""
    out: Path = Path("overlay.toml")
    """The overlay. One of a calibration that is there already is replaced, any other file refused."""
    json: bool = False
    """Print one JSON object instead of a table."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if not self.places:
            raise UserError("--from needs at least one run, folder of fights or npz file")


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
        _check_fights(self.fights)


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
        _check_fights(self.fights)


def _check_fights(fights: int) -> None:
    if fights < 1:
        raise UserError(f"--fights {fights} must be at least 1")


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
    """Vary the boss from fight to fight: within what is known of his numbers, or wider; drawn are the table's."""
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
        if self.fights is not None and self.fights < 1:
            raise UserError("--fights must be at least 1")


@dataclass(frozen=True)
class NoOptions:
    """List the recipes, each with what it is for."""


def parse(
    options: type[Options], verb: str, words: Sequence[str], default: Options | None = None, more_help: str = ""
) -> Options:
    """Read a verb's options.

    Args:
        options: a dataclass with a docstring under each field.
        verb: for the usage line.
        words: what stands on the command line after the verb.
        default: values of what is not given; the dataclass's own if None.
        more_help: what the help says besides the dataclass's docstring and the options.

    Raises:
        UserError: a word is unknown or a value does not fit.
        SystemExit: help was asked for and printed.
    """
    complaint = io.StringIO()
    try:
        with redirect_stderr(complaint):
            how = {} if default is None else {"default": default}
            how |= {"description": f"{cleandoc(options.__doc__)}\n\n{more_help}"} if more_help else {}
            return tyro.cli(options, prog=f"ashen {verb}", args=list(words), **how)
    except SystemExit as exit_:
        if not exit_.code:
            raise
    raise UserError(f"{_essence(complaint.getvalue())}; see: ashen {verb} --help")


def _given(options: Any, *names: str) -> dict[str, Any]:
    """The options of these names that were given."""
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def split_first(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take off a leading word that is not an option."""
    if words and not words[0].startswith("-"):
        return words[0], list(words[1:])
    return None, list(words)


def _given(options: Any, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def _essence(complaint: str) -> str:
    """The sentence in tyro's box, and the nearest option if it names one.

    The box has a title, then the sentence, then help, divided by rules; without Unicode the frame is left out.
    """
    lines = [line.strip(" │") for line in complaint.splitlines()]
    is_rule = [bool(re.search("───|---", line)) for line in lines]
    parts = [[]]
    for line, rule in zip(lines, is_rule, strict=True):
        if rule:
            parts.append([])
        elif line:
            parts[-1].append(line)
    texts = [" ".join(part) for part in parts[1:]]
    near = re.search(r"Perhaps you meant: (--[\w.-]+)", " ".join(texts))
    sentence = texts[0].rstrip(".")
    return f"{sentence}; did you mean {near[1]}?" if near else sentence

"""Options of the verbs that measure: fights that count, the simulator, speed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import tyro

from ashen.core.errors import SettingError, UserError
from ashen.options.parse import Boss, check_counts, world_changes
from ashen.runs.folder import default_runs_dir

_PLAN: Final = (10, 4)
"""Steps and samples of a look ahead, unless told otherwise."""


@dataclass(frozen=True)
class EvaluateOptions:
    """Fight many times and count. Fights are fixed by the seed; the greedy agent plays from its best checkpoint."""

    run: tyro.conf.Positional[str]
    """A run's name or folder, a pack (NAME.ashen), or an opponent: random, random-valid, always-attack, roll-and-hit,
    oracle."""
    fights: int = 200
    """How many fights; with --sure-within the most there may be."""
    sure_within: float | None = None
    """Stop as soon as the interval (95 %) of the win rate reaches so many percentage points on either side of its
    middle: with 5 perhaps from 90 to 100 %, also where all fights were won. It stays right although it is looked at
    after every fight; 0 plays all fights. A match that ends at --fights without that says how well the win rate is
    known. If not given, 10 on the real game, where a fight takes long, and 0 in the simulator."""
    fight: Literal["full", "phase1", "phase2"] | None = None
    """What is fought: the run's own if not given, full for opponents."""
    start: Literal["fixed", "random"] = "fixed"
    """Start pose: the fixed one, or one of eleven drawn at random."""
    boss: Boss = None
    """Boss, by name or by the path of a table or overlay: the run's own if not given, iudex for opponents."""
    randomise: Literal["none", "facts", "wide"] = "none"
    """Vary the boss from fight to fight: within what is known of his numbers, or wider."""
    seed: int = 0
    """Same seed, same fights."""
    reward: str | None = None
    """What the return is counted in: the run's own if not given, soulsgym for opponents."""
    num_envs: int | None = None
    """Fights side by side; changes the speed, not the fights."""
    backend: Literal["sim", "game"] | None = None
    """In the simulator, or on the real game that runs on this machine; where the run was trained if not given."""
    game_speed: float | None = None
    """How many times faster than real the game runs, 1..3; the run's own if not given, 3 for opponents."""
    scan_codes: bool | None = None
    """Press the game's keys by place, or else by letter; the run's own if not given, by place for opponents."""
    watch: bool = False
    """Fight one by one and print a line a step: what was shown, what was valid (x), what was done, how the best actions
    were valued, and the reward by its terms. The game runs at its own speed then, unless --game-speed is given."""
    plan: bool = False
    """Try the agent's best actions on copies of the fight before each decision. Only for simulated fights: the copies
    hold what the game does not show, such as the chain the boss has chosen, his cooldowns and his poise."""
    plan_steps: int = _PLAN[0]
    """Steps that a copy plays before its value network judges."""
    plan_samples: int = _PLAN[1]
    """Copies of each action tried, each with other dice."""
    record: Path | None = None
    """A new folder for the recorded fights, all of them, for film, explain and what learns from fights."""
    json: bool = False
    """Print one JSON object instead of a table."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        check_counts(self, "fights", "num_envs", "plan_steps", "plan_samples")
        check_counts(self, "seed", least=0)
        if self.sure_within is not None and not 0.0 <= self.sure_within <= 50.0:
            raise SettingError(EvaluateOptions, "sure_within", self.sure_within, "must lie in 0..50")
        if not self.plan and (self.plan_steps, self.plan_samples) != _PLAN:
            raise UserError("--plan-steps and --plan-samples change nothing without --plan; leave them out or add it")
        if self.watch and self.json:
            raise UserError("--watch prints lines and --json one object; give one of the two")

    @property
    def changes(self) -> dict[str, Any]:
        """What was asked for in place of the contender's own world."""
        own_speed = {"game_speed": 1.0} if self.watch else {}
        return own_speed | world_changes(self, "boss", "fight", "reward", "backend", "game_speed", "scan_codes")


@dataclass(frozen=True)
class ExploitsOptions:
    """Check that wins are earned: the boss is never stuck, dies of blows, and is beaten without the cliff too.

    The exit code is 1 if a check fails, else 0, also where nothing was won and so nothing can be judged. The same match
    is fought twice, with the cliff and without.
    """

    run: tyro.conf.Positional[str]
    """A run's name or folder, a pack (NAME.ashen), or an opponent: random, random-valid, always-attack, roll-and-hit,
    oracle."""
    fights: int = 200
    """How many fights each time."""
    fight: Literal["full", "phase1", "phase2"] | None = None
    """What is fought: the run's own if not given, full for opponents."""
    boss: Boss = None
    """Boss, by name or by the path of a table or overlay: the run's own if not given, iudex for opponents."""
    seed: int = 0
    """Same seed, same fights."""
    json: bool = False
    """Print one JSON object instead of lines."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        check_counts(self, "fights")
        check_counts(self, "seed", least=0)

    @property
    def changes(self) -> dict[str, Any]:
        """What was asked for in place of the contender's own world."""
        return world_changes(self, "boss", "fight")


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
        check_counts(self, "repeats")
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
    """Leave out the figures that take three trainings of the diary's pipeline; no page is written then but at --out."""
    seed: int = 0
    """Same seed, same figures."""
    out: Path | None = None
    """The page; docs/fidelity.md in the current folder if not given, with --fast none."""
    plots: Path | None = None
    """Folder for a picture of each recorded fight beside what is foretold of it; the page shows them."""
    json: bool = False
    """Print one JSON object instead of the page."""

    def __post_init__(self) -> None:
        check_counts(self, "seed", least=0)

    @property
    def page(self) -> Path | None:
        """The file to write; None if the page is only printed."""
        return Path("docs/fidelity.md") if self.out is None and not self.fast else self.out


@dataclass(frozen=True)
class CalibrateOptions:
    """Refit a boss's numbers to recorded fights, and write those that they show as an overlay.

    An overlay stands wherever a boss's name does (--boss FILE), and ashen train --overlay FILE trains with it. What the
    fights do not show stays as it was. The table judges numbers fitted on four fifths of the fights by the last fifth.
    """

    places: Annotated[tuple[str, ...], tyro.conf.arg(name="from")]
    """Runs (names or folders; human for your own fights), folders of fights, or recorded fights (npz)."""
    boss: str | None = None
    """Name or table of the boss whose numbers are refitted, if the fights were against another table with his
    animations; that of the fights if not given."""
    out: Path = Path("overlay.toml")
    """The overlay; a name alone is in the current folder. One of a calibration that is there already is replaced, any
    other file refused."""
    json: bool = False
    """Print one JSON object instead of a table."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if not self.places:
            raise UserError("--from needs at least one run, folder of fights or npz file")

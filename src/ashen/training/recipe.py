"""A recipe: everything that decides how a training goes. TOML over defaults; the command line over both.

Recipes are read before torch and numba are loaded, so that a mistake is told at once.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from ashen.agents import DQNConfig, PPOConfig, make_agent
from ashen.core.errors import SettingError, SettingsError, UserError
from ashen.core.fight import GAME_SPEEDS
from ashen.core.protocols import Agent
from ashen.core.seeding import derive_seed
from ashen.core.tables import read_toml
from ashen.env.worlds import misfits_on_game
from ashen.recipes import recipe_file
from ashen.runs.folder import RunFolder
from ashen.training.effects import check_table
from ashen.training.tables import from_table, to_table

if TYPE_CHECKING:
    from ashen.env.view import View


@dataclass(frozen=True)
class Recipe:
    """What is fought, who learns, and how often it is judged. A *step* is one decision of one agent, 0.1 s of game."""

    boss: str = "iudex"
    """Boss name, or the path of a boss's TOML file."""
    real_boss: str = ""
    """The boss whom the simulator fights while the agent knows another, ``boss``: rehearses a game that differs."""
    fight: Literal["full", "phase1", "phase2"] = "full"
    """The whole fight with its phase change, or one phase alone with virtual hit points."""
    encoder: str = "ashen"
    """What the network sees: ashen, onehot74 or raw26."""
    reward: str | dict[str, float | str] = "soulsgym"
    """Reward preset, or weights by term name, which may change those of a preset: preset soulsgym roll -0.1."""
    actions: str | tuple[str, ...] = "all"
    """Action set (all, diary16, diary15, no_shield), or action names."""
    random_start: bool = False
    """Start from one of eleven poses drawn at random, else from the fixed one. Matches start from the fixed one."""
    randomise: Literal["none", "facts", "wide"] = "none"
    """Vary the boss's numbers from fight to fight: within what their confidence allows, or wider. Matches do not."""
    randomise_share: float = 1.0
    """Share of the varied bosses, 0..1, if they vary; the others are the table's own."""
    phase2_starts: float = 0.0
    """Share of the training fights that begin where a recent one came into phase 2, 0..1; the display counts others."""
    skip_steps: bool = False
    """Wait in the environment while doing nothing is the only valid action."""

    backend: Literal["sim", "game"] = "sim"
    """Where it is fought: in the simulator, or on the real game that runs on this machine, one fight at a time."""
    game_speed: float = 3.0
    """How many times faster than real the game runs, 1..3; the simulator runs as fast as it can."""
    scan_codes: bool = True
    """Press the game's keys by place, which no keyboard layout moves; else by letter, as SoulsGym itself does."""
    world_steps_per_s: float = 0.0
    """Steps of 0.1 s that the world makes in a second; learning gets the time beside them, and leaves out what takes
    longer, so that no two trainings are the same. The game makes 22 at speed 3. 0: the world waits for learning."""

    algorithm: Literal["ppo", "dqn"] = "ppo"
    """Learner; its own settings follow under its name."""
    num_envs: int = 64
    """Fights played side by side."""
    total_steps: int = 2_000_000
    """Steps to train for, over all fights together."""
    seed: int = 0
    """Everything random follows from it."""

    evaluate_every: int = 200_000
    """Steps between matches of the greedy agent, on seeds of their own; on the game at least so many."""
    evaluation_fights: int = 50
    """Fights in such a match; all are recorded. On the game at most so many: it ends when its answer is sure."""
    evaluation_share_pct: float = 10.0
    """On the game, percent of game time for these matches, 0..50: between fights of the training, one by one."""
    final_fights: int = 200
    """Fights of the kept checkpoint at the end, on fresh seeds; on the game at most so many."""
    keep: Literal["best", "last"] = "best"
    """Whether ``best.pt``, the agent that is used, is that of the best match or the last one."""
    checkpoint_every: int = 200_000
    """Steps between checkpoints, the most that a crash can cost."""
    record_every: int = 100_000
    """Steps between recorded training fights; on the game all are recorded."""
    log_every: int = 20_000
    """Steps between rows of metrics."""

    ppo: PPOConfig = PPOConfig()
    """Settings of proximal policy optimisation."""
    dqn: DQNConfig = DQNConfig()
    """Settings of the deep Q-network and its variants."""

    def __post_init__(self) -> None:
        counts = ("num_envs", "total_steps", "evaluation_fights", "final_fights")
        for name in (*counts, "evaluate_every", "checkpoint_every", "record_every", "log_every"):
            if getattr(self, name) < 1:
                raise SettingError(Recipe, name, getattr(self, name), "must be at least 1")
        if self.seed < 0:
            raise SettingError(Recipe, "seed", self.seed, "must be at least 0")
        if self.world_steps_per_s < 0.0:
            raise SettingError(Recipe, "world_steps_per_s", self.world_steps_per_s, "must be at least 0")
        if not 0.0 <= self.evaluation_share_pct <= 50.0:
            raise SettingError(Recipe, "evaluation_share_pct", self.evaluation_share_pct, "must lie in 0..50")
        for name in ("phase2_starts", "randomise_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise SettingError(Recipe, name, getattr(self, name), "must lie in 0..1")

        if self.is_on_game:
            rules = misfits_on_game(vars(self))
            if wrong := [SettingError(Recipe, name, getattr(self, name), rule) for name, rule in rules.items()]:
                raise SettingsError(wrong, "on the game, which is one and as it is; the recipe game is made for it")
        if not GAME_SPEEDS[0] <= self.game_speed <= GAME_SPEEDS[1]:
            raise SettingError(Recipe, "game_speed", self.game_speed, "must lie in {:g}..{:g}".format(*GAME_SPEEDS))

    @property
    def is_on_game(self) -> bool:
        """Whether it is fought on the real game."""
        return self.backend == "game"

    @property
    def config(self) -> PPOConfig | DQNConfig:
        """Settings of the chosen learner."""
        return self.ppo if self.algorithm == "ppo" else self.dqn


def load_recipe(recipe: str) -> Recipe:
    """Read a recipe.

    Args:
        recipe: name of a shipped recipe, or the path of a TOML file.

    Raises:
        UserError: there is no such recipe, it is broken TOML, or a key or value in it is wrong or changes nothing.
    """
    path = recipe_file(recipe)
    table = read_toml(path)
    found = from_table(Recipe, table, str(path))
    check_table(found, table, str(path))
    return found


FIRST_UPDATE: Final = (
    "num_envs", "ppo.rollout_steps", "dqn.learning_starts", "dqn.batch_size", "dqn.update_period_steps",
)  # fmt: skip
"""Settings on which the first update waits: the greater, the longer."""


def check_learns(recipe: Recipe, done_steps: int = 0) -> None:
    """Refuse a training that would end before its first update.

    Args:
        recipe: how it trains.
        done_steps: where it begins, if it is a fork.

    Raises:
        UserError: it would; says which options decide that.
    """
    for name in ("learning_rate", "updates_per_step"):
        if getattr(recipe.config, name, None) == 0.0:
            word = f"--{recipe.algorithm}.{name.replace('_', '-')}"
            raise UserError(f"nothing would be learned: {word} is 0; give more")
    first, why = recipe.config.first_update(recipe.num_envs, done_steps)
    left = -(-(recipe.total_steps - done_steps) // recipe.num_envs) * recipe.num_envs
    if first > left:
        raise UserError(
            f"nothing would be learned: the first update comes after {first:,} steps ({why}), and there are {left:,}; "
            "give more --total-steps, or less of that"
        )


def run_label(recipe: Recipe) -> str:
    """What a run's automatic name says of it, for example ``iudex-full``."""
    return f"{Path(recipe.boss).stem}-{recipe.fight}"


def make_agent_for(recipe: Recipe, env: Any) -> Agent:
    """A new agent of a recipe, of the shapes of an environment or a view.

    Raises:
        UserError: the encoder gives dictionaries, which no learner takes.
    """
    if env.encoder.is_dictionary:
        raise UserError(f"no learner takes the encoder '{recipe.encoder}'; choose ashen, onehot74 or raw26")
    config = recipe.config
    if isinstance(config, DQNConfig) and config.distributional and config.value_range is None:
        config = replace(config, value_range=env.reward.value_bounds(config.discount))
    return make_agent(
        recipe.algorithm,
        config,
        obs_dim=len(env.encoder.names),
        num_actions=len(env.action_names),
        num_envs=recipe.num_envs,
        seed=derive_seed(recipe.seed, "agent"),
        total_steps=recipe.total_steps,
    )


def with_few_matches(recipe: Recipe) -> Recipe:
    """The recipe with matches such as the real game has time for, where a fight takes ten seconds or more."""
    return replace(recipe, evaluate_every=max(1, recipe.total_steps // 4), evaluation_fights=20, final_fights=50)


_RETIRED = ("save_replay",)
"""Settings of older runs that have no effect any more."""


def kept_recipe(table: dict[str, Any], where: str) -> Recipe:
    """A recipe as a run, a pack or a study keeps it, perhaps from an older ashen.

    Raises:
        UserError: it is no recipe; names ``where``.
    """
    return from_table(Recipe, {name: value for name, value in table.items() if name not in _RETIRED}, where)


def recipe_as_now(table: dict[str, Any]) -> dict[str, Any]:
    """A kept recipe, perhaps an older ashen's, with the settings that this one has besides, at their defaults.

    Raises:
        UserError: it is no recipe.
    """
    return to_table(kept_recipe(table, "a run's recipe"))


def recipe_of(run: RunFolder) -> Recipe:
    """The recipe a run was trained by; a run with an overlay of its own meets the boss of that, wherever it lies.

    Raises:
        UserError: the run's ``config.json`` is damaged, or the run is no training.
    """
    config = run.read_config()
    if "joined" in config and "pack" in config:
        raise UserError(f"{run.name} is a pack of two agents, a phase each; give a pack of one agent, or a run")
    if "joined" in config:
        raise UserError(f"{run.name} is joined of two runs; name one of the two, by its folder in {run.path}")
    if "recipe" not in config:
        raise UserError(f"{run.path} has no recipe, so nothing was trained in it; choose a run that was trained")
    recipe = kept_recipe(config["recipe"], str(run.config_file))
    return replace(recipe, boss=str(run.overlay_file.resolve())) if run.overlay_file.is_file() else recipe


def training_recipe(run: RunFolder) -> Recipe:
    """The recipe by which a run trains: with the table that it has refitted, before its agent is handed over with it.

    Raises:
        UserError: as :func:`recipe_of`.
    """
    recipe = recipe_of(run)
    return replace(recipe, boss=str(run.calibrated_file.resolve())) if run.calibrated_file.is_file() else recipe


def env_options(recipe: Recipe) -> dict[str, Any]:
    """What :func:`ashen.make_vec` needs to know of a recipe, apart from how many and which seed."""
    return {
        "boss": recipe.boss,
        "real_boss": recipe.real_boss,
        "fight": recipe.fight,
        "encoder": recipe.encoder,
        "reward": recipe.reward,
        "actions": recipe.actions if isinstance(recipe.actions, str) else list(recipe.actions),
        "skip_steps": recipe.skip_steps,
        "backend": recipe.backend,
        "game_speed": recipe.game_speed,
        "scan_codes": recipe.scan_codes,
    }


def view_of(recipe: Recipe, boss: str) -> "View":
    """What a recipe's agent sees and may do, of a boss by name or table.

    Raises:
        UserError: an unknown name.
    """
    from ashen.env.view import View

    return View(boss, recipe.encoder, recipe.actions, recipe.skip_steps, recipe.reward)

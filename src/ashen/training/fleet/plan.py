"""How a fleet is made up, and what each player of it plays of a recipe."""

import re
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from ashen.core.errors import SettingError, UserError
from ashen.core.seeding import derive_seed
from ashen.training.recipe import Recipe


@dataclass(frozen=True)
class FleetPlan:
    """Who plays for a training."""

    actors: int = 0
    """Players in the simulator, a process each; with an address on the fleet's machines, else on this one."""
    fleet: str | None = None
    """Address of a fleet (ashen fleet start prints it), whose game PCs play too; this machine alone if not given."""
    pace: float = 0.0
    """Steps of 0.1 s a second, at most, of each actor, however many fights it plays side by side; a game makes 22.
    Rates that are shown count decisions, which span about four of them. 0: as fast as it can."""
    staleness: int = 20_000
    """Updates that an off-policy agent may be ahead of steps it still learns from; later ones are left out and counted.
    PPO learns from what its present policy has played, and nothing else."""

    def __post_init__(self) -> None:
        for name in ("actors", "pace", "staleness"):
            if not 0 <= getattr(self, name) < inf:
                raise SettingError(FleetPlan, name, getattr(self, name), "must be at least 0")
        if self.fleet is not None and not re.fullmatch(r"[^:/]+:\d+", self.fleet):
            rule = "must be HOST:PORT of the head's Ray, as ashen fleet start tells it, such as 127.0.0.1:6379"
            raise SettingError(FleetPlan, "fleet", self.fleet, rule)

    @property
    def is_wanted(self) -> bool:
        """Whether there is a fleet at all."""
        return self.actors > 0 or self.fleet is not None


_BATCH_STEPS: Final = 1_000
_BATCH_UPDATES: Final = 250
"""Between two batches a learner sees to rows, matches and checkpoints: every second or so."""
ALONE: Final = FleetPlan()
"""The training plays all fights itself."""


def check_learner(recipe: Recipe, plan: FleetPlan) -> None:
    """Whether a fleet can learn by a recipe.

    Raises:
        UserError: it cannot.
    """
    if recipe.is_on_game:
        raise UserError(
            "the learner of a fleet plays no game itself; leave out --backend game, and let the game's PCs join it: "
            "ashen fleet join ADDRESS --game"
        )
    if recipe.algorithm == "ppo" and recipe.ppo.rollout_steps * recipe.num_envs < plan.actors:
        raise UserError(f"{plan.actors} actors cannot share a rollout of fewer steps; give more --ppo.rollout-steps")


def batch_steps(recipe: Recipe) -> int:
    """Steps after which an off-policy agent's batch is sent, at least 1: it owes no more than a few hundred updates."""
    return max(1, min(_BATCH_STEPS, int(_BATCH_UPDATES / max(recipe.dqn.updates_per_step, 1e-9))))


def share_of(recipe: Recipe, players: int, name: str, life: str) -> Recipe:
    """What one of so many players plays of a recipe.

    The fights side by side are shared out; where there are more players than fights each plays one, and rollouts are
    so much shorter that all of them together have as many steps as the recipe says.

    Args:
        recipe: of the training.
        players: how many there are.
        name, life: the player's, for random numbers of its own.
    """
    envs = max(1, recipe.num_envs // players)
    rollout = max(1, round(recipe.ppo.rollout_steps * recipe.num_envs / (envs * players)))
    least = envs * recipe.dqn.n_step
    return replace(
        recipe,
        num_envs=envs,
        seed=derive_seed(recipe.seed, "player", name, life),
        ppo=replace(recipe.ppo, rollout_steps=rollout),
        dqn=replace(recipe.dqn, replay_capacity=least),
        world_steps_per_s=0.0,
    )

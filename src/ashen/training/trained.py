"""The agent of a run at its best: its recipe and its checkpoint, put together for an environment or a view."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ashen.core.errors import UserError
from ashen.core.protocols import Agent
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary
from ashen.runs.folder import RunFolder
from ashen.training.checkpoints import sha256_of
from ashen.training.recipe import Recipe, make_agent_for, recipe_of, view_of
from ashen.training.whole import best_checkpoint

if TYPE_CHECKING:
    from ashen.training.loop import Training


@dataclass(frozen=True)
class Trained:
    """What a run knows of its agent."""

    run: RunFolder
    recipe: Recipe
    path: Path
    """File of the checkpoint."""
    checkpoint: dict[str, Any]

    @property
    def env_step(self) -> int:
        """Steps of training behind it."""
        return self.checkpoint["env_step"]

    @property
    def origin(self) -> dict[str, Any]:
        """What the ``config.json`` of a run that starts from this agent says of it."""
        origin = {"run": self.run.name, "checkpoint_step": self.env_step, "sha256": sha256_of(self.path)}
        packed = self.run.read_config().get("pack")
        return origin if packed is None else origin | {"sha256": packed["sha256"], "pack": packed["file"]}

    def agent(self, env: Any) -> Agent:
        """The agent, for an environment or a view of the encoder and the actions it was trained with.

        Raises:
            UserError: it does not fit.
        """
        agent = make_agent_for(self.recipe, env)
        try:
            agent.load_state_dict(self.checkpoint["agent"])
        except UserError as error:
            said = self._new_names(str(env.encoder.boss)) or str(error)
            raise UserError(f"{self.path} does not fit {self.run.config_file}: {said}") from None
        return agent

    def check_fits(self, recipe: Recipe) -> None:
        """Refuse a training that cannot start from this agent, before its world is opened.

        Raises:
            UserError: the training's agent sees or does something else, or has another network.
        """
        for name in ("encoder", "actions"):
            own, wanted = getattr(self.recipe, name), getattr(recipe, name)
            if own != wanted:
                raise UserError(f"the parent {self.run.name} has {name} = {own}, not {wanted}; give it the parent's")
        self._load_into(make_agent_for(recipe, view_of(recipe, recipe.boss)), recipe)

    def hand_over(self, training: "Training") -> None:
        """Let a training start from this agent; counters and schedules begin anew.

        Raises:
            UserError: it does not fit, as :meth:`check_fits` says before.
        """
        self._load_into(training.agent, training.recipe)

    def _load_into(self, agent: Agent, recipe: Recipe) -> None:
        try:
            agent.load_parent(self.checkpoint["agent"])
        except UserError as error:
            said = self._new_names(recipe.boss) or str(error)
            raise UserError(f"cannot start from {self.path}: {said}") from None

    def _new_names(self, boss: str) -> str:
        """That another boss's table has animations that this agent has no place for; empty if it has not."""
        own, there = (boss_vocabulary(boss_file(name)).names for name in (self.recipe.boss, boss))
        if not (new := [name for name in there if name not in own]):
            return ""
        return (
            f"{boss} has animations that this agent has no place for ({', '.join(new)}); leave it out, and they "
            "count as unknown as before, or train a new agent with it"
        )


def trained(run: RunFolder) -> Trained:
    """Read a run's recipe and best checkpoint, see :func:`best_checkpoint`.

    Raises:
        UserError: it has none, they are damaged, or the run is two that were joined.
    """
    return Trained(run, recipe_of(run), *best_checkpoint(run))

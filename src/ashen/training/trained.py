"""The agent of a run at its best: its recipe and its checkpoint, put together for an environment or a view."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ashen.core.errors import UserError
from ashen.core.protocols import Agent
from ashen.runs.folder import RunFolder
from ashen.training.checkpoints import best_checkpoint, load_checkpoint
from ashen.training.recipe import Recipe, make_agent_for, recipe_of


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

    def agent(self, env: Any) -> Agent:
        """The agent, for an environment or a view of the encoder and the actions it was trained with.

        Raises:
            UserError: it does not fit.
        """
        agent = make_agent_for(self.recipe, env)
        try:
            agent.load_state_dict(self.checkpoint["agent"])
        except UserError as error:
            raise UserError(f"{self.path} does not fit {self.run.config_file}: {error}") from None
        return agent


def trained(run: RunFolder) -> Trained:
    """Read a run's recipe and best checkpoint.

    Raises:
        UserError: it has none, or they are damaged.
    """
    recipe, path = recipe_of(run), best_checkpoint(run)
    return Trained(run, recipe, path, load_checkpoint(path))

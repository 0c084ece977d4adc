"""The agent of another run to start from."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ashen.core.errors import UserError
from ashen.runs.folder import RunFolder, open_run
from ashen.training.checkpoints import best_checkpoint, load_checkpoint
from ashen.training.loop import Training
from ashen.training.recipe import Recipe, recipe_of


@dataclass(frozen=True)
class Parent:
    """A run's best agent."""

    run: RunFolder
    """Whose it is."""
    recipe: Recipe
    """What it was trained by."""
    path: Path
    """Its checkpoint's file."""
    checkpoint: dict[str, Any]
    """What is in there."""

    @property
    def origin(self) -> dict[str, Any]:
        """What a child's ``config.json`` says of it."""
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        return {"run": self.run.name, "checkpoint_step": self.checkpoint["env_step"], "sha256": digest}

    def hand_over(self, training: Training) -> None:
        """Let a training start from this agent.

        Raises:
            UserError: the training's agent sees or does something else, or has another network.
        """
        for name in ("encoder", "actions"):
            own, wanted = getattr(self.recipe, name), getattr(training.recipe, name)
            if own != wanted:
                raise UserError(f"the parent {self.run.name} has {name} = {own}, not {wanted}; give it the parent's")
        try:
            training.load_parent(self.checkpoint)
        except UserError as error:
            raise UserError(f"cannot start from {self.path}: {error}") from None


def find_parent(run: str, runs_dir: Path) -> Parent:
    """The best agent of a run.

    Args:
        run: name or folder.
        runs_dir: folder of all runs.

    Raises:
        UserError: there is no such run, it has no checkpoint, or a damaged one.
    """
    folder = open_run(run, runs_dir)
    path = best_checkpoint(folder)
    return Parent(folder, recipe_of(folder), path, load_checkpoint(path))

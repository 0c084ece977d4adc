"""Who can be judged: a built-in opponent, or the agent of a run, found by one word."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ashen.core.errors import UserError
from ashen.evaluation.opponents import DESCRIPTIONS, make_opponent
from ashen.evaluation.planning import make_oracle
from ashen.evaluation.policies import GreedyAgent, Policy
from ashen.runs.folder import RunFolder, open_run

ORACLE = "oracle"
OPPONENTS = (*DESCRIPTIONS, ORACLE)
"""Names of the built-in opponents: the scripts, and the one that looks ahead."""


@dataclass(frozen=True)
class Contender:
    """A policy to be, and the world it plays in unless told otherwise."""

    env_options: dict[str, Any]
    """As :func:`ashen.make_vec` takes them."""
    make_policy: Callable[[Any], Policy]
    """Gives the policy for an environment."""


def find_contender(name: str, runs_dir: Path) -> Contender:
    """Find an opponent or a run.

    Args:
        name: an opponent's name, a run's name or a run's folder.
        runs_dir: folder of all runs.

    Raises:
        UserError: there is neither, or the run has no checkpoint.
    """
    if name not in OPPONENTS:
        return _run_contender(open_run(name, runs_dir, OPPONENTS))
    options = {"boss": "iudex", "fight": "full", "encoder": "ashen", "reward": "soulsgym", "actions": "all"}

    def make_policy(env: Any) -> Policy:
        boss = str(env.encoder.boss)
        return make_oracle(boss, env) if name == ORACLE else make_opponent(name, boss, env.action_names)

    return Contender(options, make_policy)


def _run_contender(run: RunFolder) -> Contender:
    # Torch is loaded here only, so that opponents are judged without it.
    from ashen.training.checkpoints import best_checkpoint, load_checkpoint
    from ashen.training.recipe import env_options, make_agent_for, recipe_of

    recipe = recipe_of(run)
    path = best_checkpoint(run)
    checkpoint = load_checkpoint(path)

    def make_policy(env: Any) -> Policy:
        agent = make_agent_for(recipe, env)
        try:
            agent.load_state_dict(checkpoint["agent"])
        except UserError as error:
            raise UserError(f"{path} does not fit {run.config_file}: {error}") from None
        return GreedyAgent(agent, run.name)

    return Contender(env_options(recipe), make_policy)

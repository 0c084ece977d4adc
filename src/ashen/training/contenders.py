"""Who can be judged: a built-in opponent, or the agent of a run, found by one word."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ashen.evaluation.opponents import DESCRIPTIONS, make_opponent
from ashen.evaluation.planning import make_oracle
from ashen.evaluation.policies import GreedyAgent, GuestAgent, PhaseSwitch, Policy
from ashen.runs.folder import RunFolder
from ashen.training.find_run import find_run

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
    env_step: int = 0
    """Steps of training behind it."""
    pack: dict[str, str] = field(default_factory=dict)
    """Of a pack its ``file``, ``sha256`` and ``doubt``: what makes the win rate on its card doubtful here, or ""."""

    def doubt_in(self, fight: str) -> str:
        """That it was trained for another fight than this, in words that follow its name; "" if that is no doubt."""
        own = self.env_options["fight"]
        return "" if own in {"full", fight} else f"was trained for {own} alone and here fights {fight}"


def find_contender(name: str, runs_dir: Path) -> Contender:
    """Find an opponent or a run.

    Args:
        name: an opponent's name, a run's name or folder, or a pack.
        runs_dir: folder of all runs.

    Raises:
        UserError: there is neither, or the run has no checkpoint.
    """
    if name not in OPPONENTS:
        return run_contender(find_run(name, runs_dir, OPPONENTS))
    # Scripts see the fight itself, and raw26 there is of every boss.
    options = {"boss": "iudex", "fight": "full", "encoder": "raw26", "reward": "soulsgym", "actions": "all"}
    options |= {"backend": "sim", "game_speed": 3.0, "scan_codes": True}

    def make_policy(env: Any) -> Policy:
        boss = str(env.encoder.boss)
        return make_oracle(boss, env) if name == ORACLE else make_opponent(name, boss, env.action_names)

    return Contender(options, make_policy)


def run_contender(run: RunFolder) -> Contender:
    """The agent of a run, or the agents of a joined one.

    Raises:
        UserError: the run has no checkpoint, or it is damaged.
    """
    # Torch is loaded here only, so that opponents are judged without it.
    from ashen.training.joined import is_joined
    from ashen.training.recipe import env_options
    from ashen.training.trained import trained

    if is_joined(run):
        return _joined_contender(run)
    own = trained(run)

    def make_policy(env: Any) -> Policy:
        return GreedyAgent(own.agent(env), run.name)

    return Contender(env_options(own.recipe), make_policy, own.env_step, run.read_config().get("pack", {}))


def _joined_contender(run: RunFolder) -> Contender:
    """Both agents as guests in the world of the first, with all actions, for the full fight."""
    from ashen.training.joined import members_of
    from ashen.training.recipe import env_options, view_of

    members = members_of(run)

    def make_policy(env: Any) -> Policy:
        views = {phase: view_of(member.recipe, str(env.encoder.boss)) for phase, member in members.items()}
        guests = {
            phase: GuestAgent(member.agent(views[phase]), member.run.name, views[phase])
            for phase, member in members.items()
        }
        return PhaseSwitch(run.name, guests)

    options = env_options(members[1].recipe) | {"fight": "full", "actions": "all", "skip_steps": False}
    steps = sum(member.env_step for member in members.values())
    return Contender(options, make_policy, steps, run.read_config().get("pack", {}))

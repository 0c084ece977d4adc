"""The agents that a run came from: the parent it started from, or the two that were joined."""

import hashlib
from dataclasses import replace

from ashen.core.errors import UserError
from ashen.evaluation.policies import GreedyAgent
from ashen.evaluation.report.subject import Rival
from ashen.runs.folder import RunFolder, open_run
from ashen.training.checkpoints import PARENT, best_checkpoint, has_parent, load_checkpoint
from ashen.training.contenders import OPPONENTS, ORACLE, find_contender, run_contender
from ashen.training.joined import PLACES, is_joined
from ashen.training.recipe import env_options
from ashen.training.trained import trained


def relatives(run: RunFolder) -> list[Rival]:
    """The agents that a run came from.

    Args:
        run: its folder.

    Raises:
        UserError: there is none, or it is gone; the message says why.
    """
    if is_joined(run):
        joined = run.read_config()["joined"]
        return [
            _rival(str(joined[place]), f"plays {place.replace('phase', 'phase ')}", RunFolder(run.path / place))
            for place in PLACES.values()
        ]
    parent = run.read_config().get("parent")
    if parent is None:
        raise UserError(f"{run.name} did not start from another run's agent")
    if has_parent(run):
        own = trained(run)
        kept = replace(own, checkpoint=load_checkpoint(run.checkpoints / PARENT))
        return [
            Rival(
                parent["run"],
                "parent",
                lambda env: GreedyAgent(kept.agent(env), parent["run"]),
                env_options(own.recipe),
            )
        ]
    folder = open_run(parent["run"], run.path.parent)
    if hashlib.sha256(best_checkpoint(folder).read_bytes()).hexdigest() != parent["sha256"]:
        raise UserError(
            f"the parent {parent['run']} has changed since, so that it is no longer what this run came from"
        )
    return [_rival(parent["run"], "parent", folder)]


def opponents(run: RunFolder) -> list[Rival]:
    """The scripted opponents; not the one that looks ahead, which takes minutes a fight."""
    found = {name: find_contender(name, run.path.parent) for name in OPPONENTS if name != ORACLE}
    return [Rival(name, "opponent", one.make_policy, one.env_options) for name, one in found.items()]


def _rival(name: str, role: str, run: RunFolder) -> Rival:
    contender = run_contender(run)
    return Rival(name, role, contender.make_policy, contender.env_options)

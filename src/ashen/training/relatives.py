"""The agents that a run came from: the parent it started from, or the two that were joined."""

from pathlib import Path

from ashen.core.errors import UserError
from ashen.evaluation.policies import GreedyAgent
from ashen.evaluation.report.subject import Rival
from ashen.runs.folder import RunFolder, open_run
from ashen.training.checkpoints import PARENT, has_parent, load_checkpoint, sha256_of
from ashen.training.contenders import OPPONENTS, ORACLE, find_contender, run_contender
from ashen.training.joined import PLACES, is_joined
from ashen.training.recipe import env_options, recipe_of
from ashen.training.trained import Trained


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
    name = str(parent["run"])
    if has_parent(run):
        return [_kept(name, run, run.checkpoints / PARENT)]
    folder = open_run(name, run.path.parent)
    same = [path for path in folder.checkpoints.glob("*.pt") if sha256_of(path) == parent["sha256"]]
    if same:
        return [_kept(name, folder, same[0])]
    return [_rival(name, "parent, at its best by now", folder)]


def opponents(run: RunFolder) -> list[Rival]:
    """The scripted opponents; not the one that looks ahead, which takes minutes a fight."""
    found = {name: find_contender(name, run.path.parent) for name in OPPONENTS if name != ORACLE}
    return [Rival(name, "opponent", one.make_policy, one.env_options) for name, one in found.items()]


def _kept(name: str, owner: RunFolder, checkpoint: Path) -> Rival:
    """The parent as it was when the run came from it."""
    parent = Trained(owner, recipe_of(owner), checkpoint, load_checkpoint(checkpoint))
    return Rival(name, "parent", lambda env: GreedyAgent(parent.agent(env), name), env_options(parent.recipe))


def _rival(name: str, role: str, run: RunFolder) -> Rival:
    contender = run_contender(run)
    return Rival(name, role, contender.make_policy, contender.env_options)

"""Opens a pack as the folder of a run, in a temporary place, so that whatever takes a run takes a pack.

Everything in it may come from anybody: names and sizes are fixed, nothing is executed, and what does not fit is told.
"""

import atexit
import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from ashen.core.errors import UserError
from ashen.core.percent import percent
from ashen.runs.files import write_bytes
from ashen.runs.folder import BASE, MOST_LETTERS, OVERLAY, RunFolder, is_plain
from ashen.runs.pack_file import CARD, DESCRIPTION, WEIGHTS, parts_of, read_pack
from ashen.training.checkpoints import save_best
from ashen.training.joined import RULE
from ashen.training.packs.describe import ALONE, check_agent, read_description
from ashen.training.packs.weights import agent_with


def open_pack(path: Path) -> RunFolder:
    """The run that a pack holds; its folder is gone when the program ends.

    Raises:
        UserError: it cannot be read, is damaged, holds code, or was made with another encoder, actions or boss.
    """
    return unpack(read_pack(path), str(path))


@cache  # a command may ask for the same run more than once
def unpack(data: bytes, where: str) -> RunFolder:
    """The same for the bytes of a pack.

    Args:
        data: the file.
        where: what it is called in errors.
    """
    parts = parts_of(data, where)
    description = read_description(parts[DESCRIPTION], where)
    try:
        name, agents = _checked_name(description["name"], where), description["agents"]
        source = {"file": Path(where).name, "sha256": hashlib.sha256(data).hexdigest()}
        _check_parts(parts, agents, where)
        run = RunFolder(_temporary_folder() / name)
        claim = _claim(description["evaluation"])
        doubts = [_write_agent(run, place, facts, parts, source, claim, where) for place, facts in agents.items()]
        if ALONE not in agents:
            played = {place: facts["name"] for place, facts in agents.items()}
            run.write_config({
                "joined": {"rule": RULE} | played,
                "trained_here": False,
                "pack": source | {"doubt": next(filter(None, doubts), "")},
            })
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise UserError(f"{where}: its {DESCRIPTION} is not whole ({error!r}); get another pack") from None
    return run


def _checked_name(name: Any, where: str) -> str:
    """A pack's name, which becomes that of a folder."""
    if not isinstance(name, str) or not is_plain(name):
        raise UserError(f"{where} calls itself {str(name)[:MOST_LETTERS]!r}, which is no plain name; get another pack")
    return name


def _check_parts(parts: dict[str, bytes], agents: dict[str, Any], where: str) -> None:
    folders = ["" if place == ALONE else f"{place}/" for place in agents]
    needed = {folder + WEIGHTS for folder in folders}
    allowed = needed | {DESCRIPTION, CARD} | {folder + name for folder in folders for name in (OVERLAY, BASE)}
    if missing := sorted(needed - parts.keys()):
        raise UserError(f"{where} lacks {missing[0]}, so it is no whole pack; copy it again, or get another one")
    if extra := sorted(parts.keys() - allowed):
        raise UserError(f"{where} holds {extra[0]}, of which its {DESCRIPTION} does not tell; get another pack")


def _claim(figures: dict[str, Any]) -> str:
    """The win rate on a pack's card, over how many fights and which; of a pack in the making there is none yet."""
    if not figures:
        return "nothing so far"
    won = f"{percent(figures['win_rate'])} of {figures['fights']:,} fights"
    return f"{won} ({figures['fight']}, {figures['start']} start)"


def _write_agent(
    run: RunFolder,
    place: str,
    facts: dict[str, Any],
    parts: dict[str, bytes],
    source: dict[str, str],
    claim: str,
    where: str,
) -> str:
    """Write the folder of one agent, which is the run's own if it plays alone; returns what is doubtful about it."""
    own, folder = (run, "") if place == ALONE else (RunFolder(run.path / place), f"{place}/")
    own.checkpoints.mkdir(parents=True)
    own.fights.mkdir()
    for file in (own.base_file, own.overlay_file):
        if (name := folder + file.name) in parts:
            write_bytes(file, parts[name])
    weights = parts[folder + WEIGHTS]
    if hashlib.sha256(weights).hexdigest() != facts["weights_sha256"]:
        raise UserError(f"{where}: {folder}{WEIGHTS} is not what {DESCRIPTION} tells of; copy the pack again")
    boss = str(own.overlay_file) if own.overlay_file.is_file() else ""
    recipe, view, doubt = check_agent(facts, boss, claim, where)
    agent = agent_with(recipe, view, weights, f"{where}, {folder}{WEIGHTS}")
    save_best(own, int(facts["env_step"]), {"agent": agent.state_dict()})
    config = {name: value for name, value in facts["lineage"].items() if name != "pack"}
    config |= {"recipe": facts["recipe"], "action_names": facts["actions"], "trained_here": False}
    # The agent keeps the name of its run, whatever its folder is called.
    own.write_config(config | {"name": facts["name"], "pack": source | {"doubt": doubt}})
    return doubt


def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ashen-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder

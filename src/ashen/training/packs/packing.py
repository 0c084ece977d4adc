"""Makes a pack of a run: its best agent without what only a training needs, judged as it will play elsewhere."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import ashen
from ashen.evaluation.benchmark import BENCHMARK
from ashen.evaluation.judge import judge
from ashen.evaluation.match import FightResult
from ashen.runs.folder import RunFolder
from ashen.runs.pack_file import CARD, DESCRIPTION, FORMAT, WEIGHTS, pack_bytes
from ashen.training.contenders import run_contender
from ashen.training.joined import PLACES, RULE, is_joined, members_of
from ashen.training.packs.card import card
from ashen.training.packs.describe import ALONE, SCHEMA_VERSION, describe_agent, tables_of
from ashen.training.packs.unpacking import unpack
from ashen.training.packs.weights import weights_of
from ashen.training.trained import Trained, trained

_QUOTED = ("fights", "wins", "losses", "timeouts", "faults", "win_rate", "win_rate_low", "win_rate_high")
_QUOTED += ("return_mean", "length_mean_steps", "fight", "start", "seed", "reward", "table_hash")
"""What a pack tells of its match."""


def make_pack(
    run: RunFolder,
    *,
    name: str,
    fights: int,
    half: bool,
    progress: Callable[[Sequence[FightResult]], object] | None = None,
) -> tuple[bytes, dict[str, Any]]:
    """Pack a run's agent, or both of a joined run, and let it fight.

    Args:
        run: trained, joined, imported or opened from a pack.
        name: of the pack, and of its file without the ending.
        fights: of the match that the pack tells of, the first ones of ``ashen evaluate`` with the benchmark's seed.
        half: keep weight matrices in 16 bits.
        progress: called when the match begins, and whenever a fight ends, with all results so far.

    Returns:
        The file, and its description.

    Raises:
        UserError: the run has no agent, or a damaged one.
    """
    description, parts = _described(run, name, half)
    figures = _judged(parts | {CARD: b"", DESCRIPTION: _json(description)}, fights, progress)
    command = f"ashen evaluate {name}.ashen --fights {fights} --seed {BENCHMARK.seed}"
    description["evaluation"] = figures | {"command": command}
    return pack_bytes(parts | {CARD: card(description), DESCRIPTION: _json(description)}), description


def _described(run: RunFolder, name: str, half: bool) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A pack before its match: what it says of itself, and its other parts."""
    agents: dict[str, Any] = {}
    parts: dict[str, bytes] = {}
    for place, own in _members(run).items():
        folder = "" if place == ALONE else f"{place}/"
        weights = weights_of(own.checkpoint["agent"], half=half)
        agents[place] = describe_agent(own, weights)
        parts[folder + WEIGHTS] = weights
        parts |= {folder + table: text.encode() for table, text in tables_of(own.recipe.boss).items()}
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "made_by": f"ashen {ashen.__version__}",
        "switch": None if ALONE in agents else RULE,
        "evaluation": {},
        "agents": agents,
    }, parts


def _members(run: RunFolder) -> dict[str, Trained]:
    """Who plays, by place."""
    if is_joined(run):
        return {PLACES[phase]: member for phase, member in members_of(run).items()}
    return {ALONE: trained(run)}


def _judged(
    parts: dict[str, bytes], fights: int, progress: Callable[[Sequence[FightResult]], object] | None
) -> dict[str, Any]:
    """The match of the agent as it comes out of the pack."""
    contender = run_contender(unpack(pack_bytes(parts), "the new pack"))
    world = contender.env_options | {"backend": "sim"}
    figures = judge(contender.make_policy, world, fights=fights, seed=BENCHMARK.seed, progress=progress)
    return {name: figures[name] for name in _QUOTED}


def _json(description: dict[str, Any]) -> bytes:
    return (json.dumps(description, indent=1, ensure_ascii=False) + "\n").encode()

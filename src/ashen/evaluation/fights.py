"""Recorded fights to learn from: found by a run, a folder or files, and checked to be fights of one boss."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES, NOTHING, NUM_ACTIONS
from ashen.core.tables import base_file, boss_file, boss_names, measured_facts
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.recording import Recording
from ashen.runs.fight_journal import keep_interrupted
from ashen.runs.fights import WAITED, FightRecord, list_fights, load_fight
from ashen.runs.folder import HUMAN, RunFolder, open_run

_NOT_BY_HAND = (
    "ashen play cannot show him; record fights of agents on the real game: ashen evaluate RUN --backend game --fight "
    "phase1 --record FOLDER, with the same --boss"
)


def records_from(
    places: Sequence[str], runs_dir: Path, boss: str | None, *, or_alike: bool = False
) -> tuple[list[tuple[str, FightRecord]], str]:
    """Read the recorded fights of some places.

    Args:
        places: names or folders of runs, folders of fights, ``.npz`` files.
        runs_dir: folder of all runs.
        boss: whose fights they must be, overlays of his or not; None takes the boss of the first fight.
        or_alike: where ``boss`` is given, they may all be of another table too that has the same animations.

    Returns:
        The fights in the order of the places, each once and with its file's name; the name or path of the boss's whole
        table.

    Raises:
        UserError: there are no fights, damaged ones or some of another boss.
    """
    if boss is not None and HUMAN in places:
        measured_facts(boss_file(boss), _NOT_BY_HAND)
    found: dict[bytes, tuple[str, FightRecord]] = {}
    for path in (path for place in places for path in _paths(place, runs_dir)):
        record = load_fight(path)
        found.setdefault(record.states.tobytes(), (str(path), record))
    records = list(found.values())
    known = boss or str(records[0][1].meta.get("boss", "iudex"))
    fought = {str(record.meta.get("boss", known)): where for where, record in reversed(records)}
    tables = {name: _table_fought(name, where) for name, where in fought.items()}
    is_stand_in = or_alike and boss and len(set(tables.values())) == 1 and all(_is_alike(name, boss) for name in fought)
    boss = _whole_boss(known)
    for name, where in fought.items():
        if tables[name] != _identity(known) and not is_stand_in:
            raise UserError(f"{where} is a fight against {name}, not {boss}; give fights of one boss at a time")
    return records, boss


def as_recording(record: FightRecord, where: str) -> Recording:
    """A recorded fight with its actions and masks over all 20 actions.

    Raises:
        UserError: it holds an action that there is not.
    """
    try:
        columns = [ACTION_NAMES.index(name) for name in record.meta["action_names"]]
        chosen = [NOTHING if action == WAITED else columns[action] for action in record.actions.tolist()]
    except (KeyError, IndexError, ValueError, TypeError):
        raise UserError(f"{where} holds an action that there is not; leave it out or record it anew") from None
    masks = np.zeros((len(record.states), NUM_ACTIONS), np.bool_)
    masks[:-1, columns] = record.masks
    return Recording(record.states, np.array([NOTHING, *chosen], np.int64), masks)


def _paths(place: str, runs_dir: Path) -> list[Path]:
    path = Path(place)
    if path.suffix == ".npz":
        return [path]
    is_run = (path / "config.json").is_file() or (runs_dir / place / "config.json").is_file()
    if path.is_dir() and not is_run:
        folder = RunFolder(path).fights if RunFolder(path).fights.is_dir() else path
    else:
        folder = open_run(place, runs_dir, or_else="a folder of fights or an .npz file").fights
    keep_interrupted(folder)
    paths = list_fights(folder)
    if not paths:
        raise UserError(
            f"no recorded fights in {folder}; give --from another folder, or record some: ashen play, or "
            "ashen evaluate RUN --record FOLDER"
        )
    return paths


def _table_fought(boss: str, where: str) -> Path:
    """The whole table of the boss whom a fight was fought against."""
    try:
        return _identity(boss)
    except UserError as error:
        raise UserError(f"cannot tell whom {where} was fought against: {error}") from None


def _is_alike(boss: str, other: str) -> bool:
    """Whether the animations of two bosses have the same ids, so that each can stand in for the other."""
    first, second = (boss_vocabulary(boss_file(name).resolve()) for name in (boss, other))
    return first == second


def _whole_boss(boss: str) -> str:
    """Name or path of a boss; of an overlay, that of its base."""
    file = _identity(boss)
    names = {path.resolve(): name for name, path in boss_names().items()}
    return names.get(file, str(file))


@cache
def _identity(boss: str) -> Path:
    """The table that tells two bosses apart: of overlays, that of their base."""
    path = boss_file(boss)
    return (base_file(path) or path).resolve()

"""Recorded fights to learn from: found by a run, a folder or files, and checked to be fights of one boss."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES, GAME_TABLES, NOTHING, NUM_ACTIONS
from ashen.core.tables import base_file, boss_file, boss_names, measured_facts, table_hash
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.recording import Recording
from ashen.runs.fight_journal import keep_interrupted
from ashen.runs.fights import WAITED, FightRecord, list_fights, load_fight, table_fought
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
    return records, _boss_of_all(records, boss, or_alike)


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


def _boss_of_all(records: Sequence[tuple[str, FightRecord]], boss: str | None, or_alike: bool) -> str:
    """Name or path of the whole table of the boss whose fights all of these are; arguments as above."""
    fought = {str(record.meta.get("boss", "iudex")): (record, where) for where, record in reversed(records)}
    tables = {name: _table_fought(record, where, boss) for name, (record, where) in fought.items()}
    own = _whole(boss_file(boss)) if boss else _table_fought(records[0][1], records[0][0], None)
    name_of = {path.resolve(): name for name, path in boss_names().items()}
    others = [name for name, table in tables.items() if table != own]
    may_stand_in = or_alike and boss and len(set(tables.values())) == 1
    if others and not (may_stand_in and all(_is_alike(name, boss) for name in others)):
        where, wanted = fought[others[0]][1], name_of.get(own, own)
        raise UserError(f"{where} is a fight against {others[0]}, not {wanted}; give fights of one boss at a time")
    return name_of.get(own, str(own))


def _table_fought(record: FightRecord, where: str, boss: str | None) -> Path:
    """The whole table of the boss whom a fight was fought against; if it was moved, ``boss`` says where it is now."""
    table, hash_then = Path(str(record.meta.get("boss", "iudex"))), record.meta.get("table_hash")
    if boss and table.suffix == ".toml" and not table.is_file() and hash_then == table_hash(boss):
        return _whole(boss_file(boss))
    or_else = "" if hash_then == GAME_TABLES else ", or say with --boss where it is now"
    return _whole(table_fought(record, where, or_else))


def _whole(table: Path) -> Path:
    """The table that tells two bosses apart: of overlays, that of their base."""
    return (base_file(table) or table).resolve()


def _is_alike(boss: str, other: str) -> bool:
    """Whether the animations of two bosses have the same ids, so that each can stand in for the other."""
    first, second = (boss_vocabulary(boss_file(name).resolve()) for name in (boss, other))
    return first == second

"""A run's recorded fights as a data set of Minari, for learners that take such."""

import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from ashen.core.errors import UserError
from ashen.core.fight import Outcome
from ashen.env.recorded import episode_of
from ashen.env.view import View
from ashen.evaluation.fight_list import boss_of, recorded_fights
from ashen.runs.fights import FightRecord
from ashen.runs.files import check_folder
from ashen.runs.folder import RunFolder


def export_minari(run: RunFolder, target: str) -> dict[str, Any]:
    """Write a run's fights as a new data set; those that ended in a fault are left out.

    An episode holds the decisions of the run's agent: what it saw through its encoder, what it did, what it was paid up
    to the next decision, and in ``infos`` the ``action_mask`` of each observation. Of the last one, no mask is
    recorded, and all are true. What is known of the fight stands in the episode's metadata: ``kind, outcome, env_step,
    file``.

    Args:
        run: whose fights.
        target: the data set's name, such as ``gundyr/mine-v0``, in Minari's own place (``~/.minari/datasets``, or the
            variable ``MINARI_DATASETS_PATH``); or its folder, as an absolute path or one that begins with ``.``

    Returns:
        ``dataset`` (its name), ``folder, fights, steps`` (decisions) and ``faults_left_out``.

    Raises:
        UserError: Minari is not installed, there is such a data set, its name will not do, there are no fights without
            fault, or they are of more than one encoder or set of actions.
        OSError: the disk is full; no half data set stays.
    """
    require_minari()
    from minari.dataset.minari_storage import MinariStorage

    name, folder = _place(target)
    faults, view, storage, known = 0, None, None, {}
    try:
        for path, record in recorded_fights(run):
            if record.outcome == Outcome.FAULT:
                faults += 1
                continue
            if storage is None:
                known = _alike(record)
                view = View(boss_of(run, record), known["encoder"], known["action_names"])
                (folder / "data").mkdir(parents=True)
                spaces = {"observation_space": view.observation_space, "action_space": view.action_space}
                storage = MinariStorage.new(folder / "data", **spaces)
                storage.update_metadata(_about(run, record, name))
            elif _alike(record) != known:
                raise UserError(f"{path} was seen or fought otherwise than the fights before; export one kind of run")
            _add(storage, view, path, record)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if storage is None:
        raise UserError(f"all {faults} fights of {run.name} ended in a fault; let it fight some whole ones")
    sizes = {"fights": int(storage.total_episodes), "steps": int(storage.total_steps)}
    return {"dataset": name, "folder": str(folder)} | sizes | {"faults_left_out": faults}


def require_minari() -> None:
    """Make sure that Minari is there.

    Raises:
        UserError: it is not, and which command installs it.
    """
    missing = [name for name in ("minari", "h5py") if importlib.util.find_spec(name) is None]
    if missing:
        needed = f"ashen export --minari needs {' and '.join(missing)}, not installed here"
        raise UserError(f'{needed}; install with: python bootstrap.py export, or: pip install "minari[hdf5]"')


def _place(target: str) -> tuple[str, Path]:
    """Name and folder of a new data set."""
    from minari.dataset.minari_dataset import parse_dataset_id
    from minari.storage import get_dataset_path

    is_folder = target.startswith(".") or Path(target).is_absolute()
    name = Path(target).name if is_folder else target
    name = name if re.search(r"-v\d+$", name) else f"{name}-v0"
    try:
        parse_dataset_id(name)
    except ValueError:
        rule = "take letters, digits, - and _, two or more before a /, such as mine-v0 or gundyr/mine-v0"
        raise UserError(f"'{name}' is no name of a data set; {rule}") from None
    folder = Path(target).resolve().with_name(name) if is_folder else get_dataset_path(name)
    if is_folder:
        check_folder(folder)
    if folder.exists():
        raise UserError(f"{folder} is there already; give --minari another name, such as {_next_version(name)}")
    return name, folder


def _next_version(name: str) -> str:
    stem, _, version = name.rpartition("-v")
    return f"{stem}-v{int(version) + 1}"


def _alike(record: FightRecord) -> dict[str, Any]:
    """What all fights of a data set have in common."""
    return {name: record.meta[name] for name in ("encoder", "action_names")}


def _about(run: RunFolder, record: FightRecord, name: str) -> dict[str, Any]:
    from minari import __version__

    meta = record.meta
    fought = f"{meta['fight']} fight against {Path(meta['boss']).stem}, recorded by ashen in the run {run.name}"
    said = f"{fought}; observations of the encoder {meta['encoder']}, actions: {', '.join(meta['action_names'])}"
    return {"dataset_id": name, "minari_version": __version__, "algorithm_name": meta["policy"], "description": said}


def _add(storage: Any, view: View, path: Path, record: FightRecord) -> None:
    from minari.data_collector.episode_buffer import EpisodeBuffer

    fight = episode_of(view, record.states, record.actions, record.masks, record.rewards)
    is_over = record.outcome in (Outcome.WIN, Outcome.LOSS)
    last = np.arange(len(fight.actions)) == len(fight.actions) - 1
    number = storage.total_episodes
    episode = EpisodeBuffer(
        id=number,
        observations=fight.obs,
        actions=fight.actions,
        rewards=fight.rewards,
        terminations=last & is_over,
        truncations=last & (not is_over),
        infos={"action_mask": fight.masks},
    )
    storage.update_episodes([episode])
    told = {name: record.meta[name] for name in ("kind", "outcome", "env_step")} | {"file": path.name}
    storage.update_episode_metadata([told], [number])

"""Recorded fights: one ``.npz`` a fight, readable without pickle, torch or the simulator.

Films, plots and later tools read only these. T steps, A actions, K reward terms.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ashen.core.arrays import as_bytes
from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE, Outcome
from ashen.core.tables import boss_file
from ashen.runs.files import now, write_bytes

SCHEMA_VERSION = 1
KINDS: Final = ("training", "evaluation", "final", "gate", "calibration", "human")
"""What fights are fought for. A *gate* is the match by which a fine-tuning on the game chooses between two agents; from
fights of a *calibration* it refits the boss's table."""
Kind = Literal[KINDS]
WAITED = -1
"""Stands for the action of a step in which an environment with ``skip_steps`` waited."""
_FOREIGN = (KeyError, ValueError, TypeError)
_DAMAGE = (OSError, EOFError, zipfile.BadZipFile, zlib.error)
Rows = tuple[NDArray[np.bool_], tuple[NDArray[Any], ...]]
"""0.1 s of N fights: in which time passed [N], and of each state, action, mask, terms, reward and scores, [N, ...]."""
_ARRAYS = ("states", "actions", "masks", "reward_terms", "rewards", "scores")


@dataclass(frozen=True)
class FightRecord:
    """One fight from its first state to its last."""

    states: NDArray[Any]
    """FIGHT_STATE [T+1]; states[t] is what action t was chosen from, states[T] is how the fight ended."""
    actions: NDArray[np.int16]
    """[T], indices into ``meta["action_names"]``; WAITED where the environment let time pass by itself."""
    masks: NDArray[np.bool_]
    """[T, A], the valid actions in states[t]; none where nobody was asked."""
    reward_terms: NDArray[np.float32]
    """[T, K], named by ``meta["term_names"]``."""
    rewards: NDArray[np.float32]
    """[T], what the agent was paid for action t."""
    scores: NDArray[np.float32]
    """[T, A], Q-values or probabilities, see ``meta["score_kind"]``."""
    meta: dict[str, Any]
    """``outcome`` (a name of :class:`Outcome`), ``table_hash, schema_version, boss, fight, encoder, reward,
    action_names, term_names, score_kind, env_step, kind`` (one of KINDS), ``fight_number, policy, recorded_at,
    num_steps``; of a fight that ended in a FAULT ``incident``: its ``fault``, ``during`` and ``message``; on the game
    ``began_at``; in a fleet ``player``, who fought it; for playing it again ``start`` ("fixed" or "random"), ``seed``
    of the random stream, ``nth_of_seed``, how many fights that stream had before, ``randomise``,
    ``randomise_seed`` and, in trainings, ``randomise_share``. Older records lack all of these but the seed."""

    @property
    def outcome(self) -> Outcome:
        """How the fight ended."""
        return Outcome[self.meta["outcome"]]


class Tape:
    """Collects the steps of N fights played side by side, until each is cut out as a record."""

    def __init__(self) -> None:
        self._steps: list[Rows] = []

    def add(
        self,
        states: NDArray[Any],
        actions: NDArray[Any],
        masks: NDArray[np.bool_],
        terms: NDArray[np.float32],
        rewards: NDArray[np.float32],
        scores: NDArray[np.float32],
        waits: Sequence[tuple[NDArray[Any], ...]] = (),
    ) -> list[Rows]:
        """Add one step of N fights.

        Args:
            states: FIGHT_STATE [N] before it.
            actions: [N].
            masks: [N, A].
            terms: [N, K] of the step with its waits.
            rewards: [N], the same.
            scores: [N, A].
            waits: ``which`` [N], ``states`` [N], ``terms`` [N, K] and ``rewards`` [N] of each 0.1 s that the
                environment waited in this step.

        Returns:
            What was added: the step without its waits, then each of them.
        """
        waited_terms, waited_rewards = sum(wait[2] for wait in waits), sum(wait[3] for wait in waits)
        own = (states, actions, masks, terms - waited_terms, rewards - waited_rewards, scores)
        added = [(np.ones(len(actions), np.bool_), tuple(np.array(part) for part in own))]
        nobody, nothing = np.full(len(actions), WAITED), np.zeros_like(scores)
        for which, states_then, terms_then, rewards_then in waits:
            row = (states_then, nobody, np.zeros_like(masks), terms_then, rewards_then, nothing)
            added.append((which, row))
        self._steps += added
        return added

    def cut(self, slot: int, final_state: NDArray[Any], meta: dict[str, Any]) -> FightRecord:
        """The fight of one slot, from the tape's start to now; schema, time and length are added to ``meta``."""
        before, *others = zip(*(row for which, row in self._steps if which[slot]), strict=True)
        # Filled row by row: NumPy takes far longer to stack records.
        states = np.empty(len(before) + 1, FIGHT_STATE)
        for step, rows in enumerate(before):
            states[step] = rows[slot]
        states[-1] = final_state
        actions, masks, terms, rewards, scores = (np.stack([rows[slot] for rows in part]) for part in others)
        return FightRecord(
            states=states,
            actions=actions.astype(np.int16),
            masks=masks.astype(np.bool_),
            reward_terms=terms.astype(np.float32),
            rewards=rewards.astype(np.float32),
            scores=scores.astype(np.float32),
            meta={"schema_version": SCHEMA_VERSION, "recorded_at": now(), "num_steps": len(actions)} | meta,
        )

    def clear(self) -> None:
        """Start anew."""
        self._steps.clear()

    def state_dict(self) -> dict[str, Any]:
        """The steps so far, one array [rows, ...] for each part of a row; none for an empty tape."""
        if not self._steps:
            return {}
        which, rows = zip(*self._steps, strict=True)
        states, *others = zip(*rows, strict=True)
        parts = {name: np.stack(part) for name, part in zip(_ARRAYS[1:], others, strict=True)}
        return parts | {"which": np.stack(which), "states": as_bytes(np.stack(states))}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.clear()
        if state:
            which = state["which"]
            states = np.ascontiguousarray(state["states"]).view(FIGHT_STATE).reshape(which.shape)
            others = (state[name] for name in _ARRAYS[1:])
            self._steps = list(zip(which, zip(states, *others, strict=True), strict=True))


def save_fight(record: FightRecord, folder: Path) -> Path:
    """Write a record into a folder, under a name that sorts by kind, step and number.

    Returns:
        The file, for example ``evaluation-000250000-007-win.npz``.
    """
    meta = record.meta
    name = f"{meta['kind']}-{meta['env_step']:09d}-{meta['fight_number']:03d}-{meta['outcome'].lower()}.npz"
    write_fight(record, folder / name)
    return folder / name


def write_fight(record: FightRecord, path: Path) -> None:
    """Write a record to a file."""
    data = io.BytesIO()
    arrays = {part: getattr(record, part) for part in _ARRAYS}
    np.savez_compressed(data, meta=np.array(json.dumps(record.meta)), **arrays)
    write_bytes(path, data.getvalue())


def save_new_fight(record: FightRecord, folder: Path) -> Path:
    """:func:`save_fight` under the next number that is free, for fights that cannot be fought again."""
    meta = record.meta
    taken = [path.stem.split("-")[2] for path in list_fights(folder, f"{meta['kind']}-{meta['env_step']:09d}-")]
    number = 1 + max((int(text) for text in taken if text.isdigit()), default=-1)
    return save_fight(replace(record, meta=meta | {"fight_number": max(number, meta["fight_number"])}), folder)


def recorder(folder: Path) -> Callable[[FightRecord], Path]:
    """What saves fights into a folder, which is made now and must not hold any yet.

    Raises:
        UserError: there are recorded fights in it, or it cannot be made.
    """
    if list_fights(folder):
        raise UserError(f"{folder} holds recorded fights already; give another folder, or move them away")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder}: {error.strerror}; choose another") from None
    return partial(save_fight, folder=folder)


def load_fight(path: Path) -> FightRecord:
    """Read a record.

    Raises:
        UserError: there is no such file, it is damaged, or it was written with another FIGHT_STATE.
    """
    with _opened(path) as file:
        meta = _meta(file, path)
        try:
            record = FightRecord(**{part: file[part] for part in _ARRAYS}, meta=meta)
        except (*_FOREIGN, *_DAMAGE) as error:
            raise _unreadable(path, error) from None
    if record.states.dtype != FIGHT_STATE or len(record.states) != len(record.actions) + 1:
        raise UserError(f"{path} was recorded by another version of ashen and cannot be read; record it anew")
    # NumPy reads the same type as one that numba takes for another, for which it would compile everything again.
    return replace(record, states=record.states.view(FIGHT_STATE))


def load_meta(path: Path) -> dict[str, Any]:
    """Read only what is said about a fight, which is quick.

    Raises:
        UserError: as :func:`load_fight`.
    """
    with _opened(path) as file:
        return _meta(file, path)


def table_fought(record: FightRecord, where: str, or_else: str = "") -> Path:
    """The table of the boss whom a recorded fight was fought against.

    Args:
        record: the fight.
        where: its file, for errors.
        or_else: what can be done besides putting a table back that is gone, for errors.

    Raises:
        UserError: it is not where it was then, or there is no such boss.
    """
    boss = str(record.meta.get("boss", "iudex"))
    if boss.endswith(".toml") and not Path(boss).is_file():
        raise UserError(f"{where} was fought against {boss}, which is gone; put that table back{or_else}")
    try:
        return boss_file(boss)
    except UserError as error:
        raise UserError(f"cannot tell whom {where} was fought against: {error}") from None


def list_fights(folder: Path, kind: str = "") -> list[Path]:
    """The recorded fights of a folder, oldest step first; ``kind`` as in their ``meta``, or all."""
    return sorted(folder.glob(f"{kind}*.npz"), key=lambda path: path.name.split("-")[1:])


def typical_fight(paths: Iterable[Path]) -> Path:
    """The fight that shows best how an agent fights: of its most common outcome, of median length.

    Args:
        paths: fights to choose from, at least one.
    """
    metas = {path: load_meta(path) for path in paths}
    outcomes = [meta["outcome"] for meta in metas.values()]
    common = max(sorted(set(outcomes)), key=outcomes.count)
    alike = sorted((meta["num_steps"], path.name, path) for path, meta in metas.items() if meta["outcome"] == common)
    return alike[(len(alike) - 1) // 2][2]


def merit(meta: dict[str, Any]) -> tuple[bool, int]:
    """What fights are ranked by: wins before the rest; quick wins before slow ones, long struggles before quick deaths.

    Args:
        meta: of a fight's record.
    """
    won = meta["outcome"] == Outcome.WIN.name
    return won, -meta["num_steps"] if won else meta["num_steps"]


def _opened(path: Path) -> Any:
    try:
        # From memory, because NumPy leaves a damaged file open, and Windows then cannot remove it.
        file = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"no recorded fight at {path}; see the fights folder of a run") from None
    except (*_FOREIGN, *_DAMAGE) as error:
        raise _unreadable(path, error) from None
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise _unreadable(path, TypeError())
    return file


def _meta(file: Any, path: Path) -> dict[str, Any]:
    try:
        meta = json.loads(str(file["meta"]))
        version = meta["schema_version"]
    except (*_FOREIGN, *_DAMAGE) as error:
        raise _unreadable(path, error) from None
    if version != SCHEMA_VERSION:
        raise UserError(f"{path} has schema {version}, this ashen reads {SCHEMA_VERSION}; record it anew")
    return meta


def _unreadable(path: Path, error: Exception) -> UserError:
    """Whole files with other things in them are foreign; their errors are NumPy's, about what does not concern here."""
    if isinstance(error, _FOREIGN):
        return UserError(f"{path} is not a fight recorded by ashen; give one from the fights folder of a run")
    return UserError(f"{path} is damaged ({error}); remove it and choose another fight")

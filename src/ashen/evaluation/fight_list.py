"""The recorded fights of a run: found, chosen by what is said of them, and told in a row each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.core.fight import STEP_S
from ashen.runs.fight_journal import keep_interrupted
from ashen.runs.fights import FightRecord, Kind, list_fights, load_fight, load_meta
from ashen.runs.folder import RunFolder

ORDERS: Final = {"step": "step", "length": "length_s", "damage": "damage_dealt", "return": "return"}
"""What fights can be sorted by, and the figure that is; by step the first come first, else those with the most."""
Order = Literal[tuple(ORDERS)]


@dataclass(frozen=True)
class Choice:
    """Which fights are meant; None means all."""

    outcome: Literal["win", "loss", "timeout", "fault"] | None = None
    """How they ended."""
    kind: Kind | None = None
    """What they were fought for."""
    incident: str | None = None
    """The fault that ended them."""

    def fits(self, meta: dict[str, Any]) -> bool:
        """Whether a record of this ``meta`` is meant."""
        return (
            self.outcome in (None, meta["outcome"].lower())
            and self.kind in (None, meta["kind"])
            and self.incident in (None, incident_of(meta))
        )


def incident_of(meta: dict[str, Any]) -> str:
    """The fault that ended a fight; empty if none did, or none is known."""
    return (meta.get("incident") or {}).get("fault", "")


def recorded_fights(run: RunFolder, choice: Choice = Choice()) -> Iterator[tuple[Path, FightRecord]]:
    """Read the fights of a run one after the other, oldest step first; fights that were cut off become records before.

    Raises:
        UserError: the run has no fights, or a damaged one.
        OSError: there is no room for a fight that was cut off.
    """
    keep_interrupted(run.fights)
    paths = list_fights(run.fights)
    if not paths:
        raise UserError(f"{run.name} has no recorded fights yet; let it fight first, or choose another run")
    return ((path, load_fight(path)) for path in paths if choice.fits(load_meta(path)))


def boss_of(run: RunFolder, record: FightRecord) -> str:
    """Name or table of the boss of a run's fight; of a run with an overlay of its own that, wherever the run lies."""
    own = run.overlay_file
    return str(own.resolve()) if own.is_file() else str(record.meta.get("boss", "iudex"))


def fight_rows(run: RunFolder, choice: Choice, order: Order) -> list[dict[str, Any]]:
    """What is to be told of a run's fights.

    Returns:
        Of each fight chosen ``file, kind, step, outcome, length_s, player_hp_left, boss_hp_left, damage_dealt,
        damage_taken`` (hit points, falls included), ``return`` (in the reward it was recorded with), ``incident`` and
        ``player``, who fought it in a fleet, else empty.

    Raises:
        UserError: as :func:`recorded_fights`.
    """
    rows = [_row(path, record) for path, record in recorded_fights(run, choice)]
    return sorted(rows, key=lambda row: row[ORDERS[order]], reverse=order != "step")


def _row(path: Path, record: FightRecord) -> dict[str, Any]:
    states, meta = record.states, record.meta
    return {
        "file": path.name,
        "kind": meta["kind"],
        "step": meta["env_step"],
        "outcome": meta["outcome"].lower(),
        "length_s": round(int(states["step"][-1] - states["step"][0]) * STEP_S, 1),
        "player_hp_left": float(states["player_hp"][-1]),
        "boss_hp_left": float(states["boss_hp"][-1]),
        "damage_dealt": _lost(states["boss_hp"]),
        "damage_taken": _lost(states["player_hp"]),
        "return": float(record.rewards.sum(dtype=np.float64)),
        "incident": incident_of(meta),
        "player": meta.get("player", ""),
    }


def _lost(hit_points: NDArray[np.float32]) -> float:
    """What hit points [T + 1] went down by; what is given back between does not make up for it."""
    return float(np.maximum(-np.diff(hit_points), 0.0).sum())

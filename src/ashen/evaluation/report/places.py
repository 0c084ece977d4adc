"""Where it happens: maps over the arena, and what the agent does at which distance."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ashen.core.arena import corridor_position, is_open, make_arena
from ashen.core.fight import STEP_S
from ashen.core.tables import boss_file, load_facts
from ashen.evaluation.report.subject import ACTION_KINDS, LOCKED, Missing, Subject, action_kinds
from ashen.runs.fights import FightRecord

CELL_M: Final = 1.0
"""Side of a map's cells."""
DISTANCES_M: Final = (0.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 14.0, 60.0)
"""Edges of the bands of distance between the centres."""
_OUTLINE_POINTS: Final = 240

Steps = NDArray[np.float64]


def _acted(kind: str) -> Callable[[FightRecord, list[str]], Steps]:
    return lambda record, kinds: np.array([one == kind for one in kinds], np.float64)


LAYERS: Final[dict[str, Callable[[FightRecord, list[str]], Steps]]] = {
    "time (s a fight)": lambda record, kinds: np.full(len(kinds), STEP_S),
    "rolls a fight": _acted("roll"),
    "light attacks a fight": _acted("light attack"),
    "heavy attacks a fight": _acted("heavy attack"),
    "parries a fight": _acted("parry"),
    "HP lost a fight": lambda record, kinds: np.maximum(0.0, -np.diff(record.states["player_hp"].astype(np.float64))),
}
"""What is mapped by the place of the player: the name of a map -> what a step adds to it, [T]."""


def arena_maps(subject: Subject) -> dict[str, Any]:
    """Sums over all steps by the place where the player stood.

    Returns:
        ``x_m`` and ``y_m``: centres of the cells, [X] and [Y]; ``maps``: by name, [Y][X], None where he never was:
        those of :data:`LAYERS` per fight, and the mean distance to the boss; ``outline``: lines, each with ``kind``
        ("wall" or "cliff"), ``x_m`` and ``y_m``; ``fights``.
    """
    records = subject.records
    x, y = (np.concatenate([record.states[f"player_{axis}_m"][:-1] for record in records]) for axis in "xy")
    kinds = [action_kinds(record) for record in records]
    away = np.concatenate([distance_to_boss(record)[:-1] for record in records])
    edges = [np.arange(np.floor(values.min()), np.floor(values.max()) + 1.5 * CELL_M, CELL_M) for values in (x, y)]

    def summed(weights: Steps) -> Steps:
        return np.histogram2d(y, x, bins=(edges[1], edges[0]), weights=weights)[0]

    visits = summed(np.ones(len(x)))
    maps = {
        name: summed(np.concatenate([layer(*pair) for pair in zip(records, kinds, strict=True)])) / len(records)
        for name, layer in LAYERS.items()
    }
    maps["distance to the boss (m)"] = summed(away) / np.maximum(visits, 1.0)
    return {
        "x_m": (edges[0][:-1] + CELL_M / 2).tolist(),
        "y_m": (edges[1][:-1] + CELL_M / 2).tolist(),
        "maps": {name: _where(visits > 0, values) for name, values in maps.items()},
        "outline": arena_outline(str(subject.env_options["boss"])),
        "fights": len(records),
    }


def distances(subject: Subject) -> dict[str, Any]:
    """What is done at which distance from the boss, in the steps in which something could be done.

    Returns:
        ``bands``: their names; ``kinds``: of actions; ``shares``: of the steps of a band, [kinds][bands], None for a
        band without any; ``steps``: how many a band, [bands]; ``hp_lost``: by band and fight, [bands].
    """
    counts = np.zeros((len(ACTION_KINDS), len(DISTANCES_M) - 1))
    lost = np.zeros(len(DISTANCES_M) - 1)
    for record in subject.records:
        bands = np.clip(np.digitize(distance_to_boss(record)[:-1], DISTANCES_M) - 1, 0, len(lost) - 1)
        kinds = [ACTION_KINDS.index(kind) for kind in action_kinds(record)]
        np.add.at(counts, (kinds, bands), 1.0)
        np.add.at(lost, bands, np.maximum(0.0, -np.diff(record.states["player_hp"].astype(np.float64))))
    free = [number for number, kind in enumerate(ACTION_KINDS) if kind != LOCKED]
    counts = counts[free]
    steps = counts.sum(axis=0)
    if not steps.sum():
        raise Missing("the agent could not act in any step.")
    return {
        "bands": [f"{low:g}-{high:g} m" for low, high in pairwise(DISTANCES_M[:-1])] + [f"above {DISTANCES_M[-2]:g} m"],
        "kinds": [ACTION_KINDS[number] for number in free],
        "shares": _where(np.broadcast_to(steps > 0, counts.shape), counts / np.maximum(steps, 1.0)),
        "steps": steps.astype(int).tolist(),
        "hp_lost": (lost / len(subject.records)).tolist(),
    }


def distance_to_boss(record: FightRecord) -> Steps:
    """Between the centres, [T+1] in metres."""
    states = record.states
    return np.hypot(*(states[f"player_{axis}_m"].astype(np.float64) - states[f"boss_{axis}_m"] for axis in "xy"))


def arena_outline(boss: str) -> list[dict[str, Any]]:
    """The edge of the ground as lines of one kind each, see :func:`arena_maps`; for a boss by name or table."""
    arena = make_arena(load_facts(boss_file(boss))["arena"])[0]
    center = np.array([arena["center_x_m"], arena["center_y_m"]])
    wall, cliff = float(arena["wall_radius_m"]), float(arena["cliff_radius_m"])
    lines: list[dict[str, Any]] = []
    for angle in np.linspace(0.0, 2.0 * np.pi, _OUTLINE_POINTS + 1):
        direction = np.array([np.cos(angle), np.sin(angle)])
        probe = center + wall * direction
        along, aside = corridor_position(arena, *probe)
        kind = "cliff" if is_open(arena, *probe, wall) else "wall"
        if kind == "wall" and along > 0.0 and abs(aside) < arena["corridor_half_width_m"]:
            kind = "gap"
        if not lines or lines[-1]["kind"] != kind:
            lines.append({"kind": kind, "x_m": [], "y_m": []})
        point = center + (cliff if kind == "cliff" else wall) * direction
        lines[-1]["x_m"].append(float(point[0]))
        lines[-1]["y_m"].append(float(point[1]))
    return [line for line in lines if line["kind"] != "gap"] + [_corridor(arena, center, wall)]


def _corridor(arena: np.void, center: NDArray[np.float64], wall_m: float) -> dict[str, Any]:
    ahead = np.array([arena["corridor_x"], arena["corridor_y"]])
    aside = np.array([-arena["corridor_y"], arena["corridor_x"]]) * arena["corridor_half_width_m"]
    mouth = np.sqrt(max(0.0, wall_m**2 - float(arena["corridor_half_width_m"]) ** 2))
    corners = [(mouth, aside), (arena["corridor_end_m"], aside), (arena["corridor_end_m"], -aside), (mouth, -aside)]
    points = [center + along * ahead + side for along, side in corners]
    return {"kind": "wall", "x_m": [float(x) for x, _ in points], "y_m": [float(y) for _, y in points]}


def _where(known: NDArray[np.bool_], values: Steps) -> list[list[float | None]]:
    """Rows of values, None where nothing is known."""
    return [
        [round(float(v), 4) if k else None for k, v in zip(*row, strict=True)]
        for row in zip(known, values, strict=True)
    ]

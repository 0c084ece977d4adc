"""The encoders: lists of columns, each of which shows one feature. One list yields vector, bounds, names and docs."""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import unknown
from ashen.core.fight import ACTION_NAMES, NEVER_S
from ashen.core.tables import boss_file, load_facts, measured_facts, plain
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.obs.facts import bins, boss_labels, make_facts, player_labels
from ashen.obs.features import FEATURES, GEOMETRY, feature_index

LONGEST_S = 600.0
"""No clock of a fight runs longer than this; a fight is cut off after 300 s."""
SHOWN_ACTIONS = 2
"""How many of the last actions the default encoder shows."""


class Column(NamedTuple):
    """One number of an observation: ``(feature - shift) * scale`` within [low, high], or whether it is ``equals``.

    ``part`` is the place within a feature of several numbers.
    """

    name: str
    feature: str
    low: float
    high: float
    scale: float = 1.0
    shift: float = 0.0
    equals: int | None = None
    part: int = 0


RUN = np.dtype([
    ("source", np.int32),
    ("first", np.int32),
    ("end", np.int32),
    ("one_hot", np.int32),
    ("equals", np.int32),
    ("shift", np.float32),
    ("scale", np.float32),
    ("low", np.float32),
    ("high", np.float32),
])
"""Columns ``first`` up to ``end`` as the compiled code reads them: one scaled number, or one-hot columns, the first set
by the value ``equals``, the next by the one after it."""


class Encoder:
    """How a FIGHT_STATE row becomes an observation.

    Attributes:
        name: its name.
        boss: table of the boss it is made for.
        names: what each of the D numbers is.
        features: which feature each of them shows.
        low, high: bounds of each number, float32 [D].
        facts: FACTS record [1].
        runs: RUN records [R]; none for ``dict``, whose observation is SoulsGym's dictionary.
    """

    def __init__(self, name: str, boss: Path, columns: list[Column]) -> None:
        self.name = name
        self.boss = boss
        self.names = tuple(column.name for column in columns)
        self.features = tuple(column.feature for column in columns)
        self.low = np.array([column.low for column in columns], np.float32)
        self.high = np.array([column.high for column in columns], np.float32)
        self.facts = make_facts(boss).copy()
        self.facts["with_geometry"] = any(column.feature in GEOMETRY for column in columns)
        self.facts["with_seen"] = any(column.feature == "boss_seen_since_s" for column in columns)
        self.runs = _runs(columns)
        self._described = columns

    @property
    def is_dictionary(self) -> bool:
        """Whether observations are SoulsGym's dictionaries instead of vectors."""
        return self.name == "dict"

    def table(self) -> str:
        """Markdown table of all numbers: place, name, bounds, unit, meaning."""
        lines = ["| # | name | from | to | unit | meaning |", "|---|---|---|---|---|---|"]
        for place, column in enumerate(self._described):
            feature = FEATURES[column.feature]
            unit = f"{1 / column.scale:g} {feature.unit}".strip() if column.equals is None else "0 or 1"
            name = column.name.replace("|", "\\|")
            lines.append(f"| {place} | {name} | {column.low:g} | {column.high:g} | {unit} | {feature.doc} |")
        return "\n".join(lines) + "\n"


@cache
def make_encoder(name: str, boss: str = "iudex") -> Encoder:
    """An encoder by name, for a boss by name or path.

    Raises:
        UserError: there is no such encoder or boss, or it shows what nobody measured of him.
    """
    if name not in _COLUMNS:
        raise unknown("encoder", name, ENCODER_NAMES)
    path = boss_file(boss)
    if name not in _WITHOUT_FORESIGHT:
        others = " or ".join(_WITHOUT_FORESIGHT)
        measured_facts(
            path,
            f"the encoder {name} cannot foresee them; train with --encoder {others}, and give finetune and evaluate a "
            "run trained so",
        )
    return Encoder(name, path, _COLUMNS[name](path))


def encoder_table(name: str, boss: str = "iudex") -> str:
    """Documentation of an encoder's numbers as a markdown table."""
    return make_encoder(name, boss).table()


def _runs(columns: list[Column]) -> NDArray[Any]:
    """Group neighbouring one-hot columns of one feature and of consecutive values; numbers stay alone."""
    runs: list[tuple[Any, ...]] = []
    for place, column in enumerate(columns):
        source, scaling = (
            feature_index(column.feature) + column.part,
            (column.shift, column.scale, column.low, column.high),
        )
        if column.equals is None:
            runs.append((source, place, place + 1, 0, 0, *scaling))
            continue
        if runs and runs[-1][3] and runs[-1][0] == source:
            _, first, end, _, equals, *_ = runs[-1]
            if column.equals == equals + end - first:
                runs[-1] = (source, first, place + 1, 1, equals, *scaling)
                continue
        runs.append((source, place, place + 1, 1, column.equals, *scaling))
    return np.array(runs, RUN)


def _one_hot(label: str, feature: str, values: dict[str, int], part: int = 0) -> list[Column]:
    return [Column(f"{label}={name}", feature, 0, 1, equals=value, part=part) for name, value in values.items()]


def _numbered(labels: list[str]) -> dict[str, int]:
    return {name: value for value, name in enumerate(bins(labels)[0])}


def _raw26(boss: Path) -> list[Column]:
    """The diary's flat numbers: SoulsGym's dictionary, as it stands, in its order."""
    points, place, view = (-10_000, 10_000), (-10_000, 10_000), (-2, 2)
    stats = ("player_hp", "player_max_hp", "player_sp", "player_max_sp", "boss_hp", "boss_max_hp")
    columns = [Column("phase", "phase", 0, 10)] + [Column(name, name, *points) for name in stats]
    for body in ("player", "boss"):
        columns += [Column(f"{body}_pose[{k}]", f"{body}_{axis}_m", *place) for k, axis in enumerate("xyz")]
        columns += [Column(f"{body}_pose[3]", f"{body}_yaw_rad", -10, 10)]
    columns += [Column(f"camera_pose[{k}]", f"camera_{axis}_m", *place) for k, axis in enumerate("xyz")]
    columns += [Column(f"camera_pose[{k + 3}]", f"camera_n{axis}", *view) for k, axis in enumerate("xyz")]
    for body in ("player", "boss"):
        columns += [Column(f"{body}_animation", f"{body}_soulsgym", -1, 100)]
        columns += [Column(f"{body}_animation_duration", f"{body}_animation_s", 0, LONGEST_S)]
    return [*columns, Column("lock_on", "lock_on", 0, 1)]


_IUDEX_BOX_M = (110, 540, -73), (190, 640, -55)


def _onehot74(boss: Path) -> list[Column]:
    """SoulsAI's layout; its box of coordinates is SoulsGym's, for Iudex where the boss's table has none."""
    arena = plain(load_facts(boss)["arena"])
    lows, highs = arena.get("box_low_m", _IUDEX_BOX_M[0]), arena.get("box_high_m", _IUDEX_BOX_M[1])
    share, axes = (-1, 2), [(axis, low, high - low) for axis, low, high in zip("xyz", lows, highs, strict=True)]
    columns = [
        Column(f"{n}/{n.replace('_', '_max_')}", f"{n}_share", *share) for n in ("player_hp", "player_sp", "boss_hp")
    ]
    columns += [Column("boss_distance_xy/50", "distance_m", 0, 20, scale=1 / 50)]
    for body in ("player", "boss"):
        for axis, low, span in axes:
            name = f"{body}_{axis}=({axis}{-low:+g})/{span:g}"
            columns += [Column(name, f"{body}_{axis}_m", -100, 100, scale=1 / span, shift=low)]
        columns += [Column(f"{wave}({body}_a)", f"{body}_{wave}", -1, 1) for wave in ("sin", "cos")]
    columns += [Column(f"{wave}(camera_angle)", f"camera_{wave}", -1, 1) for wave in ("sin", "cos")]
    columns += [Column("player_animation_duration[s]", "player_animation_s", 0, LONGEST_S)]
    columns += [Column("boss_animation_duration[s]", "boss_bin_s", -1, LONGEST_S)]
    columns += _one_hot("player_anim", "player_bin", _numbered(player_labels(player_vocabulary())))
    return columns + _one_hot("boss_anim", "boss_bin", _numbered(boss_labels(boss_vocabulary(boss))))


def _ashen(boss: Path) -> list[Column]:
    """The default: relative geometry, clocks, locks, the next hit, names and memory, scaled to about [-1, 1]."""
    return [*_ashen_numbers(), *_ashen_names(boss)]


def _ashen_numbers() -> list[Column]:
    columns = [Column("phase", "phase", -1, 1, scale=2, shift=1.5), Column("lock_on", "lock_on", 0, 1)]
    columns += [Column(n, n, -1, 1, scale=2, shift=0.5) for n in ("player_hp_share", "boss_hp_share")]
    columns += [Column("player_sp_share", "player_sp_share", -1, 1), Column("nearness", "nearness", 0, 1)]
    columns += [Column("distance_m", "distance_m", 0, 2, scale=1 / 10)]
    units: tuple[str, ...] = ("boss_ahead", "boss_left", "player_ahead", "player_left")
    columns += [Column(f"{n}_m", f"{n}_m", -2, 2, scale=1 / 10) for n in units]
    units += ("boss_view_ahead", "boss_view_left", "player_view_ahead", "player_view_left", "camera_sin", "camera_cos")
    columns += [Column(n, n, -1, 1) for n in units]
    far = ("centre_view_ahead_m", "centre_view_left_m", "player_centre_x_m", "player_centre_y_m")
    columns += [Column(n, n, -2, 2, scale=1 / 25) for n in far]
    columns += [Column(n, n, -2, 2, scale=1 / 2) for n in ("height_m", "boss_height_m")]
    edges = ("wall_m", "cliff_m", "cliff_ahead_m", "cliff_right_m", "cliff_back_m", "cliff_left_m")
    columns += [Column(n, n, -1, 1, scale=1 / 10) for n in edges]
    columns += [Column(n, n, 0, 2, scale=1 / 2) for n in ("free_attack_s", "free_roll_s", "free_move_s")]
    clocks: tuple[str, ...] = ("player_animation_s", "boss_animation_s", "boss_bin_s")
    clocks += ("previous_player_animation_s", "previous_boss_animation_s", "previous_boss_attack_since_s")
    columns += [Column(n, n, 0, 2, scale=1 / 2) for n in (*clocks, "strike_in_s", "strike_over_in_s")]
    columns += [Column("strike_soon", "strike_in_s", 0, 1, scale=-2, shift=0.5)]
    columns += [Column("strike_room_m", "strike_room_m", -2, 2, scale=1 / 5)]
    return [*columns, Column("strike_room_rad", "strike_room_rad", -1, 1, scale=1 / math.pi)]


def _ashen_names(boss: Path) -> list[Column]:
    player, foe = player_vocabulary(), boss_vocabulary(boss)
    attacks = {name: foe.id(name) for name, attack in zip(foe.names, foe.is_attack(), strict=True) if attack}
    columns = _one_hot("player", "player_animation", {**player.ids, "unknown": -1})
    columns += _one_hot("boss", "boss_animation", {**foe.ids, "unknown": -1})
    columns += _one_hot("previous_attack", "previous_boss_attack", {**attacks, "none": -1})
    for name, place in attacks.items():
        columns += [Column(f"since_{name}", "boss_seen_since_s", 0, 1, scale=1 / NEVER_S, part=place)]
    actions = {name: value for value, name in enumerate(ACTION_NAMES)}
    for back in range(SHOWN_ACTIONS):
        columns += _one_hot(f"action-{back + 1}", "last_actions", actions, part=back)
    return columns


def _dict(boss: Path) -> list[Column]:
    """SoulsGym's own dictionary has no columns."""
    return []


_COLUMNS: dict[str, Callable[[Path], list[Column]]] = {
    "ashen": _ashen,
    "onehot74": _onehot74,
    "raw26": _raw26,
    "dict": _dict,
}
ENCODER_NAMES = tuple(_COLUMNS)
_WITHOUT_FORESIGHT = ("onehot74", "raw26")
"""They show nothing of the hits to come nor of the arena, and no bounds that are Iudex's own."""


def empty_observation(encoder: Encoder, count: int) -> NDArray[np.float32]:
    """Room for ``count`` observations, [count, D]."""
    return np.empty((count, len(encoder.names)), np.float32)

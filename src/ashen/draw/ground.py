"""The arena seen from above, painted once for each boss, and the window of it that a picture shows."""

from dataclasses import dataclass
from functools import cache, cached_property
from math import cos, pi, sin
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ashen.core.arena import ARENA, make_arena
from ashen.core.seeding import generator
from ashen.core.tables import load_facts

PIXELS_PER_M: Final = 32
_PAINTED_PER_M: Final = 16
"""Colours are computed this coarse and enlarged softly, which is four times quicker and leaves no jagged edge."""
_MARGIN_M: Final = 10.0
_PAVING_M: Final = 2.0

_ROCK: Final = (13, 15, 19)
_WALL: Final = (82, 90, 107)
_CLIFF: Final = (196, 104, 84)
_Floats = NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """The part of the ground a picture shows, on a canvas with x to the right and y up unless it is turned.

    Args:
        x_m: what lies in the middle of the canvas.
        y_m: likewise.
        scale: pixels per metre.
        width: of the canvas in pixels.
        height: likewise.
        up_rad: the direction on the ground that points up the canvas; a quarter turn from x is y.
    """

    x_m: float
    y_m: float
    scale: float
    width: int
    height: int
    up_rad: float = 0.5 * pi

    def place(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Pixel of a place."""
        dx, dy, (up_x, up_y) = x_m - self.x_m, y_m - self.y_m, self.up
        right, up = dx * up_y - dy * up_x, dx * up_x + dy * up_y
        return 0.5 * self.width + right * self.scale, 0.5 * self.height - up * self.scale

    @cached_property
    def up(self) -> tuple[float, float]:
        """The direction that points up as a vector of length 1 on the ground."""
        return cos(self.up_rad), sin(self.up_rad)


def follow(state: np.void, width: int, height: int, up_rad: float = 0.5 * pi) -> View:
    """The window that keeps both bodies well in view: a smooth function of the state alone, so films do not jerk."""
    dx, dy = state["boss_x_m"] - state["player_x_m"], state["boss_y_m"] - state["player_y_m"]
    half_m = 4.6 + float(np.sqrt(0.25 * (dx * dx + dy * dy) + 9.0))
    scale = 0.5 * min(width, height) / half_m
    x = 0.5 * float(state["boss_x_m"] + state["player_x_m"])
    y = 0.5 * float(state["boss_y_m"] + state["player_y_m"])
    # The bars at the bottom are taller than what stands at the top, so the fight stands a little above the middle.
    below_m = 0.035 * height / scale
    return View(x - below_m * cos(up_rad), y - below_m * sin(up_rad), scale, width, height, up_rad)


def paint_ground(path: Path, view: View) -> Image.Image:
    """The ground of a boss's arena as ``view`` shows it, RGB.

    Raises:
        UserError: the boss's table is missing or broken.
    """
    picture, left_m, top_m = _ground(path)
    per_pixel, (up_x, up_y) = PIXELS_PER_M / view.scale, view.up
    # How far one goes in the painted ground, to the right and down, with each pixel of the view to the right and down.
    across, along = up_y * per_pixel, up_x * per_pixel
    left = (view.x_m - left_m) * PIXELS_PER_M - 0.5 * (across * view.width - along * view.height)
    top = (top_m - view.y_m) * PIXELS_PER_M - 0.5 * (along * view.width + across * view.height)
    turn = (across, -along, left, along, across, top)
    return picture.transform((view.width, view.height), Image.Transform.AFFINE, turn, fillcolor=_ROCK)


@cache
def _ground(path: Path) -> tuple[Image.Image, float, float]:
    """The whole ground, and the place of its upper left corner in metres."""
    record = make_arena(load_facts(path)["arena"])[0]
    arena = {name: float(record[name]) for name in ARENA.names or ()}
    span = max(arena["corridor_end_m"], arena["cliff_radius_m"]) + _MARGIN_M
    left_m, top_m = arena["center_x_m"] - span, arena["center_y_m"] + span
    steps = (np.arange(round(2 * span * _PAINTED_PER_M)) + 0.5) / _PAINTED_PER_M - span
    x, y = np.meshgrid(steps.astype(np.float32), -steps.astype(np.float32))
    painted = Image.fromarray(_colours(arena, x, y))
    size = painted.width * PIXELS_PER_M // _PAINTED_PER_M
    return painted.resize((size, size), Image.Resampling.BICUBIC), left_m, top_m


def _colours(arena: dict[str, float], x: _Floats, y: _Floats) -> NDArray[np.uint8]:
    """Colours [H, W, 3] of places ``x``, ``y`` [H, W] in metres from the arena's centre."""
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    off = np.abs((angle - arena["open_angle_rad"] + np.pi) % (2.0 * np.pi) - np.pi)
    in_sector = off <= arena["open_half_width_rad"]
    c, s = arena["corridor_x"], arena["corridor_y"]
    along, aside = x * c + y * s, np.abs(y * c - x * s)
    in_corridor = (along >= 0.0) & (along <= arena["corridor_end_m"]) & (aside <= arena["corridor_half_width_m"])
    in_round = (radius <= arena["wall_radius_m"]) | (in_sector & (radius <= arena["cliff_radius_m"]))
    floor, abyss = in_round | in_corridor, in_sector & (radius > arena["cliff_radius_m"])

    grain = _grain(*x.shape)
    joints = np.where(in_round, _round_joints(radius, angle), _straight_joints(along, aside))
    light = 46.0 - 0.36 * radius.clip(0.0, 26.0) + 7.0 * grain - 8.0 * joints
    depth = ((radius - arena["cliff_radius_m"]) / 8.0).clip(0.0, 1.0)
    shade = np.where(floor, light, np.where(abyss, 22.0 * (1.0 - depth) ** 2 + 3.0, 15.0 + 4.0 * grain))
    shade += 120.0 * in_corridor * np.exp(-(((along - arena["corridor_end_m"]) / 1.3) ** 2))  # the fog wall
    near_abyss = in_sector & (radius > arena["cliff_radius_m"] - 0.5)
    colours = shade[..., None] * np.array([0.92, 1.0, 1.16], np.float32)
    for rim, colour in ((_rim(floor | abyss), _WALL), (_rim(floor) * near_abyss, _CLIFF)):
        colours += rim[..., None] * (np.array(colour, np.float32) - colours)
    return colours.clip(0.0, 255.0).astype(np.uint8)


def _grain(height: int, width: int) -> _Floats:
    """Soft stains [height, width] about 0, the same for ever."""
    rng = generator(0, "ground")
    total = np.zeros((height, width), np.float32)
    for cells, weight in ((10, 0.6), (37, 0.3), (300, 0.2)):
        noise = Image.fromarray(rng.normal(0.0, weight, (cells, cells)).astype(np.float32))
        total += np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC))
    return total


def _round_joints(radius: _Floats, angle: _Floats) -> NDArray[np.bool_]:
    """Where the rings of paving stones about the arena's centre meet."""
    ring = np.floor(radius / _PAVING_M)
    stones = np.maximum(1.0, np.round(2.0 * np.pi * (ring + 0.5) / 1.5))
    turn = (angle / (2.0 * np.pi) * stones + 0.5 * (ring % 2)) % 1.0
    gap_m = np.minimum(turn, 1.0 - turn) * 2.0 * np.pi * radius / stones
    return (radius % _PAVING_M < 0.1) | (gap_m < 0.05)


def _straight_joints(along: _Floats, aside: _Floats) -> NDArray[np.bool_]:
    """Where the rows of paving stones in the corridor meet."""
    return (along % _PAVING_M < 0.1) | (aside % _PAVING_M < 0.05)


def _rim(area: NDArray[np.bool_]) -> _Floats:
    """A soft line along the border of an area: weights in 0..1."""
    inside = np.asarray(Image.fromarray(area.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(1.3)), np.float32)
    return 4.0 * inside * (255.0 - inside) / 255.0**2

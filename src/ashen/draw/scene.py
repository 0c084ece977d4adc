"""A whole picture: the ground with what moves on it, the bars over it, the panel beside it."""

from math import atan2, pi
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ashen.core.errors import UserError
from ashen.core.tables import boss_file
from ashen.draw.bodies import draw_attacks, draw_bodies, draw_intention
from ashen.draw.ground import follow, paint_ground
from ashen.draw.hud import draw_banner, draw_boss, draw_player, draw_time
from ashen.draw.panel import SHARE, Overlay, draw_panel

DEFAULT_SIZE: Final = (960, 540)
_SMOOTH: Final = 2
"""The ground is drawn this much larger and shrunk, which smooths every edge."""


def picture(
    state: np.void,
    boss: str = "iudex",
    overlay: Overlay | None = None,
    size: tuple[int, int] = DEFAULT_SIZE,
    *,
    camera_up: bool = False,
) -> NDArray[np.uint8]:
    """Draw one state of a fight.

    Args:
        state: one FIGHT_STATE record.
        boss: name of the boss or path of its TOML file.
        overlay: the agent's view of it, and the outcome; without one the ground fills the picture.
        size: width and height in pixels, both even (films need that) and at least 160 x 90.
        camera_up: turn the ground so that the camera looks up the picture, as who plays needs it; else y points up.

    Returns:
        RGB picture, uint8 [height, width, 3].

    Raises:
        UserError: there is no such boss, or the size is odd or too small.
    """
    width, height = size
    if width % 2 or height % 2 or width < 160 or height < 90:
        raise UserError(f"picture size {width} x {height}: choose even numbers, at least 160 x 90")
    overlay = overlay or Overlay()
    unit = height / 540
    panel_width = 2 * round(0.5 * SHARE * width) if overlay.has_panel else 0
    canvas = Image.new("RGB", size)
    up_rad = atan2(state["camera_ny"], state["camera_nx"]) if camera_up else 0.5 * pi
    canvas.paste(_fight(state, boss, overlay, width - panel_width, height, unit, up_rad))
    if panel_width:
        canvas.paste(draw_panel(overlay, panel_width, height, unit), (width - panel_width, 0))
    return np.array(canvas)


def _fight(
    state: np.void, boss: str, overlay: Overlay, width: int, height: int, unit: float, up_rad: float
) -> Image.Image:
    """The fight itself with its bars, without the panel."""
    path = boss_file(boss)
    view = follow(state, _SMOOTH * width, _SMOOTH * height, up_rad)
    ground = paint_ground(path, view)
    pen = ImageDraw.Draw(ground, "RGBA")
    draw_attacks(pen, view, state, path)
    draw_intention(pen, view, state, overlay.action_name)
    draw_bodies(pen, view, state, path)
    canvas = ground.reduce(_SMOOTH)
    pen = ImageDraw.Draw(canvas, "RGBA")
    player_before, boss_before = overlay.hp_before
    draw_player(canvas, pen, state, unit, player_before)
    draw_boss(canvas, pen, state, path, unit, boss_before)
    draw_time(canvas, pen, state, follow(state, width, height), unit)
    draw_banner(canvas, overlay.outcome, unit)
    return canvas

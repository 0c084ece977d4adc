"""What stands and moves on the ground: both bodies, what they strike at, the lock-on and the chosen direction."""

from functools import cache
from math import cos, degrees, pi, sin
from pathlib import Path
from typing import Any, Final

import numpy as np

from ashen.core.fight import ACTION_NAMES
from ashen.core.tables import load_facts
from ashen.draw import ink
from ashen.draw.attacks import Hit, boss_hits, is_invulnerable, sword_hit
from ashen.draw.ground import View

PLAYER_RADIUS_M: Final = 0.45
"""The boss's and the player's centres come no nearer than 1.25 m, and the boss's radius is 0.8 m."""
_WIND_UP_S: Final = 1.2
"""How long before it strikes an attack's shape begins to fill."""


def draw_attacks(pen: Any, view: View, state: np.void, path: Path) -> None:
    """The boss's hits, faint and filling before they can strike, solid while they can; the player's swing."""
    boss = _Body(state, "boss")
    hits, clock_s = boss_hits(state, path)
    for hit in hits:
        if hit.start_s <= clock_s <= hit.end_s:
            _sector(pen, view, boss, hit, hit.reach_m, (*ink.DANGER, 150), (*ink.DANGER, 255))
        elif 0.0 < hit.start_s - clock_s <= _WIND_UP_S:
            ripe = 1.0 - (hit.start_s - clock_s) / _WIND_UP_S
            _sector(pen, view, boss, hit, hit.reach_m, (*ink.WIND_UP, 24), (*ink.WIND_UP, 130))
            _sector(pen, view, boss, hit, hit.inner_m + ripe * (hit.reach_m - hit.inner_m), (*ink.WIND_UP, 50), None)
    if swing := sword_hit(state, path):
        _sector(pen, view, _Body(state, "player"), swing, swing.reach_m, (*ink.PLAYER, 110), (*ink.PLAYER, 220))


def _sector(pen: Any, view: View, body: "_Body", hit: Hit, reach_m: float, fill: Any, outline: Any) -> None:
    """A ring sector about a body."""
    middle = body.angle + hit.bearing_rad
    count = max(3, int(degrees(hit.half_arc_rad) / 2))
    angles = np.linspace(middle - hit.half_arc_rad, middle + hit.half_arc_rad, count)
    rings = ((reach_m, angles), (min(hit.inner_m, reach_m), angles[::-1]))
    corners = [view.place(*body.ahead(radius, angle)) for radius, ring in rings for angle in ring]
    pen.polygon(corners, fill=fill)
    if outline:
        edge = corners[:count] if hit.half_arc_rad >= pi else [*corners, corners[0]]  # a full circle has no sides
        pen.line(edge, fill=outline, width=3, joint="curve")


def draw_bodies(pen: Any, view: View, state: np.void, path: Path) -> None:
    """Both bodies with their facing, the lock-on between them, and a ring about a player no hit can touch."""
    boss, player = _Body(state, "boss"), _Body(state, "player")
    if state["lock_on"]:
        pen.line((*view.place(player.x_m, player.y_m), *view.place(boss.x_m, boss.y_m)), fill=(*ink.WHITE, 36), width=2)
    _draw_body(pen, view, boss, boss_radius_m(path), ink.BOSSES.get(int(state["phase"]), ink.BOSSES[1]))
    _draw_body(pen, view, player, PLAYER_RADIUS_M, ink.PLAYER)
    if is_invulnerable(state, path):
        pen.ellipse(_round(view, player, 1.6 * PLAYER_RADIUS_M), outline=(*ink.WHITE, 230), width=3)
    if state["lock_on"]:
        pen.ellipse(_round(view, boss, 0.16), fill=(*ink.WHITE, 255))


def _draw_body(pen: Any, view: View, body: "_Body", radius_m: float, colour: ink.Colour) -> None:
    """A disc with a beak where it faces."""
    pen.ellipse(_round(view, body, 1.35 * radius_m), fill=(0, 0, 0, 90))
    beak = [(1.95, 0.0), (1.1, 0.75), (1.1, -0.75)]
    pen.polygon([view.place(*body.ahead(radius_m * far, body.angle + side)) for far, side in beak], fill=(*colour, 255))
    inside = tuple(part // 2 + 8 for part in colour)
    width = max(2, round(radius_m * view.scale / 6))
    pen.ellipse(_round(view, body, radius_m), fill=(*inside, 255), outline=(*colour, 255), width=width)


def draw_intention(pen: Any, view: View, state: np.void, action: str) -> None:
    """An arrow where a walk or roll would go: directions are clockwise from the camera's, in steps of 45 degrees."""
    if not action.startswith(("walk", "roll")):
        return
    turn = ACTION_NAMES.index(action) % 8 * pi / 4
    angle = float(np.arctan2(state["camera_ny"], state["camera_nx"])) - turn
    player, length_m = _Body(state, "player"), 2.4 if action.startswith("roll") else 1.7
    ends = [view.place(*player.ahead(far, angle)) for far in (0.95, length_m)]
    pen.line((*ends[0], *ends[1]), fill=(*ink.CHOSEN, 220), width=round(0.09 * view.scale))
    x, y = player.ahead(length_m, angle)
    head = [view.place(x + 0.34 * cos(angle + side), y + 0.34 * sin(angle + side)) for side in (0.0, 2.3, -2.3)]
    pen.polygon(head, fill=(*ink.CHOSEN, 235))


class _Body:
    """Where a body stands and the mathematical angle it faces (counter-clockwise from +x)."""

    def __init__(self, state: np.void, who: str):
        self.x_m, self.y_m = float(state[f"{who}_x_m"]), float(state[f"{who}_y_m"])
        self.angle = -0.5 * pi - float(state[f"{who}_yaw_rad"])

    def ahead(self, far_m: float, angle: float) -> tuple[float, float]:
        """A place some metres off in a direction."""
        return self.x_m + far_m * cos(angle), self.y_m + far_m * sin(angle)


def _round(view: View, body: _Body, radius_m: float) -> ink.Box:
    """The box of a circle about a body, in pixels."""
    x, y = view.place(body.x_m, body.y_m)
    radius = radius_m * view.scale
    return x - radius, y - radius, x + radius, y + radius


@cache
def boss_radius_m(path: Path) -> float:
    """A boss's radius, from its table."""
    return float(load_facts(path)["body"]["radius_m"].value)

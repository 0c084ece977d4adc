"""What stands over the ground: bars, animation names with their clocks, the attack's timeline, time and scale."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from ashen.core.fight import STEP_S, Outcome
from ashen.core.tables import load_facts
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.draw import ink
from ashen.draw.attacks import boss_hits
from ashen.draw.ground import View

BANNERS: Final = {
    Outcome.WIN: ("BOSS DEFEATED", ink.CHOSEN),
    Outcome.LOSS: ("YOU DIED", ink.DANGER),
    Outcome.TIMEOUT: ("OUT OF TIME", ink.GREY),
    Outcome.FAULT: ("FAULT", ink.GREY),
}
_TIMELINE_S: Final = 3.0


def draw_player(canvas: Image.Image, pen: Any, state: np.void, unit: float, hp_before: float) -> None:
    """Hit points, stamina and animation of the player, upper left. ``unit`` is 1 for a picture 540 pixels high."""
    left, top = 20 * unit, 20 * unit
    hp, sp = _share(state["player_hp"], state["player_max_hp"]), _share(state["player_sp"], state["player_max_sp"])
    ink.bar(pen, (left, top, left + 230 * unit, top + 11 * unit), hp, ink.HP, _share(hp_before, state["player_max_hp"]))
    ink.bar(pen, (left, top + 16 * unit, left + 170 * unit, top + 22 * unit), sp, ink.STAMINA)
    numbers = f"{state['player_hp']:.0f} / {state['player_max_hp']:.0f}"
    ink.write(canvas, left + 238 * unit, top + 5.5 * unit, numbers, 11 * unit, ink.GREY)
    ink.write(canvas, left + 178 * unit, top + 19 * unit, f"{state['player_sp']:.0f}", 11 * unit, ink.GREY)
    name = player_vocabulary().name(int(state["player_animation"]))
    _animation(canvas, left, top + 37 * unit, name, float(state["player_animation_s"]), unit, ink.PLAYER)


def draw_boss(canvas: Image.Image, pen: Any, state: np.void, path: Path, unit: float, hp_before: float) -> None:
    """Name, hit points, animation and attack timeline of the boss, along the lower edge."""
    left, right, top = 0.14 * canvas.width, 0.86 * canvas.width, canvas.height - 46 * unit
    colour = ink.BOSSES.get(int(state["phase"]), ink.BOSSES[1])
    ink.write(canvas, left, top - 13 * unit, _boss_name(path), 15 * unit, ink.WHITE)
    name = boss_vocabulary(path).name(int(state["boss_animation"]))
    _animation(canvas, right, top - 13 * unit, name, float(state["boss_animation_s"]), unit, colour, "right")
    hp = _share(state["boss_hp"], state["boss_max_hp"])
    ink.bar(pen, (left, top, right, top + 11 * unit), hp, ink.HP, _share(hp_before, state["boss_max_hp"]))
    numbers = f"phase {state['phase']}    {state['boss_hp']:.0f} / {state['boss_max_hp']:.0f}"
    ink.write(canvas, left, top + 22 * unit, numbers, 11 * unit, ink.GREY)
    _timeline(pen, (left + 0.5 * (right - left), top + 19 * unit, right, top + 25 * unit), state, path)


def _timeline(pen: Any, box: ink.Box, state: np.void, path: Path) -> None:
    """The present attack's clock running towards its hit windows."""
    hits, clock_s = boss_hits(state, path)
    if not hits:
        return
    left, top, right, bottom = box
    per_s = (right - left) / max(_TIMELINE_S, hits[-1].end_s + 0.4)
    pen.rectangle((left, top, right - 1, bottom), fill=ink.TRACK)
    for hit in hits:
        hot = hit.start_s <= clock_s <= hit.end_s
        window = (
            left + hit.start_s * per_s,
            top,
            max(left + hit.end_s * per_s, left + hit.start_s * per_s + 2),
            bottom,
        )
        pen.rectangle(window, fill=ink.DANGER if hot else tuple(part // 2 for part in ink.DANGER))
    now = min(max(left, left + clock_s * per_s), right - 1)
    pen.line((now, top - 3, now, bottom + 3), fill=ink.WHITE, width=2)


def draw_time(canvas: Image.Image, pen: Any, state: np.void, view: View, unit: float) -> None:
    """Step and time, upper right; the scale of the ground, lower left. ``view`` has the canvas's own size."""
    step = int(state["step"])
    ink.write(canvas, canvas.width - 20 * unit, 26 * unit, f"{step * STEP_S:.1f} s", 17 * unit, ink.WHITE, "right")
    ink.write(canvas, canvas.width - 20 * unit, 45 * unit, f"step {step}", 11 * unit, ink.GREY, "right")
    left, bottom, length = 20 * unit, canvas.height - 20 * unit, 2.0 * view.scale
    pen.line((left, bottom - 4, left, bottom, left + length, bottom, left + length, bottom - 4), fill=ink.GREY)
    ink.write(canvas, left + 0.5 * length, bottom - 9 * unit, "2 m", 10 * unit, ink.GREY, "centre")


def draw_banner(canvas: Image.Image, outcome: Outcome, unit: float) -> None:
    """How the fight ended, across the middle; nothing while it runs."""
    if outcome not in BANNERS:
        return
    text, colour = BANNERS[outcome]
    middle, half = round(0.25 * canvas.height), round(48 * unit)
    fade = Image.linear_gradient("L").resize((canvas.width, half)).point(lambda level: min(225, 3 * level))
    canvas.paste(ink.NIGHT, (0, middle - half), fade)
    canvas.paste(ink.NIGHT, (0, middle), fade.transpose(Image.Transpose.FLIP_TOP_BOTTOM))
    ink.write(canvas, 0.5 * canvas.width, middle, text, 40 * unit, colour, "centre")


@cache
def _boss_name(path: Path) -> str:
    return str(load_facts(path)["name"])


def _share(value: float, maximum: float) -> float:
    return float(value) / float(maximum) if maximum > 0 else 0.0


def _animation(
    canvas: Image.Image,
    x: float,
    y: float,
    name: str,
    clock_s: float,
    unit: float,
    colour: ink.Colour,
    align: str = "left",
) -> None:
    """An animation's name and its reported clock."""
    shown = "unknown animation" if name == "?" else name
    ink.write(canvas, x, y, f"{shown}  {clock_s:.2f} s", 13 * unit, colour, align)

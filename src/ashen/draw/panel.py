"""The panel beside the ground: what the agent saw in its actions, what it chose, what it was given for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ashen.core.errors import UserError
from ashen.core.fight import ACTION_NAMES, NO_ACTION, Outcome
from ashen.draw import ink

SHARE: Final = 0.29
"""The part of a picture's width that the panel takes."""
HP_MEMORY_STEPS: Final = 10
"""Steps for which lost hit points stay yellow."""


@dataclass(frozen=True, eq=False)
class Overlay:
    """What a picture shows besides the fight itself. Every part may be left out."""

    title: str = ""
    """Heading, for example the run's name."""
    action: int = NO_ACTION
    """The action chosen, an index into ``action_names``; -1 shows none."""
    action_names: tuple[str, ...] = ACTION_NAMES
    """Names of the actions, A of them."""
    scores: NDArray[np.float32] | None = None
    """Q-values or probabilities of the actions, [A]."""
    score_kind: str = "probabilities"
    """``"probabilities"`` or ``"q_values"``."""
    mask: NDArray[np.bool_] | None = None
    """Which actions are valid, [A]; the others are greyed."""
    reward_terms: Mapping[str, float] = field(default_factory=dict)
    """Weighted reward terms of this step, by name."""
    return_so_far: float | None = None
    """Sum of the rewards of this fight up to this step."""
    outcome: Outcome = Outcome.RUNNING
    """How the fight stands; if it has ended, a banner says so."""
    hp_before: tuple[float, float] = (0.0, 0.0)
    """The player's and the boss's hit points a moment ago: what was lost since is shown in yellow."""

    def __post_init__(self) -> None:
        for name in ("scores", "mask"):
            values = getattr(self, name)
            if values is not None and np.shape(values) != (len(self.action_names),):
                count = len(self.action_names)
                raise UserError(f"overlay: {name} has shape {np.shape(values)}, but there are {count} action names")

    @property
    def action_name(self) -> str:
        """Name of the action chosen, empty if there is none."""
        return self.action_names[self.action] if 0 <= self.action < len(self.action_names) else ""

    @property
    def has_panel(self) -> bool:
        """Whether there is anything for the panel to show."""
        return bool(self.action_name or self.scores is not None or self.mask is not None or self.reward_terms)


@lru_cache(maxsize=2)
def draw_panel(overlay: Overlay, width: int, height: int, unit: float) -> Image.Image:
    """The panel as an RGB image of ``width`` x ``height`` pixels; ``unit`` is 1 for one 540 pixels high.

    The last ones are kept, since films draw several pictures with one overlay; do not draw on it.
    """
    canvas = Image.new("RGB", (width, height), ink.PANEL)
    pen = ImageDraw.Draw(canvas, "RGBA")
    pen.line((0, 0, 0, height), fill=ink.LINE)
    left, right = 18 * unit, width - 16 * unit
    y = 24 * unit
    if overlay.title:
        ink.write(canvas, left, y, overlay.title, 15 * unit, ink.WHITE)
        y += 27 * unit
    terms_height = (len(overlay.reward_terms) * 15 + 62) * unit
    bottom = height - (terms_height if overlay.reward_terms or overlay.return_so_far is not None else 10 * unit)
    _draw_actions(canvas, pen, overlay, (left, y, right, bottom), unit)
    if bottom < height - 10 * unit:
        _draw_rewards(canvas, pen, overlay, (left, bottom, right, height - 12 * unit), unit)
    return canvas


def _draw_actions(canvas: Image.Image, pen: Any, overlay: Overlay, box: ink.Box, unit: float) -> None:
    """One row an action: name, bar, value; the chosen one marked, invalid ones greyed."""
    left, top, right, bottom = box
    header = {"q_values": "Q-VALUES", "probabilities": "PROBABILITIES"} if overlay.scores is not None else {}
    ink.write(canvas, left, top, header.get(overlay.score_kind, "ACTIONS"), 10 * unit, ink.FAINT)
    top += 12 * unit
    count = len(overlay.action_names)
    row = min(17 * unit, (bottom - top) / count)
    mask = np.ones(count, bool) if overlay.mask is None else np.asarray(overlay.mask, bool)
    if overlay.scores is not None:  # an action the agent does not have has no score
        mask = mask & ~np.isnan(overlay.scores)
    shares = _shares(overlay, mask)
    size = min(12 * unit, 0.82 * row)
    track = (left + 104 * unit, right - 42 * unit)
    for index, name in enumerate(overlay.action_names):
        y = top + (index + 0.5) * row
        chosen = index == overlay.action
        colour = ink.CHOSEN if chosen else ink.GREY if mask[index] else ink.INVALID
        if chosen:
            pen.rectangle((left - 8 * unit, y - 0.5 * row, right + 6 * unit, y + 0.5 * row - 1), fill=(*ink.CHOSEN, 26))
        ink.write(canvas, left, y, name.replace("_", " "), size, colour)
        if overlay.scores is None or not mask[index]:
            continue
        pen.rectangle((track[0], y - 0.25 * row, track[1], y + 0.25 * row - 1), fill=ink.TRACK)
        end = track[0] + shares[index] * (track[1] - track[0])
        if end > track[0] + 0.5:
            pen.rectangle((track[0], y - 0.25 * row, end, y + 0.25 * row - 1), fill=ink.CHOSEN if chosen else ink.FAINT)
        ink.write(canvas, right, y, _number(float(overlay.scores[index]), overlay.score_kind), size, colour, "right")


def _shares(overlay: Overlay, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Length of every bar in 0..1: probabilities as they are, Q-values between the worst and best valid one."""
    if overlay.scores is None:
        return np.zeros(len(mask))
    scores = np.nan_to_num(np.asarray(overlay.scores, np.float64), neginf=0.0, posinf=0.0)
    if overlay.score_kind == "probabilities" or not mask.any():
        return scores.clip(0.0, 1.0)
    low, high = scores[mask].min(), scores[mask].max()
    return (0.04 + 0.96 * (scores - low) / max(high - low, 1e-9)).clip(0.0, 1.0)


def _number(value: float, kind: str) -> str:
    return f"{100.0 * value:.0f} %" if kind == "probabilities" else f"{value:.2f}"


def _draw_rewards(canvas: Image.Image, pen: Any, overlay: Overlay, box: ink.Box, unit: float) -> None:
    """The reward's terms of this step, and the return so far."""
    left, top, right, bottom = box
    pen.line((left, top + 4 * unit, right, top + 4 * unit), fill=ink.LINE)
    ink.write(canvas, left, top + 18 * unit, "REWARD OF THIS STEP", 10 * unit, ink.FAINT)
    y = top + 34 * unit
    for name, value in overlay.reward_terms.items():
        colour = ink.FAINT if value == 0.0 else ink.GOOD if value > 0.0 else ink.BAD
        ink.write(canvas, left, y, name.replace("_", " "), 12 * unit, ink.GREY)
        ink.write(canvas, right, y, f"{value:+.4f}" if value else "0", 12 * unit, colour, "right")
        y += 15 * unit
    if overlay.return_so_far is not None:
        ink.write(canvas, left, bottom - 8 * unit, "return so far", 13 * unit, ink.WHITE)
        ink.write(canvas, right, bottom - 8 * unit, f"{overlay.return_so_far:+.3f}", 13 * unit, ink.WHITE, "right")

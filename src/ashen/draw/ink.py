"""Colours, words and bars: what every part of a picture is drawn with."""

from functools import lru_cache
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]
"""left, top, right, bottom in pixels."""

NIGHT: Final = (11, 13, 18)
PANEL: Final = (17, 20, 27)
LINE: Final = (44, 50, 62)
TRACK: Final = (35, 40, 50)
WHITE: Final = (236, 240, 246)
GREY: Final = (148, 157, 172)
INVALID: Final = (64, 70, 83)
FAINT: Final = (84, 92, 107)
PLAYER: Final = (86, 200, 245)
BOSSES: Final = {1: (240, 138, 75), 2: (190, 110, 245)}
"""The boss's colour by phase."""
DANGER: Final = (255, 66, 66)
WIND_UP: Final = (255, 190, 92)
HP: Final = (200, 48, 56)
HP_LOST: Final = (238, 196, 84)
STAMINA: Final = (92, 178, 102)
GOOD: Final = (98, 210, 130)
BAD: Final = (245, 98, 98)
CHOSEN: Final = (255, 214, 102)


@lru_cache(maxsize=8192)
def _word(text: str, size: int) -> Image.Image:
    """A text as a mask. Cached, since shaping a word costs thirty times what pasting it does."""
    font = ImageFont.load_default(size)
    left, _, right, _ = font.getbbox(text)
    ascent, descent = font.getmetrics()
    mask = Image.new("L", (max(1, int(right - left)), ascent + descent))
    ImageDraw.Draw(mask).text((-left, 0), text, font=font, fill=255)
    return mask


def write(canvas: Image.Image, x: float, y: float, text: str, size: float, colour: Colour, align: str = "left") -> None:
    """Write one line of text.

    Args:
        canvas: RGB image.
        x: the line's left end, middle or right end in pixels, as ``align`` says.
        y: its vertical middle in pixels.
        text: what to write.
        size: font size in pixels.
        colour: of the letters.
        align: ``"left"``, ``"centre"`` or ``"right"``.
    """
    mask = _word(text, max(6, round(size)))
    shift = {"left": 0.0, "centre": 0.5, "right": 1.0}[align]
    canvas.paste(colour, (round(x - shift * mask.width), round(y - 0.5 * mask.height)), mask)


def bar(pen: Any, box: Box, share: float, colour: Colour, before: float = 0.0) -> None:
    """A filled bar on its track.

    Args:
        pen: ImageDraw to draw with.
        box: of the whole bar.
        share: filled part in 0..1.
        colour: of the filled part.
        before: the share a moment ago; the part lost since is drawn in yellow.
    """
    left, top, right, bottom = box
    share, before = (min(1.0, max(0.0, part)) for part in (share, before))
    pen.rectangle((left - 1, top - 1, right, bottom), fill=NIGHT, outline=LINE)
    for part, ink in ((before, HP_LOST), (share, colour)):
        if part > 0.0 and (end := left + part * (right - left) - 1) >= left:
            pen.rectangle((left, top, end, bottom - 1), fill=ink)

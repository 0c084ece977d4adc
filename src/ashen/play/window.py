"""The window: a picture of the fight with words over it."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pygame
from numpy.typing import NDArray

from ashen.core.errors import UserError
from ashen.draw import ink

SIZE: Final = (960, 540)
_UNSEEN: Final = ("dummy", "offscreen", "evdev")
"""SDL's drivers that show nothing; it falls back to one by itself where there is no display."""
_DIM: Final = 85
"""How bright a picture stays under rows of text, of 255."""
_ROW, _GAP, _SIZE = 21, 36, 17
"""Height of a row, room between two columns and size of the letters, in pixels."""


@dataclass(frozen=True)
class Words:
    """What is written over a picture."""

    hint: str = ""
    """Along the lower edge."""
    warning: str = ""
    """Under the clock."""
    title: str = ""
    """Large, over the rows."""
    rows: tuple[tuple[str, ...], ...] = ()
    """In columns, in the middle of a darkened picture."""


@contextmanager
def _hushed() -> Iterator[None]:
    """Drop what libraries in C write to standard error: without a display SDL complains beside our own line."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class Window:
    """A window that can be made larger, open until :meth:`close`.

    Args:
        caption: what stands in its frame.

    Raises:
        UserError: there is no display.
    """

    def __init__(self, caption: str) -> None:
        try:
            with _hushed():
                pygame.display.init()
            driver = pygame.display.get_driver()
            if driver in _UNSEEN and os.environ.get("SDL_VIDEODRIVER") != driver:
                raise pygame.error("no display")
            pygame.display.set_caption(caption)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that enlarging is slow without a graphics card
                self._surface = pygame.display.set_mode(SIZE, pygame.SCALED | pygame.RESIZABLE)
        except pygame.error as error:
            pygame.display.quit()
            raise UserError(
                f"cannot open a window ({error}); run ashen play on a desktop, not over ssh or in a container"
            ) from None
        pygame.font.init()
        self._texts: dict[tuple[str, int, ink.Colour], pygame.Surface] = {}

    def show(self, image: NDArray[np.uint8], words: Words) -> None:
        """Show one picture, uint8 [540, 960, 3], with words over it."""
        width, height = SIZE
        self._surface.blit(pygame.image.frombuffer(image, SIZE, "RGB"), (0, 0))
        if words.rows:
            self._surface.fill((_DIM,) * 3, special_flags=pygame.BLEND_RGB_MULT)
            top = 0.5 * (height - _ROW * len(words.rows))
            self._write(words.title, 34, ink.WHITE, (0.5 * width, top - 34))
            self._table(words.rows, top)
        self._write(words.hint, 15, ink.GREY, (0.5 * width, height - 8))
        self._write(words.warning, 15, ink.WIND_UP, (width - 90, 64))
        pygame.display.flip()

    def close(self) -> None:
        """Close it."""
        pygame.font.quit()
        pygame.display.quit()

    def _table(self, rows: tuple[tuple[str, ...], ...], top: float) -> None:
        """Rows of cells, each column as wide as its widest cell."""
        columns = [[self._text(cell, _SIZE, ink.WHITE) for cell in column] for column in zip(*rows, strict=True)]
        widths = [max(text.get_width() for text in column) + _GAP for column in columns]
        left = 0.5 * (SIZE[0] - sum(widths) + _GAP)
        for column, column_width in zip(columns, widths, strict=True):
            for row, text in enumerate(column):
                self._surface.blit(text, (left, top + _ROW * row))
            left += column_width

    def _write(self, text: str, size: int, colour: ink.Colour, middle: tuple[float, float]) -> None:
        if text:
            word = self._text(text, size, colour)
            self._surface.blit(word, word.get_rect(center=middle))

    def _text(self, text: str, size: int, colour: ink.Colour) -> pygame.Surface:
        """A line of text; kept, since the same few lines are shown sixty times a second."""
        key = (text, size, colour)
        if key not in self._texts:
            self._texts[key] = pygame.font.Font(None, size).render(text, True, colour)
        return self._texts[key]

"""A fight that was fought, shown in a window at the game's speed."""

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Final

import numpy as np
import pygame
from numpy.typing import NDArray

from ashen.play.window import Window, Words

SHOWN_PER_S: Final = 30
"""Pictures a second."""
_LEAVE: Final = (pygame.K_ESCAPE, pygame.K_q)


def show(pictures: Iterable[NDArray[np.uint8]], caption: str, stop: Callable[[], bool]) -> None:
    """Show pictures one after another, until they end or somebody closes the window.

    Args:
        pictures: uint8 [540, 960, 3], :data:`SHOWN_PER_S` of them a second.
        caption: what stands in the window's frame.
        stop: asked at every picture whether to end.

    Raises:
        UserError: there is no display.
    """
    with closing(Window(caption)) as window:
        clock = pygame.time.Clock()
        for picture in pictures:
            events = pygame.event.get()
            if stop() or any(map(_is_leaving, events)):
                return
            window.show(picture, Words(hint="Esc: leave"))
            clock.tick(SHOWN_PER_S)


def _is_leaving(event: pygame.event.Event) -> bool:
    return event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key in _LEAVE)

"""Pictures of a fight for ``render``: as arrays, or in a window."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import UserError, unknown

RENDER_MODES = ("rgb_array", "human")
FRAMES_PER_S = 10
"""One picture a step, at the game's own speed."""


def checked_mode(render_mode: str | None) -> str | None:
    """The mode itself.

    Raises:
        UserError: there is no such mode.
    """
    if render_mode is not None and render_mode not in RENDER_MODES:
        raise unknown("render_mode", render_mode, RENDER_MODES)
    return render_mode


def picture(state: Any, boss: str) -> NDArray[np.uint8]:
    """Draw one FIGHT_STATE row, uint8 [H, W, 3]."""
    from ashen.draw import picture as draw

    return draw(state, boss)


class Window:
    """A window that shows one picture after another at the game's speed."""

    def __init__(self) -> None:
        self._surface: Any = None
        self._clock: Any = None

    def show(self, image: NDArray[np.uint8], title: str) -> None:
        """Show one picture, uint8 [H, W, 3]; opens the window at the first.

        Raises:
            UserError: pygame-ce is not installed.
        """
        try:
            import pygame
        except ImportError:
            raise UserError("render_mode 'human' needs pygame-ce; install it, or use render_mode='rgb_array'") from None
        if self._surface is None:
            pygame.display.init()
            pygame.display.set_caption(title)
            self._surface = pygame.display.set_mode((image.shape[1], image.shape[0]))
            self._clock = pygame.time.Clock()
        pygame.event.pump()
        pygame.surfarray.blit_array(self._surface, image.swapaxes(0, 1))
        pygame.display.flip()
        self._clock.tick(FRAMES_PER_S)

    def close(self) -> None:
        """Close the window if there is one."""
        if self._surface is not None:
            import pygame

            pygame.display.quit()
            self._surface = None

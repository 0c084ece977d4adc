"""Pictures of a recorded fight and of what is foretold of it."""

import numpy as np
import pytest
from PIL import Image

from ashen.core.errors import UserError
from ashen.core.fight import FIGHT_STATE
from ashen.reports.alignment_plot import plot_alignment
from ashen.reports.plot import COLOURS

BLUE = np.array([int(COLOURS[0][at : at + 2], 16) for at in (1, 3, 5)])


def a_fight(steps=50):
    """A boss who walks along x."""
    states = np.zeros(steps, FIGHT_STATE)
    states["boss_x_m"] = 0.1 * np.arange(steps)
    return states


def blue_dots(path):
    """How many dots have nearly the colour of the first forecast."""
    off = np.abs(np.array(Image.open(path).convert("RGB")).astype(int) - BLUE)
    return int((off.max(axis=-1) < 60).sum())


def test_a_forecast_that_drifts_is_seen_beside_the_recorded_fight(tmp_path):
    """Breaks if forecasts are not drawn, or not where they differ from the recorded fight."""
    states = a_fight()
    right = np.stack([np.roll(states, -ahead) for ahead in range(1, 11)], axis=1)
    wrong = right.copy()
    wrong["boss_x_m"] += np.arange(1, 11)
    dots = [blue_dots(plot_alignment(states, {"x": ahead}, tmp_path / "x.png")) for ahead in (right, wrong)]
    assert dots[1] > 2 * dots[0]


def test_a_picture_that_cannot_be_written_is_said_in_one_line(tmp_path):
    """Breaks if a file in the folder's place ends in a traceback."""
    (tmp_path / "plots").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        plot_alignment(a_fight(), {}, tmp_path / "plots" / "x.png")

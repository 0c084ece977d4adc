"""Learning curves: drawn from whatever rows there are, without a window."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from ashen.core.errors import UserError
from ashen.reports.plot import COLOURS, plot

TRAIN = {"win_rate": 0.4, "return_mean": -0.2, "length_mean_steps": 300.0, "steps_per_s": 9000.0, "loss": 0.1}
TRAIN |= {"epsilon": 0.5, "term/win": 0.1, "term/damage_taken": -0.4}
EVALUATION = {"win_rate": 0.5, "win_rate_low": 0.4, "win_rate_high": 0.6, "return_mean": 0.1, "fights": 100}
EVALUATION |= {"length_mean_steps": 310.0, "boss_hp_left_mean": 0.3, "phase_change_rate": 0.7}


def a_run(folder: Path, *rows: tuple[str, dict[str, Any]], torn: str = "") -> Path:
    """A run folder with these rows, 1000 steps and a minute apart."""
    folder.mkdir()
    heads = [
        {"kind": kind, "time": f"2026-01-01T00:{number:02d}:00+00:00", "env_step": 1000 * number, "episode": 9}
        for number, (kind, _) in enumerate(rows, 1)
    ]
    lines = [json.dumps(head | values) for head, (_, values) in zip(heads, rows, strict=True)]
    (folder / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines) + torn, encoding="utf-8")
    return folder


def pixels(path: Path) -> NDArray[np.uint8]:
    """The picture, [H, W, 3]."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def count(image: NDArray[np.uint8], number: int) -> int:
    """How many pixels have the colour of the run with this number."""
    colour = np.round(255 * np.array(to_rgb(COLOURS[number])))
    return int((np.abs(image - colour) <= 2).all(axis=2).sum())


def test_every_run_is_drawn_in_its_own_colour(tmp_path: Path):
    """Breaks if one of several runs is left out."""
    runs = [
        a_run(tmp_path / name, *[("evaluation", EVALUATION | {"win_rate": rate})] * 3)
        for name, rate in (("a", 0.2), ("b", 0.5), ("c", 0.8))
    ]
    one, three = (pixels(plot(runs[:n], tmp_path / f"{n}.png")) for n in (1, 3))
    assert [count(one, number) > 200 for number in range(3)] == [True, False, False]
    assert [count(three, number) > 200 for number in range(3)] == [True, True, True]


@pytest.mark.parametrize(
    "rows",
    [
        [("train", TRAIN)],
        [("evaluation", EVALUATION)],
        [("train", {"win_rate": None, "return_mean": None, "steps_per_s": 1.0})],
        [("train", TRAIN), ("train", TRAIN), ("evaluation", EVALUATION), ("final", EVALUATION)],
    ],
)
def test_few_rows_and_unknown_numbers_are_drawn(tmp_path: Path, rows: list[tuple[str, dict[str, Any]]]):
    """Breaks if curves need more than one row, every kind of row, or every number."""
    out = plot([a_run(tmp_path / "run", *rows, torn='{"kind": "tra')], tmp_path / "curves.png")
    assert pixels(out).shape == (990, 1430, 3)


def test_a_run_without_rows_is_left_out_if_another_has_some(tmp_path: Path):
    """Breaks if a training that has just begun stops the others from being drawn."""
    empty, run = a_run(tmp_path / "empty"), a_run(tmp_path / "run", ("train", TRAIN), ("train", TRAIN))
    assert plot([empty, run], tmp_path / "curves.png").is_file()
    with pytest.raises(UserError, match="nothing to plot"):
        plot([empty, tmp_path / "none"], tmp_path / "curves.png")


def test_what_cannot_be_plotted_is_said_in_one_line(tmp_path: Path):
    """Breaks if a damaged file, another ending or a folder in the way gives a traceback."""
    run = a_run(tmp_path / "run", ("train", TRAIN))
    damaged = a_run(tmp_path / "damaged", torn='{"kind": \n{"kind": "train"}\n')
    (tmp_path / "taken.png").mkdir()
    for path, out in ((damaged, "curves.png"), (run, "curves.svg"), (run, "taken.png")):
        with pytest.raises(UserError):
            plot([path], tmp_path / out)


def test_plots_and_films_need_no_window_and_no_torch():
    """Breaks if a face pulls in pyplot, which may open windows, or torch, which takes seconds to load."""
    code = (
        "import sys, ashen.reports.plot, ashen.reports.film; print({'matplotlib.pyplot', 'torch'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"

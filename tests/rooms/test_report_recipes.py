"""The report of a run of every recipe that ships: all its sections are there, and a browser shows them."""

from dataclasses import replace
from pathlib import Path

import pytest
from report_pages import CHROMIUM, NO_CHROMIUM, assert_all_sections, assert_shown, report

from ashen.recipes import recipe_files
from ashen.runs.folder import create_run
from ashen.training.loop import Training
from ashen.training.recipe import Recipe, load_recipe
from ashen.training.start import run_config

QUICK = ("game", "rainbow")
"""Whose recipes differ most: few actions and one fight at a time; every switch of a DQN."""
NEED_NOT_SHOW = {"phase-change", "before-hits", "fleet"}
"""Who has learned nothing comes to no phase 2, who never comes near is not hit, and nobody else plays for the run."""


def tiny(recipe: Recipe) -> Recipe:
    """The recipe as it is, but for its size."""
    return replace(
        recipe,
        num_envs=min(2, recipe.num_envs),
        total_steps=200,
        evaluate_every=100,
        evaluation_fights=1,
        final_fights=1,
        checkpoint_every=200,
        log_every=50,
        ppo=replace(recipe.ppo, rollout_steps=32, minibatch_size=16, width=16, precision="float32"),
        dqn=replace(recipe.dqn, learning_starts=20, batch_size=8, width=16, replay_capacity=1000),
    )


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
                                  for name in recipe_files()])  # fmt: skip
def test_a_run_of_every_recipe_has_a_whole_report(name: str, tmp_path: Path):
    """Breaks if a recipe trains a run whose report lacks a section, is empty in one, or fails in a browser."""
    training, run = Training(tiny(load_recipe(name))), create_run(tmp_path, name, "x")
    run.write_config(run_config(training))
    rows = list(training.run(run, lambda: False))
    assert rows[-1]["kind"] == "final" and sum(row["kind"] == "evaluation" for row in rows) == 2
    found = assert_all_sections(report(tmp_path, name, "--no-films"))
    assert {key for key, text in found.items() if "Not shown: " in text} <= NEED_NOT_SHOW
    if CHROMIUM is None:
        pytest.skip(f"all but the browser: {NO_CHROMIUM}")
    assert_shown(run.path / "report.html", tmp_path / "profile")

"""A training on a game that fails at random moments."""

import runpy
from pathlib import Path

import pytest

from ashen.game import keeper, owner

pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")

SOAK = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools" / "soak_game.py"))
pytestmark = pytest.mark.game


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a soak may write, with a keeper and a lock of its own."""
    own = keeper.Keeper(print)
    monkeypatch.setattr(owner, "lock_file", lambda: tmp_path / "lock.pid")
    monkeypatch.setattr(keeper, "the_keeper", lambda: own)
    monkeypatch.setattr("ashen.game.backend.the_keeper", lambda: own)
    monkeypatch.setenv("ASHEN_GAME_INSTALL", "")
    monkeypatch.setenv("ASHEN_FAKE_GAME", "")
    yield tmp_path
    own.close()


def check(figures):
    """What must hold of any soak."""
    assert SOAK["is_good"](figures), figures
    assert figures["stops"] == []
    assert figures["provoked"]


def test_a_short_soak(folder):
    """Breaks if a failing game hangs a training or spoils its run, or the replay keeps steps of faulty fights."""
    figures = SOAK["soak"]("dqn", 600, seed=1, folder=folder, every_ticks=600)
    check(figures)
    assert figures["fights_discarded"] >= 1
    assert 0 < figures["replay"] <= 600 - figures["steps_discarded"]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", SOAK["ALGORITHMS"])
def test_a_long_soak(folder, algorithm):
    """Breaks if a failing game hangs a training or spoils its run, in 20,000 steps."""
    figures = SOAK["soak"](algorithm, 20_000, seed=0, folder=folder)
    check(figures)
    assert figures["fights_discarded"] > 20


@pytest.mark.slow
def test_a_fight_after_which_only_the_user_can_help_is_forgotten(folder):
    """Breaks if the fight whose end nobody saw stays in the saved replay, or the training cannot go on."""
    always = [{"fault": "player_animation_broken", "after_ticks": 600}]
    figures = SOAK["soak"]("dqn", 300, seed=0, folder=folder, every_ticks=1e9, faults=always)
    check(figures | {"stops": [], "provoked": always})
    (stop,) = figures["stops"]
    assert "saved, then go on with: ashen resume " in stop
    assert figures["fights_discarded"] == 1
    assert figures["replay"] <= 300 + 1 - figures["steps_discarded"]  # the step that failed is not among the 300

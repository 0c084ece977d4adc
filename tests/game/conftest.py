"""What the tests of the game's room share."""

import sys
from pathlib import Path

import pytest

from ashen.game import owner
from ashen.game.keeper import Keeper

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Everything here is about the game."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.game)


@pytest.fixture
def said():
    """What the keeper told the user."""
    return []


@pytest.fixture
def stand_in(tmp_path, monkeypatch, said):
    """The stand-in as the game of this test; gives the folder of its script."""
    script = tmp_path / "script"
    script.mkdir()
    monkeypatch.setattr(sys, "path", [str(HERE), *sys.path])  # a spawned process takes it over
    monkeypatch.setenv("STAND_IN", str(script))
    monkeypatch.setenv("ASHEN_GAME_INSTALL", "stand_in:install")
    monkeypatch.setattr(owner, "lock_file", lambda: tmp_path / "lock.json")
    keeper = Keeper(said.append)
    monkeypatch.setattr("ashen.game.backend.the_keeper", lambda: keeper)
    yield script
    keeper.close()

"""What the tests of the game's door share: a fake game in this process, or in the one that the trainer starts."""

import importlib
import json

import pytest

from ashen.game import keys, owner, soulsgym_builds
from ashen.game.door import Door
from ashen.game.keeper import Keeper


def _require_soulsgym():
    pytest.importorskip("soulsgym", reason="soulsgym is not installed: python bootstrap.py test installs it")


@pytest.fixture
def fake():
    """The fake game in this process."""
    _require_soulsgym()
    from fake_game import install

    with install() as fake:
        soulsgym_builds.load()
        importlib.import_module("soulsgym.envs.darksouls3.iudex")
        fake.patch()
        yield fake
    keys.uninstall()  # what tests SoulsGym alone wants its own keys


@pytest.fixture
def door(fake):
    """What owns the game, in this process."""
    door = Door()
    yield door
    door._env = None  # soulsgym lets go of the game with the last environment


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Gives what lets the process that the trainer starts meet a fake game, with faults and the options of
    :func:`fake_game.install.start`; returns the keeper's words.
    """
    _require_soulsgym()
    said = []
    keeper = Keeper(said.append)

    def be_elsewhere(*faults, hook="fake_game:install_from_environment", **options):
        monkeypatch.setenv(soulsgym_builds.INSTALL_HOOK, hook)
        monkeypatch.setenv("ASHEN_FAKE_GAME", json.dumps({"faults": list(faults)} | options))
        return said

    monkeypatch.setattr(owner, "lock_file", lambda: tmp_path / "lock.pid")
    for module in ("backend", "keeper"):
        monkeypatch.setattr(f"ashen.game.{module}.the_keeper", lambda: keeper)
    yield be_elsewhere
    keeper.close()

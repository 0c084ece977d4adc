"""A fake Dark Souls III process under the real soulsgym and the real pymem, with our simulator as its combat."""

from fake_game.clock import FakeHang
from fake_game.install import FakeGame, install, install_from_environment

__all__ = ["FakeGame", "FakeHang", "install", "install_from_environment"]

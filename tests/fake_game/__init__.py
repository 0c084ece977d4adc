"""A fake Dark Souls III process under the real soulsgym and the real pymem, with our simulator as its combat.

In a test::

    with install(seed=0) as fake:
        env = make("SoulsGymIudex-v0")  # fake_game.gym
        env.reset()
        fake.fault("focus_lost", after_ticks=60, for_ticks=120)

In another process ``fake_game:install_from_environment`` does it, with the options of ``fake_game.install.start`` as
JSON in the variable ``ASHEN_FAKE_GAME``: ``{"seed": 3, "clock": "real", "faults": [{"fault": "lag"}]}``.
One fake at a time in a process. Only soulsgym 1.1.0 is faked.

It proves that a wrapper works with soulsgym's code, not that soulsgym works with the game: what happens around a fight
(loading, the fog gate, deaths, the free camera, which calls see the focus) is modelled by guess.
"""

from fake_game.clock import FakeHang
from fake_game.install import FakeGame, install, install_from_environment

__all__ = ["FakeGame", "FakeHang", "install", "install_from_environment"]

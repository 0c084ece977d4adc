"""ashen trains agents that beat Souls bosses: on a fast, faithful simulated fight, or on the real game.

The public names are loaded on first use, so that importing ashen costs nothing; it only makes sure that Gymnasium will
know the environments' ids.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ashen")
except PackageNotFoundError:
    __version__ = "0+source"

_HOMES = {"make_vec": "ashen.env", "FightEnv": "ashen.env", "encode": "ashen.obs", "UserError": "ashen.core.errors"}
__all__ = ["FightEnv", "UserError", "encode", "make_vec"]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ashen' has no attribute '{name}'")


import_module("ashen.env").promise_envs()

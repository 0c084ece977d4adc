"""Floor 3, fighter: a backend, an encoder and a reward as Gymnasium environments. Never knows an agent or torch.

``actions`` names subsets of the actions; ``passes`` is the one compiled pass of a step; ``fights`` runs it over a
backend; ``single`` and ``vector`` are the Gymnasium faces; ``registration`` tells Gymnasium their ids. The names
below are loaded on first use, because ``import ashen`` imports this package for its ids.
"""

from importlib import import_module

from ashen.env.registration import promise_envs

_HOMES = {"FightEnv": "ashen.env.single", "FightVectorEnv": "ashen.env.vector", "make_vec": "ashen.env.vector"}
__all__ = ["FightEnv", "FightVectorEnv", "make_vec", "promise_envs"]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ashen.env' has no attribute '{name}'")

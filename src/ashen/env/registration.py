"""Gymnasium ids. ``import ashen`` promises them; it costs nothing until Gymnasium itself is imported.

Gymnasium looks for no plug-ins since its version 1.0, so a package must be imported before its ids are known.
"""

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

ENV_IDS = {"ashen/Iudex-v0": "iudex"}
"""A change of dynamics or of observations raises the version."""


def promise_envs() -> None:
    """Register now if Gymnasium is imported already, else as soon as it is."""
    if "gymnasium" in sys.modules:
        register_envs()
    else:
        sys.meta_path.insert(0, _GymnasiumWatch())


def register_envs() -> None:
    """Register every id with Gymnasium, once."""
    from gymnasium.envs.registration import register, registry

    for env_id, boss in ENV_IDS.items():
        if env_id not in registry:
            register(
                id=env_id,
                entry_point="ashen.env:FightEnv",
                vector_entry_point="ashen.env:FightVectorEnv",
                kwargs={"boss": boss},
            )


class _GymnasiumWatch(MetaPathFinder):
    """Sees Gymnasium being imported, steps aside, and registers once its modules have run."""

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_register(module: ModuleType) -> None:
            run(module)
            register_envs()

        spec.loader.exec_module = run_and_register
        return spec

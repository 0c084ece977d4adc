"""The fight as the logs of real runs know it: at the game speed they were made at, keys come later."""

from typing import Any

from numpy.typing import NDArray

from ashen.core.tables import data_file, load_facts, plain
from ashen.env import FightVectorEnv
from ashen.sim.backend import SimBackend


def real_figures() -> dict[str, Any]:
    """What was measured on the real game: ``real_figures.toml`` without sources."""
    figures: dict[str, Any] = plain(load_facts(data_file("ds3", "real_figures.toml")))
    return figures


def as_logged(tables: NDArray[Any]) -> NDArray[Any]:
    """A copy of TABLE records in which keys are late as often as at the logs' game speed."""
    tables = tables.copy()
    tables["rules"]["late_odds"] = real_figures()["logs"]["late_odds"]
    return tables


def fight_as_logged(env: FightVectorEnv) -> None:
    """Let the simulated fights of ``env`` go by :func:`as_logged` from their next start on.

    Raises:
        TypeError: the environment is not simulated.
    """
    if not isinstance(env.backend, SimBackend):
        raise TypeError(f"fights of {type(env.backend).__name__} have keys of their own")
    env.backend.tables = as_logged(env.backend.tables)

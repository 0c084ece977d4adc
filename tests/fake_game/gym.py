"""soulsgym's environments over the fake game that is installed."""

from typing import Any

import gymnasium
import gymnasium.error


def make(name: str = "SoulsGymIudex-v0", **arguments: Any) -> gymnasium.Env:
    """One of soulsgym's environments; Gymnasium 1.0 and later lack an exception that it imports."""
    if not hasattr(gymnasium.error, "RetriesExceededError"):
        gymnasium.error.RetriesExceededError = type("RetriesExceededError", (gymnasium.error.Error,), {})
    import soulsgym  # noqa: F401  (registers them)

    return gymnasium.make(name, disable_env_checker=True, **arguments)

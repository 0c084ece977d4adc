"""Options of the verbs that are about the real game alone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class UnstickOptions:
    """Leave the real game playable after a crash: its own speed, all flags as they were, gravity, no key held."""

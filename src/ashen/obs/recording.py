"""The two fights on the real game that ashen ships, step by step: what simulator, encoders and rewards are held to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.tables import data_file
from ashen.obs.dictionary import KEYS


@dataclass(frozen=True)
class RecordedFight:
    """T consecutive steps of a fight that was lost, phase 1, random actions.

    Args:
        observations: T dictionaries of SoulsGym.
        actions: int64 [T]; ``actions[t]`` led to ``observations[t]``, the first is a placeholder.
        masks: bool [T, 20]; ``masks[t]`` was valid at ``observations[t]``, so it judges ``actions[t + 1]``.
    """

    observations: list[dict[str, Any]]
    actions: NDArray[np.int64]
    masks: NDArray[np.bool_]


def recorded_fights() -> list[RecordedFight]:
    """All recorded fights, in order. Source: S21 in ``data/ds3/sources.toml``."""
    with np.load(data_file("ds3", "recorded_fights.npz")) as archive:
        arrays = {name: archive[name] for name in archive.files}
    fights = []
    for number in range(arrays["fight"].max() + 1):
        steps = np.flatnonzero(arrays["fight"] == number)
        observations = [{key: arrays[key][step] for key in KEYS} for step in steps]
        fights.append(RecordedFight(observations, arrays["action"][steps].astype(np.int64), arrays["mask"][steps]))
    return fights

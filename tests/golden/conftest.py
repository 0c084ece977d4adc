"""The two fights recorded on the real game, as SoulsGym's dictionaries (source S21 of ``data/ds3/sources.toml``)."""

from types import SimpleNamespace

import numpy as np
import pytest

from ashen.core.tables import data_file
from ashen.obs.dictionary import KEYS


@pytest.fixture(params=[0, 1])
def recorded_fight(request):
    """One fight: its ``number``, T ``observations``, and ``actions`` [T], of which ``actions[t]`` led to step t."""
    with np.load(data_file("ds3", "recorded_fights.npz")) as archive:
        steps = np.flatnonzero(archive["fight"] == request.param)
        arrays = {key: archive[key] for key in KEYS}
        actions = archive["action"][steps].astype(np.int64)
    observations = [{key: arrays[key][step] for key in KEYS} for step in steps]
    return SimpleNamespace(number=request.param, observations=observations, actions=actions)

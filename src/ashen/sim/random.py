"""Counter-based random numbers: the n-th draw of a stream is a hash of (stream, n), so fights never share state."""

import numpy as np

from ashen.core.compiled import njit

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 1.0 / 9007199254740992.0


@njit
def mix(value):
    """SplitMix64's finaliser: a bijection of 64-bit integers that scatters neighbours."""
    value = (value ^ (value >> np.uint64(30))) * _MIX1
    value = (value ^ (value >> np.uint64(27))) * _MIX2
    return value ^ (value >> np.uint64(31))


@njit
def uniform(world):
    """The fight's next number in [0, 1)."""
    world.draws += np.uint64(1)
    return float(mix(world.stream + world.draws * _STEP) >> np.uint64(11)) * _TO_UNIT


@njit
def uniform_between(world, bounds):
    """The fight's next number in [bounds[0], bounds[1])."""
    return bounds[0] + (bounds[1] - bounds[0]) * uniform(world)


@njit
def pick(stream, count):
    """One of ``count`` things by a fight's stream, without drawing from it."""
    return int(mix(stream ^ _MIX1) % np.uint64(count))


@njit
def next_stream(stream):
    """The stream of the fight after this one."""
    return mix(stream + _STEP)

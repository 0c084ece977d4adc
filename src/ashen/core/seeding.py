"""Seeds: one integer from the user becomes independent streams, by hashing, so that no two parts share numbers."""

import hashlib

import numpy as np


def derive_seed(seed: int, *path: str | int) -> int:
    """A 63-bit seed for one part of a run, for example ``derive_seed(7, "evaluation", 3)``. Same words, same seed."""
    text = "/".join(str(part) for part in (seed, *path))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """A NumPy generator for one part of a run."""
    return np.random.default_rng(derive_seed(seed, *path))

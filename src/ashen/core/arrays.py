"""Arrays of records as plain bytes, so that they can stand in a checkpoint."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """The same memory as bytes [N, itemsize of a row], for a contiguous array [N, ...] of any type."""
    return array.view(np.uint8).reshape(len(array), -1)

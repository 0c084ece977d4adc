"""Between NumPy and torch: state trees for checkpoints, and seeded construction."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch

T = TypeVar("T")


def to_tensors(tree: Any) -> Any:
    """The same tree of dicts and lists with tensors in place of arrays, and with plain numbers.

    Memory is shared, but for arrays that may not be written: a tensor always may.
    """
    if isinstance(tree, dict):
        return {key: to_tensors(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [to_tensors(value) for value in tree]
    if isinstance(tree, np.generic):
        return tree.item()
    if isinstance(tree, np.ndarray):
        return torch.from_numpy(tree if tree.flags.writeable else tree.copy())
    return tree


def to_arrays(tree: Any) -> Any:
    """The same tree of dicts and lists with arrays in place of tensors, sharing memory."""
    if isinstance(tree, dict):
        return {key: to_arrays(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [to_arrays(value) for value in tree]
    return tree.numpy() if isinstance(tree, torch.Tensor) else tree


def built_with_seed(seed: int, build: Callable[[], T]) -> T:
    """What ``build()`` gives when torch's global generator starts from ``seed``; that generator is left untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def mean_metrics(rows: list[dict[str, torch.Tensor]]) -> dict[str, float]:
    """Means of scalar tensors over several updates, fetched at once, since each fetch waits for the computation."""
    names = list(rows[0])
    means = torch.stack([torch.stack([row[name] for name in names]) for row in rows]).mean(0)
    return dict(zip(names, means.tolist(), strict=True))

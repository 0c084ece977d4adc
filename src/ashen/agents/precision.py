"""In which numbers a learner multiplies: 32 bits, or 16 where the processor is quicker with them."""

import time
from contextlib import AbstractContextManager
from copy import deepcopy
from statistics import median
from typing import Final

import torch
from torch import Tensor, nn

LEAST_GAIN: Final = 1.15
"""How much quicker bfloat16 must be to be taken: below that the rounding is not worth it, and noise could decide."""
_TRIAL_S: Final = 1.6
"""Time spent on trying both precisions."""


def products_in(precision: str) -> AbstractContextManager[object]:
    """A context in which matrix products are made in ``precision``; weights and gradients stay in float32."""
    return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")


def quickest_precision(network: nn.Module, obs: Tensor) -> tuple[str, str]:
    """Try a forward and a backward pass in both precisions.

    Args:
        network: what learns; left as it is.
        obs: observations [B, D] of the size it learns from.

    Returns:
        The precision, and a line that says why.
    """
    network = deepcopy(network)
    took_s: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    ends = time.perf_counter() + _TRIAL_S
    # In turns, so that a machine that is busy for a moment slows both.
    while len(took_s["bfloat16"]) < 4 or time.perf_counter() < ends:
        for precision, passes in took_s.items():
            passes.append(_pass_s(network, obs, precision))
    gain = median(took_s["float32"][1:]) / median(took_s["bfloat16"][1:])
    chosen = "bfloat16" if gain >= LEAST_GAIN else "float32"
    return chosen, f"learning in {chosen}: bfloat16 makes a pass {gain:.2f} times as fast, {LEAST_GAIN} are asked for"


def _pass_s(network: nn.Module, obs: Tensor, precision: str) -> float:
    """Seconds of a forward and a backward pass."""
    begin = time.perf_counter()
    with products_in(precision):
        out = network(obs)
    loss = sum(part.float().square().mean() for part in (out if isinstance(out, tuple) else (out,)))
    loss.backward()
    return time.perf_counter() - begin

"""What a learner's time goes to; its networks' products and activations no library on the same kernels can save."""

import os
import time
from typing import Final

from torch.profiler import ProfilerActivity, profile

from ashen.bench.job import Contender

PRODUCTS: Final = ("aten::mm", "aten::addmm", "aten::bmm")
"""Torch's names of matrix products, forwards and backwards."""
ACTIVATIONS: Final = ("aten::relu", "aten::relu_", "aten::clamp_min", "aten::clamp_min_", "aten::threshold_backward")
"""Torch's names of what the networks compared do between their products, forwards and backwards."""
STEPS: Final = ("aten::_fused_adamw_", "aten::_fused_adam_")
"""Torch's names of an optimiser's step where it is one operation; around it, torch's own optimisers have another."""


def profiled_s(contender: Contender) -> dict[str, float]:
    """Seconds of one measurement under torch's profiler, which makes small operations and Python look larger.

    Returns:
        ``products``: matrix products; ``activations``: what the networks do between them; ``optimizer``: its steps;
        ``other_operations``: torch's other operations; ``python``: what lies between operations: Python, replay, the
        world.
    """
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler tells on standard error that it starts and stops
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        begin = time.perf_counter()
        contender.work()
        whole_us = 1e6 * (time.perf_counter() - begin)
    events = profiled.key_averages()
    operations_us = sum(event.self_cpu_time_total for event in events)
    products_us, activations_us = (
        sum(event.self_cpu_time_total for event in events if event.key in names) for names in (PRODUCTS, ACTIVATIONS)
    )
    whole_steps = [event for event in events if event.key.startswith("Optimizer.step")]
    steps = whole_steps or [event for event in events if event.key in STEPS]
    optimizer_us = sum(event.cpu_time_total for event in steps)
    parts_us = {
        "products": products_us,
        "activations": activations_us,
        "optimizer": optimizer_us,
        "other_operations": operations_us - products_us - activations_us - optimizer_us,
        "python": whole_us - operations_us,
    }
    return {name: 1e-6 * took_us for name, took_us in parts_us.items()}

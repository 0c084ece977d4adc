"""How long a learner's matrix products take, which no library on the same kernels can save."""

import os
from typing import Final

from torch.profiler import ProfilerActivity, profile

from ashen.bench.job import Contender

PRODUCTS: Final = ("aten::mm", "aten::addmm", "aten::bmm")
"""Torch's names of matrix products, forwards and backwards."""


def products_steps_per_s(contender: Contender) -> float:
    """Steps a second if a measurement's matrix products were all there is to do."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler tells on standard error that it starts and stops
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        contender.work()
    took_us = sum(event.self_cpu_time_total for event in profiled.key_averages() if event.key in PRODUCTS)
    return 1e6 * contender.steps / took_us

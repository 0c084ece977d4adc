"""Process-wide settings that make torch faster on a CPU; called once by whoever owns the process."""

import torch

from ashen.core.memory import keep_freed_memory


def tune_process(threads: int | None = None) -> None:
    """Set torch's threads, and keep freed memory for reuse (:mod:`ashen.core.memory`).

    Args:
        threads: for one operation; None leaves torch's choice, one for each core.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    keep_freed_memory()

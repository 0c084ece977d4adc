"""Process-wide settings that make torch faster on a CPU; called once by whoever owns the process."""

import ctypes
import sys

import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEEP_BYTES = 32 * 1024 * 1024  # the most glibc accepts


def tune_process(threads: int | None = None) -> None:
    """Set torch's threads, and on Linux keep freed memory for reuse.

    A learning step frees and takes the same megabyte-sized arrays again and again; by default glibc gives each back to
    the system and pays for fresh zeroed pages, about a sixth of a PPO update.

    Args:
        threads: for one operation; None leaves torch's choice, one for each core.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _KEEP_BYTES)
        mallopt(_M_TRIM_THRESHOLD, 8 * _KEEP_BYTES)

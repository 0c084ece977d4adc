"""What a figure of speed has to name: the machine, and the versions of what ran on it."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ashen


def machine_facts(libraries: Iterable[str]) -> dict[str, Any]:
    """Machine, processor, cores, Python, and the versions of ashen and of ``libraries``, by their package names."""
    return {
        "machine": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {"ashen": ashen.__version__} | {name: version(name) for name in libraries},
    }


def figures_text(figures: dict[str, Any]) -> str:
    """One line for each figure."""
    return "\n".join(f"{name:26} {_rounded(value)}" for name, value in figures.items())


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def processor() -> str:
    """The processor's model; Linux tells it only in a file."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()

"""The one door to numba: sets where compiled code is cached, then offers ``njit`` and ``prange``.

numba does not notice a change in another file than the one it compiled, so the cache lives in a folder named after a
hash of all compiled rooms. Every compiled function is a module-level ``@njit`` function imported from here.
"""

import hashlib
import os
import platform
import sys
from functools import cache, partial
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_COMPILED_ROOMS = ("core", "sim", "obs", "rewards", "env", "replay")


def source_hash(package: Path, numba_version: str) -> str:
    """Hash of every compiled room's sources, of where they lie, and of the versions of numba and Python, 16 hex digits.

    numba takes nothing that was compiled for the same sources elsewhere.
    """
    digest = hashlib.sha256(f"{numba_version} {sys.version} {platform.machine()} {package}".encode())
    for room in _COMPILED_ROOMS:
        for path in sorted((package / room).rglob("*.py")):
            digest.update(path.relative_to(package).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> Path:
    """Where compiled code is kept: in the user's cache directory, one folder for each state of the sources."""
    from importlib.metadata import version

    if os.name == "nt":
        root = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return root / "ashen" / "compiled" / source_hash(_PACKAGE, version("numba"))


os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())

import numba  # noqa: E402  (the cache directory must be set first)

numba.config.CACHE_DIR = str(cache_folder())

njit = partial(numba.njit, cache=True, error_model="numpy", nogil=True)
prange = numba.prange


def is_cold() -> bool:
    """Whether the step of the fight has yet to be compiled for these sources, which takes up to a minute.

    The folder alone says nothing: numba makes it as soon as a compiled room is imported.
    """
    return not any(cache_folder().glob("sim_*/fight.step_fight-*.nbi"))

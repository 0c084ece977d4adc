"""Checks of what is installed: Python, NumPy and torch, SoulsGym and what it stands on."""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from ashen.doctor.findings import CannotTell, Finding, failed, ok, windows_only
from ashen.doctor.pc import Answer, Pc

SET_UP: Final = "python bootstrap.py --game"
START_ANEW: Final = "delete the folder .venv and set ashen up again: python bootstrap.py --game"
PYTHON: Final = (3, 11)
OLDEST_PYTHON: Final = (3, 11, 2)
"""Older ones draw wrongly from ranges, which SoulsGym asks for."""
LONGEST_PATH: Final = 259
"""Characters; Windows' limit, less the zero at the end."""
PACKAGES: Final = {"pymem": "pymem", "psutil": "psutil", "yaml": "pyyaml", "cv2": "opencv-python-headless"}
"""What SoulsGym imports, and the names under which it is installed."""
WINDOWS_PACKAGES: Final = {"win32api": "pywin32", "win32gui": "pywin32", "pywintypes": "pywin32"}
_TALK = """
import json, numpy, torch
total = torch.from_numpy(numpy.ones(3, numpy.float32)).add(1).numpy().sum()
print(json.dumps([numpy.__version__, torch.__version__, float(total)]))
"""
_IMPORT_ALL = """
import importlib, json
wrong = {{}}
for name in {names}:
    try:
        importlib.import_module(name)
    except Exception as error:
        wrong[name] = f"{{type(error).__name__}}: {{error}}"
print(json.dumps(wrong))
"""
_LOAD_SOULSGYM = """
import json
from ashen.core.errors import UserError
from ashen.game.soulsgym_builds import bosses, load
try:
    load()
    from soulsgym.core import static
    build = "GitHub's head" if hasattr(static, "addresses") else "PyPI's 1.1.0"
    print(json.dumps({"build": build, "bosses": bosses()}))
except UserError as error:
    print(json.dumps({"error": str(error)}))
"""


def python(pc: Pc) -> Finding:
    """The Python that runs ashen."""
    kind, numbers, bits = pc.python()
    found = f"{kind} {'.'.join(map(str, numbers))}, {bits} bits"
    if kind != "CPython" or bits != 64 or numbers < OLDEST_PYTHON:
        return failed(found, f"install 64-bit CPython 3.11: winget install Python.Python.3.11, then {START_ANEW}")
    if pc.is_windows and numbers[:2] != PYTHON:
        return failed(f"{found}; SoulsGym 1.1.0 runs on 3.11 only", f"{START_ANEW}, which takes py -3.11")
    return ok(found)


def numpy_and_torch(pc: Pc) -> Finding:
    """Whether NumPy and torch understand each other."""
    answer = pc.run_python(_TALK)
    result = _last_json(answer)
    if "_ARRAY_API" in answer.text or "initialize NumPy" in answer.text or "compiled using NumPy" in answer.text:
        return failed("torch was built for another NumPy, and the two cannot exchange arrays", START_ANEW)
    if result is None or result[2] != 6.0:
        return failed(f"they cannot exchange arrays: {_last_line(answer)}", START_ANEW)
    return ok(f"NumPy {result[0]}, torch {result[1]}, arrays go both ways")


def packages(pc: Pc) -> Finding:
    """Whether everything SoulsGym imports can be imported."""
    wanted = PACKAGES | (WINDOWS_PACKAGES if pc.is_windows else {})
    answer = pc.run_python(_IMPORT_ALL.format(names=list(wanted)))
    wrong = _last_json(answer)
    if wrong is None:
        return failed(f"one of {', '.join(wanted)} ends Python: {_last_line(answer)}", START_ANEW)
    if not wrong:
        return ok(", ".join(dict.fromkeys(wanted.values())))
    if not pc.is_windows and pc.package_folder("soulsgym") is None:
        raise CannotTell("SoulsGym is not installed here")
    return failed("; ".join(f"{wanted[name]}: {why}" for name, why in wrong.items()), SET_UP)


def soulsgym(pc: Pc) -> Finding:
    """Which build of SoulsGym there is, and whether it can be imported."""
    if pc.package_folder("soulsgym") is None:
        if not pc.is_windows:
            raise CannotTell("SoulsGym is not installed here")
        return failed("not installed", SET_UP)
    answer = pc.run_python(_LOAD_SOULSGYM)
    result = _last_json(answer) or {"error": _last_line(answer)}
    if "error" in result:
        return failed(result["error"], SET_UP)
    more = "" if "vordt" in result["bosses"] else " (for vordt see docs/windows.md)"
    fights = f"fights {' and '.join(result['bosses'])}{more}"
    return ok(f"{result['build']}, {fights}, Gymnasium {_version('gymnasium')}")


def dll_path(pc: Pc) -> Finding:
    """Whether Windows can load the speed hack's dll from where it is."""
    windows_only(pc)
    folder = pc.package_folder("soulsgym")
    if folder is None:
        raise CannotTell("SoulsGym is not installed")
    dlls = sorted((folder / "core" / "speedhack" / "_C").rglob("*.dll"))
    if not dlls:
        return failed(
            "SoulsGym's speed hack dll is gone, as virus scanners do it",
            f"allow the folder {folder} in the virus scanner, then {START_ANEW}",
        )
    return _path(dlls[0])


def _path(dll: Path) -> Finding:
    move = "move ashen to a short folder with plain letters, such as C:\\ashen, and set it up again"
    if odd := sorted({letter for letter in str(dll) if not letter.isascii()}):
        return failed(f"{dll} holds {', '.join(odd)}, and SoulsGym takes plain letters only", move)
    if len(str(dll)) > LONGEST_PATH:
        return failed(f"{dll} has {len(str(dll))} characters, and Windows takes {LONGEST_PATH}", move)
    return ok(str(dll))


def _last_line(answer: Answer) -> str:
    late = "no answer in time" if answer.code == -1 else f"exit code {answer.code}"
    return next((line for line in reversed(answer.text.splitlines()) if line.strip()), late)


def _last_json(answer: Answer) -> Any:
    """What the code printed last, None if it did not get so far."""
    try:
        return json.loads(_last_line(answer)) if answer.code == 0 else None
    except ValueError:
        return None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"

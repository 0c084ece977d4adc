"""A bundle for a bug report: what was found, machine, versions and a run's log. Nothing that tells who the user is."""

import getpass
import io
import json
import os
import platform
import re
import zipfile
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

import ashen
from ashen.doctor.findings import Finding, State
from ashen.doctor.screen import plain

FIRST: Final = "ashen-doctor.json"
"""The bundle's first file, whose name marks a bundle."""
LOG_LINES: Final = 300


def as_json(found: Mapping[str, Finding]) -> dict[str, Any]:
    """Findings, the machine and the versions, as plain values."""
    rows = [{"name": name, **finding._asdict()} for name, finding in found.items()]
    machine = {"system": platform.platform(), "python": platform.python_version(), "threads": os.cpu_count()}
    return {"passed": passed(found), "checks": rows, "ashen": ashen.__version__, **machine}


def passed(found: Mapping[str, Finding]) -> bool:
    """Whether nothing failed."""
    return all(finding.state != State.FAILED for finding in found.values())


def bundle(found: Mapping[str, Finding], run_files: Mapping[str, str]) -> bytes:
    """The bundle as a zip archive.

    Args:
        found: what the checks found.
        run_files: names and texts of files of a run; of a log only the end is kept.
    """
    texts = {FIRST: json.dumps(as_json(found), indent=2, ensure_ascii=False), "ashen-doctor.txt": plain(found)}
    texts["versions.txt"] = "".join(f"{name}=={version}\n" for name, version in _versions())
    for name, text in run_files.items():
        texts[f"run/{name}"] = "".join(text.splitlines(keepends=True)[-LOG_LINES:]) if name.endswith(".log") else text
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, anonymous(text, str(Path.home()), _user()))
    return written.getvalue()


def anonymous(text: str, home: str, user: str) -> str:
    """A text without the user's home folder and name.

    Args:
        text: in which paths may be written as any system does, or as JSON does.
        home: the home folder's path, which becomes ``~``.
        user: the name; as part of another path it becomes ``user``.
    """
    parts = [re.escape(part) for part in re.split(r"[\\/]+", home)]
    text = re.sub(r"(?<![\w.~-])" + r"[\\/]+".join(parts) + r"(?![\w.-])", "~", text, flags=re.IGNORECASE)
    if not user:
        return text
    return re.sub(rf"(?<=[\\/]){re.escape(user)}(?=[\\/\s\"']|$)", "user", text, flags=re.IGNORECASE)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # as in a container without accounts
        return ""


def _versions() -> list[tuple[str, str]]:
    return sorted(
        {(one.metadata["Name"] or "?", one.version) for one in distributions()}, key=lambda row: row[0].lower()
    )

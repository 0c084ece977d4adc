"""Which code is at work: the version of ashen, and in a checkout of it the commit."""

import subprocess
from pathlib import Path
from typing import Final

import ashen

ROOT: Final = Path(ashen.__file__).resolve().parents[2]
"""The checkout, if this is one."""
_PATIENCE_S: Final = 10.0


def commit() -> str | None:
    """The commit of this checkout, marked if the package was changed since; None outside of one, or without git."""
    if not (ROOT / ".git").exists():  # else git would tell of whatever checkout ashen is installed in
        return None
    head, changes = ("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--", "src")
    told = [_git(*words) for words in (head, changes)]
    if told[0] is None:
        return None
    return told[0] + ("+changes" if told[1] else "")


def code_versions() -> dict[str, str | None]:
    """What ``config.json`` is to say of the code."""
    return {"ashen": ashen.__version__, "commit": commit()}


def code_text() -> str:
    """The same in words."""
    at = commit()
    return f"ashen {ashen.__version__}{f', commit {at}' if at else ''}"


def _git(*words: str) -> str | None:
    try:
        ended = subprocess.run(
            ["git", "-C", str(ROOT), *words],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None

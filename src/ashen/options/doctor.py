"""Options of the verb that looks the set-up over."""

from dataclasses import dataclass, field
from pathlib import Path

from ashen.core.errors import UserError
from ashen.runs.folder import default_runs_dir


@dataclass(frozen=True)
class DoctorOptions:
    """Look over what training on the real game needs: what was found, line by line, and how to mend it.

    Nothing is changed. The exit code is 0 if nothing must be mended, 1 if something must. Elsewhere than on Windows
    only what is installed can be checked.
    """

    live: bool = False
    """Take the game over for a minute too, and press keys: whether they arrive, and how fast the game really runs."""
    scan_codes: bool = True
    """With --live: press keys by place, which no keyboard layout moves; else by letter, as SoulsGym itself does."""
    json: bool = False
    """Print one JSON object instead of a screen."""
    report: Path | None = None
    """Write a zip for a bug report: what was found, versions, machine, a run's settings and the end of its log; paths
    do not name you. An older report is replaced, any other file refused."""
    run: str | None = None
    """The run whose settings and log go into the report, by name or folder; the newest if not given."""
    back_up_save: Path | None = None
    """Copy the game's saves into this new folder first."""
    runs_dir: Path = field(default_factory=default_runs_dir)
    """Folder of all runs; the environment variable ASHEN_RUNS sets it too."""

    def __post_init__(self) -> None:
        if not self.scan_codes and not self.live:
            raise UserError("--no-scan-codes says how --live presses keys; add --live, or leave it out")

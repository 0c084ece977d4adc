"""The runs of a folder side by side."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.runs.folder import HUMAN, TRASH, RunFolder, run_names
from ashen.runs.shelf import BAD, SORTS
from ashen.training.history import history_of
from ashen.training.lineage import CLONED, Config, fought

_MATCH: Final = ("wins", "fights", "win_rate", "win_rate_low", "win_rate_high")


def list_runs(
    runs_dir: Path, sort: str, tag: str | None, *, everything: bool
) -> tuple[list[dict[str, Any]], int, dict[str, str]]:
    """The runs of a folder, the greatest last: the newest, or that with most wins or steps.

    Args:
        runs_dir: folder of all runs; that of human fights in it is none.
        sort: one of :data:`~ashen.runs.shelf.SORTS`.
        tag: only runs that have it.
        everything: also those tagged bad, and those in the trash.

    Returns:
        A row for each, ready for JSON; how many more there are that are tagged bad; and which cannot be read, with why.
    """
    folders = [RunFolder(runs_dir / name) for name in run_names(runs_dir) if name != HUMAN]
    if everything:
        folders += [RunFolder(runs_dir / TRASH / name) for name in run_names(runs_dir / TRASH)]
    rows, damaged = [], {}
    for folder in folders:
        try:
            rows.append(run_row(folder))
        except UserError as error:
            damaged[folder.name] = str(error)
        except Exception as error:  # files that anything may have befallen
            what = f"lacks {error}" if isinstance(error, KeyError) else f"is damaged: {error}"
            damaged[folder.name] = f"a file in {folder.path} {what}"
    shown = [row for row in rows if tag in row["tags"] or (tag is None and (everything or BAD not in row["tags"]))]
    left_out = 0 if tag else len(rows) - len(shown)
    key = SORTS[sort]
    return sorted(shown, key=lambda row: (row[key] is not None, row[key] or 0, row["name"])), left_out, damaged


def run_row(run: RunFolder) -> dict[str, Any]:
    """A run in a row, ready for JSON.

    Raises:
        UserError: its folder is damaged.
        Exception: the same, where no reader of it has looked for that damage.
    """
    history = history_of(run)
    datetime.fromisoformat(history.config["created_at"])  # or nobody could sort by it
    boss, fight = _fought(run, history.config) or (None, None)
    result = history.result or {}
    return {
        "name": run.name,
        "created_at": history.config["created_at"],
        "boss": boss,
        "fight": fight,
        "recipe": _recipe(history.config),
        "env_steps": history.cost.env_steps,
        "hours": round(history.cost.hours, 4),
        **{key: result.get(key) for key in _MATCH},
        "state": history.state,
        "tags": history.tags,
        "parents": history.parents,
    }


def _fought(run: RunFolder, config: Config) -> tuple[str, str] | None:
    """Boss and fight; a joined run plays the full one against the boss of those it was made of."""
    if "joined" not in config:
        return fought(run, config)
    member = RunFolder(run.path / next(place for place in config["joined"] if place != "rule"))
    found = fought(member, member.read_config())
    return found and (found[0], "full")


def _recipe(config: Config) -> str | None:
    """What a run was made by: its recipe's name, or the fights that it clones."""
    if cloned := config.get(CLONED):
        return f"clone of {', '.join(Path(place).name for place in cloned['places'])}"
    return config.get("recipe_name")

"""What a run changes: against its parent, or else against the newest run before it of the same fight.

That is found out once, when the run is made, and kept in its ``config.json`` as ``against``: runs come and go.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.core.tables import read_toml
from ashen.runs.files import now
from ashen.runs.folder import RunFolder, run_names

Config = dict[str, Any]
"""A run's ``config.json``."""
CLONED: Final = "pretrained_from"
"""What a clone's config says of the fights it was made from; a clone is compared with clones."""
RESUMED_WITH: Final = "resumed_with"
"""What a run's config says of settings that were changed when it was resumed, and when."""
LEARNERS: Final = ("ppo", "dqn")
"""Settings of a learner stand under its name; those of one that is not at work change nothing."""


def with_lineage(run: RunFolder, config: Config, parent: RunFolder | None = None) -> Config:
    """A new run's config, with what it changes against another run.

    Args:
        run: the new run.
        config: what is to stand in its ``config.json``.
        parent: the run it starts from, if it does.
    """
    other = parent or _newest_alike(run, config)
    if other is None:
        return config
    before, now = other.read_config(), json.loads(json.dumps(config))  # as both will be read again, without tuples
    against = {
        "run": other.name,
        "is_parent": parent is not None,
        "settings": _changed_settings(_settings(other, before), _settings(run, now)) | _chosen(before, now),
        "versions": changes(before.get("versions", {}), config.get("versions", {})),
        "table_hash": [_tables(before), _tables(config)],
    }
    inherited = {"recipe_name": config.get("recipe_name") or before.get("recipe_name")} if parent else {}
    return config | inherited | {"against": against}


def with_changes_at_resume(config: Config, part: str, changed: dict[str, list[Any]]) -> Config:
    """A run's config with other settings from now on, and with what they were before.

    Args:
        config: as it is.
        part: ``recipe`` or ``fleet``.
        changed: by name, what was and what is to be.
    """
    resumed = [*config.get(RESUMED_WITH, []), {"at": now(), "changes": changed}]
    values = {name: value for name, (_, value) in changed.items()}
    return config | {part: config.get(part, {}) | values, RESUMED_WITH: resumed}


def changes(before: dict[str, Any], now: dict[str, Any], place: str = "") -> dict[str, list[Any]]:
    """The settings that differ between two recipes as tables, by name: what they were and what they are."""
    found: dict[str, list[Any]] = {}
    for name in dict.fromkeys([*before, *now]):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found |= changes(old, new, f"{place}{name}.")
        elif old != new:
            found[place + name] = [old, new]
    return found


def fought(run: RunFolder, config: Config) -> tuple[str, str] | None:
    """Boss and fight a run was trained on; None for one without a recipe. An overlay counts as the boss it changes."""
    recipe = config.get("recipe")
    if not recipe:
        return None
    boss = read_toml(run.overlay_file)["base"] if run.overlay_file.is_file() else recipe["boss"]
    return Path(boss).stem, recipe["fight"]


def boss_text(run: RunFolder, config: Config) -> str | None:
    """Whom a run was trained on, for reading; its own copy of an overlay has another path in every run."""
    found = fought(run, config)
    return found and found[0] + (" with overlay" if run.overlay_file.is_file() else "")


def _settings(run: RunFolder, config: Config) -> dict[str, Any]:
    return config.get("recipe", {}) | config.get(CLONED, {}) | {"boss": boss_text(run, config)}


def _changed_settings(before: dict[str, Any], now: dict[str, Any]) -> dict[str, list[Any]]:
    idle = tuple(f"{name}." for name in LEARNERS if name != now.get("algorithm"))
    return {name: pair for name, pair in changes(before, now).items() if not name.startswith(idle)}


def _chosen(before: Config, now: Config) -> dict[str, Any]:
    """What a trial at the start chose, where both runs say it and it differs."""
    pair = [config.get("precision") for config in (before, now)]
    return {"ppo.precision": pair} if None not in pair and pair[0] != pair[1] else {}


def _tables(config: Config) -> str | None:
    """The hash of a run's tables as they stand; None where an older ashen kept that of their variants alone."""
    is_varied = config.get("recipe", {}).get("randomise", "none") != "none"
    return config.get("unvaried_table_hash", None if is_varied else config.get("table_hash"))


def _newest_alike(run: RunFolder, config: Config) -> RunFolder | None:
    wanted = _kind(run, config)
    alike = [(made_at, name) for made_at, name, kind in _others(run) if kind == wanted]
    return RunFolder(run.path.parent / max(alike)[1]) if fought(run, config) and alike else None


def _kind(run: RunFolder, config: Config) -> tuple[tuple[str, str] | None, bool]:
    """What two runs must share to be compared: what they fought, and whether they were cloned or trained."""
    return fought(run, config), CLONED in config


def _others(run: RunFolder) -> Iterator[tuple[str, str, tuple[tuple[str, str] | None, bool]]]:
    """When the other runs were made, their names and kinds; those that are damaged are left out."""
    for name in run_names(run.path.parent):
        other = RunFolder(run.path.parent / name)
        with suppress(UserError, KeyError, TypeError):
            config = other.read_config()
            if name != run.name:
                yield config["created_at"], name, _kind(other, config)

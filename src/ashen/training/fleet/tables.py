"""A recipe that others can train by: the files it names go with it."""

import tempfile
from dataclasses import replace
from pathlib import Path

from ashen.core.tables import own_base
from ashen.runs.folder import OVERLAY, own_tables
from ashen.training.recipe import Recipe

Luggage = dict[str, dict[str, str]]
"""Field of the recipe -> name and text of the files that it needs."""
_FIELDS = ("boss", "real_boss")


def pack_tables(recipe: Recipe) -> Luggage:
    """The boss's tables that are files and no shipped ones."""
    files = {name: Path(getattr(recipe, name)) for name in _FIELDS}
    return {name: own_tables(file, own_base(file)) for name, file in files.items() if file.suffix == ".toml"}


def unpack_tables(recipe: Recipe, luggage: Luggage) -> Recipe:
    """The recipe with tables that lie on this machine."""
    changes = {}
    for name, texts in luggage.items():
        folder = Path(tempfile.mkdtemp(prefix="ashen-tables-"))
        for file, text in texts.items():
            (folder / Path(file).name).write_text(text, encoding="utf-8")
        changes[name] = str(folder / OVERLAY)
    return replace(recipe, **changes)

"""The recipes shipped: TOML files of 5-20 lines, each a named training; the first line says what it is for."""

from pathlib import Path


def recipe_files() -> dict[str, Path]:
    """Every recipe, name -> file."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}

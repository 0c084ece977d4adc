"""The recipes shipped: TOML files of 5-20 lines, each a named training; the first line says what it is for."""

from pathlib import Path

from ashen.core.errors import unknown


def recipe_files() -> dict[str, Path]:
    """Every recipe, name -> file."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}


def recipe_file(recipe: str) -> Path:
    """The file of a recipe, given by name or as a TOML file.

    Raises:
        UserError: there is no recipe of that name.
    """
    if recipe.endswith(".toml"):
        return Path(recipe)
    if recipe not in recipe_files():
        raise unknown("recipe", recipe, recipe_files())
    return recipe_files()[recipe]

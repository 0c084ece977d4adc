"""What a sweep is to find out: a recipe, where it is searched around it, and by which figure trials are ranked."""

from dataclasses import dataclass, field, replace
from typing import Any

from ashen.core.errors import UserError
from ashen.core.seeding import derive_seed
from ashen.runs.metrics import METRICS, Metric
from ashen.training.recipe import FIRST_UPDATE, Recipe, kept_recipe
from ashen.training.sweep.space import Search, Space, with_values
from ashen.training.tables import from_table, to_table


@dataclass(frozen=True)
class Plan:
    """What all trials of a study have in common."""

    recipe: Recipe
    """What is varied."""
    space: Space
    """Where, by dotted field."""
    metric: str
    """Figure of the final match that ranks trials, one of :data:`~ashen.runs.metrics.METRICS`."""
    recipe_name: str | None = field(default=None, compare=False)
    """What the recipe is called."""

    def __post_init__(self) -> None:
        if self.metric == "return_mean" and any(place.split(".")[0] == "reward" for place in self.space):
            raise UserError(
                "returns in different rewards cannot be compared; leave reward out of the space, or --metric"
            )

    @property
    def measure(self) -> Metric:
        """The metric's properties."""
        return METRICS[self.metric]

    def varied(self, values: dict[str, Any]) -> Recipe:
        """The recipe with the values of a trial, by dotted field."""
        return with_values(self.recipe, values, "the sweep")

    @property
    def latest(self) -> Recipe:
        """The recipe whose learning begins latest, of all that may be drawn."""
        return self.varied({name: max(search.samples) for name, search in self.space.items() if name in FIRST_UPDATE})

    def trial_recipe(self, number: int, values: dict[str, Any]) -> Recipe:
        """The same with the trial's own seed: with one seed for all, the luckiest seed would be searched for too."""
        return replace(self.varied(values), seed=derive_seed(self.recipe.seed, "sweep", number) % 2**31)

    def trial(self, number: int, values: dict[str, Any]) -> dict[str, Any]:
        """What a trial's process is told: its ``recipe`` as a table, and ``recipe_name``."""
        return {"recipe": to_table(self.trial_recipe(number, values)), "recipe_name": self.recipe_name}

    def as_json(self) -> dict[str, Any]:
        """Plain data for :meth:`from_json`."""
        space = {place: to_table(search) for place, search in self.space.items()}
        known = {"recipe": to_table(self.recipe), "space": space, "metric": self.metric}
        return known | {"recipe_name": self.recipe_name}

    @classmethod
    def from_json(cls, plain: dict[str, Any], where: str) -> "Plan":
        """The opposite of :meth:`as_json`.

        Raises:
            UserError: it was written by an ashen with other settings.
        """
        space = {place: from_table(Search, search, where) for place, search in plain["space"].items()}
        return cls(kept_recipe(plain["recipe"], where), space, plain["metric"], plain.get("recipe_name"))

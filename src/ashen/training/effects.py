"""Settings that change nothing as the others are: which, and what would give them an effect."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import fields, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from ashen.agents.dqn_config import DQNConfig
from ashen.core.errors import UserError
from ashen.env.worlds import WITHOUT_EFFECT_IN_SIM

if TYPE_CHECKING:
    from ashen.training.fleet.plan import FleetPlan
    from ashen.training.recipe import Recipe

Cure = tuple[str, Any]
"""A setting, by its dotted name, and the value by which another has an effect."""


def idle_settings(recipe: "Recipe") -> dict[str, Cure]:
    """The settings of a recipe that change nothing, dotted name -> what would give it an effect."""
    other = "dqn" if recipe.algorithm == "ppo" else "ppo"
    idle: dict[str, Cure] = {f"{other}.{field.name}": ("algorithm", other) for field in fields(getattr(recipe, other))}
    if recipe.algorithm == "dqn":
        switched = recipe.dqn.idle.items()
        idle |= {f"dqn.{name}": (f"dqn.{switch}", value) for name, (switch, value) in switched}
    if not recipe.is_on_game:
        idle |= dict.fromkeys(WITHOUT_EFFECT_IN_SIM, ("backend", "game"))
    return idle


def check_options(recipe: "Recipe", before: "Recipe", searched: Collection[str] = ()) -> None:
    """Refuse options that change nothing.

    Args:
        recipe: with the options.
        before: without.
        searched: settings that a sweep has yet to choose, by their dotted names.

    Raises:
        UserError: one does; says what would give it an effect.
    """
    idle = {name: cure for name, cure in idle_settings(recipe).items() if cure[0] not in searched}
    _refuse(idle, [name for name in idle if _value(recipe, name) != _value(before, name)], recipe, _as_option)


def check_game_options(options: Any, cure: str) -> None:
    """Refuse options that say how the game is played where it is not.

    Args:
        options: a dataclass of a verb's options.
        cure: the option by which it would be.

    Raises:
        UserError: one was given.
    """
    known = [field for field in fields(options) if field.name in WITHOUT_EFFECT_IN_SIM]
    said = {field.name: value for field in known if (value := getattr(options, field.name)) != field.default}
    if said:
        raise _idle_error([_as_option(name, value, False) for name, value in said.items()], cure)


def check_players(plan: "FleetPlan", recipe: "Recipe", before: "Recipe") -> None:
    """Refuse options that say how others play where nobody does, how old PPO's steps may be, or how fast a world is
    that others play in.

    Args:
        plan: who plays.
        recipe: with the options.
        before: without.

    Raises:
        UserError: one was given.
    """
    if plan.is_wanted and recipe.world_steps_per_s not in (0.0, before.world_steps_per_s):
        raise UserError("--world-steps-per-s is of a training that plays all fights itself; players have --pace")
    if plan.pace and not plan.actors:
        raise _idle_error(["--pace"], "--actors N")
    if plan.staleness != type(plan)().staleness:
        if not plan.is_wanted:
            raise _idle_error(["--staleness"], "--actors N or --fleet ADDRESS")
        if recipe.algorithm == "ppo":
            raise _idle_error(["--staleness"], _as_option("algorithm", "dqn", True))


def check_table(recipe: "Recipe", table: dict[str, Any], where: str) -> None:
    """Refuse what a recipe's file says of its learner and changes nothing; where it is fought is said elsewhere too.

    Args:
        recipe: as the file says it.
        table: what stands in the file.
        where: the file.

    Raises:
        UserError: something does; says what would give it an effect.
    """
    said = [f"{learner}.{name}" for learner in ("ppo", "dqn") for name in table.get(learner, {})]
    try:
        _refuse(idle_settings(recipe), said, recipe, _as_line)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def without_idle(recipe: "Recipe") -> "Recipe":
    """The recipe with its DQN's settings that change nothing at their defaults: the same training, fit for a file."""
    return replace(recipe, dqn=replace(recipe.dqn, **{name: getattr(DQNConfig(), name) for name in recipe.dqn.idle}))


def _refuse(
    idle: dict[str, Cure], said: Iterable[str], recipe: "Recipe", spell: Callable[[str, Any, bool], str]
) -> None:
    """Name what was said and is idle, all that the same setting would cure."""
    if not (found := [name for name in said if name in idle]):
        return
    cure = idle[found[0]]
    alike = [name for name in found if idle[name] == cure]
    raise _idle_error([spell(name, _value(recipe, name), False) for name in alike], spell(*cure, True))


def _idle_error(names: Sequence[str], cure: str) -> UserError:
    does, them = ("changes", "it") if len(names) == 1 else ("change", "them")
    return UserError(f"{' and '.join(names)} {does} nothing without {cure}; leave {them} out, or add that")


def _as_option(name: str, value: Any, with_value: bool) -> str:
    group, dot, last = name.rpartition(".")
    no, word = "no-" if value is False else "", last.replace("_", "-")
    return f"--{group}{dot}{no}{word}" + (f" {value}" if with_value and not isinstance(value, bool) else "")


def _as_line(name: str, value: Any, with_value: bool) -> str:
    group, _, last = name.rpartition(".")
    if not with_value:
        return f"[{group}] {last}"
    return f"{last} = {json.dumps(value)}" + ("" if group else " above the tables")


def _value(recipe: "Recipe", name: str) -> Any:
    """A setting by its dotted name."""
    return reduce(getattr, name.split("."), recipe)

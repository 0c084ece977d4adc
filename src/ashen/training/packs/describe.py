"""What ``pack.json`` says of an agent, and whether that still holds where the pack is opened."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ashen.core.errors import UserError, unknown
from ashen.core.tables import base_file, boss_file, boss_names, fingerprint, load_facts, player_facts, read_toml
from ashen.env.view import View
from ashen.runs.folder import BASE, OVERLAY, own_tables
from ashen.runs.pack_file import DESCRIPTION, FORMAT, PHASES
from ashen.training.joined import RULE
from ashen.training.recipe import Recipe, kept_recipe, view_of
from ashen.training.tables import to_table
from ashen.training.trained import Trained

SCHEMA_VERSION: Final = 1
"""Rises when a reader of older packs would misread a newer one."""
ALONE: Final = "agent"
"""Who plays in a pack of one agent."""
_LINEAGE: Final = ("created_at", "table_hash", "parent", "imported", "pretrained_from", "pack", "versions")
"""What a run's ``config.json`` may say of where its agent comes from."""
_FEW: Final = 5


def describe_agent(own: Trained, weights: bytes) -> dict[str, Any]:
    """Everything that must be known to let an agent play elsewhere, as plain data.

    Args:
        own: the agent.
        weights: as they are packed.
    """
    recipe = replace(own.recipe, boss=_portable_boss(own.recipe.boss))
    view, config = view_of(own.recipe, own.recipe.boss), own.run.read_config()
    lineage = {name: config[name] for name in _LINEAGE if name in config}
    if cloned := lineage.get("pretrained_from"):
        lineage["pretrained_from"] = cloned | {"places": [Path(place).name for place in cloned["places"]]}
    return {
        "name": config.get("name", own.run.name),
        "env_step": own.env_step,
        "recipe": to_table(recipe),
        "mask": "all actions" if recipe.algorithm == "dqn" and not recipe.dqn.use_mask else "only valid actions",
        "actions": list(view.action_names),
        "tables": table_hashes(own.recipe.boss),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "lineage": lineage,
        "encoder": {"name": view.encoder.name, "columns": _columns(view)},
    }


def tables_of(boss: str) -> dict[str, str]:
    """Copies of a boss's tables that are the user's own, name -> text; none for a boss that is shipped."""
    path = boss_file(boss)
    if path.resolve() in _shipped():
        return {}
    base = base_file(path)
    if base is None:
        return {BASE: path.read_text(encoding="utf-8"), OVERLAY: f'base = "{BASE}"\n'}
    return own_tables(path, None if base.resolve() in _shipped() else base)


def table_hashes(boss: str) -> dict[str, str]:
    """Fingerprints of the boss's table and the player's, and of ``both``, which is the table hash of fights."""
    path = boss_file(boss)
    facts, player = load_facts(path), player_facts(path)
    return {"both": fingerprint(facts, player), "boss": fingerprint(facts), "player": fingerprint(player)}


def read_description(data: bytes, where: str) -> dict[str, Any]:
    """What a pack says of itself.

    Raises:
        UserError: it is damaged, or of another schema.
    """
    try:
        description = json.loads(data)
        is_ours = description["format"] == FORMAT
    except (ValueError, TypeError, KeyError, RecursionError):
        is_ours = False
    if not is_ours:
        raise UserError(f"{where} has no readable {DESCRIPTION}; copy it again, or get another pack")
    if description.get("schema_version") != SCHEMA_VERSION:
        version = description.get("schema_version")
        raise UserError(
            f"{where} has schema {version}, this ashen reads {SCHEMA_VERSION}; use the ashen it was made by"
        )
    agents, switch = description.get("agents"), description.get("switch")
    if switch not in (None, RULE):
        raise unknown("rule", str(switch), [RULE], where)
    if not isinstance(agents, dict) or tuple(agents) != ((ALONE,) if switch is None else PHASES):
        raise UserError(f"{where} does not say who plays; get another pack")
    return description


def check_agent(facts: dict[str, Any], boss: str, claim: str, where: str) -> tuple[Recipe, View, str]:
    """An agent's recipe, and its view here.

    Args:
        facts: of :func:`describe_agent`.
        boss: its own overlay here; "" for the shipped boss of its recipe.
        claim: what the pack says it wins, in words.
        where: what the pack is called in errors.

    Returns:
        The recipe, the view, and what makes the agent's win rate doubtful here: tables that have changed since, or "".

    Raises:
        UserError: the recipe is no recipe, or encoder or actions differ here; names the difference.
    """
    recipe = kept_recipe(facts["recipe"], where)
    recipe = replace(recipe, boss=boss) if boss else recipe
    named = read_toml(Path(boss)).get("base", "") if boss else recipe.boss
    if named not in (*boss_names(), *([BASE] if boss else [])):
        raise unknown("boss", str(named), boss_names(), where)
    view = view_of(recipe, recipe.boss)
    if list(view.action_names) != facts["actions"]:
        difference = _difference(facts["actions"], view.action_names)
        raise UserError(f"{where} was made with other actions: {difference}; use the ashen it was made by")
    if changed := _other_columns(facts["encoder"]["columns"], view):
        raise UserError(
            f"{where} was made with another encoder {recipe.encoder}: {changed}; use the ashen it was made by"
        )
    then, now = facts["tables"], table_hashes(recipe.boss)
    if then["both"] == now["both"]:
        return recipe, view, ""
    which = " and ".join(f"the {name}'s" for name in ("boss", "player") if then[name] != now[name]) or "their parts"
    doubt = f"{where} was made with tables {then['both']}, here they are {now['both']} ({which} numbers differ)"
    return recipe, view, f"{doubt}: it may win less or more than its card says, {claim}"


def _portable_boss(boss: str) -> str:
    """A boss as a recipe can name him anywhere; the pack holds tables that are the user's own."""
    path = boss_file(boss)
    whole = (base_file(path) or path).resolve()
    return _shipped().get(whole, whole.name)


def _shipped() -> dict[Path, str]:
    return {path.resolve(): name for name, path in boss_names().items()}


def _columns(view: View) -> list[list[Any]]:
    """An encoder's numbers: name, feature, low, high, shift, scale, and the value that a one-hot number stands for."""
    encoder, columns = view.encoder, []
    for run in encoder.runs:
        for place in range(int(run["first"]), int(run["end"])):
            equals = int(run["equals"]) + place - int(run["first"]) if run["one_hot"] else None
            bounds = (float(bound[place]) for bound in (encoder.low, encoder.high))
            scaling = (float(run["shift"]), float(run["scale"]))
            columns.append([encoder.names[place], encoder.features[place], *bounds, *scaling, equals])
    return columns


def _other_columns(then: list[list[Any]], view: View) -> str:
    """How an encoder's numbers differ from those of the view; "" if they do not."""
    now = _columns(view)
    if then == now:
        return ""
    names = [str(column[0]) for column in then]
    if names != list(view.encoder.names):
        return _difference(names, view.encoder.names)
    place = next(place for place, (old, new) in enumerate(zip(then, now, strict=True)) if old != new)
    return f"number {place}, {names[place]}, is scaled or bounded otherwise ({then[place][1:]}, here {now[place][1:]})"


def _difference(then: Sequence[str], now: Sequence[str]) -> str:
    """Two lists of names in words: what only one has, or the first place where they part."""
    parts = [f"it has {len(then)}, here there are {len(now)}"]
    for only, kind in (([n for n in then if n not in now], "only it has"), ([n for n in now if n not in then], "new")):
        if only:
            parts.append(f"{kind}: {', '.join(only[:_FEW])}{' ...' if len(only) > _FEW else ''}")
    if len(parts) == 1:
        place = next((place for place, (old, new) in enumerate(zip(then, now, strict=False)) if old != new), 0)
        parts.append(f"number {place} is {then[place]}, here {now[place]}")
    return "; ".join(parts)

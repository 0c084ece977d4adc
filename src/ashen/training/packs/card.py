"""The card of a pack, for humans: what ``pack.json`` says, as a page."""

from typing import Any

from ashen.core.fight import STEP_S
from ashen.training.packs.describe import ALONE


def card(description: dict[str, Any]) -> bytes:
    """The page, Markdown in UTF-8."""
    agents = description["agents"]
    parts = [f"# {description['name']}\n\n{_played(description)}\n", _fought(description["evaluation"])]
    parts += [_agent(place, facts) for place, facts in agents.items()]
    parts.append("The weights are safetensors: opening this file executes nothing. The rest stands in `pack.json`.\n")
    return "\n".join(parts).encode()


def _played(description: dict[str, Any]) -> str:
    first, *others = description["agents"].values()
    boss, made_by = first["recipe"]["boss"], description["made_by"]
    if not others:
        return f"An agent against {boss} ({first['recipe']['fight']} fight), packed by {made_by}."
    return f"Two agents against {boss}, one a phase; the phase the game shows decides who plays. Packed by {made_by}."


def _fought(figures: dict[str, Any]) -> str:
    low, high, length_s = figures["win_rate_low"], figures["win_rate_high"], figures["length_mean_steps"] * STEP_S
    return f"""## Evaluation

{figures["wins"]} of {figures["fights"]} fights won: {figures["win_rate"]:.1%} ({low:.1%} to {high:.1%}, 95 % interval
after Wilson), {length_s:.0f} s each in the mean. Simulated fights ({figures["fight"]}, {figures["start"]} start),
tables `{figures["table_hash"]}`. The same again:

```sh
{figures["command"]}
```
"""


def _agent(place: str, facts: dict[str, Any]) -> str:
    recipe, lineage, tables = facts["recipe"], facts["lineage"], facts["tables"]
    rows = {
        "trained": f"{facts['env_step']:,} steps of 0.1 s, {recipe['algorithm']}, seed {recipe['seed']}",
        "trained for": f"{recipe['fight']} fight, randomise {recipe['randomise']}, reward {recipe['reward']}",
        "sees": f"encoder {facts['encoder']['name']}, {len(facts['encoder']['columns'])} numbers",
        "does": f"{len(facts['actions'])} actions, {facts['mask']}{', waits skipped' * recipe['skip_steps']}",
        "tables": f"`{tables['both']}` (boss `{tables['boss']}`, player `{tables['player']}`)",
        "weights": f"SHA-256 `{facts['weights_sha256']}`",
        "started": lineage.get("created_at", "unknown"),
        "from": _ancestry(lineage),
        "versions": ", ".join(f"{name} {version}" for name, version in lineage.get("versions", {}).items())
        or "unknown",
    }
    title = "Agent" if place == ALONE else f"Agent of {place}"
    lines = [f"## {title}: {facts['name']}\n", "| what | |", "|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {value} |" for what, value in rows.items())]) + "\n"


def _ancestry(lineage: dict[str, Any]) -> str:
    if parent := lineage.get("parent"):
        return f"{parent['run']} at step {parent['checkpoint_step']:,}, SHA-256 `{parent['sha256']}`"
    if source := lineage.get("imported"):
        return f"the checkpoint {source['file']}, SHA-256 `{source['sha256']}`"
    if cloned := lineage.get("pretrained_from"):
        return f"recorded fights of {', '.join(cloned['places'])}"
    if packed := lineage.get("pack"):
        return f"the pack {packed['file']}, SHA-256 `{packed['sha256']}`"
    return "nothing"

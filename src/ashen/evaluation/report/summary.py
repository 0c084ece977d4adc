"""Who the agent is, how well it fights, and what stands out."""

from typing import Any

from ashen.core.fight import Outcome
from ashen.core.percent import percent
from ashen.evaluation.report.attacks import table_of
from ashen.evaluation.report.subject import SEED, Subject
from ashen.runs.metrics import Row, match_text

_WIDE = 0.2
"""An interval of the win rate wider than this asks for more fights."""


def summary(subject: Subject) -> dict[str, Any]:
    """The head of a report.

    Returns:
        ``match``: the figures of the fights; ``facts``: of the run, words by name; ``findings``: sentences.
    """
    return {"match": subject.figures, "facts": _facts(subject), "findings": list(_findings(subject))}


def _facts(subject: Subject) -> dict[str, str]:
    config, options, figures = subject.config, subject.env_options, subject.figures
    facts = {"agent": _agent(config)}
    if "parent" in config:
        facts["started from"] = f"{config['parent']['run']}, at step {config['parent']['checkpoint_step']:,}"
    facts |= {key: str(options[key]) for key in ("boss", "fight", "encoder", "actions", "reward")}
    matches = [row for row in subject.rows if row["kind"] == "evaluation" and "evaluation_share" in row]
    if matches:
        facts["matches between its fights on the game"] = _on_game(matches)
    finals = [row for row in subject.rows if row["kind"] == "final"]
    if finals:
        facts["final match of its training"] = match_text(finals[-1])
    word = subject.run.name if "pack" in config else subject.run.word  # a pack's folder is gone afterwards
    command = f"ashen evaluate {word} --backend sim --fights {figures['fights']} --seed {SEED}"
    return facts | {"tables": figures["table_hash"], "these fights again": command}


def _agent(config: dict[str, Any]) -> str:
    if "joined" in config:
        joined = config["joined"]
        return f"joined: {joined['phase1']} plays phase 1, {joined['phase2']} phase 2"
    recipe = config["recipe"]
    kind = f"{recipe['algorithm']}, seed {recipe['seed']}"
    return f"{kind}, imported from {config['imported']['file']}" if "imported" in config else kind


def _on_game(matches: list[Row]) -> str:
    """What matches on the game cost, and the last of them."""
    faults = sum(row["faults"] for row in matches)
    fights = sum(row["fights"] for row in matches) - faults
    last = matches[-1]
    return (
        f"{len(matches)}, {fights} fights and {faults} interrupted ones, which are left out; "
        f"{last['evaluation_share']:.1%} of game time, {last['start']} start, speed {last['game_speed']:g}. "
        f"The last one, of step {last['env_step']:,}: {match_text(last)}; its interval stays right at every look"
    )


def _findings(subject: Subject) -> list[str]:
    figures, results = subject.figures, subject.results
    found = []
    if subject.config.get("recipe", {}).get("backend") == "game":
        found.append(
            "It was trained on the game: the curves are the game's, the fights of this page are the simulator's."
        )
    lost = [result for result in results if result.outcome in (Outcome.LOSS, Outcome.TIMEOUT)]
    if lost and subject.env_options["fight"] == "full":
        late = sum(result.reached_phase2 for result in lost)
        found.append(f"Of {len(lost)} fights not won, {len(lost) - late} ended in phase 1 and {late} in phase 2.")
    found += _costliest(subject)
    if figures["win_rate_high"] - figures["win_rate_low"] > _WIDE:
        found.append("The interval of the win rate is wide; more fights (--fights 200) narrow it.")
    return found


def _costliest(subject: Subject) -> list[str]:
    rows = table_of(attack for fight in subject.attacks for attack in fight)
    if not rows or rows[0]["hp_lost"] <= 0.0:
        return []
    row, total = rows[0], sum(row["hp_lost"] for row in rows)
    hit = row["hit"]
    return [
        (
            f"{row['name']} (phase {row['phase']}) costs most: {row['hp_lost'] / len(subject.records):.0f} HP a fight, "
            f"{percent(row['hp_lost'] / total)} of what attacks cost; it hit {hit['count']} of {hit['n']} times "
            f"({percent(hit['low'])}-{percent(hit['high'])})."
        )
    ]

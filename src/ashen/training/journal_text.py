"""The words of the journal: a run in one line, and on a page, out of what its folder says."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from ashen.runs.folder import TRASH
from ashen.runs.metrics import gate_text, match_text
from ashen.training.history import History
from ashen.training.lineage import CLONED, RESUMED_WITH, boss_text, fought

_SHOWN_CHANGES: Final = 4
"""So many changes stand in a run's line."""


def line_begin(history: History, name: str) -> str:
    """How the line of a run begins that is, or was, called so; no other does."""
    return f"- {history.config['created_at'][:16].replace('T', ' ')} [{name}]("


def journal_line(history: History) -> str:
    """A run in one line."""
    run, config, against = history.run, history.config, history.config.get("against")
    place = f"{TRASH}/{run.name}" if run.is_trashed else run.name
    parts = [f"{_what(history)}: {history.state}"]
    if history.result:
        parts.append(match_text(history.result))
    parts.append(f"{history.cost.env_steps:,} steps in {_hours(history.cost.hours)}")
    told = ", ".join(parts)
    if against:
        changed = [f"{name} {_pair(pair)}" for name, pair in _all_changes(against).items()]
        more = [f"{len(changed) - _SHOWN_CHANGES} more"] if len(changed) > _SHOWN_CHANGES else []
        told += f". Against {against['run']}: {'; '.join([*changed[:_SHOWN_CHANGES], *more]) or 'no change'}"
    elif "joined" in config:
        told += f". Joined of {' and '.join(history.parents)}"
    if history.error:
        told += f". Ended by {history.error}"
    if history.warnings:
        told += f". Warnings: {len(history.warnings)}"
    if history.tags:
        told += f". Tags: {', '.join(history.tags)}"
    return f"{line_begin(history, run.name)}{quote(place)}/{run.journal_file.name}) {' '.join(told.split())}"


def journal_text(history: History) -> str:
    """A run's journal, without its owner's notes."""
    return "\n".join([f"# {history.run.name}", "", *_opening(history), "", *_closing(history), ""])


def _opening(history: History) -> Iterator[str]:
    """What the run is, and what it changes."""
    config = history.config
    yield f"{_what(history)}, begun {config['created_at']}."
    yield ""
    yield from (f"- {line}" for line in _facts(history))
    if against := config.get("against"):
        yield ""
        yield "## What changed"
        yield ""
        kind = "clone" if CLONED in config else "training"
        newest = f"the newest {kind} before it of this boss and fight; it has no parent"
        why = "its parent" if against["is_parent"] else newest
        yield f"Against {against['run']}, {why}."
        yield ""
        yield from _table(("", against["run"], history.run.name), _all_changes(against))


def _facts(history: History) -> Iterator[str]:
    """Where the run comes from: command, code, tables, and what it was made of."""
    config, versions = history.config, history.config.get("versions", {})
    if history.command:
        yield history.command
    if versions:
        yield "code: " + ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if config.get("precision"):
        yield f"learns in {config['precision']}"
    if config.get("table_hash"):
        yield f"tables: {config['table_hash']}"
    if parent := config.get("parent"):
        own = "; schedules begin there anew" if "schedules_from" in parent else ""
        yield f"parent: {parent['run']} at step {parent['checkpoint_step']:,} (checkpoint {parent['sha256'][:12]}){own}"
    for resumed in config.get(RESUMED_WITH, []):
        told = "; ".join(f"{name} {_pair(pair)}" for name, pair in resumed["changes"].items())
        yield f"resumed {resumed['at']} with {told}"
    if joined := config.get("joined"):
        yield f"joined: {joined['phase1']} plays phase 1, {joined['phase2']} phase 2"
    if imported := config.get("imported"):
        yield f"imported: {imported['file']} (sha256 {imported['sha256'][:12]}), last changed {imported['modified_at']}"
    if cloned := config.get(CLONED):
        kinds = ", ".join(f"{count:,} of {fight}" for fight, count in cloned.get("fights", {}).items())
        only = ", wins only" if cloned["only_wins"] else ""
        yield f"cloned from: {', '.join(cloned['places'])}{only}{f' ({kinds})' if kinds else ''}"


def _closing(history: History) -> Iterator[str]:
    """What came of it."""
    cost, result, parent = history.cost, history.result, history.config.get("parent", {})
    yield "## What came of it"
    yield ""
    yield f"- {_state(history)}"
    if result:
        which = "final match" if result["kind"] == "final" else f"match at step {result['env_step']:,}"
        yield f"- {which}: {match_text(result)}{gate_text(result)}, return {result['return_mean']:.2f}"
    forked_at = parent.get("checkpoint_step", 0) if "changes" in parent else 0
    own = f" ({cost.env_steps - forked_at:,} since it was forked)" if forked_at else ""
    spent = f"{cost.env_steps:,} steps{own}, {_hours(cost.hours)}, {cost.updates:,} updates, {cost.fights:,} fights"
    yield f"- cost: {spent}"
    if history.tags:
        yield f"- tags: {', '.join(history.tags)}"
    yield from (f"- warning: {' '.join(warning.split())}" for warning in history.warnings)
    if history.milestones:
        yield ""
        yield "| first match with | at step | after minutes |"
        yield "| --- | --- | --- |"
        yield from (f"| {label} | {step:,} | {minutes:.1f} |" for label, step, minutes in history.milestones)


def _state(history: History) -> str:
    run, total = history.run.word, history.config.get("recipe", {}).get("total_steps", 0)
    if history.state != "stopped" or CLONED in history.config:
        return history.state
    why = f" by {history.error}" if history.error else ""
    return f"stopped{why} at step {history.cost.env_steps:,} of {total:,}; it goes on with: ashen resume {run}"


def _what(history: History) -> str:
    recipe, found = history.config.get("recipe_name"), fought(history.run, history.config)
    if found is None:
        return "joined of two runs" if "joined" in history.config else "no training"
    named = f", recipe {recipe}" if recipe else ""
    return f"{boss_text(history.run, history.config)}, {found[1]}{named}"


def _all_changes(against: dict[str, Any]) -> dict[str, list[Any]]:
    """Settings, tables and code that differ; first what was asked for."""
    hashes = against["table_hash"]
    tables = {"tables": hashes} if None not in hashes and hashes[0] != hashes[1] else {}
    return against["settings"] | tables | {f"version of {name}": pair for name, pair in against["versions"].items()}


def _table(heads: tuple[str, ...], changed: dict[str, list[Any]]) -> Iterator[str]:
    if not changed:
        yield "Nothing: settings, tables and code are the same."
        return
    rows = [heads, ("---",) * len(heads), *((name, *map(_text, pair)) for name, pair in changed.items())]
    yield from (f"| {' | '.join(cells)} |" for cells in rows)


def _pair(pair: list[Any]) -> str:
    return " -> ".join(map(_text, pair))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _hours(hours: float) -> str:
    return f"{hours:.1f} hours" if hours >= 1.0 else f"{hours * 60.0:.1f} minutes"

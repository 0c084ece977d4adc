"""The fidelity figures as a page: every row, then every guess with the range that the evidence allows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ashen.core.tables import Fact, boss_file, data_file, load_facts, walk
from ashen.evaluation.fidelity import Row
from ashen.sim.pack import load_tables

_MARKS = {True: "pass", False: "**fail**", None: "shown"}


def fidelity_page(rows: Sequence[Row], boss: str) -> str:
    """Markdown of a measurement.

    Args:
        rows: what was measured.
        boss: name or table of the boss they were measured with.
    """
    _, table_hash = load_tables(boss_file(boss))
    judged = [row for row in rows if row.passed is not None]
    passed = sum(bool(row.passed) for row in judged)
    lines = [
        "# Is the simulator like the game?",
        "",
        f"Written by `ashen fidelity`; tables `{table_hash}`. {passed} of {len(judged)} judged figures hold.",
        "",
        "| figure | real game | simulator | +- | judged by | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        error = f"{row.error:.2g}" if row.error else ""
        cells = (row.name, _text(row.real), _text(row.value), error, row.tolerance, _MARKS[row.passed])
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## What is guessed", "", "Every number without a source (confidence G), and its range if known.", ""]
    lines += ["| number | value | range |", "|---|---|---|"]
    for path, fact in _guesses(boss):
        bounds = f"{fact.range[0]:g} to {fact.range[1]:g}" if fact.range else ""
        lines.append(f"| {path} | {_text(fact.value)} | {bounds} |")
    return "\n".join(lines) + "\n"


def write_page(path: Path, text: str) -> None:
    """Write the page, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _guesses(boss: str) -> list[tuple[str, Fact]]:
    tables = (("boss", boss_file(boss)), ("player", data_file("ds3", "player.toml")))
    return [
        (f"{name}: {path}", fact)
        for name, file in tables
        for path, fact in walk(load_facts(file))
        if fact.confidence == "G"
    ]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)

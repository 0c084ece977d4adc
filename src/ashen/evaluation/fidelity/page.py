"""The fidelity figures as a page: every row, the recorded fights step by step, and every guess with its range."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ashen.core.tables import Fact, boss_file, data_file, load_facts, player_facts, walk
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.fidelity.drift_tables import by_attack, by_field, by_forecast, markdown_table
from ashen.evaluation.fidelity.forecasts import Forecasts
from ashen.evaluation.fidelity.rows import IN_SAMPLE, Row
from ashen.sim.pack import load_tables

_MARKS = {True: "pass", False: "**fail**", None: "shown"}
_LOGGED = """
Random play and training on the real game were logged at three times its speed, where a key waits for a frame of the
game, half a step at 60 frames a second. In those rows the keys of every second fight are a step late (`late_odds`
below, a guess). Random play does not feel it; a trained agent does. The recorded fights show no such delay.
"""
_RECORDED = """
## Recorded fights, step by step

Every recorded step is a start: the simulator gets the recorded bodies, then the recorded keys and the boss's recorded
acts, and is compared after 0.5, 1 and 2 s. The motion in the boss's table was read off both fights by hand, so that
its own drift is in sample and proves little. Judged is motion fitted on one fight and compared with the other
(`ashen.evaluation.fit`): the boss's root motion, lunges, turning and walking, the player's moves and running. An
attack that the fitted fight does not show moves as the mean of those it shows; a move it does not show stands still.
The names' and motions' clocks, how a walk gains and loses speed, knock-back, the camera and hit shapes stay the
table's, which knows both fights: only motion is out of sample. Each cell is median / 90th percentile. Starts overlap,
so the errors in the table above are too small.

Motion fitted on the same fight shows what this way of moving cannot follow however much it has seen. Most of the
player's drift is of that kind: directions a few degrees off, and contact with the boss.
"""


def fidelity_page(rows: Sequence[Row], forecasts: Forecasts, boss: str, pictures: Sequence[str] = ()) -> str:
    """Markdown of a measurement.

    Args:
        rows: what was measured.
        forecasts: of the recorded fights.
        boss: name or table of the boss they were measured with.
        pictures: links to plots of the recorded fights.
    """
    path = boss_file(boss)
    _, table_hash = load_tables(path)
    judged = [row for row in rows if row.passed is not None]
    passed = sum(bool(row.passed) for row in judged)
    known = sum(bool(row.passed) and row.name.endswith(IN_SAMPLE) for row in judged)
    lines = [
        "# Is the simulator like the game?",
        "",
        f"Written by `ashen fidelity`; tables `{table_hash}`. {passed} of {len(judged)} judged figures hold;",
        f"{known} of them are in sample: the same evidence shaped the simulator, so that holding proves little.",
        "",
        *markdown_table(("figure", "real game", "simulator", "+-", "judged by", ""), map(_cells, rows)),
        *_LOGGED.rstrip().splitlines(),
        *_RECORDED.rstrip().splitlines(),
        "",
        *by_forecast(forecasts),
        "",
        "Share of starts for which a field is right, with motion fitted on the other fight:",
        "",
        *by_field(forecasts),
        "",
        "After 1 s, by what the boss was doing at the start, with motion fitted on the other fight:",
        "",
        *by_attack(forecasts, boss_vocabulary(path)),
        *(line for picture in pictures for line in ("", f"![A recorded fight and what is foretold of it]({picture})")),
        "",
        "## What is guessed",
        "",
        "Every number without a source (confidence G), and its range if known.",
        "",
        *markdown_table(("number", "value", "range"), _guesses(boss)),
    ]
    return "\n".join(lines) + "\n"


def link(file: Path, page: Path) -> str:
    """The address of a file as a page links to it: relative where that is possible."""
    try:
        return Path(os.path.relpath(file, page.parent)).as_posix()
    except ValueError:  # another drive
        return file.resolve().as_uri()


def _cells(row: Row) -> tuple[str, ...]:
    error = f"{row.error:.2g}" if row.error else ""
    return row.name, _text(row.real), _text(row.value), error, row.tolerance, _MARKS[row.passed]


def _guesses(boss: str) -> list[tuple[str, ...]]:
    tables = (
        ("boss", load_facts(boss_file(boss))),
        ("player", player_facts(boss_file(boss))),
        ("logs", load_facts(data_file("ds3", "real_figures.toml"))["logs"]),
    )
    return [
        (f"{name}: {path}", _text(fact.value), _bounds(fact))
        for name, table in tables
        for path, fact in walk(table)
        if fact.confidence == "G"
    ]


def _bounds(fact: Fact) -> str:
    return f"{fact.range[0]:g} to {fact.range[1]:g}" if fact.range else ""


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)

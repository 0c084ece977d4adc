"""The fidelity figures as a page: every row, which passes are thin, the recorded fights step by step, the guesses."""

import os
from collections.abc import Sequence
from pathlib import Path

from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.fidelity.drift_tables import by_attack, by_field, by_forecast, markdown_table
from ashen.evaluation.fidelity.forecasts import Forecasts
from ashen.evaluation.fidelity.guesses import guess_lines, value_text
from ashen.evaluation.fidelity.recording_rows import CROSSED_STRIKES
from ashen.evaluation.fidelity.rows import IN_SAMPLE, THIN_ERRORS, Row
from ashen.sim.pack import load_tables

_MARKS = {True: "pass", False: "**fail**", None: "shown"}
_WORDS = """
A figure is **in sample** if it, or a statistic of the same logs that determines it, was a target of a fit or was read
off to make the tables. That it holds proves little. By that rule

- random play is in sample: most of its rows are targets of the search for the guesses (see the end of the page), the
  quantiles are of the lengths whose mean is one, the rests and second hits of phase 2 were set by hand with its reward
  in sight, and the tables hold nothing that would show an animation which never occurs;
- the player's place is, since how he gains and loses speed was read off both fights after this figure had missed;
- the recorded hits and misses are, a target of the search. The fair check moves the bodies as the other fight shows:
  {crossed} come out right that way, which is shown below the row that is judged;
- the end of a hit window is where the window was set by the very networks that judge it, or begins where they say;
- the diary's pipeline is, since `late_odds` was chosen for it.

The other words ([glossary](glossary.md) has more):

- *+-*: standard error of the simulator's figure, from its own fights or starts, of the diary's pipeline from three
  trainings. How far off the real figure may be is not in it.
- *real game*: from published logs and recordings. A drift is a distance from a recording, so there is none.
- *step*: one decision, 0.1 s of game time. *reported s*: seconds of the game's own timer, which counts 0.097 a step.
- *the diary*: RL-Souls, a project that trained agents on the real game and published its logs and networks.
- *fight 0, fight 1*: the two recorded fights; "seen in fight 0" is what fight 1 does not show.
"""
_SHOWN = """
What is only shown is not judged. The ratio of fight lengths misses (with the diary's 15 actions real fights became
shorter by a quarter, here by a tenth): which of our 20 actions those 15 are is unproven (`real_figures.toml`), so
that the fault may lie in the mapping as well as in the simulator. No limit was ever set for 90th percentiles (p90) of
the drift, only for medians after a second, and a limit set after seeing them would judge nothing.

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
table's, which knows both fights: only motion is out of sample, and not all of the player's (above). Each cell is
median / 90th percentile. Starts overlap, so the errors in the table above are too small.

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
    crossed = next(str(row.value).partition(";")[0] for row in rows if row.name == CROSSED_STRIKES)
    lines = [
        "# Is the simulator like the game?",
        "",
        f"Written by `ashen fidelity`; tables `{table_hash}`. {passed} of {len(judged)} judged figures hold;",
        f"{known} of them are in sample, so that their holding proves little, {passed - known} are not.",
        *_WORDS.format(crossed=crossed).rstrip().splitlines(),
        "",
        *markdown_table(("figure", "real game", "simulator", "+-", "judged by", ""), map(_cells, rows)),
        "",
        *_thin_lines(rows),
        *_SHOWN.rstrip().splitlines(),
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
        *guess_lines(boss),
    ]
    return "\n".join(lines) + "\n"


def link(file: Path, page: Path) -> str:
    """The address of a file as a page links to it: relative where that is possible."""
    try:
        return Path(os.path.relpath(file, page.parent)).as_posix()
    except ValueError:  # another drive
        return file.resolve().as_uri()


def _thin_lines(rows: Sequence[Row]) -> list[str]:
    """The passes that another seed might turn into misses."""
    thin = [row for row in rows if row.is_thin]
    if not thin:
        return [f"No pass is within {THIN_ERRORS:g} standard errors of its limit, of those that have an error."]
    return [
        f"Thin passes, within {THIN_ERRORS:g} standard errors of their limit, of the rows that have an error:",
        "",
        *(f"- {row.name}: {row.distance / row.error:.1f} standard errors ({row.tolerance})" for row in thin),
    ]


def _cells(row: Row) -> tuple[str, ...]:
    real = value_text(row.real) if row.real else "-"  # of a drift
    error = f"{row.error:.2g}" if row.error else ""
    return row.name, real, value_text(row.value), error, row.tolerance, _MARKS[row.passed]

"""Metrics of a run: ``metrics.jsonl`` (append-only, the truth) and ``metrics.csv`` (the same for a spreadsheet).

Every row has ``kind``, ``time`` (ISO 8601), ``env_step`` and ``episode``; a training's also ``game_steps``, the
steps of 0.1 s that went by in its fights, waits among them. Kinds:

- ``train``: what happened since the last such row (``fights, win_rate, return_mean, length_mean_steps, steps_per_s``,
  in the full fight ``phase_change_rate``, the agent's own numbers, ``term/<name>``: reward per fight by term,
  ``seconds/world|acting|learning|evaluation``).
  With a fleet also ``fleet/steps_per_s/<player>``, of its steps that were learned from, also 0 until it was silent
  for 30 s; ``fleet/staleness_mean`` and ``_max``: updates that the learner was ahead of the networks they were
  played by; ``fleet/left_out_steps``: damaged, too old, or of a rollout that was broken off; ``fleet/lost_batches``
  that never came; ``fleet/waiting``: batches that have come and wait to be learned from; and since the training was
  begun or resumed ``fleet/restarts``: players replaced, and ``fleet/unreadable``: what came and was no batch;
- ``evaluation``: one match of the greedy agent, as :func:`ashen.evaluation.summary.summarise` gives it; ``env_step`` is
  the agent's. On the game also ``is_over``, false if the training ended before it, and, of one between the fights of
  the training, ``evaluation_share``, of game time for matches so far; rows of kind ``train`` then say of the match
  under way ``match/wins, match/fights, match/faults, match/env_step, match/share``;
- ``calibration``: the boss's table refitted to the parent's own fights before a fine-tuning: the figures of
  ``ashen calibrate``, ``win_rate`` of those fights, ``recorded_steps``, and ``is_used``, whether it trains with it;
- ``warning``: what a guard has found (``guard``; ``state``: begun, lasting or over; ``message``, with what to try);
- ``final``: the same for the best checkpoint on fresh fights when the training ends;
- ``pretrain``: one pass of cloning over recorded fights (``epoch``, losses, ``held_out_accuracy`` and that of always
  taking the most frequent valid action, ``baseline_accuracy``).

A training that is resumed drops the rows after its checkpoint, and writes them again.
"""

import csv
import io
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from ashen.core.errors import UserError
from ashen.core.percent import percent, with_interval
from ashen.runs.files import append_line, now, sync_file, write_text
from ashen.runs.folder import RunFolder

Row = dict[str, Any]
HEAD = ("kind", "time", "env_step", "episode")


@dataclass(frozen=True)
class Metric:
    """A figure of a match that trainings are ranked by."""

    label: str
    """For tables and pictures."""
    is_share: bool
    """Whether it is a share, 0..1."""
    is_gain: bool
    """Whether more of it is better."""

    def text(self, value: float) -> str:
        """A value for reading."""
        return percent(value) if self.is_share else f"{value:.3g}"


METRICS: Final = {
    "win_rate": Metric("win rate", is_share=True, is_gain=True),
    "return_mean": Metric("return of a fight", is_share=False, is_gain=True),
    "boss_hp_left_mean": Metric("boss HP left", is_share=True, is_gain=False),
}
"""What trainings can be ranked by, by its key in rows of kind ``evaluation`` and ``final``."""
MetricName = Literal[tuple(METRICS)]


class MetricsLog:
    """Appends rows to a run's metrics files.

    Args:
        run: the run's folder; rows already there stay.
    """

    def __init__(self, run: RunFolder):
        self._jsonl = run.metrics_file
        self._csv = run.csv_file
        self._columns = _csv_columns(run.csv_file)
        self._rows = len(read_rows(run.metrics_file))

    def write(self, kind: str, env_step: int, episode: int, values: Row) -> Row:
        """Append one row; numbers that are not finite become null.

        Returns:
            The row as written.

        Raises:
            OSError: the disk is full; earlier rows stay whole.
        """
        row = dict(zip(HEAD, (kind, now(), env_step, episode), strict=True)) | _finite(values)
        append_line(self._jsonl, json.dumps(row))
        self._rows += 1
        flat = _flat(row)
        if new := [key for key in flat if key not in self._columns]:
            self._columns += new
            header = dict(zip(self._columns, self._columns, strict=True))
            write_text(self._csv, _csv_lines(self._columns, [header, *read_rows(self._jsonl)]))
        else:
            append_line(self._csv, _csv_lines(self._columns, [flat]).rstrip("\n"))
        return row

    def sync(self) -> int:
        """Bring all rows onto the disk; returns how many there are."""
        if self._rows:
            sync_file(self._jsonl)
        return self._rows


def trim_metrics(run: RunFolder, rows: int) -> None:
    """Keep so many rows, and drop those after them, which a training that goes on will write again.

    Raises:
        UserError: the file has lost rows that it should keep, or one of them is damaged.
    """
    kept = read_rows(run.metrics_file)[:rows]
    if len(kept) < rows:
        raise UserError(f"{run.metrics_file} has lost {rows - len(kept)} of {rows} rows; put back a copy of it")
    write_text(run.metrics_file, "".join(json.dumps(row) + "\n" for row in kept))
    columns = list(dict.fromkeys(key for row in kept for key in _flat(row)))
    header = [dict(zip(columns, columns, strict=True))] if kept else []
    write_text(run.csv_file, _csv_lines(columns, [*header, *kept]))


def read_metrics(run: RunFolder, kind: str | None = None) -> list[Row]:
    """Rows of a run in order.

    Args:
        run: the run's folder.
        kind: only rows of this kind.

    Raises:
        UserError: a row in the middle of the file is damaged.
    """
    return [row for row in read_rows(run.metrics_file) if kind in (None, row["kind"])]


def read_rows(path: Path) -> list[Row]:
    """All whole rows of a ``metrics.jsonl``; a last line cut off by a crash is left out, a missing file is empty."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except ValueError:
            if any(lines[number:]):  # a crash can leave half a line, but only at the end
                raise UserError(f"{path}, line {number} is damaged; remove that line") from None
            continue
        rows.append(row)
    return rows


def match_text(figures: Row) -> str:
    """A match in a few words: wins, fights that count, the win rate with its interval, and how it ended."""
    faults = figures.get("faults", 0)
    rate = with_interval(*(figures[key] for key in ("win_rate", "win_rate_low", "win_rate_high")))
    text = f"{figures['wins']} of {figures['fights'] - faults} won, {rate}"
    left_out = f", {faults} interrupted and left out" if faults else ""
    if not figures.get("is_over", True):
        return f"{text}{left_out}, not finished"
    if "sure" not in figures:
        return f"{text}{left_out}"
    return f"{text}{left_out}, {figures['sure'] or f'known within {reach_points(figures):.1f} points only'}"


def reach_points(figures: Row) -> float:
    """How far the interval of a win rate reaches on either side of its middle: percentage points, rounded up."""
    return math.ceil(500.0 * (figures["win_rate_high"] - figures["win_rate_low"])) / 10.0


def gate_text(row: Row) -> str:
    """Of a final row, which agent a fine-tuning hands over and why; empty for other trainings."""
    if "deployed" not in row:
        return ""
    rates = f"parent {percent(row['parent_win_rate'])}, tuned {percent(row['tuned_win_rate'])} of the same fights"
    return f"; {rates} (p = {row['chance_of_gain']:.2g}): the {row['deployed']} agent is deployed"


def clone_text(row: Row) -> str:
    """How well a clone foretells fights it has not seen."""
    accuracy = f"{row['held_out_accuracy']:.1%} of {row['held_out_decisions']:,} decisions held out are right"
    loss = f"loss {row['held_out_loss']:.3f} on fights held out"
    return f"pass {row['epoch']}: {loss}, {accuracy} (most frequent action: {row['baseline_accuracy']:.1%})"


def _finite(values: Row) -> Row:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in values.items()
    }


def _flat(row: Row) -> Row:
    return {key: value for key, value in row.items() if not isinstance(value, dict | list)}


def _csv_columns(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _csv_lines(columns: list[str], rows: Iterable[Row]) -> str:
    text = io.StringIO()
    csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n").writerows(rows)
    return text.getvalue()

"""How a training looks while it runs: a live table in a terminal, a plain line every ten seconds elsewhere."""

import textwrap
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from ashen.core.fight import STEP_S
from ashen.core.percent import percent, with_interval
from ashen.core.saying import say
from ashen.runs.metrics import HEAD, METRICS, Metric, Row, gate_text, match_text

LINE_EVERY_S = 10.0
_SHIFT_S = 0.02
"""Hit times are told if they moved by this much."""
_WHOLE_FROM = 100.0
"""From here on three figures leave no place behind the point."""
_KNOWN = {*HEAD, "fights", "faults", "win_rate", "return_mean", "length_mean_steps", "steps_per_s"}


class Display:
    """Shows the rows of one training; use it in a ``with`` block.

    Args:
        name: the run's name.
        total_steps: where the training ends.
        final_fights: of the match after that; 0 for none.
    """

    def __init__(self, name: str, total_steps: int, final_fights: int = 0):
        self._name, self._total = name, total_steps
        self._then = f", then the final match of {final_fights:,} fights" if final_fights else ""
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        self._rows: dict[str, Row] = {}
        self._warnings: dict[str, str] = {}
        self._next_line_s = 0.0
        self._is_warm = False
        """Whether a row tells of the training's speed: in the first one's time code was compiled too."""

    def __enter__(self) -> "Display":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, row: Row) -> None:
        """Take in a row and bring the picture up to date."""
        if row["kind"] == "warning":
            self._note(row)
        else:
            self._is_warm |= row["kind"] == "train" and "train" in self._rows
            self._rows[row["kind"]] = row
        if self._live:
            lines = [Text(f"warning: {message}", style="yellow") for message in self._warnings.values()]
            self._live.update(Group(self._table(), *lines), refresh=True)
        elif row["kind"] != "train":
            self._console.print(self._match_line(row), highlight=False, soft_wrap=True)
        elif time.monotonic() >= self._next_line_s:
            self._next_line_s = time.monotonic() + LINE_EVERY_S
            self._console.print(
                "  ".join(f"{name} {text}" for name, text in self._facts(row)), highlight=False, soft_wrap=True
            )

    def _note(self, row: Row) -> None:
        """Keep the warnings that are not over."""
        if row["state"] == "over":
            self._warnings.pop(row["guard"], None)
        else:
            self._warnings[row["guard"]] = row["message"]

    def _table(self) -> Table:
        table = Table(title=self._name, show_header=False, min_width=60)
        for kind in ("train", "evaluation", "final"):
            row = self._rows.get(kind)
            if row is None:
                continue
            for name, text in self._facts(row) if kind == "train" else [(kind, self._match_line(row))]:
                table.add_row(name, text)
        return table

    def _facts(self, row: Row) -> list[tuple[str, str]]:
        left_s = max(0, self._total - row["env_step"]) / row["steps_per_s"]
        left = _clock(left_s) if self._is_warm else "soon known"
        facts = [
            ("step", f"{row['env_step']:,} of {self._total:,}"),
            ("left", left + self._then),
            ("steps/s", f"{row['steps_per_s']:,.0f}"),
            ("fights", f"{row['episode']:,}"),
            ("wins", _share(row["win_rate"])),
            ("return", number_text(row["return_mean"])),
            ("length", number_text(row["length_mean_steps"])),
        ]
        learner = {key: value for key, value in row.items() if key not in _KNOWN and "/" not in key}
        facts += [(key, number_text(value)) for key, value in learner.items()]
        if "match/fights" in row:
            facts.append(("match", _match_so_far(row)))
        if "fleet/waiting" in row:
            facts.append(("fleet", _fleet(row)))
        return [*facts, ("time", _split(row))]

    def _match_line(self, row: Row) -> str:
        if row["kind"] == "warning":
            return f"warning: {row['message']}"
        return (
            f"{row['kind']} at step {row['env_step']:,}: {match_text(row)}, return {row['return_mean']:.2f}, "
            f"boss HP left {percent(row['boss_hp_left_mean'])}{gate_text(row)}"
        )


def say_if_cold() -> None:
    """Say why the first call takes long."""
    from ashen.core.compiled import is_cold

    if is_cold():
        say("compiling the fight for this machine, once: about a minute, longer on a busy one")


def say_moment(env: Any, moment: Any) -> None:
    """Print one step of a fight in one line, over the first what the columns are, behind the last how it ended.

    Args:
        env: the environment it is fought in.
        moment: the step, :class:`ashen.evaluation.match.Moment`.
    """
    before, parts = moment.before, [f"{moment.after['step']:4d}"]
    if before["step"] == 0:
        print("step, of player and boss animation, since when, HP; valid actions, action, best by score, reward")
    for who, vocabulary in (("player", env.backend.player_vocabulary), ("boss", env.backend.boss_vocabulary)):
        shown = vocabulary.name(before[f"{who}_animation"])
        parts.append(f"{shown:18} {before[f'{who}_animation_s']:5.2f} s {before[f'{who}_hp']:4.0f} HP")
    best = sorted(np.flatnonzero(moment.mask), key=lambda action: -moment.scores[action])[:3]
    parts.append("".join("x" if valid else "." for valid in moment.mask))
    parts.append(f"{env.action_names[moment.action]:18}")
    parts.append(", ".join(f"{env.action_names[action]} {moment.scores[action]:.2f}" for action in best))
    paid = zip(env.reward.names, moment.terms, strict=True)
    parts.append(" ".join([f"{moment.reward:+.3f}", *(f"{name} {value:+.3f}" for name, value in paid if value)]))
    if moment.outcome:
        parts.append(moment.outcome.name.lower())
    print("  ".join(parts), flush=True)


def runs_table(rows: Sequence[dict[str, Any]], with_time: bool) -> Table:
    """Runs one below the other, with what came of each, and the day or also the time of day they were begun."""
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "begun", "fight", "recipe", "steps", "won", "state", "tags", "parent"):
        table.add_column(heading, justify="right" if heading in ("steps", "won") else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(escape(cell or "-") for cell in (row["name"], *_run_cells(row, with_time))))
    return table


def run_lines(row: dict[str, Any], width: int) -> list[str]:
    """A run in lines of so many characters, none of which ends within a word, so that names can be typed again."""
    begun, fight, recipe, steps, won, state, tags, parents = _run_cells(row, with_time=True)
    facts = [begun, fight, recipe and f"recipe: {recipe}", f"{steps} steps", won and f"{won} won", state]
    facts += [tags and f"tagged {tags}", parents and f"from {parents}"]
    wrap = textwrap.TextWrapper(
        width, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return [row["name"], *wrap.wrap(", ".join(filter(None, facts)))]


def _run_cells(row: dict[str, Any], with_time: bool) -> list[str]:
    """What stands beside a name, some may be empty: begun, fight, recipe, steps, won, state, tags, parents."""
    fight = f"{row['boss']} {row['fight']}" if row["boss"] else ""
    rates = [row[key] for key in ("win_rate", "win_rate_low", "win_rate_high")]
    won = "" if row["win_rate"] is None else with_interval(*rates)
    lists = (", ".join(row[key]) for key in ("tags", "parents"))
    begun = datetime.fromisoformat(row["created_at"]).astimezone()
    begun = begun.strftime("%Y-%m-%d %H:%M" if with_time else "%Y-%m-%d")
    return [begun, fight, row["recipe"] or "", f"{row['env_steps']:,}", won, row["state"], *lists]


def comparison_table(figures: dict[str, Any]) -> Table:
    """Groups of trainings with their final figure, and how likely a seed of each is better than one of the first."""
    metric, share = METRICS[figures["metric"]], METRICS["win_rate"]
    names = [escape(group["name"]).replace(": ", ":\n", 1).replace(", ", "\n") for group in figures["groups"]]
    title = (
        f"{figures['boss']} {figures['fight']}: interquartile means over seeds ({figures['confidence']:.0%} interval)"
    )
    table = Table(Column("group", overflow="fold"), title=title)
    for heading in ("seeds", metric.label, *(["better than the first"] if names[1:] else [])):
        table.add_column(heading, justify="right")
    first = figures["groups"][0]["name"]
    over_first = {row["of"]: row for row in figures["improvements"] if row["over"] == first}
    for name, group in zip(names, figures["groups"], strict=True):
        seeds, final = len(group["seeds"]), _with_interval(metric, group["iqm"], group["iqm_low"], group["iqm_high"])
        if group["fights_low"] is not None:
            final = f"{_with_interval(metric, group['iqm'], group['fights_low'], group['fights_high'])}\nby its fights"
        cells = [str(seeds), final]
        if row := over_first.get(group["name"]):
            pairs = seeds * len(figures["groups"][0]["seeds"])
            counted = f" of {pairs} pair{'s' * (pairs > 1)}" if row["low"] is None else ""
            cells.append(_with_interval(share, row["probability"], row["low"], row["high"]) + counted)
        table.add_row(name, *cells)
    return table


def _with_interval(metric: Metric, value: float, low: float | None, high: float | None) -> str:
    interval = "" if low is None else f" ({metric.text(low)} to {metric.text(high)})"
    return f"{metric.text(value)}{interval}"


def trials_table(
    title: str, metric: Metric, trials: dict[str, tuple[float, dict[str, Any]]], importances: dict[str, float]
) -> Table:
    """Trials of a sweep side by side: score and settings, and how much a setting mattered where that is known."""
    table = Table("", title=title)
    for heading in (*trials, "importance"):
        table.add_column(heading, justify="right")
    table.add_row(metric.label, *(metric.text(score) for score, _ in trials.values()), end_section=True)
    for name in next(iter(trials.values()))[1]:
        cells = [str(values[name]) for _, values in trials.values()]
        table.add_row(name, *cells, f"{importances[name]:.0%}" if name in importances else "?")
    return table


def calibration_table(figures: dict[str, Any]) -> Table:
    """How well numbers foretell fights before and after calibration."""
    judged = f"on {figures['held_out_fights']} fights held out, 1 s ahead"
    table = Table(title=f"{figures['boss']}: {figures['fights']} fights, {figures['steps']:,} steps; {judged}")
    for name in ("figure", "before", "after"):
        table.add_column(name, justify="left" if name == "figure" else "right")
    for name, row in figures["held_out"].items():
        table.add_row(name, f"{row['before']:.3g}", f"{row['after']:.3g}")
    return table


def calibration_text(figures: dict[str, Any]) -> str:
    """How many numbers were refitted, and how many that are inferred or guessed stayed."""
    refitted, kept = figures["guesses_refitted"], len(figures["guesses_kept"])
    count = f"{figures['refitted']} numbers refitted, {refitted} of them inferred or guessed"
    return f"{count}; {kept} inferred or guessed ones stayed for want of evidence (--json lists them)"


def calibration_warning(figures: dict[str, Any]) -> str:
    """What of the numbers refitted did not help on the fights held out; empty if all did."""
    rows = {name: figures["held_out"][name] for name in figures["worse"]}
    told = {
        "left out, since fights held out are foretold better without": figures["left_out"],
        "still worse on fights held out": [
            f"{name} {row['before']:.3g} -> {row['after']:.3g}" for name, row in rows.items()
        ],
        "nothing gained on fights held out": [] if figures["better"] else ["keep the table"],
    }
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in told.items() if names)


def refit_lines(row: Row) -> Iterator[str]:
    """What a fine-tuning has refitted of the boss's table, and how sure it is; ``row`` is of kind ``calibration``."""
    won = f"{row['fights']} fights ({row['steps']:,} steps of 0.1 s, {row['win_rate']:.0%} won)"
    sure = f"{row['measured']} of them seen five times or more"
    yield f"refitted to {won}: {row['refitted']} numbers, {sure}"
    for hit in row["hit_times"]:
        if abs(hit["after_s"] - hit["before_s"]) >= _SHIFT_S:
            name = f"{hit['attack']} of phase {hit['phase']}, hit {hit['hit'] + 1}"
            sureness = f"seen {hit['seen']} times" + ("" if hit["confidence"] == "M" else ", unsure")
            yield f"  {name}: after {hit['after_s']:.2f} s, not {hit['before_s']:.2f} ({sureness})"
    figures = (f"{name} {old['before']:.3g} -> {old['after']:.3g}" for name, old in row["held_out"].items())
    yield f"{row['held_out_fights']} fights held out, foretold 1 s ahead: {', '.join(figures)}"
    if warning := calibration_warning(row):
        yield warning
    yield "goes on with the refitted table" if row["is_used"] else "goes on with the table as it was"


def fight_text(record: Any) -> str:
    """How a recorded fight went, and what a picture of it shows."""
    end, length_s = record.states[-1], len(record.actions) * STEP_S
    how = {"WIN": "won", "LOSS": "lost"}.get(record.meta["outcome"], "broken off")
    player, boss = (100 * end[f"{who}_hp"] / end[f"{who}_max_hp"] for who in ("player", "boss"))
    return (
        f"{record.meta['policy']} against {Path(record.meta['boss']).stem}: {how} after {length_s:.0f} s, "
        f"with {player:.0f} % of its own hit points left and {boss:.0f} % of the boss's\n"
        "blue is the player, red the boss; what glows red can hit at that moment, beside it stand the actions the "
        "agent weighs"
    )


def leaderboard_table(figures: dict[str, Any]) -> Table:
    """Who won how much of the benchmark's fights, best first."""
    pinned = figures["benchmark"]
    table = Table(title=f"{pinned['env_id']}: {pinned['fights']} fights, tables {pinned['table_hash']}")
    for heading in ("", "who", "won (95 % interval)", "length", "boss HP left", "trained for"):
        table.add_column(heading, justify="left" if heading == "who" else "right")
    for place, row in enumerate(figures["rows"], 1):
        won = f"{row['win_rate']:.1%} ({row['win_rate_low']:.1%}-{row['win_rate_high']:.1%})"
        steps = f"{row['env_step']:,} steps, {row['trained_for']}" if row["env_step"] else "-"
        length, left = f"{row['length_mean_steps'] / 10:.0f} s", percent(row["boss_hp_left_mean"])
        table.add_row(str(place), escape(row["name"]), won, length, left, steps)
    return table


def number_text(value: float | None) -> str:
    """A number for reading: whole if it is or is large, else with three figures; a dash for none."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM or value % 1 == 0 else f"{value:.3g}"


def _split(row: Row) -> str:
    seconds = {key.removeprefix("seconds/"): value for key, value in row.items() if key.startswith("seconds/")}
    total = sum(seconds.values()) or 1.0
    return ", ".join(f"{part} {value / total:.0%}" for part, value in seconds.items())


def _match_so_far(row: Row) -> str:
    """Of the match that goes on between the fights of a training on the game."""
    faults = f", {row['match/faults']} interrupted and left out" if row["match/faults"] else ""
    so_far = f"{row['match/wins']} of {row['match/fights']} won so far{faults}"
    return f"agent of step {row['match/env_step']:,}: {so_far}; matches take {row['match/share']:.0%} of game time"


def _fleet(row: Row) -> str:
    """Who plays, how fast, and what is amiss."""
    speeds = [value for key, value in row.items() if key.startswith("fleet/steps_per_s/")]
    told = [f"{len(speeds)} playing" + (f" at {min(speeds):,.0f} to {max(speeds):,.0f} steps/s" if speeds else "")]
    told.append(f"{row['fleet/staleness_mean']:,.0f} updates behind ({row['fleet/staleness_max']:,.0f} at most)")
    amiss = {
        "restarts": "players replaced",
        "waiting": "waiting to be learned from",
        "left_out_steps": "steps left out",
        "lost_batches": "batches lost",
    }
    counts = ((row.get(f"fleet/{key}", 0.0), what) for key, what in amiss.items())
    return ", ".join([*told, *(f"{what}: {count:,.0f}" for count, what in counts if count)])


def _share(value: float | None) -> str:
    return "-" if value is None else percent(value)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"

"""The figures of a match in plain words, for a human; ``--json`` has them by their names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from ashen.core.fight import MAX_STEPS, STEP_S
from ashen.runs.metrics import match_text

_INTERVALS: Final = {
    "fixed": "an interval for a number of fights settled beforehand",
    "anytime": "an interval for a match that ends as soon as it is sure",
}
_NO_ATTACK: Final = {"fall": "falls", "unexplained": "of unknown cause"}


def match_table(figures: dict[str, Any]) -> Table:
    """All figures of a match, as :func:`ashen.evaluation.judge.judge` gives them, a line each."""
    table = Table(title=escape(f"{figures['policy']}: {match_text(figures)}"), show_header=False)
    for name, text in _lines(figures):
        table.add_row(escape(name), escape(text))
    table.add_section()
    for attack, share in figures["damage_per_attack"].items():
        cost = f"cost {share['damage']:.0f} HP a fight"
        seen = "" if attack in _NO_ATTACK else f"shown {share['shown']:.2f} times a fight, "
        table.add_row(escape(_NO_ATTACK.get(attack, attack)), seen + cost)
    return table


def _lines(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    low, high, judged = figures["win_rate_low"], figures["win_rate_high"], figures["fights"] - figures["faults"]
    yield "won", f"{figures['wins']} of {judged} fights that count: {figures['win_rate']:.1%}"
    yield "true win rate", f"between {low:.1%} and {high:.1%}, 95 % sure ({_INTERVALS[figures['interval']]})"
    yield "lost", str(figures["losses"])
    yield "neither", f"{figures['timeouts']} broken off after {MAX_STEPS * STEP_S:.0f} s; they count as not won"
    if figures["faults"]:
        yield "left out", f"{figures['faults']} that a fault of the game ended; no other line counts them"
    if "phase_change_rate" in figures:
        yield "reached phase 2", f"{figures['phase_change_rate']:.1%} of the fights"
    yield "boss HP left", f"{figures['boss_hp_left_mean']:.1%} at the end of a fight, on average"
    seconds = figures["length_mean_steps"] * STEP_S
    yield "length", f"{seconds:.1f} s of the game, on average"
    interval = f"(95 % interval {figures['return_low']:.3f} to {figures['return_high']:.3f})"
    yield "return", f"{figures['return_mean']:.3f} a fight under the reward {figures['reward']} {interval}"
    yield "boss at rest", f"{figures['longest_boss_idle_s']:.1f} s at most, neither moving nor attacking"
    yield (
        "wins without a blow",
        f"{figures['kills_without_blow_share']:.1%} of the wins: the boss died of something else",
    )
    yield "fought", _world(figures)
    yield "took", f"{figures['seconds']:.1f} s"


def _world(figures: dict[str, Any]) -> str:
    """What was fought, in the words of the options that fight it again."""
    place = "in the simulator" if figures["backend"] == "sim" else f"on the game, speed {figures['game_speed']:g}"
    varied = "" if figures["randomise"] == "none" else f", boss varied ({figures['randomise']})"
    what = f"{Path(figures['boss']).stem}, {figures['fight']}, from the {figures['start']} start{varied}"
    return f"{what}, {place}; seed {figures['seed']}, tables {figures['table_hash']}"

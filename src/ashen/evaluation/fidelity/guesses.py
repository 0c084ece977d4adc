"""What is guessed, where each guess comes from, and what the search fitted them to: the end of the page."""

from typing import Any

from ashen.core.tables import Fact, boss_file, data_file, load_facts, player_facts, read_toml, walk
from ashen.evaluation.fidelity.drift_tables import markdown_table
from ashen.evaluation.fidelity.fitted import FITTED_TO

_FITTED = """
`tools/fit_guesses.py` searched {moved} numbers (confidence G or I, `FIT` among their sources) with Optuna, each within
its range; {guessed} of them are guesses and stand below. Its loss is the distance of these figures, of phase 1 alone,
from the real game's:
"""
_BY_HAND = """
All other guesses were set by hand: read off the recorded fights, taken from notes, or chosen within their range.
[log.md](log.md) tells every search, what was changed by hand between them, and what else was tried.

`late_odds` was chosen so that the diary's late row holds. With 0 that row failed (-0.00075 +- 0.00023, real -0.0019
+- 0.001); 0.5 is the only other value that was tried, and the end of the range. Lost keys were tried before it, and
dropped. That a key waits for a frame is a reason to believe in late keys; that the row now holds is none.

At an end of its range stands a number that the search pushed against what the evidence allows (source `FIT`), or a
guess that begins there by nature, such as a dead zone of 0 m. The first kind says that the figures pull further: the
range, or a rule of the simulator, may be wrong there. A measurement of those should be asked for first.
"""


def guess_lines(boss: str) -> list[str]:
    """Lines of the section, for a boss by name or table."""
    facts = _facts(boss)
    guesses = {path: fact for path, fact in facts.items() if fact.confidence == "G"}
    moved = {path for path, fact in facts.items() if "FIT" in _keys(fact)}
    fitted = _FITTED.format(moved=len(moved), guessed=len(moved & set(guesses)))
    sources = read_toml(data_file("ds3", "sources.toml"))
    used = {key for fact in guesses.values() for key in _keys(fact)}
    rows = [(path, value_text(fact.value), range_text(fact), fact.source) for path, fact in guesses.items()]
    return [
        "## What is guessed, and what the guesses were fitted to",
        *fitted.rstrip().splitlines(),
        "",
        *(f"- {name}" for name in FITTED_TO.values()),
        *_BY_HAND.rstrip().splitlines(),
        "",
        f"All {len(guesses)} guesses (confidence G); several sources joined by + agree:",
        "",
        *markdown_table(("number", "value", "range", "source"), rows),
        "",
        *markdown_table(("source", "what it is"), [(key, text) for key, text in sources.items() if key in used]),
    ]


def range_text(fact: Fact) -> str:
    """The range of a fact, and whether its value stands at an end of it."""
    if not fact.range:
        return ""
    text = f"{fact.range[0]:g} to {fact.range[1]:g}"
    return f"{text}, **at its end**" if fact.value in fact.range else text


def value_text(value: Any) -> str:
    """A value as the page shows it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _facts(boss: str) -> dict[str, Fact]:
    """Everything that a boss, his opponent and the logs rest on, by table and dotted path."""
    tables = {
        "boss": load_facts(boss_file(boss)),
        "player": player_facts(boss_file(boss)),
        "logs": load_facts(data_file("ds3", "real_figures.toml"))["logs"],
    }
    return {f"{name}: {path}": fact for name, table in tables.items() for path, fact in walk(table)}


def _keys(fact: Fact) -> list[str]:
    return fact.source.split("+")

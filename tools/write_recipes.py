"""Writes what the recipes were measured to do: docs/recipes.md, a curve of each, and the tables of milestones.

Run it after tools/measure_recipe.py: python tools/write_recipes.py. A test compares the pages with docs/recipes/*.json.
The words of docs/what-normal-training-looks-like.md are written there by hand, around the tables.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ashen.recipes import recipe_files
from ashen.reports.plot import COLOURS, finish_axis, save_png
from ashen.runs.milestones import MILESTONES
from ashen.training.recipe import load_recipe

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
NORMAL: Final = "what-normal-training-looks-like.md"
END: Final = "end"
FALLEN: Final = 0.5
"""Share of the median seed's win rate in the last match below which a seed has ended far below the others."""
FAR_OFF: Final = 10.0
"""How many times as large as the others' a number of such a seed's learner must be to be told."""
_PLACE: Final = ("share", "env_step", "game_steps", "minutes")
"""What says where a row of a learner's numbers stands."""
Measured = dict[str, Any]
"""What tools/measure_recipe.py wrote of one recipe."""


def read_measured(folder: Path) -> dict[str, Measured]:
    """All that was measured, by the recipe's name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def recipes_page(measured: dict[str, Measured]) -> str:
    """The page of all recipes: one table, then each by itself."""
    open_ones = [name for name in recipe_files() if name not in measured]
    head = (
        "# Recipes, as measured\n\nWritten by `tools/write_recipes.py` out of `docs/recipes/*.json`, which"
        " `tools/measure_recipe.py` measures by the public commands.\nWin rates are medians over seeds with their 95 %"
        " interval (Wilson), which says how sure the fights make them;\nhow far trainings differ say the seeds, from"
        " the first on. Other figures are medians with the range over seeds in brackets.\nMinutes count from the"
        " command to its end; where trainings shared the machine, none are told. How a training gets there:"
        f" [what normal training looks like]({NORMAL}).\n"
    )
    heads = ("recipe", "what it is", "algorithm", "steps", "minutes", "% won at the end", "seeds")
    parts = [
        head,
        _table(heads, [_overview(name, measured.get(name)) for name in recipe_files()]),
        *(_section(name, measured[name]) for name in recipe_files() if name in measured),
    ]
    if open_ones:
        parts.append(f"## Not measured yet\n\n{', '.join(open_ones)}: `python tools/measure_recipe.py NAME`\n")
    return "\n".join(parts)


def _overview(name: str, measured: Measured | None) -> list[str]:
    about = recipe_files()[name].read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    if measured is None:
        recipe = load_recipe(name)
        return [name, about, recipe.algorithm, _count(recipe.total_steps), "", "not measured yet", ""]
    seeds = measured["seeds"]
    match = _at(measured, END, next(iter(seeds[0]["marks"][END])))
    steps, wall = [row["env_steps"] for row in seeds], [row["wall_s"] / 60.0 for row in seeds]
    algorithm, jobs = measured["settings"]["algorithm"], measured["jobs"]
    minutes = _spread(wall, _minutes) if jobs == 1 else f"{jobs} side by side"
    return [f"[{name}](#{name})", about, algorithm, _count(median(steps)), minutes, *_rates(match)]


def _section(name: str, measured: Measured) -> str:
    rows = []
    for mark, matches in measured["seeds"][0]["marks"].items():
        for match in matches:
            found = _at(measured, mark, match)
            there = [figures for figures in found if figures]
            fight = f"{there[0]['fight']}, {there[0]['start']} start" if there else ""
            phases = [one["phase_change_rate"] for one in there if "phase_change_rate" in one]
            returns = [one["return_mean"] for one in there]
            cells = [_spread(phases, _percent), _spread(returns, "{:.2f}".format)]
            rows.append([mark, _match(match), fight, *_rates(found), *cells])
    heads = ("mark", "match", "fight", "% won", "seeds", "% that reached phase 2", "return")
    return f"""## {name}

```sh
{measured["command"]}
```

{_circumstances(measured)}

{fallen_text(measured)}{_table(heads, rows)}
![{name}: win rate and return on the way](recipes/{name}.png)
"""


def _circumstances(measured: Measured) -> str:
    seeds, machine = measured["seeds"], measured["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    commits = ", ".join(sorted({row["commit"] or "none" for row in seeds}))
    asked = measured["seeds_asked"]
    of = "" if asked == len(seeds) else f" of {asked}"
    jobs = measured["jobs"]
    shared = f"{jobs} side by side; " if jobs > 1 else ""
    game_steps = [row["game_steps"] for row in seeds if "game_steps" in row]
    return (
        f"Seeds: {len(seeds)}{of}; {shared}steps of the game, waits among them: {_spread(game_steps, _count)};"
        f" threads of each training: {measured['threads_each']};"
        f" fights in a match: {measured['fights']:,}."
        f" {measured['date']}, {machine['processor']}, {machine['cores']} cores, {machine['machine']},"
        f" Python {machine['python']}, {versions}; tables `{measured['table_hash']}`, commit {commits}."
    )


def normal_page(page: str, measured: dict[str, Measured]) -> str:
    """The page on normal trainings, with its tables written anew."""
    told = {name: measured[name] for name in recipe_files() if name in measured}
    sections = "\n".join(_normal_section(name, one) for name, one in told.items())
    page = _rewritten(page, "milestones", sections or "No recipe has been measured yet.\n")
    return _rewritten(page, "updates", _updates_table(told))


def _rewritten(page: str, part: str, text: str) -> str:
    """The page with a new text between the marks of a part."""
    marks = rf"(<!-- {part}.*?-->\n).*?(<!-- end -->)"
    return re.sub(marks, lambda mark: f"{mark[1]}\n{text}\n{mark[2]}", page, flags=re.S)


def _updates_table(measured: dict[str, Measured]) -> str:
    """How far the updates of each PPO recipe went, before its learning rate came to its end."""
    rows = []
    for name, one in measured.items():
        if one["settings"]["algorithm"] == "ppo":
            ppo, shown = one["settings"]["ppo"], [row for seed in one["seeds"] for row in seed["learner"][:-1]]
            rollout = f"{ppo['rollout_steps'] * one['settings']['num_envs']:,}"
            moved = (_range([row[key] for row in shown if key in row]) for key in ("clip_fraction", "approx_kl"))
            rows.append([name, str(ppo["epochs"]), rollout, f"{ppo['learning_rate']:g}", *moved])
    return _table(("recipe", "passes", "steps in a rollout", "learning rate", "`clip_fraction`", "`approx_kl`"), rows)


def fallen_text(measured: Measured) -> str:
    """Which seeds ended far below the others, in what, and what their learners showed; empty if none did."""
    seeds, keep = measured["seeds"], measured["settings"]["keep"]
    bar = FALLEN * median(_last_rate(seed) for seed in seeds)
    return "".join(
        _fallen(seed, [other for other in seeds if other is not seed], keep) + "\n\n"
        for seed in seeds
        if _last_rate(seed) < bar
    )


def _fallen(seed: dict[str, Any], others: Sequence[dict[str, Any]], keep: str) -> str:
    rates = ", ".join(_percent(_last_rate(other)) for other in others)
    best = _percent(max(row["win_rate"] for row in seed["curve"]))
    text = f"**Seed {seed['seed']} ended far below the others**: its last match on the way won"
    text += f" {_percent(_last_rate(seed))} %, the others' {rates} %, its own best {best} %."
    if far := _far_off(seed["learner"][-1], [other["learner"][-1] for other in others]):
        text += f" It had diverged: {', '.join(far)} at the end, over ten times what the others showed."
    return text + (" The agent that is kept is that of its best match." if keep == "best" else "")


def _last_rate(seed: dict[str, Any]) -> float:
    return seed["curve"][-1]["win_rate"]


def _far_off(row: dict[str, Any], others: Sequence[dict[str, Any]]) -> list[str]:
    """The numbers of a learner that are over ten times as large as in the median of the others."""
    names = [name for name in row if name not in _PLACE and all(name in other for other in others)]
    return [
        f"{name} {row[name]:.3g}"
        for name in names
        if abs(row[name]) > FAR_OFF * median(abs(other[name]) for other in others) > 0.0
    ]


def _normal_section(name: str, measured: Measured) -> str:
    settings, seeds = measured["settings"], measured["seeds"]
    heads, rows, shared = ("milestone", "env steps", "minutes", "seeds"), milestone_rows(seeds), ""
    if measured["jobs"] > 1:
        heads, rows = (*heads[:2], heads[3]), [[*row[:2], row[3]] for row in rows]
        shared = f" {measured['jobs']} trainings shared the machine, so no minutes are told."
    return f"""### {name}

Seeds: {len(seeds)}; matches of {settings["evaluation_fights"]} fights every {_count(settings["evaluate_every"])} steps,
so nothing is told more finely.{shared} [More](recipes.md#{name})

{fallen_text(measured)}{_table(heads, rows)}
{_learner_table(seeds)}"""


def milestone_rows(seeds: Sequence[dict[str, Any]]) -> list[list[str]]:
    """When the seeds of a recipe came to each milestone: steps, minutes, how many did."""
    rows = []
    for milestone in MILESTONES:
        if all(row.get(milestone.key) is None for seed in seeds for row in seed["curve"]):
            continue
        found = [milestone.first(seed["curve"]) for seed in seeds]
        steps, minutes = ([row[key] if row else math.inf for row in found] for key in ("env_step", "minutes"))
        reached = f"{sum(row is not None for row in found)} of {len(seeds)}"
        rows.append([milestone.label, _spread(steps, _count), _spread(minutes, _minutes), reached])
    return rows


def _learner_table(seeds: Sequence[dict[str, Any]]) -> str:
    """What the live table showed on the way."""
    shares = [row["share"] for row in seeds[0]["learner"]]
    names = [name for name in seeds[0]["learner"][-1] if name not in _PLACE]
    columns = [[seed["learner"][number] for seed in seeds] for number in range(len(shares))]
    rows = [
        [name, *(_spread([row[name] for row in column if name in row], "{:.3g}".format) for column in columns)]
        for name in names
    ]
    return _table(("shown", *(f"at {share:.0%}" for share in shares)), rows)


def _at(measured: Measured, mark: str, match: str) -> list[dict[str, Any] | None]:
    return [seed["marks"][mark][match] for seed in measured["seeds"]]


def _match(words: str) -> str:
    return words if words == "as trained" else f"`{words}`"


def _rates(found: Sequence[dict[str, Any] | None]) -> list[str]:
    """Median win rate with its interval, and that of every seed; where there was no checkpoint yet, nothing was won."""
    rates = [(row["win_rate"], row["win_rate_low"], row["win_rate_high"]) if row else (0.0, 0.0, 0.0) for row in found]
    rate, low, high = (median(column) for column in zip(*rates, strict=True))
    each = ", ".join(_percent(row["win_rate"]) if row else "no agent yet" for row in found)
    return [f"{_percent(rate)} ({_percent(low)} to {_percent(high)})" if any(found) else "no agent yet", each]


def _spread(values: Sequence[float], text: Callable[[float], str]) -> str:
    """Median and range; infinity is never, and nothing is nothing."""
    if not values:
        return ""
    middle, low, high = (
        "never" if value == math.inf else text(value) for value in (median(values), min(values), max(values))
    )
    return middle if low == high else f"{middle} ({low} to {high})"


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2g} to {max(values):.2g}" if values else ""


def _percent(value: float) -> str:
    return f"{100.0 * value:.1f}"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _minutes(value: float) -> str:
    return f"{value:.1f}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = (heads, ["---"] * len(heads), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def draw(name: str, measured: Measured, out: Path) -> None:
    """Draw the matches on the way: medians over seeds, and bands from the least to the greatest."""
    figure = Figure(figsize=(11.0, 3.6))
    FigureCanvasAgg(figure)
    won, paid = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.06, right=0.985, top=0.9, bottom=0.15, wspace=0.14)
    curves = [seed["curve"] for seed in measured["seeds"]]
    _draw_band(won, curves, "phase_change_rate", COLOURS[4])
    _draw_band(won, curves, "win_rate", COLOURS[0])
    _draw_band(paid, curves, "return_mean", COLOURS[2])
    won.set_ylim(-0.03, 1.03)
    won.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    won.legend(loc="best", fontsize=8.5, frameon=False)
    finish_axis(won, f"{name}: matches on the way (seeds: {len(curves)})")
    finish_axis(paid, "return of a fight")
    for axis in (won, paid):
        axis.set_xlabel("environment steps (line: median, band: all seeds)", fontsize=9)
    save_png(figure, out, dpi=110)


def _draw_band(axis: Any, curves: Sequence[Sequence[dict[str, Any]]], key: str, colour: str) -> None:
    values = [{row["env_step"]: row[key] for row in curve if row.get(key) is not None} for curve in curves]
    steps = sorted(set.intersection(*(set(curve) for curve in values)))
    if not steps:
        return
    columns = [[curve[step] for curve in values] for step in steps]
    axis.fill_between(
        steps, [min(column) for column in columns], [max(column) for column in columns], color=colour, alpha=0.18, lw=0
    )
    label = {"win_rate": "won", "phase_change_rate": "reached phase 2"}.get(key)
    axis.plot(steps, [median(column) for column in columns], color=colour, lw=2.0, marker="o", ms=3, label=label)


def pages(docs: Path) -> dict[str, str]:
    """Both pages as they should be, by file name."""
    measured = read_measured(docs / "recipes")
    normal = (docs / NORMAL).read_text(encoding="utf-8")
    return {"recipes.md": recipes_page(measured), NORMAL: normal_page(normal, measured)}


if __name__ == "__main__":
    for page, text in pages(DOCS).items():
        (DOCS / page).write_text(text, encoding="utf-8", newline="\n")
        print(DOCS / page)
    for name, measured in read_measured(DOCS / "recipes").items():
        draw(name, measured, DOCS / "recipes" / f"{name}.png")

"""Writes what follows from the code: docs/observations.md, rewards.md, guards.md, the keys in docs/play.md, the
example in docs/explain.md, the checks and the monitors in docs/windows.md, the tables in docs/benchmark.md.

Run it after changing a list, the tables or the rules: python tools/write_docs.py. A test compares the pages.
"""

import json
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from ashen.cli import main
from ashen.core.fight import STEP_S
from ashen.doctor.checks import check_table
from ashen.evaluation.benchmark import BENCHMARK
from ashen.game.monitors.monitors import monitor_table
from ashen.obs.encoders import ENCODER_NAMES, make_encoder
from ashen.play.bindings import key_table
from ashen.rewards import make_reward, preset_names, term_table
from ashen.training.monitors.guards import guard_table

DOCS = Path(__file__).resolve().parent.parent / "docs"
EXAMPLE = "ashen explain always-attack --seed 0 --from-step 23 --to-step 47"


def observations() -> str:
    """The page of every number an encoder gives."""
    parts = ["# Observations\n\nWhat each encoder shows the network, for Iudex. Written by `tools/write_docs.py`.\n"]
    for name in ENCODER_NAMES:
        encoder = make_encoder(name)
        if encoder.is_dictionary:
            parts.append(f"## {name}\n\nSoulsGym's own dictionary, with its keys, shapes and ids.\n")
        else:
            parts.append(f"## {name}\n\n{len(encoder.names)} numbers.\n\n{encoder.table()}")
    return "\n".join(parts)


def rewards() -> str:
    """The page of every reward term and preset."""
    parts = ["# Rewards\n\nThe terms, and the presets made of them. Written by `tools/write_docs.py`.\n"]
    parts.append(f"## Terms\n\n{term_table()}")
    rows = ["| preset | weights |", "|---|---|"]
    for name in preset_names():
        reward = make_reward(name)
        weights = ", ".join(f"{term} {weight:g}" for term, weight in reward.weights.items())
        rows.append(f"| {name} | {weights} |")
    parts.append("## Presets\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def guards() -> str:
    """The page of everything a training warns of."""
    return f"""# Guards

What a training looks out for by itself. A warning stands under the live table, in `run.log` and in `metrics.jsonl`
(kind `warning`); it is said again after every tenth of the training while it lasts, and once more when it is over.
Written by `tools/write_docs.py`.

{guard_table()}
`ashen train --help` explains the options, [rewards](rewards.md) the terms.
"""


def play() -> str:
    """The page on playing, with its table of keys written anew."""
    return _written_anew("play.md", "keys", key_table())


def explain() -> str:
    """The page on explanations, with what its example prints written anew."""
    printed = StringIO()
    with redirect_stdout(printed):
        main(EXAMPLE.split()[1:])
    return _written_anew("explain.md", "example", f"For example `{EXAMPLE}`:\n\n```text\n{printed.getvalue()}```\n")


def windows() -> str:
    """The page on Windows, with its tables of checks and monitors written anew."""
    return _rewritten(_written_anew("windows.md", "checks", check_table()), "monitors", monitor_table())


def benchmark() -> str:
    """The benchmark's datasheet, with what is pinned, the leaderboard and the fidelity table written anew."""
    board = json.loads((DOCS / "leaderboard.json").read_text(encoding="utf-8"))
    page = (DOCS / "benchmark.md").read_text(encoding="utf-8")
    for part, text in (("pinned", _pinned()), ("leaderboard", _ranking(board)), ("fidelity", _judged_figures())):
        page = _rewritten(page, part, text)
    return page


def _pinned() -> str:
    match = f"--fights {BENCHMARK.fights} --seed {BENCHMARK.seed}"
    rows = [
        ["environment", f"`{BENCHMARK.env_id}`"],
        ["boss, fight, start", f"{BENCHMARK.boss}, {BENCHMARK.fight}, {BENCHMARK.start}"],
        ["tables", f"`{BENCHMARK.table_hash}`"],
        ["fights", f"{BENCHMARK.fights:,}, those of `ashen evaluate RUN --fight full {match}`"],
    ]
    return _table(["what", "pinned"], rows)


def _ranking(figures: dict[str, Any]) -> str:
    rows = []
    for place, row in enumerate(figures["rows"], 1):
        interval = f"{row['win_rate_low']:.1%}-{row['win_rate_high']:.1%}"
        won = f"{row['wins']} of {row['fights']}: {row['win_rate']:.1%} ({interval})"
        length, left = f"{row['length_mean_steps'] * STEP_S:.0f} s", f"{row['boss_hp_left_mean']:.1%}"
        steps = f"{row['env_step']:,}" if row["env_step"] else ""
        digest = f"`{row['sha256'][:16]}`" if "sha256" in row else ""
        rows.append([str(place), row["name"], row["kind"], won, length, left, steps, digest])
    heads = ["", "who", "kind", "won (95 % interval)", "length", "boss HP left", "steps of training", "SHA-256"]
    return _table(heads, rows)


def _judged_figures() -> str:
    """The rows of docs/fidelity.md that are judged, not only shown."""
    lines = (DOCS / "fidelity.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    head = next(row for row in cells if row[0] == "figure")
    judged = [row for row in cells if len(row) == len(head) and row[-1].strip("*") in ("pass", "fail")]
    return _table(head, judged)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [heads, ["---"] * len(heads), *rows])


def _written_anew(page: str, part: str, text: str) -> str:
    """A page with the text between the marks of a part replaced."""
    return _rewritten((DOCS / page).read_text(encoding="utf-8"), part, text)


def _rewritten(page: str, part: str, text: str) -> str:
    marks = rf"(<!-- {part}.*?-->\n).*?(<!-- end -->)"
    return re.sub(marks, lambda mark: mark[1] + text + mark[2], page, flags=re.S)


PAGES = {
    "observations.md": observations,
    "rewards.md": rewards,
    "guards.md": guards,
    "play.md": play,
    "explain.md": explain,
    "windows.md": windows,
    "benchmark.md": benchmark,
}

if __name__ == "__main__":
    for page, text in PAGES.items():
        (DOCS / page).write_text(text(), encoding="utf-8", newline="\n")
        print(DOCS / page)

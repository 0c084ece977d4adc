"""Trains a recipe with several seeds by the public command, and judges what it had at given times of the clock.

    python tools/measure_recipe.py full --seeds 5 --minutes 2 10 --fights 1000

At each mark the run's best checkpoint so far is put aside; when the training is over each plays so many full fights on
seeds that no training uses. The clock starts with the command, so that starting up, matches and everything else count.
What was measured goes to docs/recipes/NAME.json, with machine and versions, and a summary to the screen.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ashen.bench.machine import processor
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import read_metrics

DOCS = Path(__file__).resolve().parent.parent / "docs" / "recipes"
MATCH_SEED = 1_000_003
"""Of the fights that judge; trainings draw theirs from the recipe's seed."""
CURVE = ("env_step", "time", "win_rate", "return_mean", "phase_change_rate", "length_mean_steps")
_LOOK_EVERY_S = 0.5


def train(recipe: str, seed: int, marks_s: list[float], runs: Path, more: list[str]) -> dict[str, Any]:
    """Train once; returns the marks with the checkpoints put aside, the wall time and the curve."""
    run = RunFolder(runs / f"{recipe}-{seed}")
    words = ["train", recipe, "--seed", str(seed), "--name", run.name, "--runs-dir", str(runs), *more]
    begin = time.monotonic()
    log = (runs / f"{run.name}.txt").open("w", encoding="utf-8")
    process = subprocess.Popen([sys.executable, "-m", "ashen", *words], stdout=log, stderr=log)
    aside, waiting = {}, sorted(marks_s)
    while process.poll() is None:
        time.sleep(_LOOK_EVERY_S)
        if waiting and time.monotonic() - begin >= waiting[0]:
            aside[waiting[0]] = _put_aside(run, waiting.pop(0))
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}; see {log.name}")
    wall_s = time.monotonic() - begin
    aside |= {mark: _put_aside(run, mark) for mark in waiting}
    curve = [{name: row.get(name) for name in CURVE} for row in read_metrics(run, "evaluation")]
    return {"seed": seed, "wall_s": round(wall_s, 1), "aside": aside, "curve": curve}


def _put_aside(run: RunFolder, mark_s: float) -> Path | None:
    """A run folder of its own with the best checkpoint there is now; None if there is none yet."""
    best = run.checkpoints / "best.pt"
    if not best.is_file():
        return None
    copy = RunFolder(run.path.with_name(f"{run.name}-at-{mark_s:g}s"))
    copy.checkpoints.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run.config_file, copy.config_file)
    shutil.copyfile(best, copy.checkpoints / "best.pt")
    return copy.path


def judge(run: Path | None, fights: int, more: list[str]) -> dict[str, Any] | None:
    """What ``ashen evaluate`` says of a run."""
    if run is None:
        return None
    words = ["evaluate", str(run), "--fights", str(fights), "--seed", str(MATCH_SEED), "--json", *more]
    done = subprocess.run([sys.executable, "-m", "ashen", *words], capture_output=True, encoding="utf-8", check=True)
    figures = json.loads(done.stdout)
    kept = ("fight", "wins", "fights", "win_rate", "win_rate_low", "win_rate_high", "phase_change_rate")
    return {name: figures[name] for name in (*kept, "return_mean", "length_mean_steps") if name in figures}


def main() -> None:
    """Train, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--minutes", type=float, nargs="+", default=[], help="marks of the clock; the end is always one"
    )
    parser.add_argument("--fights", type=int, default=1000)
    parser.add_argument("--runs-dir", type=Path, default=Path("runs"))
    parser.add_argument("--judge", action="append", default=[], help="further words for ashen evaluate, once a match")
    parser.add_argument("more", nargs=argparse.REMAINDER, help="after --: further words for ashen train")
    options = parser.parse_args()
    options.runs_dir.mkdir(parents=True, exist_ok=True)
    marks_s = [60.0 * minutes for minutes in options.minutes]
    matches = options.judge or [""]
    seeds = []
    for seed in range(options.seeds):
        row = train(options.recipe, seed, [*marks_s, 1e9], options.runs_dir, options.more[1:])
        row["marks"] = {
            "end" if mark == 1e9 else f"{mark / 60:g} min": {
                match or "as trained": judge(run, options.fights, match.split()) for match in matches
            }
            for mark, run in row.pop("aside").items()
        }
        seeds.append(row)
        print(json.dumps({key: value for key, value in row.items() if key != "curve"}), flush=True)
    machine = {"processor": processor(), "cores": os.cpu_count()}
    what = {"recipe": options.recipe, "more": options.more[1:], "date": time.strftime("%Y-%m-%d"), "machine": machine}
    DOCS.mkdir(exist_ok=True)
    (DOCS / f"{options.recipe}.json").write_text(
        json.dumps(what | {"seeds": seeds}, indent=1) + "\n", encoding="utf-8", newline="\n"
    )
    for mark in seeds[0]["marks"]:
        for match in matches:
            found = [row["marks"][mark][match or "as trained"] for row in seeds]
            rates = [figures["win_rate"] if figures else 0.0 for figures in found]
            print(f"{mark:8} {match or 'as trained':20} median {statistics.median(rates):.3f}, all {sorted(rates)}")


if __name__ == "__main__":
    main()

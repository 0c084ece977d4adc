"""Trains a recipe with several seeds by the public command, and judges what it had at given times of the clock.

    python tools/measure_recipe.py full --seeds 5 --minutes 2 10 --fights 1000
    python tools/measure_recipe.py dqn --seeds 5 --jobs 2 "--judge=" "--judge=--start random"
    python tools/measure_recipe.py full -- --evaluate-every 100000

At each mark the run's best checkpoint so far is put aside; when the training is over each plays so many fights on
seeds that no training uses. The clock starts with the command, so that starting up, matches and everything else count.
With --jobs trainings share the cores, and the clock with them: use it for recipes whose minutes do not matter.

What was measured goes to docs/recipes/NAME.json after every seed, with machine and versions. Broken off, the same
command goes on with the seeds that are missing; --again measures all of them anew. Then: python tools/write_recipes.py
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import torch

from ashen.bench.machine import machine_facts
from ashen.core.errors import UserError, unknown
from ashen.core.tables import boss_file
from ashen.options.training import read_train_options
from ashen.recipes import recipe_files
from ashen.runs.files import write_text
from ashen.runs.folder import BEST, RunFolder
from ashen.runs.metrics import Row, read_metrics
from ashen.sim.pack import load_tables
from ashen.training.code_version import commit
from ashen.training.tables import to_table

ROOT = Path(__file__).resolve().parent.parent
MATCH_SEED = 1_000_003
"""Of the fights that judge; trainings draw theirs from the recipe's seed."""
CURVE = ("win_rate", "return_mean", "phase_change_rate", "length_mean_steps")
"""Of the matches on the way."""
LEARNER = (
    "win_rate", "return_mean", "entropy", "explained_variance", "clip_fraction", "approx_kl", "value_loss",
    "epsilon", "q_mean", "target_mean", "td_error", "loss", "grad_norm",
)  # fmt: skip
"""What the live table shows of a training, as far as the learner has it."""
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Of the training, at which that is kept."""
JUDGED = (
    "fight", "start", "wins", "fights", "win_rate", "win_rate_low", "win_rate_high", "phase_change_rate",
    "return_mean", "length_mean_steps",
)  # fmt: skip
"""Of the matches at the marks."""
_LOOK_EVERY_S = 0.5


def main() -> int:
    """Train, judge, keep."""
    parser = make_parser()
    options = parse(parser, sys.argv[1:])
    out = options.out / f"{options.recipe}.json"
    try:
        head = facts(options)
        kept = [] if options.again else kept_seeds(out, head)
        options.runs_dir.mkdir(parents=True, exist_ok=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        one, keep = partial(measure_seed, options), partial(_keep, out, head)
        wrong = measure_missing(one, options.seeds, kept, options.jobs, keep)
    except UserError as error:
        parser.exit(2, f"measure_recipe: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, f"measure_recipe: stopped; what is done is in {out}, and the same command goes on\n")
    for problem in wrong:
        print(f"measure_recipe: {problem}", file=sys.stderr)
    if out.is_file():
        print(summary(json.loads(out.read_text(encoding="utf-8"))))
    return 1 if wrong else 0


def make_parser() -> argparse.ArgumentParser:
    """The options, without what stands after ``--``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", help="a shipped recipe's name")
    parser.add_argument("--seeds", type=_count, default=3)
    parser.add_argument("--minutes", type=float, nargs="+", default=[], help="marks; the end is always one")
    parser.add_argument("--fights", type=_count, default=1000)
    parser.add_argument("--jobs", type=_count, default=1, help="trainings side by side")
    words = "further words for ashen evaluate, once a match: --judge=WORDS"
    parser.add_argument("--judge", action="append", default=[], help=words)
    parser.add_argument("--again", action="store_true", help="measure all seeds anew")
    parser.add_argument("--runs-dir", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "recipes", help="folder of NAME.json")
    parser.epilog = "After -- come further words for ashen train."
    return parser


def parse(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Options of the tool; ``more`` holds the words after ``--``."""
    end = words.index("--") if "--" in words else len(words)
    return parser.parse_args(words[:end], argparse.Namespace(more=words[end + 1 :]))


def _count(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return int(text)


def facts(options: argparse.Namespace) -> dict[str, Any]:
    """What is measured, how, and on what: all of the JSON but the seeds.

    Raises:
        UserError: there is no such recipe, or a word for ``ashen train`` is wrong.
    """
    if options.recipe not in recipe_files():
        raise unknown("recipe", options.recipe, recipe_files())
    recipe = read_train_options([options.recipe, *options.more]).recipe
    found = {
        "recipe": options.recipe,
        "command": command(options),
        "seeds_asked": options.seeds,
        "minutes": options.minutes,
        "fights": options.fights,
        "judge": options.judge or [""],
        "more": options.more,
        "jobs": options.jobs,
        "threads_each": threads_each(options.jobs),
        "table_hash": load_tables(boss_file(recipe.boss))[1],
        "settings": to_table(recipe),
        "machine": machine_facts(("torch", "numpy", "numba")),
    }
    return json.loads(json.dumps(found))  # as it will be read again, without tuples


def command(options: argparse.Namespace) -> str:
    """The words that measure the same, wherever runs and figures were put."""
    words = ["python", "tools/measure_recipe.py", options.recipe, "--seeds", str(options.seeds)]
    words += ["--minutes", *(f"{minutes:g}" for minutes in options.minutes)] if options.minutes else []
    words += ["--fights", str(options.fights)]
    words += ["--jobs", str(options.jobs)] if options.jobs > 1 else []
    words += [f"--judge={match}" for match in options.judge]
    return subprocess.list2cmdline(words + (["--", *options.more] if options.more else []))


def threads_each(jobs: int) -> int:
    """Threads of one training: torch's own choice for one alone, else its share of the cores."""
    return torch.get_num_threads() if jobs == 1 else max(1, (os.cpu_count() or 1) // jobs)


def kept_seeds(file: Path, head: dict[str, Any]) -> list[Row]:
    """The seeds that an earlier call has measured already.

    Args:
        file: where it kept them; may be missing.
        head: what :func:`facts` says now.

    Raises:
        UserError: the file is damaged, or what is asked for now would not be the same measurement.
    """
    if not file.is_file():
        return []
    try:
        old = json.loads(file.read_text(encoding="utf-8"))
        seeds = old.pop("seeds")
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{file} is damaged; remove it, or measure anew with --again") from None
    may_differ = ("command", "seeds_asked", "date")
    differ = [key for key in head if key not in may_differ and head[key] != old.get(key)]
    if differ:
        raise UserError(f"{file} was measured with other {', '.join(differ)}; measure all seeds anew with --again")
    return seeds


def measure_missing(
    one: Callable[[int, Event], Row], seeds: int, kept: list[Row], jobs: int, keep: Callable[[list[Row]], None]
) -> list[str]:
    """Measure the seeds that are missing, and keep each as soon as it is done.

    Args:
        one: measures a seed; ends early, with an error, once the event is set.
        seeds: how many there are to be; they count from 0.
        kept: those measured already.
        jobs: how many side by side.
        keep: is given all that is measured, in order.

    Returns:
        What went wrong, a line for each seed that failed; the others are measured all the same.
    """
    done, stop, wrong = {row["seed"]: row for row in kept}, Event(), []
    with ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(one, seed, stop): seed for seed in range(seeds) if seed not in done}
        try:
            for future in as_completed(futures):
                if error := future.exception():
                    wrong.append(f"seed {futures[future]}: {error}")
                    continue
                done[futures[future]] = future.result()
                keep([done[seed] for seed in sorted(done)])
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return wrong


def measure_seed(options: argparse.Namespace, seed: int, stop: Event) -> Row:
    """Train once and judge what was put aside at each mark."""
    environment = dict(os.environ)
    if options.jobs > 1:
        share = str(threads_each(options.jobs))
        environment |= {"OMP_NUM_THREADS": share, "NUMBA_NUM_THREADS": share}
    row, aside = train(options, seed, environment, stop)
    row["marks"] = {
        mark: {
            match or "as trained": judge(run, options.fights, shlex.split(match), environment, stop)
            for match in options.judge or [""]
        }
        for mark, run in aside.items()
    }
    return row


def train(
    options: argparse.Namespace, seed: int, environment: dict[str, str], stop: Event
) -> tuple[Row, dict[str, Path | None]]:
    """Train once; what there is to say of it, and what was put aside by its mark. RuntimeError if it did not end."""
    run = _new_run(options.runs_dir, f"{options.recipe}-{seed}")
    words = ["train", options.recipe, "--seed", str(seed), "--name", run.name, "--runs-dir", str(options.runs_dir)]
    waiting, aside = sorted(options.minutes), {}
    row = {"seed": seed, "run": run.name, "commit": commit()}
    began, begin = datetime.now().astimezone(), time.monotonic()
    with (options.runs_dir / f"{run.name}.txt").open("w", encoding="utf-8") as log:
        words = [sys.executable, "-m", "ashen", *words, *options.more]
        process = subprocess.Popen(words, stdout=log, stderr=log, env=environment)
        while _is_running(process, stop):
            if waiting and time.monotonic() - begin >= 60.0 * waiting[0]:
                mark = f"{waiting.pop(0):g} min"
                aside[mark] = _put_aside(run, mark)
    row["wall_s"] = round(time.monotonic() - begin, 1)
    final = read_metrics(run, "final")
    if process.returncode or not final:
        raise RuntimeError(f"ashen train ended with {process.returncode} before it was done; see {log.name}")
    aside |= {mark: _put_aside(run, mark) for mark in (*(f"{minutes:g} min" for minutes in waiting), "end")}
    curve = [_figures(match, CURVE, began) for match in read_metrics(run, "evaluation")]
    steps = {"env_steps": final[-1]["env_step"], "game_steps": final[-1]["game_steps"]}
    return row | steps | {"curve": curve, "learner": _learner(run, began)}, aside


def _is_running(process: subprocess.Popen, stop: Event) -> bool:
    """Wait a moment, and end the process if asked to; whether it still runs."""
    if stop.wait(_LOOK_EVERY_S):
        process.terminate()
        process.wait()
    return process.poll() is None


def _new_run(runs_dir: Path, name: str) -> RunFolder:
    """A run of that name; of a seed that was broken off the old folder stays, so the new one gets a number."""
    names = (name if number == 1 else f"{name}-{number}" for number in range(1, 1000))
    return RunFolder(next(runs_dir / free for free in names if not (runs_dir / free).exists()))


def _figures(row: Row, names: tuple[str, ...], began: datetime) -> Row:
    """Some numbers of a row of metrics, with the minutes since the command began."""
    minutes = (datetime.fromisoformat(row["time"]) - began).total_seconds() / 60.0
    head = {"env_step": row["env_step"], "game_steps": row["game_steps"], "minutes": round(minutes, 3)}
    return head | {name: row[name] for name in names if row.get(name) is not None}


def _learner(run: RunFolder, began: datetime) -> list[Row]:
    """What the live table showed at given shares of the training."""
    rows = read_metrics(run, "train")
    total = rows[-1]["env_step"]
    at = {share: next(row for row in rows if row["env_step"] >= share * total) for share in SHARES}
    return [{"share": share} | _figures(row, LEARNER, began) for share, row in at.items()]


def _put_aside(run: RunFolder, mark: str) -> Path | None:
    """A run folder of its own with the best checkpoint there is now; None if there is none yet."""
    best = run.checkpoints / BEST
    if not best.is_file():
        return None
    copy = RunFolder(run.path.with_name(f"{run.name}-at-{mark.replace(' ', '-')}"))
    copy.checkpoints.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run.config_file, copy.config_file)
    shutil.copyfile(best, copy.checkpoints / BEST)
    return copy.path


def judge(run: Path | None, fights: int, more: list[str], environment: dict[str, str], stop: Event) -> Row | None:
    """What ``ashen evaluate`` says of a run; None for no run. RuntimeError if the match did not end."""
    if run is None:
        return None
    words = ["evaluate", str(run), "--fights", str(fights), "--seed", str(MATCH_SEED), "--json", *more]
    said, told = run / "match.json", run / "match.txt"
    with said.open("w", encoding="utf-8") as out, told.open("w", encoding="utf-8") as log:
        process = subprocess.Popen([sys.executable, "-m", "ashen", *words], stdout=out, stderr=log, env=environment)
        while _is_running(process, stop):
            pass
    if process.returncode:
        raise RuntimeError(f"ashen {' '.join(words)} ended with {process.returncode}; see {told}")
    figures = json.loads(said.read_text(encoding="utf-8"))
    return {name: figures[name] for name in JUDGED if name in figures}


def _keep(out: Path, head: dict[str, Any], seeds: list[Row]) -> None:
    """Write what is measured so far."""
    text = json.dumps(head | {"date": time.strftime("%Y-%m-%d"), "seeds": seeds}, indent=1)
    write_text(out, text + "\n")
    print(f"{len(seeds)} of {head['seeds_asked']} seeds are in {out}", flush=True)


def summary(measured: dict[str, Any]) -> str:
    """Win rates by mark and match."""
    lines = []
    for mark, matches in measured["seeds"][0]["marks"].items():
        for match in matches:
            found = [row["marks"][mark][match] for row in measured["seeds"]]
            rates = sorted(figures["win_rate"] if figures else 0.0 for figures in found)
            lines.append(f"{mark:8} {match:20} median {statistics.median(rates):.3f}, all {rates}")
    return "\n".join(lines)


if __name__ == "__main__":
    # A polite request to end is Ctrl-C, so that no training is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())

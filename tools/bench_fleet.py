"""What a fleet delivers, against one process alone.

    python tools/bench_fleet.py paced --minutes 10     8 players at a game's pace, 2 of them outside: what arrives
    python tools/bench_fleet.py paced --players 24     the same of more or fewer
    python tools/bench_fleet.py mixed --minutes 2      1 at a game's pace beside 3 that are quick: what it gets in
    python tools/bench_fleet.py throughput             players as fast as they can against the same recipe alone
    python tools/bench_fleet.py curves --seeds 3       learning by 8 players at a game's pace, and by 1 eight times it
    python tools/bench_fleet.py ingest                 what a step costs the learner: bytes, and time

Real heads, players and trainings in processes of their own; needs the tests' packages. Prints JSON. Exit code 1 if less
than 95 % of the paced steps arrive or some are left out, if less than 90 % of one process's speed is reached, or if
curves differ by more than seeds do.
"""

import argparse
import itertools
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fleet_at_work import Fleet, fleet_in
from taking_turns import Taker

from ashen.runs.folder import RunFolder
from ashen.runs.metrics import Row, read_metrics

GAME_STEPS_PER_S: Final = 22.0
PLAYERS: Final = 8
OUTSIDE: Final = 2
LEAST_ARRIVED, LEAST_SPEED = 0.95, 0.9
NEVER: Final = "1000000000"
_QUIET = ("--evaluate-every", NEVER, "--record-every", NEVER, "--checkpoint-every", NEVER)
_WARM_UP_S = 20.0
_SPEED: Final = "fleet/steps_per_s/"


def paced(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], bool]:
    """Steps/s that reach the learner from players at a game's pace."""
    players, wanted = options.players, options.players * GAME_STEPS_PER_S
    steps = int(wanted * (60.0 * options.minutes + 3 * _WARM_UP_S))
    with fleet_in(folder, actors=players - OUTSIDE) as fleet:
        fleet.start()
        for number in range(OUTSIDE):
            fleet.join(f"pc{number}", "--client", "--pace", f"{GAME_STEPS_PER_S:g}")
        words = ("--total-steps", str(steps), "--log-every", "500", *_QUIET, "--no-skip-steps", "--num-envs", "1")
        if _begun(fleet, "paced", players - OUTSIDE, GAME_STEPS_PER_S, words).wait():
            raise SystemExit(fleet.said("paced"))
    rows = _settled(read_metrics(RunFolder(fleet.runs / "paced"), "train"), players)
    arrived = _speed(rows)
    figures = {
        "players": players,
        "of_them_outside": OUTSIDE,
        "steps_per_s": round(arrived, 1),
        "steps_per_s_wanted": wanted,
        "share": round(arrived / wanted, 4),
        "minutes": round(_seconds(rows) / 60.0, 1),
        "staleness_mean_updates": round(mean(row["fleet/staleness_mean"] for row in rows), 1),
        "left_out_steps": sum(row["fleet/left_out_steps"] for row in rows),
        "updates": rows[-1]["updates"] - rows[0]["updates"],
    }
    return figures, arrived >= LEAST_ARRIVED * wanted


def mixed(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], bool]:
    """Steps/s that reach the learner from one player at a game's pace, beside three that are too quick for it."""
    quick_actors = 2
    with fleet_in(folder, actors=quick_actors) as fleet:
        fleet.start()
        fleet.join("paced", "--client", "--pace", f"{GAME_STEPS_PER_S:g}")
        fleet.join("quick", "--client")
        words = ("--total-steps", NEVER, "--log-every", "250", *_QUIET, "--no-skip-steps", "--num-envs", "1")
        words += ("--dqn.updates-per-step", "1", "--dqn.learning-starts", "1000")
        training = _begun(fleet, "mixed", quick_actors, 0.0, words)
        run, rows = RunFolder(fleet.runs / "mixed"), []
        while not rows or _seconds(rows) < 60.0 * options.minutes:
            if training.poll() is not None:
                raise SystemExit(fleet.said("mixed"))
            time.sleep(1.0)
            rows = _between_turns("paced", _settled(read_metrics(run, "train"), quick_actors + 2))
        on_the_way = len(list((folder / "outside").glob("players/mixed-paced-*/on-the-way/*.batch")))
        training.send_signal(signal.SIGINT)
        training.wait()
    arrived = {name: round(_speed_of(name, rows), 1) for name in ("paced", "quick", "actor-0", "actor-1")}
    figures = {
        "steps_per_s": arrived,
        "paced_steps_per_s_wanted": GAME_STEPS_PER_S,
        "paced_share": round(_speed_of("paced", rows) / GAME_STEPS_PER_S, 4),
        "paced_batches_on_the_way_at_the_end": on_the_way,
        "minutes": round(_seconds(rows) / 60.0, 1),
        "staleness_max_updates": max(row["fleet/staleness_max"] for row in rows),
        "left_out_steps": sum(row["fleet/left_out_steps"] for row in rows),
        "updates": rows[-1]["updates"] - rows[0]["updates"],
    }
    return figures, figures["paced_share"] >= LEAST_ARRIVED and not figures["left_out_steps"]


def throughput(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], bool]:
    """Steps/s of a fleet on this machine's cores over those of one process: of both one goes at a time, in turns."""
    found: dict[str, Any] = {}
    for recipe, log_every in (("full", "16000"), ("dqn", "200")):
        words = (recipe, "--total-steps", NEVER, "--log-every", log_every, *_QUIET)
        takers: dict[str, Taker] = {}
        try:
            for way, actors in (("alone", ()), ("fleet", ("--actors", str(os.cpu_count())))):
                takers[way] = Taker(folder, f"{recipe}-{way}", (*words, *actors))
            for turn in range(2 * options.turns):
                list(takers.values())[(turn + turn // 2) % 2].go(options.turn_s)  # who went last goes first next time
        finally:
            for taker in takers.values():
                taker.end()
        alone, fleet = (taker.speeds() for taker in takers.values())
        ratios = [ours / its for its, ours in zip(alone, fleet, strict=True)]
        lower, middle, upper = (round(value, 3) for value in quantiles(ratios, n=4))
        found[recipe] = {"ratio": middle, "half_of_turns_within": [lower, upper]}
        found[recipe] |= {"alone_steps_per_s": round(median(alone)), "fleet_steps_per_s": round(median(fleet))}
    is_enough = all(one["ratio"] >= LEAST_SPEED for one in found.values())
    return found | {"turns": options.turns, "turn_s": options.turn_s}, is_enough


def curves(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], bool]:
    """Learning over steps, by eight players at a game's pace, and by one at eight times it.

    A match of the greedy agent leaps from mark to mark within one training, so curves are judged by their means over
    all marks: of the hit points left to the boss in matches, and of the return of the training's own fights.
    """
    words = ["--total-steps", str(options.steps), "--evaluate-every", str(options.steps // 5), "--log-every", "2000"]
    words += ["--evaluation-fights", "100", "--record-every", NEVER, "--no-skip-steps", "--num-envs", "1"]
    words += ["--dqn.updates-per-step", "0.25", "--dqn.learning-starts", "2000", "--keep", "last"]
    ways = {"eight": (PLAYERS, GAME_STEPS_PER_S), "one": (1, PLAYERS * GAME_STEPS_PER_S)}
    found: dict[str, dict[str, Any]] = {}
    for way, (actors, pace) in ways.items():
        jobs = [
            (f"{way}-{seed}", ("--seed", str(seed), "--actors", str(actors), "--pace", f"{pace:g}"))
            for seed in range(options.first_seed, options.first_seed + options.seeds)
        ]
        runs = _side_by_side(folder, options.jobs, [(name, (*words, *more)) for name, more in jobs])
        matches, trained = ([read_metrics(run, kind) for run in runs] for kind in ("evaluation", "train"))
        found[way] = {
            "boss_hp_left": [[round(row["boss_hp_left_mean"], 3) for row in rows] for rows in matches],
            "return": [[round(value, 3) for value in _fifths(rows)] for rows in trained],
            "wall_s": [round(_seconds(rows)) for rows in trained],
        }
    judged = {}
    for curve in ("boss_hp_left", "return"):
        eight, one = ([mean(values) for values in found[way][curve]] for way in ways)
        spread = max(max(eight) - min(eight), max(one) - min(one))
        judged[curve] = {"apart": round(abs(mean(eight) - mean(one)), 3), "spread": round(spread, 3)}
    figures = {**found, "judged": judged, "steps": options.steps, "first_seed": options.first_seed}
    return figures, all(one["apart"] <= one["spread"] for one in judged.values())


def _fifths(rows: list[Row]) -> list[float]:
    """Mean return of the fights in each fifth of a training."""
    place = [min(4, 5 * row["env_step"] // rows[-1]["env_step"]) for row in rows]
    returns = [row.get("return_mean") for row in rows]
    return [mean(value for at, value in zip(place, returns, strict=True) if at == fifth and value is not None)
            for fifth in range(5)]  # fmt: skip


def ingest(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], bool]:
    """What a step and a player cost the learner, in one process: bytes on the wire, and time to check and remember."""
    from ashen.agents.acting import acting_state
    from ashen.training.fleet.batch import Tag, from_bytes, to_bytes
    from ashen.training.fleet.gatherer import Gatherer
    from ashen.training.fleet.ledger import Ledger
    from ashen.training.fleet.weights import packed
    from ashen.training.loop import Training
    from ashen.training.recipe import load_recipe

    recipe = replace(load_recipe("dqn"), dqn=replace(load_recipe("dqn").dqn, updates_per_step=0.0))
    learner, ledger = Training(recipe).agent, Ledger("s", 0)
    gatherer = Gatherer(recipe, 1, "one")
    gatherer.record()
    weights = packed(acting_state(learner), Tag("s", 0))
    gatherer.load(weights)
    took_s, steps, size = {"read": 0.0, "check": 0.0, "remember": 0.0}, 0, 0
    for _ in range(options.turns):
        data = to_bytes(gatherer.play().sealed())
        times_s = [time.perf_counter()]
        batch = from_bytes(data)
        times_s.append(time.perf_counter())
        ledger.check(batch, 0)
        times_s.append(time.perf_counter())
        learner.take([batch.part])
        times_s.append(time.perf_counter())
        for what, begin, end in zip(took_s, times_s, times_s[1:], strict=False):
            took_s[what] += end - begin
        steps, size = steps + batch.counts["steps"], size + len(data)
    figures = {"steps": steps, "bytes_per_step": round(size / steps), "weights_bytes": len(weights)}
    figures |= {f"{what}_us_per_step": round(1e6 * seconds / steps, 2) for what, seconds in took_s.items()}
    return figures | {"steps_per_s_at_most": round(steps / sum(took_s.values()))}, True


def _begun(fleet: Fleet, name: str, actors: int, pace: float, words: Sequence[str]) -> subprocess.Popen[bytes]:
    where = ("--runs-dir", str(fleet.runs), "--name", name, "--seed", "0")
    who = ("--fleet", f"{fleet.host}:{fleet.port}", "--actors", str(actors), "--pace", f"{pace:g}")
    return fleet.run("train", "dqn", *where, *who, *words, name=name)


@contextmanager
def _busy(programs: int) -> Iterator[None]:
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(programs)]
    try:
        yield
    finally:
        for program in running:
            program.kill()
            program.wait()


def _side_by_side(folder: Path, jobs: int, trainings: list[tuple[str, Sequence[str]]]) -> list[RunFolder]:
    waiting, running = list(trainings), []
    while waiting or running:
        while waiting and len(running) < jobs:
            name, words = waiting.pop(0)
            command = [sys.executable, "-m", "ashen", "train", "dqn", "--runs-dir", str(folder), "--name", name, *words]
            running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        running = [one for one in running if one.poll() is None]
        time.sleep(0.5)
    return [RunFolder(folder / name) for name, _ in trainings]


def _settled(rows: list[Row], players: int) -> list[Row]:
    """The rows from which on all players have been there for a while, without the last, which ends early."""
    seen: set[str] = set()
    for row in rows:
        seen |= {name for name in row if name.startswith(_SPEED)}
        if len(seen) == players:
            return [later for later in rows[:-1] if _at_s(later) - _at_s(row) >= _WARM_UP_S]
    return []


def _at_s(row: Row) -> float:
    return datetime.fromisoformat(row["time"]).timestamp()


def _seconds(rows: list[Row]) -> float:
    return _at_s(rows[-1]) - _at_s(rows[0])


def _speed(rows: list[Row]) -> float:
    return (rows[-1]["env_step"] - rows[0]["env_step"]) / _seconds(rows)


def _between_turns(player: str, rows: list[Row]) -> list[Row]:
    """From one row in which a player had its turn to another: between them comes what it played meanwhile."""
    own = [place for place, row in enumerate(rows) if any(player in name and value for name, value in row.items())]
    return rows[own[0] : own[-1] + 1] if own else []


def _speed_of(player: str, rows: list[Row]) -> float:
    """Steps/s of a player, in the mean over the rows."""
    steps = 0.0
    for before, row in itertools.pairwise(rows):
        own = sum(value for name, value in row.items() if name.startswith(_SPEED) and player in name)
        steps += own * (_at_s(row) - _at_s(before))
    return steps / _seconds(rows)


WAYS: Final[dict[str, Callable[..., tuple[dict[str, Any], bool]]]] = {
    "paced": paced,
    "mixed": mixed,
    "throughput": throughput,
    "curves": curves,
    "ingest": ingest,
}


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--minutes", type=float, default=10.0, help="of paced and mixed")
    parser.add_argument("--players", type=int, default=PLAYERS, help=f"of paced, {OUTSIDE} of them outside")
    parser.add_argument("--turns", type=int, default=40, help="of throughput, for each of the two; batches of ingest")
    parser.add_argument("--turn-s", type=float, default=3.0, help="how long each of them is")
    parser.add_argument("--seeds", type=int, default=3, help="of curves")
    parser.add_argument("--first-seed", type=int, default=0, help="of curves")
    parser.add_argument("--steps", type=int, default=100_000, help="of curves")
    parser.add_argument("--jobs", type=int, default=3, help="trainings of curves side by side")
    parser.add_argument("--beside", type=int, default=0, help="programs that never rest, on the same cores")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ashen-fleet-") as folder, _busy(options.beside):
        figures, is_enough = WAYS[options.way](options, Path(folder))
    machine = {"cores": os.cpu_count(), "machine": platform.platform(), "python": platform.python_version()}
    print(json.dumps({"way": options.way, "beside": options.beside, **figures, **machine}, indent=1))
    return 0 if is_enough else 1


if __name__ == "__main__":
    sys.exit(main())

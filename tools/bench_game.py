"""What our door to the game costs a step: SoulsGym's environment by itself, and through the process that owns the game.

    python tools/bench_game.py --steps 2000    prints JSON: microseconds, median and 99th percentile

Over the fake game; needs the tests' packages (python bootstrap.py test). Blocks of steps go by turns, through the
process and without it, so that whatever else the machine does falls on both.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

BLOCK = 30
NOTHING = 19
_TESTS = Path(__file__).resolve().parents[1] / "tests"


def measure(steps: int) -> dict[str, float]:
    """Times of a step in microseconds, and what the process adds in the median."""
    from fake_game import install

    from ashen.game.backend import GameBackend
    from ashen.game.door import Door
    from ashen.game.options import GameOptions
    from ashen.game.soulsgym_builds import fight_spec

    spec = fight_spec("iudex", "phase1", GameOptions())
    with install() as fake:
        door = Door()
        door.answer(("reset", 120.0, spec, None))
        fake.patch()
        backend = GameBackend("iudex", "phase1", GameOptions(step_deadline_s=120.0))
        times = {"in_process": [], "through_process": []}
        for _ in range(0, steps, BLOCK):
            times["in_process"] += _block(door._env.reset, lambda: door._env.step(NOTHING))
            times["through_process"] += _block(lambda: backend.reset(_ONE), lambda: backend.step(_ACTION))
        backend.close()
        door._env = None
    figures = {
        f"{name}_{share}_us": np.percentile(steps_s, part) * 1e6
        for name, steps_s in times.items()
        for share, part in (("median", 50), ("p99", 99))
    }
    figures["added_median_us"] = figures["through_process_median_us"] - figures["in_process_median_us"]
    return {"steps": len(times["in_process"])} | {name: round(float(value), 1) for name, value in figures.items()}


_ONE, _ACTION = np.ones(1, np.bool_), np.array([NOTHING])


def _block(reset: Callable[[], object], step: Callable[[], object]) -> list[float]:
    """Seconds of each step of one block; its first steps, after the reset, do not count."""
    reset()
    times = []
    for number in range(BLOCK + 5):
        begin = time.perf_counter()
        step()
        if number >= 5:
            times.append(time.perf_counter() - begin)
    return times


if __name__ == "__main__":
    sys.path.insert(0, str(_TESTS))
    os.environ["ASHEN_GAME_INSTALL"] = "fake_game:install_from_environment"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2_000, help="through the process; as many without it")
    print(json.dumps(measure(parser.parse_args().steps)))

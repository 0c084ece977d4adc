"""What our door to the game costs a step: SoulsGym's environment by itself, and through the process that owns the game.

    python tools/bench_game.py                              the game makes nobody wait: what a step costs
    python tools/bench_game.py --clock real --steps 2000    it takes its time, at speed 3: what is lost of that

Over the fake game; needs the tests' packages (python bootstrap.py test). Prints JSON. Blocks of steps go by turns,
through the process and without it, so that whatever else the machine does falls on both: steps/s are medians over the
turns with their spread (lowest, highest), the ratio is taken within each turn. Below 0.97 on the real clock is too
little: exit code 1.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 30
GAME_SPEED = 3.0
LEAST_RATIO = 0.97
NOTHING = 19
_NOT_COUNTED = 5
_DEADLINE_S = 120.0
_TESTS = Path(__file__).resolve().parents[1] / "tests"
_ONE, _ACTION = np.ones(1, np.bool_), np.array([NOTHING])


def measure(steps: int, clock: str) -> dict[str, Any]:
    """Times of steps both ways.

    Args:
        steps: each way, at least; full blocks are made.
        clock: of the fake game.
    """
    from ashen.game import soulsgym_builds as builds
    from ashen.game.backend import GameBackend
    from ashen.game.options import GameOptions

    options = GameOptions(game_speed=GAME_SPEED, step_deadline_s=_DEADLINE_S)
    builds.load()
    alone = builds.make_env(builds.fight_spec("iudex", "phase1", options))
    backend = GameBackend("iudex", "phase1", options)
    ways = {
        "soulsgym": lambda: _block(alone.reset, lambda: alone.step(NOTHING)),
        "door": lambda: _block(lambda: backend.reset(_ONE), lambda: backend.step(_ACTION)),
    }
    times_s: dict[str, list[list[float]]] = {way: [] for way in ways}
    for _ in range(0, steps, BLOCK):
        for way, block in ways.items():
            times_s[way].append(block())
    backend.close()
    found = {"clock": clock, "game_speed": GAME_SPEED, "faults": len(backend.incidents)}
    return found | figures(*(np.array(times_s[way]) for way in ways))


def figures(soulsgym_s: NDArray[np.float64], door_s: NDArray[np.float64]) -> dict[str, Any]:
    """The figures of what was timed.

    Args:
        soulsgym_s: seconds of each step without the door [turns, BLOCK].
        door_s: with it.
    """
    found: dict[str, Any] = {"turns": len(door_s), "steps": door_s.size}
    ways = {"soulsgym": soulsgym_s, "door": door_s}
    for way, times_s in ways.items():
        for share, part in (("median", 50), ("p99", 99)):
            found[f"{way}_{share}_us"] = round(float(np.percentile(times_s, part)) * 1e6, 1)
    found["added_median_us"] = round(found["door_median_us"] - found["soulsgym_median_us"], 1)
    for way, times_s in ways.items():
        found |= _over_turns(f"{way}_steps_per_s", 1.0 / times_s.mean(axis=1), 2)
    return found | _over_turns("ratio", soulsgym_s.mean(axis=1) / door_s.mean(axis=1), 4)


def _over_turns(name: str, values: NDArray[np.float64], digits: int) -> dict[str, Any]:
    spread = [round(float(value), digits) for value in (values.min(), values.max())]
    return {name: round(float(np.median(values)), digits), f"{name}_spread": spread}


def _block(reset: Callable[[], object], step: Callable[[], object]) -> list[float]:
    """Seconds of each step of one block; its first steps, after the reset, do not count."""
    reset()
    times_s = []
    for number in range(BLOCK + _NOT_COUNTED):
        begin = time.perf_counter()
        step()
        if number >= _NOT_COUNTED:
            times_s.append(time.perf_counter() - begin)
    return times_s


def main(words: Sequence[str]) -> int:
    """Measure and print; 1 if the door is too slow on the real clock."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2_000, help="through the process; as many without it")
    parser.add_argument("--clock", choices=("poll", "real"), default="poll", help="of the fake game")
    options = parser.parse_args(words)
    sys.path.insert(0, str(_TESTS))
    os.environ["ASHEN_GAME_INSTALL"] = "fake_game:install_from_environment"
    os.environ["ASHEN_FAKE_GAME"] = json.dumps({"clock": options.clock})
    found = measure(options.steps, options.clock)
    print(json.dumps(found))
    return int(options.clock == "real" and found["ratio"] < LEAST_RATIO)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

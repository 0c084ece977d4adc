"""A training on a game that fails again and again: does it end, can its run be used, and was nothing learned from it.

    python tools/soak_game.py --steps 20000 --seed 0    prints JSON, one object an algorithm; exit code 1 if not

Over the fake game, through the real training loop and the real process of the door; needs the tests' packages
(python bootstrap.py test). Faults are drawn from the rows of fake_game.fault_rows that a training gets over by itself,
one in about 150 steps, the end and the blocking of the door's own process among them.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ashen.replay import ReplayBuffer

EVERY_TICKS = 900
"""150 steps."""
ALGORITHMS = ("dqn", "ppo")
MOST_STOPS = 20
GRACE_S = 15.0
"""Of the machine's time, in which the door must answer beyond its deadline: what is busy has not hung."""
_TESTS = Path(__file__).resolve().parents[1] / "tests"
_WORDS = """game --backend game --world-steps-per-s 0 --no-skip-steps --actions all --evaluation-fights 2
    --final-fights 2"""
_OWN_WORDS = {
    "dqn": """--algorithm dqn --fight phase1 --dqn.width 32 --dqn.depth 1 --dqn.batch-size 32 --dqn.learning-starts 100
        --dqn.n-step 3 --dqn.prioritised --dqn.replay-capacity 100000""",
    "ppo": "--fight phase1 --ppo.width 32 --ppo.rollout-steps 128 --ppo.minibatch-size 64 --ppo.epochs 2",
}


class Ledger:
    """Every step that an agent was shown, fight by fight, and what it learns from beside that."""

    def __init__(self) -> None:
        self._steps: list[tuple[bytes, int]] = []  # observation and action of each step so far
        self._fights: list[int] = []  # the fight of each
        self.faulty: set[int] = set()
        self.fights = self.learned_of_faulty = 0

    def watch(self, agent: Any) -> None:
        """From here on; after a training has been resumed its new agent."""
        self._agent, self._observe, self._update = agent, agent.observe, agent.update
        agent.observe, agent.update = self.observe, self.update

    def observe(self, step: Any) -> None:
        """Before the agent sees a step."""
        self._steps.append(_key(step.obs[0], step.actions[0]))
        self._fights.append(self.fights)
        if step.faulted[0]:
            self.faulty.add(self.fights)
        self.fights += int(step.terminated[0] | step.truncated[0] | step.faulted[0])
        self._observe(step)

    def update(self, *arguments: Any) -> dict[str, float]:
        """Before an on-policy agent learns: which of the steps it would learn from were of faulty fights."""
        rollout = getattr(self._agent, "rollout", None)
        if rollout is not None and rollout.is_full:
            of_faulty = np.isin(self._fights[-rollout.length :], list(self.faulty))
            self.learned_of_faulty += int((of_faulty & ~rollout.faulted[:, 0]).sum())
        return self._update(*arguments)

    @property
    def steps_of_faulty(self) -> int:
        """Steps of fights that ended in a fault."""
        return int(np.isin(self._fights, list(self.faulty)).sum())

    def foreign(self, replay: ReplayBuffer) -> tuple[int, int]:
        """How many transitions a replay that never was full holds, and how many of them are of no good fight.

        Fights begin alike, so equal steps are counted: of each no more may be in it than good fights had.
        """
        rows = np.delete(replay.rows_from(0), replay.state_dict()["removed"])
        good = Counter(one for one, fight in zip(self._steps, self._fights, strict=True) if fight not in self.faulty)
        held = Counter(_key(row["obs"], row["action"]) for row in rows)
        return len(rows), (held - good).total()


def _key(obs: Any, action: Any) -> tuple[bytes, int]:
    return np.ascontiguousarray(obs).tobytes(), int(action)


def soak(
    algorithm: str,
    steps: int,
    seed: int,
    folder: Path,
    every_ticks: float = EVERY_TICKS,
    faults: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Train on a failing game, and look at what is left.

    Args:
        algorithm: ``dqn`` or ``ppo``.
        steps: to train for.
        seed: of agent and faults.
        folder: for the run and the list of faults provoked.
        every_ticks: mean time between two faults, in 1/60 s of game time.
        faults: further ones, as for :func:`fake_game.install.start`, until the user is asked to mend them.
    """
    from ashen.game import keeper
    from ashen.options.training import read_train_options
    from ashen.runs.folder import create_run
    from ashen.training.loop import Training
    from ashen.training.start import is_complete, run_config

    start_s = time.perf_counter()
    log = folder / f"{algorithm}.jsonl"
    log.touch()
    game = {"seed": seed, "budget_s": 1e9, "faults": [*faults]}
    game["random_faults"] = {"seed": seed, "every_ticks": every_ticks, "log": str(log)}
    os.environ["ASHEN_GAME_INSTALL"] = "fake_game:install_from_environment"
    os.environ["ASHEN_FAKE_GAME"] = json.dumps(game)
    keeper._GRACE_S = GRACE_S
    incidents_before = len(keeper.the_keeper().incidents)
    words = f"{_WORDS} {_OWN_WORDS[algorithm]} --total-steps {steps} --seed {seed}".split()
    for name, share in {"evaluate": 4, "checkpoint": 4, "record": 4, "log": 10}.items():
        words += [f"--{name}-every", str(steps // share)]
    training = Training(read_train_options(words).recipe)
    ledger, run = Ledger(), create_run(folder, algorithm, algorithm)
    training.begin(run)
    run.write_config(run_config(training))
    training, stops = _train(training, ledger, run, game)
    provoked = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    incidents = Counter(one.fault for one in keeper.the_keeper().incidents[incidents_before:])
    return {
        "algorithm": algorithm,
        "steps": training.env_step,
        "fights": ledger.fights,
        "provoked": dict(Counter(f"{one['moment']}: {one['fault']}" for one in provoked).most_common()),
        "incidents": dict(incidents.most_common()),
        "fights_discarded": len(ledger.faulty),
        "steps_discarded": ledger.steps_of_faulty,
        **_learned(algorithm, run, training, ledger),
        "hangs": max(0, incidents["door_hung"] - sum(one["fault"] == "door_blocks" for one in provoked)),
        "unclassified": incidents["unknown"],
        "stops": stops,
        "is_complete": is_complete(run),
        "evaluates": _evaluates(algorithm, folder),
        "seconds": round(time.perf_counter() - start_s, 1),
    }


def _train(training: Any, ledger: Ledger, run: Any, game: dict[str, Any]) -> tuple[Any, list[str]]:
    """Train to the end; the last training, and the lines with which it stopped, after which the user does his part."""
    from ashen.core.errors import UserError
    from ashen.training.start import is_complete, resumed

    stops: list[str] = []
    while not is_complete(run) and len(stops) < MOST_STOPS:
        ledger.watch(training.agent)
        try:
            with closing(training.env):
                for _ in training.run(run, lambda: False):
                    pass
        except UserError as error:
            stops.append(str(error))
            os.environ["ASHEN_FAKE_GAME"] = json.dumps(game | {"faults": []})
            training = resumed(run)
    return training, stops


def _learned(algorithm: str, run: Any, training: Any, ledger: Ledger) -> dict[str, int]:
    """What was learned from, and how much of that belongs to faulty fights."""
    from ashen.training.checkpoints import latest_checkpoint, load_checkpoint
    from ashen.training.replay_files import load_replay

    if algorithm == "ppo":
        return {"learned_of_faulty_fights": ledger.learned_of_faulty}
    agent = training.agent
    saved = ReplayBuffer(agent.replay.capacity, agent.obs_dim, agent.num_actions, agent.replay.alpha)
    load_replay(run, saved, load_checkpoint(latest_checkpoint(run))["replay"])
    held, of_faulty = ledger.foreign(saved)
    return {"replay": held, "replay_of_faulty_fights": of_faulty}


def _evaluates(run: str, folder: Path) -> bool:
    """Whether the run can be loaded and judged like any other."""
    from ashen.cli import main

    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return main(["evaluate", run, "--backend", "sim", "--fights", "2", "--runs-dir", str(folder)]) == 0


def is_good(figures: dict[str, Any]) -> bool:
    """Whether a soak came to what it should."""
    none = ("hangs", "unclassified", "replay_of_faulty_fights", "learned_of_faulty_fights")
    return figures["is_complete"] and figures["evaluates"] and not any(figures.get(name) for name in none)


def soaks(steps: int, seed: int, folder: Path) -> Iterator[dict[str, Any]]:
    """One soak for each algorithm."""
    for algorithm in ALGORITHMS:
        yield soak(algorithm, steps, seed, folder)


if __name__ == "__main__":
    sys.path.insert(0, str(_TESTS))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000, help="of each algorithm")
    parser.add_argument("--seed", type=int, default=0, help="of agents and faults")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        figures = []
        for one in soaks(options.steps, options.seed, Path(folder)):
            print(json.dumps(one, indent=2), flush=True)
            figures.append(one)
    sys.exit(not all(is_good(one) for one in figures))

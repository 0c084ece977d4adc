"""Real trainings killed at random moments and gone on with: they end as if nobody had touched them."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from equal_runs import assert_equal_runs

from ashen.cli import main
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import read_metrics

pytestmark = pytest.mark.resume
COMMON = (
    "--fight phase1 --num-envs 4 --total-steps 6000 --evaluate-every 2000 --evaluation-fights 2 --final-fights 2"
    " --checkpoint-every 100 --record-every 1000 --log-every 500"
)
LEARNERS = {
    "ppo": "--ppo.rollout-steps 32 --ppo.epochs 2 --ppo.minibatch-size 64 --ppo.width 16 --ppo.precision float32",
    "dqn": "--algorithm dqn --dqn.learning-starts 200 --dqn.batch-size 16 --dqn.width 16 --dqn.depth 1"
    " --dqn.replay-capacity 1500 --dqn.n-step 3 --dqn.prioritised",
}


def _words(learner: str, name: str, folder: Path) -> list[str]:
    return ["train", "ppo", "--name", name, "--runs-dir", str(folder), *COMMON.split(), *LEARNERS[learner].split()]


def _run_and_kill(words: list[str], run: RunFolder, after_s: float) -> bool:
    """Kill a training so long after it has made its first new checkpoint; whether it was still there to be killed."""
    command = [sys.executable, "-m", "ashen", *words]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    before = _newest(run)
    with subprocess.Popen(command, **quiet) as training:
        while training.poll() is None and _newest(run) == before:
            time.sleep(0.002)
        ends_s = time.monotonic() + after_s
        while training.poll() is None and time.monotonic() < ends_s:
            time.sleep(0.0005)
        was_there = training.poll() is None
        training.kill()
    return was_there


def _newest(run: RunFolder) -> str:
    if not run.config_file.is_file():  # a folder that is no run yet has nothing to go on with
        return ""
    return max((path.name for path in run.checkpoints.glob("step-*.pt")), default="")


def _kill_and_go_on(learner: str, folder: Path, kills: int, seed: int) -> int:
    """Train, kill and resume until it is through; how often it was killed."""
    run, rng, killed = RunFolder(folder / "killed"), random.Random(seed), 0
    words = _words(learner, "killed", folder)
    while killed < kills and _run_and_kill(words, run, after_s=rng.uniform(0.0, 0.15)):
        killed += 1
        words = ["resume", "killed", "--runs-dir", str(folder)]
    if not read_metrics(run, "final"):
        assert main(["resume", "killed", "--runs-dir", str(folder)]) == 0
    return killed


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_killed_training_ends_as_if_it_had_not_been(learner, tmp_path):
    """Breaks if being killed at any moment, in the middle of a checkpoint too, costs or changes anything.

    Ten kills here, five for each learner.
    """
    assert main(_words(learner, "unbroken", tmp_path)) == 0
    assert _kill_and_go_on(learner, tmp_path, kills=5, seed=0) == 5
    assert_equal_runs(RunFolder(tmp_path / "unbroken"), RunFolder(tmp_path / "killed"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("learner", LEARNERS)
def test_a_hundred_kills(learner, seed, tmp_path):
    """Breaks if one of a hundred kills, ten in each of ten trainings, changes anything."""
    assert main(_words(learner, "unbroken", tmp_path)) == 0
    assert _kill_and_go_on(learner, tmp_path, kills=10, seed=seed) == 10
    assert_equal_runs(RunFolder(tmp_path / "unbroken"), RunFolder(tmp_path / "killed"))

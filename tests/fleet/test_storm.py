"""Players and the head are killed while a fleet trains: it goes on, and learns nothing wrong."""

import random
import time

import pytest
from fleet_at_work import fleet_in, wait_until

from ashen.cli import main
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import latest_checkpoint, load_checkpoint

pytest.importorskip("ray", reason="Ray is not installed: python bootstrap.py test installs it")
pytestmark = pytest.mark.fleet

WORDS = (
    "--num-envs 1 --fight phase1 --dqn.width 16 --dqn.depth 1 --dqn.learning-starts 100 --dqn.batch-size 32"
    " --dqn.replay-capacity 50000 --evaluate-every 100000000 --evaluation-fights 2 --final-fights 2 --log-every 200"
    " --checkpoint-every 200"
)
ENDS_S = 900.0
"""For a training to end after the storm: at their pace players take nine minutes for the long one, waits left out."""


@pytest.mark.parametrize("storm_s", [20.0, pytest.param(300.0, marks=pytest.mark.slow)])
def test_a_fleet_in_a_storm_trains_to_its_end(tmp_path, storm_s):
    """Breaks if a killed player or head makes a fleet hang, or if what was learned is not what was played.

    Every 5 s one of three players dies, once the head with all of Ray and the training. Two more play from outside.
    """
    rng, steps = random.Random(0), 1500 + int(150 * storm_s)
    with fleet_in(tmp_path, actors=3) as fleet:
        head, training, killed = fleet.start(), None, 0
        outside = [fleet.join(f"pc{number}", "--client", "--pace", "44") for number in (1, 2)]
        words = ["--fleet", f"127.0.0.1:{fleet.port}", "--actors", "3", "--pace", "88", "--total-steps", str(steps)]
        where = ["--runs-dir", str(fleet.runs)]
        training = fleet.run("train", "dqn", "--name", "a", *where, *words, *WORDS.split(), name="training")
        run = RunFolder(fleet.runs / "a")
        wait_until(lambda: len(_players(run)) == 5, training)  # on a busy machine those outside come first
        ends_s, head_dies_s = time.monotonic() + storm_s, time.monotonic() + storm_s / 2
        while time.monotonic() < ends_s and training.poll() is None:
            killed += fleet.kill_player(rng)
            if head is not None and time.monotonic() > head_dies_s:
                fleet.kill_head(head, training)
                head, _ = None, fleet.start()
                training = fleet.run("resume", "a", *where, name="training")
            time.sleep(5.0)
        assert training.wait(ENDS_S) == 0, fleet.said("training")
        assert killed >= 3 and all(one.poll() is None for one in outside), fleet.said("pc1")
    _check_books(run, steps)
    assert main(["evaluate", "a", *where, "--fights", "2"]) == 0


def _players(run: RunFolder) -> set[str]:
    return {name for row in read_metrics(run, "train") for name in row if name.startswith("fleet/steps_per_s/")}


def _check_books(run: RunFolder, steps: int) -> None:
    """Every step learned from was sent by somebody, once and whole, and lies in the replay."""
    checkpoint = load_checkpoint(latest_checkpoint(run))
    accounts = checkpoint["training"]["fleet"]["accounts"]
    assert {"actor-0", "actor-1", "actor-2", "pc1", "pc2"} <= {
        name.split("-")[1] if name.startswith("a-") else name for name in accounts
    }
    assert sum(account["steps"] for account in accounts.values()) == checkpoint["env_step"] >= steps
    assert checkpoint["replay"]["written"] == checkpoint["env_step"]  # one-step returns: a row for every step
    assert not any(account["left_out"]["damaged"] for account in accounts.values())
    final = read_metrics(run, "final")[-1]
    assert final["env_step"] == checkpoint["env_step"]
    rows = read_metrics(run, "train")
    assert rows[-1]["env_step"] == final["env_step"] and "fleet/waiting" in rows[-1]
    assert max(row["fleet/restarts"] for row in rows) >= 1

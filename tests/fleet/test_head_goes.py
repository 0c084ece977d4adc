"""A fleet's head goes, or its Ray: what was learned is saved, that is said in a line, and nothing is left behind."""

import signal
import time

import pytest
from fleet_at_work import fleet_in

from ashen.runs.folder import RunFolder
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import latest_checkpoint, load_checkpoint

pytest.importorskip("ray", reason="Ray is not installed: python bootstrap.py test installs it")
pytestmark = pytest.mark.fleet

ORPHAN = ("sh", "-c", '"$@" &', "sh")
"""What starts a command and ends: Ray takes the end of a process's parent for that of its own."""
WORDS = "--fight phase1 --num-envs 1 --dqn.width 16 --dqn.depth 1 --dqn.learning-starts 100 --log-every 100"
ENDS_S = 300.0


@pytest.mark.parametrize("goes", ["ray", *(pytest.param(how, marks=pytest.mark.slow) for how in ("killed", "Ctrl-C"))])
def test_a_head_goes(tmp_path, goes):
    """Breaks if a training that loses its head saves nothing, ends without a word or by an error of Ray's, or if
    either outlives the other: the head its Ray, or Ray the head.
    """
    with fleet_in(tmp_path, actors=1) as fleet:
        head, run = fleet.start(), RunFolder(fleet.runs / "a")
        words = ["--fleet", f"127.0.0.1:{fleet.port}", "--actors", "1", "--pace", "88", "--runs-dir", str(fleet.runs)]
        fleet.run("train", "dqn", "--name", "a", *words, *WORDS.split(), name="training", prefix=ORPHAN)
        _wait(lambda: read_metrics(run, "train"))
        match goes:
            case "ray":
                fleet.kill_head()
            case "killed":
                head.kill()
            case "Ctrl-C":
                head.send_signal(signal.SIGINT)
        assert head.wait(ENDS_S) == {"ray": 1, "killed": -signal.SIGKILL, "Ctrl-C": 0}[goes]
        _wait(lambda: "then go on with: ashen resume" in fleet.said("training"))
        _wait(lambda: not fleet.ray())
        again = f"start it again: ashen fleet start --address 127.0.0.1 --port {fleet.port} --door-port"
        last = fleet.said("training").splitlines()[-1]
        assert "the fleet's head has gone" in last and again in last and "Traceback" not in fleet.said("training")
        assert load_checkpoint(latest_checkpoint(run))["env_step"] >= read_metrics(run, "train")[-1]["env_step"]
        assert ("Ray has ended here" in fleet.said("head")) is (goes == "ray")


def _wait(is_so) -> None:
    ends_s = time.monotonic() + ENDS_S
    while not is_so():
        assert time.monotonic() < ends_s
        time.sleep(0.2)

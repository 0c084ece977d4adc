"""Three hosts, each in a network of its own on this machine, with a cable that can be cut."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from fleet_at_work import Fleet

from ashen.captain import PLAYERS
from ashen.runs.fights import list_fights
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import latest_checkpoint, load_checkpoint

pytest.importorskip("ray", reason="Ray is not installed: python bootstrap.py test installs it")
_CAN_BUILD = sys.platform == "linux" and os.geteuid() == 0 and shutil.which("ip") is not None
pytestmark = [
    pytest.mark.fleet,
    pytest.mark.slow,
    pytest.mark.skipif(not _CAN_BUILD, reason="hosts are built by root with the command ip (iproute2)"),
]
CUT_S = 30.0
HOSTS = ("head", "node", "pc")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def three_hosts() -> Iterator[None]:
    """Namespaces ``ash-head`` (10.77.0.1), ``ash-node`` (.2) and ``ash-pc`` (.3) on one bridge."""
    try:
        _ip("link", "add", "ashbr", "type", "bridge")
        _ip("link", "set", "ashbr", "up")
        for number, host in enumerate(HOSTS, 1):
            _ip("netns", "add", f"ash-{host}")
            _ip("link", "add", f"ash{host}", "type", "veth", "peer", "name", "eth9", "netns", f"ash-{host}")
            _ip("link", "set", f"ash{host}", "master", "ashbr", "up")
            for words in (["addr", "add", f"10.77.0.{number}/24", "dev", "eth9"], ["link", "set", "eth9", "up"]):
                _ip("-n", f"ash-{host}", *words)
            _ip("-n", f"ash-{host}", "link", "set", "lo", "up")
        yield
    finally:
        for host in HOSTS:
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "del", f"ash-{host}")
        with suppress(subprocess.CalledProcessError):
            _ip("link", "del", "ashbr")


def on(host: str) -> tuple[str, ...]:
    """Words before a command that run it on a host."""
    return ("ip", "netns", "exec", f"ash-{host}")


def test_a_host_that_was_cut_off_catches_up(tmp_path):
    """Breaks if what a player outside has played and recorded while it was cut off is lost, or if it stays away, or if
    a machine without the token joins or knocks for ever, or one with it does not say that it has joined.
    """
    with three_hosts():
        fleet = Fleet(tmp_path, actors=1, host="10.77.0.1")
        try:
            _cut_and_heal(fleet)
        finally:
            fleet.close()


def _cut_and_heal(fleet: Fleet) -> None:
    fleet.start(prefix=on("head"))
    join = ("fleet", "join", f"10.77.0.1:{fleet.port}", "--actors", "1")
    stranger = fleet.run(*join, name="stranger", prefix=(*on("node"), "env", f"RAY_AUTH_TOKEN={'0' * 64}"))
    assert stranger.wait(120.0) == 2 and "does not take this token" in fleet.said("stranger")
    fleet.run(*join, name="node", prefix=on("node"))
    fleet.join("pc", "--client", "--pace", "44", prefix=on("pc"))
    where = ("--runs-dir", str(fleet.runs))
    words = ("--actors", "2", "--pace", "44", "--num-envs", "1", "--no-skip-steps", "--fight", "phase1")
    words += (
        "--total-steps",
        "16000",
        "--dqn.width",
        "16",
        "--dqn.learning-starts",
        "100",
        "--evaluate-every",
        "900000",
    )
    words += ("--evaluation-fights", "2", "--final-fights", "2", "--log-every", "200", "--checkpoint-every", "1000")
    address = f"10.77.0.1:{fleet.port}"
    training = fleet.run("train", "dqn", "--name", "a", *where, "--fleet", address, *words, name="t", prefix=on("head"))
    run = RunFolder(fleet.runs / "a")
    while _played_by(run) < 3:
        assert training.poll() is None, fleet.said("t")
        time.sleep(0.5)
    assert f"joined {address}" in fleet.said("node")
    (player,) = (fleet.folder / "outside" / PLAYERS).glob("a-pc-*")
    spool = player / "on-the-way"
    _ip("link", "set", "ashpc", "down")
    time.sleep(CUT_S)
    waited = len(list(spool.glob("*.batch")))
    _ip("link", "set", "ashpc", "up")
    assert waited > CUT_S / 2, "it did not play on"
    assert training.wait(600.0) == 0, fleet.said("t")
    account = load_checkpoint(latest_checkpoint(run))["training"]["fleet"]["accounts"][player.name]
    assert account["lost"] == 0 and account["left_out"]["damaged"] == 0
    assert len(list(spool.glob("*.batch"))) < waited, "it did not catch up"
    recorded = {path.stat().st_size for path in list_fights(player / "fights")}
    assert recorded and len(list_fights(run.fights, "training")) >= len(recorded)


def _played_by(run: RunFolder) -> int:
    rows = read_metrics(run, "train")
    return sum(name.startswith("fleet/steps_per_s/") for name in rows[-1]) if rows else 0

"""Real fleets in processes of their own, for tests and tools: a head, players from outside, a training, and a storm."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

HEAD_S = 600.0
"""For a head to be up, on a machine that does much else."""


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(is_there: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait for something that a process brings about."""
    while not is_there():
        assert process.poll() is None
        time.sleep(0.2)


def shared_names() -> set[str]:
    """Blocks of memory that processes of this machine share, where they show as files."""
    return {file.name for file in (*Path("/dev/shm").glob("psm_*"), *Path("/dev/shm").glob("ashen-*"))}


class Fleet:
    """A fleet on this machine, with a token of its own.

    Args:
        folder: for runs, logs and the token.
        actors: that may play on the head.
    """

    def __init__(self, folder: Path, actors: int, host: str = "127.0.0.1"):
        self.folder, self.runs, self.host, self.actors = folder, folder / "runs", host, actors
        self.port, self.door_port = free_port(), free_port()
        compiled = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        own = {"HOME": str(folder), "XDG_CACHE_HOME": compiled, "RAY_TMPDIR": "/tmp"}  # sockets want short paths
        self.environment = os.environ | own
        self.tls: tuple[Path, Path] | None = None
        """Certificate and key of the door."""
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def door(self) -> str:
        """Where players from outside knock."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.door_port}"

    def run(self, *words: str, name: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        """Start an ashen command in the background; what it says goes to ``NAME.log``."""
        with (self.folder / f"{name}.log").open("ab") as log:
            command = [*prefix, sys.executable, "-m", "ashen", *words]
            own = {"stdout": log, "stderr": log, "env": self.environment, "start_new_session": True}
            process = subprocess.Popen(command, **own)
        self._processes.append(process)
        return process

    def start(self, prefix: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        """Start the head and wait until its door is open."""
        words = ["--address", self.host, "--port", str(self.port), "--door-port", str(self.door_port)]
        if self.tls:
            words += ["--tls-cert", str(self.tls[0]), "--tls-key", str(self.tls[1])]
        log = self.folder / "head.log"
        said_before = log.stat().st_size if log.is_file() else 0
        head = self.run("fleet", "start", *words, "--actors", str(self.actors), name="head", prefix=prefix)
        ends_s = time.monotonic() + HEAD_S
        while b"\ntoken " not in log.read_bytes()[said_before:]:
            if head.poll() is not None or time.monotonic() > ends_s:
                raise AssertionError(f"no head: {self.said('head')}")
            time.sleep(0.2)
        return head

    def join(self, name: str, *words: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        """Have a player from outside join."""
        words = ("fleet", "join", self.door, "--name", name, "--runs-dir", str(self.folder / "outside"), *words)
        return self.run(*words, name=name, prefix=prefix)

    def said(self, name: str) -> str:
        """What a command has said."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def players(self) -> list[psutil.Process]:
        """The processes of this fleet's actors."""
        return [one for one in self._own_processes() if one.name().startswith("ray::Actor")]

    def kill_player(self, rng: random.Random) -> bool:
        """Kill one actor's process, as a crash does; False if there is none."""
        players = self.players()
        if players:
            with suppress(psutil.NoSuchProcess):
                rng.choice(players).kill()
        return bool(players)

    def ray(self) -> list[psutil.Process]:
        """The processes of this fleet's Ray."""
        return list(self._own_processes(lambda name: "ray" in name or "gcs" in name))

    def kill_head(self, *ours: subprocess.Popen[bytes]) -> None:
        """Kill these processes and all of Ray's, as a power cut does."""
        for process in (*ours, *self.ray()):
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                process.kill()
        for process in ours:
            process.wait()

    def _own_processes(self, is_meant: Any = lambda name: True) -> Iterator[psutil.Process]:
        for process in psutil.process_iter(["name"]):
            with suppress(psutil.Error):
                if is_meant(process.info["name"]) and process.environ().get("HOME") == str(self.folder):
                    yield process

    def close(self) -> None:
        """End everything."""
        for process in reversed(self._processes):
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(30.0)
        for process in self._own_processes():
            with suppress(psutil.Error):
                process.kill()


@contextmanager
def fleet_in(folder: Path, actors: int, host: str = "127.0.0.1") -> Iterator[Fleet]:
    """A fleet whose processes end with the block."""
    fleet = Fleet(folder, actors, host)
    try:
        yield fleet
    finally:
        fleet.close()

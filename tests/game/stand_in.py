"""A small stand-in for soulsgym over the simulator, for the child process: it fails in scripted ways, once each.

The folder in the environment variable STAND_IN holds the script: a file ``step-3-read_error`` makes the third step
of a process fail so, and is removed as it does; ``step-0-read_error`` makes every step fail. What is done to the game
is written to the file ``log`` there.
"""

import os
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from pymem.exception import MemoryReadError

from ashen.sim.backend import SimBackend

LOW, HIGH = [110.0, 540.0, -73.0, -3.1416], [190.0, 640.0, -55.0, 3.1416]
POSE = ("x_m", "y_m", "z_m", "yaw_rad")


def folder() -> Path:
    """Where the script lies."""
    return Path(os.environ["STAND_IN"])


def log(line: str) -> None:
    """Write down what was done to the game."""
    with (folder() / "log").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def get_pid(name: str) -> int:
    """The game's process id, from the script."""
    if (folder() / "gone").exists():
        raise RuntimeError(f"Process {name} not open")
    pid = folder() / "pid"
    return int(pid.read_text(encoding="utf-8")) if pid.exists() else 77


class Game:
    """Access to the game: everything set on it is logged."""

    player_hp, player_animation, time = 454, "Idle", 0
    allow_deaths = gravity = game_speed = None

    def __init__(self) -> None:
        self.mem = SimpleNamespace(pid=get_pid("DarkSoulsIII.exe"), pymem=SimpleNamespace(read_long=lambda: 0))
        self._game_input = SimpleNamespace(state={"roll": False}, reset=lambda: log("keys released"))

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            log(f"{name} = {value}")
        object.__setattr__(self, name, value)

    def clear_cache(self) -> None:
        """Forget addresses."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def reload(self) -> None:
        """Load the world anew."""
        log("reload")


class Env:
    """soulsgym's training environment, with the names of its build on PyPI."""

    def __init__(self, game_speed: float = 1.0, phase: int = 1, init_pose_randomization: bool = False):
        log("make")
        self.game, self.terminated = Game(), False
        self._game_input = self.game._game_input
        self._is_init = self._phase_init = True
        self._init_pose_randomization = init_pose_randomization
        self.env_args = SimpleNamespace(coordinate_box_low=LOW, coordinate_box_high=HIGH)
        self._fight = SimBackend("iudex", self._kind(phase), 1)
        self._counts = {"reset": 0, "step": 0}
        self._trouble("make", 1)

    def _kind(self, phase: int) -> str:
        return f"phase{phase}"

    def reset(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start a fight."""
        log("reset")
        self._count("reset")
        self._fight.reset(np.ones(1, bool))
        return self._look()

    def step(self, action: int) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """0.1 s of it."""
        self._count("step")
        self._fight.step(np.array([action]))
        obs, info = self._look()
        return obs, 0.0, bool(self._fight.outcome()[0] in (1, 2)), False, info

    def _look(self) -> tuple[dict[str, Any], dict[str, Any]]:
        row, fight = self._fight.states[0], self._fight
        self._internal_state = SimpleNamespace(
            **{name: row[name] for name in row.dtype.names if name.endswith(("_hp", "_sp"))},
            player_pose=np.array([row[f"player_{axis}"] for axis in POSE]),
            boss_pose=np.array([row[f"boss_{axis}"] for axis in POSE]),
            camera_pose=np.array([row[f"camera_{axis}"] for axis in ("x_m", "y_m", "z_m", "nx", "ny", "nz")]),
            player_animation=fight.player_vocabulary.name(row["player_animation"]),
            boss_animation=fight.boss_vocabulary.name(row["boss_animation"]),
            player_animation_duration=float(row["player_animation_s"]),
            boss_animation_duration=float(row["boss_animation_s"]),
            lock_on=bool(row["lock_on"]),
        )
        for change in folder().glob(f"state-{self._counts['step']}-*"):
            _, _, name, value = change.name.split("-")
            change.unlink()
            setattr(self._internal_state, name, float(value) if value[0].islower() or value.isdigit() else value)
        # soulsgym itself leaves 1 in its environments of one phase.
        phase = int(row["phase"]) if type(self) is Demo else 1
        return {"phase": phase}, {"allowed_actions": np.flatnonzero(fight.valid_actions()[0]).tolist()}

    def _count(self, when: str) -> None:
        self._counts[when] += 1
        self._trouble(when, self._counts[when])

    def _trouble(self, when: str, number: int) -> None:
        for script in [*folder().glob(f"{when}-{number}-*"), *folder().glob(f"{when}-0-*")]:
            if not script.name.startswith(f"{when}-0"):
                script.unlink()
            kind = script.name.split("-")[2]
            if kind == "read_error":
                raise MemoryReadError(0, 4, 299)
            if kind == "hang":
                while True:
                    self.game.mem.pymem.read_long()
            if kind == "block":
                time.sleep(600)
            if kind == "die":
                os._exit(3)
            raise ValueError(kind)


class Demo(Env):
    """The full fight."""

    def __init__(self, game_speed: float = 1.0, init_pose_randomization: bool = False):
        super().__init__(game_speed, 1, init_pose_randomization)

    def _kind(self, phase: int) -> str:
        return "full"


def install() -> None:
    """Put the stand-in where soulsgym would be imported from."""
    parts: dict[str, dict[str, Any]] = {
        "soulsgym": {},
        "soulsgym.core": {},
        "soulsgym.core.speedhack": {
            "SpeedHackConnector": lambda name: SimpleNamespace(set_game_speed=lambda speed: log(f"wake at {speed}"))
        },
        "soulsgym.core.utils": {"get_pid": get_pid},
        "soulsgym.envs": {},
        "soulsgym.envs.darksouls3": {},
        "soulsgym.envs.darksouls3.iudex": {"IudexEnv": Env, "IudexEnvDemo": Demo},
        "soulsgym.games": {"game_factory": lambda name: Game()},
    }
    for name, contents in parts.items():
        module = ModuleType(name)
        module.__path__ = []
        module.__dict__.update(contents)
        sys.modules[name] = module

"""Fights for tests of explanations: one put in place by hand, and one of an opponent."""

import math

import numpy as np

from ashen.core.fight import ACTION_NAMES
from ashen.evaluation.explain.attacks import Attacks
from ashen.evaluation.explain.boss import boss_events
from ashen.evaluation.explain.events import Names
from ashen.evaluation.explain.hits import Blows
from ashen.evaluation.explain.player import input_events
from ashen.evaluation.judge import first_fight
from ashen.evaluation.opponents import make_opponent
from ashen.sim.backend import SimBackend
from ashen.sim.boss_ai import start_attack
from ashen.sim.records import MODE_HELD
from ashen.sim.trace import Tables, trace_step

ONE = np.ones(1, np.bool_)
ROLL_BACK = ACTION_NAMES.index("roll_back")
WORLD = {"boss": "iudex", "encoder": "ashen", "reward": "soulsgym", "actions": "all"}


def fought(opponent: str, fight: str = "full", seed: int = 0):
    """The record of one fight of an opponent."""
    return first_fight(
        lambda env: make_opponent(opponent, "iudex", env.action_names), WORLD | {"fight": fight}, seed=seed
    )


SHAPES = {
    "Attack3014": {"reach_m": 4.95, "half_arc_rad": math.radians(30.3), "inner_m": 0.0},
    "Attack3012": {"reach_m": 5.65, "half_arc_rad": math.radians(23.2), "inner_m": 1.56},
}
"""Numbers that the shipped table may change."""


class Scene:
    """A fight put in the arena's middle: the boss faces -y, the player stands ``distance_m`` off, ``off_deg`` aside."""

    def __init__(self, distance_m: float, off_deg: float = 0.0):
        backend = SimBackend("iudex", "phase1", 1)
        backend.reset(ONE, np.zeros(1, np.uint64))
        tables, self.vocabulary = backend.tables.copy(), backend.boss_vocabulary
        for name, shape in SHAPES.items():
            for key, value in shape.items():
                tables["attacks"][key][0, 0, self.vocabulary.id(name), 0] = value
        tables["rules"]["surface_offset_m"], tables["rules"]["sword_reach_m"] = 1.07, 2.8
        self.worlds, self.table = backend.snapshot(), tables[0]
        self.world, self.tables = self.worlds[0], Tables(tables)
        off = math.radians(off_deg)
        self.world["boss_x"], self.world["boss_y"], self.world["boss_yaw"] = 139.0, 596.0, 0.0
        self.world["player_x"] = 139.0 + distance_m * math.sin(off)
        self.world["player_y"], self.world["player_yaw"] = 596.0 - distance_m * math.cos(off), math.pi
        self.world["view_yaw"], self.world["ready_f"] = 0.5 * math.pi, 0
        self.world["mode"], self.world["mode_f"] = MODE_HELD, 1000
        self.names = Names("iudex", self.table)
        self._blows = Blows(self.table, self.names)
        self.attacks = Attacks(self.table, self.names)

    def attack(self, name: str, motion_f: int) -> "Scene":
        """Let the boss be in an attack, ``motion_f`` frames into its motion."""
        start_attack(self.world, self.vocabulary.id(name), -motion_f)
        self.world["act"], self.world["link"] = 0, 3  # no chain follows
        return self

    def told(self, *actions: int) -> list[str]:
        """What is told of steps with these actions."""
        events = []
        for action in actions:
            step = trace_step(self.world, self.tables, action)
            events += input_events(step, self.table, self.names)
            for frame in step.frames:
                events += [*boss_events(frame, self.table, self.names), *self._blows.watch(frame)]
                self.attacks.watch(frame, step=int(step.before["step"]))
        return [event.text for event in events]

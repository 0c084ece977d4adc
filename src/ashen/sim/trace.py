"""One step of one fight with all that happened inside it, for explanations.

The step itself is made by ``step_fight``. Beside it, copies of the world run through the same compiled rules frame by
frame, and with tables from which something was taken out, so that a copy stands where a rule found it: the boss before
a wall stops him, the bodies before a blow lands. Nothing is decided here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import Outcome
from ashen.sim.boss_body import advance_boss
from ashen.sim.fight import advance_frame, step_fight
from ashen.sim.hits import strike
from ashen.sim.inputs import delivered
from ashen.sim.player import press
from ashen.sim.records import FRAMES_PER_STEP, MODE_ATTACK, WORLD

_OUTSIDE_FRAMES = ("outcome", "step", "draws", "clock_off_s", "player_z", "pivot_", "view_")
_IN_FRAMES = [name for name in WORLD.names or () if not name.startswith(_OUTSIDE_FRAMES)]


class Tables:
    """A boss's table, and the same with something taken out.

    Args:
        tables: packed TABLE [1].
    """

    def __init__(self, tables: NDArray[Any]) -> None:
        self.real = tables[0]
        self.without_walls, self.without_boss_hits, self.without_hits = (tables.copy()[0] for _ in range(3))
        self.without_walls["arena"]["wall_radius_m"] = np.inf
        for table in (self.without_boss_hits, self.without_hits):
            table["attacks"]["num_hits"] = 0
        self.without_hits["moves"]["hit_to_f"] = 0


@dataclass(frozen=True)
class BlowTrace:
    """One hit window of the boss in one frame, open or not.

    Args:
        slot: which window of the attack.
        before: WORLD as the window was tested.
        after: WORLD after this window alone.
    """

    slot: int
    before: np.void
    after: np.void

    @property
    def has_landed(self) -> bool:
        """Whether the window hit in this frame."""
        return bool((self.after["hits_done"] & ~self.before["hits_done"]) >> self.slot & 1)


@dataclass(frozen=True)
class FrameTrace:
    """One frame of 1/30 s.

    Args:
        before: WORLD before it.
        decided: after the boss's part, his place not yet corrected by walls: what he decided on, and what.
        at_swing: both bodies moved, no blow tested yet.
        at_strike: the sword tested, the boss's windows not yet.
        blows: his windows one by one, if he is in the motion of an attack.
        after: WORLD after the frame.
    """

    before: np.void
    decided: np.void
    at_swing: np.void
    at_strike: np.void
    blows: tuple[BlowTrace, ...]
    after: np.void


@dataclass(frozen=True)
class StepTrace:
    """One step of 0.1 s.

    Args:
        action: 0..19.
        arrived: the action that reached the fight: another where keys come late or get lost.
        before: WORLD before the keys.
        pressed: after the keys.
        frames: up to three; the last may have ended the fight.
        after: WORLD after the step.
    """

    action: int
    arrived: int
    before: np.void
    pressed: np.void
    frames: tuple[FrameTrace, ...]
    after: np.void


def trace_step(world: np.void, tables: Tables, action: int) -> StepTrace:
    """Make one step and keep what happened in it.

    Args:
        world: WORLD record of a running fight; it is stepped as ``step_fight`` does it.
        tables: the tables the fight runs on.
        action: 0..19.

    Raises:
        ValueError: the fight is over.
        RuntimeError: the frames watched are not the step that was made; the rules of a step changed, and this not.
    """
    if world["outcome"] != Outcome.RUNNING:
        raise ValueError("the fight is over")
    before, pressed = world.copy(), world.copy()
    arrived = int(delivered(pressed, tables.real["rules"], action))
    press(pressed, tables.real, arrived)
    frames, now = [], pressed
    while len(frames) < FRAMES_PER_STEP and now["player_hp"] > 0.0 and now["boss_hp"] > 0.0:
        frames.append(_trace_frame(now, tables))
        now = frames[-1].after
    step_fight(world, tables.real, action)
    if any(not np.array_equal(now[name], world[name]) for name in _IN_FRAMES):
        raise RuntimeError(f"the frames watched are not those of step {before['step']}")
    return StepTrace(action, arrived, before, pressed, tuple(frames), world.copy())


def _trace_frame(before: np.void, tables: Tables) -> FrameTrace:
    decided, after = before.copy(), before.copy()
    advance_boss(decided, tables.without_walls)
    advance_frame(after, tables.real)
    at_swing, at_strike = _without_throws(before), _without_throws(before)
    advance_frame(at_swing, tables.without_hits)
    advance_frame(at_strike, tables.without_boss_hits)
    return FrameTrace(before, decided, at_swing, at_strike, _blows(at_strike, tables.real), after)


def _without_throws(world: np.void) -> np.void:
    """A copy in which no damage of a throw falls due: that comes after the blows."""
    copy = world.copy()
    copy["throw_damage_f"] = copy["riposte_damage_f"] = 0
    return copy


def _blows(at_strike: np.void, table: np.void) -> tuple[BlowTrace, ...]:
    blows, world = [], at_strike.copy()
    if world["mode"] == MODE_ATTACK and world["motion_f"] > 0:
        attack = table["attacks"][world["phase"] - 1, world["attack"]]
        for slot in range(int(attack["num_hits"])):
            if world["mode"] != MODE_ATTACK:  # a throw or a parry has ended the attack
                break
            before, done = world.copy(), int(world["hits_done"])
            world["hits_done"] = ~(1 << slot) | done
            strike(world, table, attack)
            world["hits_done"] = done | (int(world["hits_done"]) & (1 << slot))
            blows.append(BlowTrace(slot, before, world.copy()))
    return tuple(blows)

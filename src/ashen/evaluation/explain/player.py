"""What the player did, what he was refused and why, and what his stamina went for."""

from collections.abc import Iterator

import numpy as np

from ashen.core.fight import ACTION_NAMES, NOTHING
from ashen.evaluation.explain.events import Event, Names, points
from ashen.sim.player import is_valid
from ashen.sim.records import FRAMES_PER_S
from ashen.sim.trace import FrameTrace, StepTrace

_WALKS, _ROLLS = range(8), range(8, 16)
_LOCKED = {"lock_move_s": "walking", "lock_roll_s": "rolling", "lock_attack_s": "attacks and parries"}


def input_events(step: StepTrace, table: np.void, names: Names) -> Iterator[Event]:
    """What the keys of a step did; walking and doing nothing are no events."""
    action = step.arrived
    if action != step.action:
        why = "the keys come a step late" if step.before["is_late"] else "the keys are lost"
        yield Event("player", f"{ACTION_NAMES[step.action]} chosen, {ACTION_NAMES[action]} arrives: {why}")
    reason = refusal(step.before, table, names, action)
    if reason:
        yield Event("player", f"{ACTION_NAMES[action]} refused: {reason}")
    elif action not in _WALKS and action != NOTHING:
        started = table["moves"][step.pressed["move"]]
        yield Event("player", f"{ACTION_NAMES[action]}: {names.move(step.pressed['move'])}{_safe_text(started)}")


def refusal(world: np.void, table: np.void, names: Names, action: int) -> str:
    """Why an action would have no effect now; empty if it has one."""
    rules, move = table["rules"], table["moves"][world["move"]]
    if action == NOTHING:
        return ""
    if world["is_falling"]:
        return "he falls"
    if is_valid(world, rules, move, action):
        return ""
    if action not in _WALKS and world["stamina_halves"] <= 1:
        return f"no stamina left ({points(world['stamina_halves'] / 2)})"
    lock = "lock_move_s" if action in _WALKS else "lock_roll_s" if action in _ROLLS else "lock_attack_s"
    return f"{names.move(world['move'])} locks {_LOCKED[lock]} until its clock shows {move[lock]:.2f} s"


def frame_events(frame: FrameTrace, table: np.void, names: Names) -> Iterator[Event]:
    """Stamina spent and steps over the cliff."""
    before, now = frame.before, frame.at_swing
    spent = before["stamina_halves"] - now["stamina_halves"]
    if spent > 0:
        left = f"{points(before['stamina_halves'] / 2)} -> {points(now['stamina_halves'] / 2)}"
        yield Event("player", f"stamina {left}: {names.move(before['move'])} costs {points(spent / 2)}")
    if now["is_falling"] and not before["is_falling"]:
        depth = table["arena"]["fall_z_m"]
        yield Event("player", f"steps over the cliff and falls; dead below {depth:.1f} m, now {now['player_z']:.1f} m")


def _safe_text(move: np.void) -> str:
    length = int(move["safe_to_f"] - move["safe_from_f"])
    return f", i-frames for {length / FRAMES_PER_S:.2f} s ({length} frames)" if length > 0 else ""

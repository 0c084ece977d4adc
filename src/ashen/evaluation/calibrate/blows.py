"""Where the player stood while an attack could hit him, frame by frame, and which of his losses came when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.geometry import bearing_rad
from ashen.evaluation.calibrate.spans import Span, motion_f
from ashen.evaluation.recording import Recording
from ashen.sim.forced import frames_of_clock
from ashen.sim.records import B_THROW, FRAMES_PER_STEP, P_FALL, P_PARRY, P_THROWN

_LEAST_LOSS = 0.5
_FALL_LOOP_M = 0.5


@dataclass(frozen=True)
class Loss:
    """Hit points that an attack cost.

    Args:
        step: in which they were lost.
        after_f: the blow came later than this frame of the motion ...
        until_f: ... and no later than this one.
        points: how many.
        was_last: whether they were the last the player had, so that the blow may have been worth more.
    """

    step: int
    after_f: int
    until_f: int
    points: float
    was_last: bool


@dataclass(frozen=True)
class Swing:
    """One attack as it was swung once.

    Args:
        fight: the recording.
        span: its animation.
        losses: in order.
    """

    fight: Recording
    span: Span
    losses: tuple[Loss, ...]

    @property
    def key(self) -> tuple[int, int]:
        """Phase and attack."""
        return self.span.phase, self.span.name


def swings_of(fight: Recording, spans: Sequence[Span], table: np.void) -> Iterator[Swing]:
    """Every attack of a fight with what it cost. Throws count as a loss of nothing at the moment they take hold."""
    states, throw = fight.states, int(table["ids"][B_THROW])
    lost = -np.diff(states["player_hp"].astype(np.float64), prepend=states["player_hp"][0])
    lost[_is_falling(states, table)] = 0.0
    for span, after in zip(spans, [*spans[1:], None], strict=True):
        if not span.is_attack:
            continue
        losses = [_loss(states, span, step, lost[step]) for step in _steps(span, after) if lost[step] > _LEAST_LOSS]
        if after is not None and after.name == throw:
            at_f = after.start_f - span.motion_start_f
            losses = [Loss(after.first, at_f - 1, at_f, 0.0, False)]
        yield Swing(fight, span, tuple(losses))


def _steps(span: Span, after: Span | None) -> range:
    """Steps whose losses are the span's: a blow in the step in which the next name came was still its own."""
    return range(span.first + 1, span.end + (after is not None))


def _loss(states: NDArray[Any], span: Span, step: int, points: float) -> Loss:
    before_f = motion_f(span, states, step - 1)
    until_f = motion_f(span, states, step) if step < span.end else before_f + FRAMES_PER_STEP
    return Loss(step, before_f, until_f, float(points), bool(states["player_hp"][step] <= 0.0))


def _is_falling(states: NDArray[Any], table: np.void) -> NDArray[np.bool_]:
    sinks = np.diff(states["player_z_m"], prepend=states["player_z_m"][0]) < -_FALL_LOOP_M
    return sinks | (states["player_animation"] == table["moves"]["shown"][table["ids"][P_FALL]])


@dataclass(frozen=True)
class Places:
    """Where the player was in some frames of a motion, [F] each.

    Args:
        frame: of the motion.
        distance_m: from the boss.
        off_rad: off the boss's front, positive to his left.
        is_open: whether a blow would have hurt him: no roll, no parry, no throw, no fall saved him.
    """

    frame: NDArray[np.int64]
    distance_m: NDArray[np.float64]
    off_rad: NDArray[np.float64]
    is_open: NDArray[np.bool_]


def places(swing: Swing, from_f: int, to_f: int, table: np.void) -> Places:
    """The player's places in the recorded frames from ``from_f`` up to, not including, ``to_f``."""
    states, span = swing.fight.states, swing.span
    frames = np.arange(from_f, to_f)
    at = (span.motion_start_f + frames) / FRAMES_PER_STEP
    known = (at > 0) & (at <= len(states) - 1)
    frames, at = frames[known], at[known]
    near = slice(max(0, int(at[0]) - 1), int(at[-1]) + 3) if len(at) else slice(0, 1)
    steps = np.arange(len(states))[near]
    field = {name: np.interp(at, steps, states[name][near].astype(np.float64)) for name in _PLACES}
    yaw = np.interp(at, steps, np.unwrap(states["boss_yaw_rad"][near].astype(np.float64)))
    rows = np.stack([field["boss_x_m"], field["boss_y_m"], yaw, field["player_x_m"], field["player_y_m"]], axis=1)
    off = np.array([bearing_rad(*row) for row in rows])
    apart = np.hypot(field["player_x_m"] - field["boss_x_m"], field["player_y_m"] - field["boss_y_m"])
    return Places(frames, apart, off, np.array([_is_open(states, float(moment), table) for moment in at], np.bool_))


_PLACES = ("boss_x_m", "boss_y_m", "player_x_m", "player_y_m")


def _is_open(states: NDArray[Any], at: float, table: np.void) -> bool:
    """Whether the player can be hit at a moment, in steps: by the move shown after it, told back to it."""
    step = int(np.ceil(at - 1e-9))
    ids, moves = table["ids"], table["moves"]
    back_f = round((step - at) * FRAMES_PER_STEP)
    move_f = _move_f(states, step, table) - back_f
    if move_f <= 0 and step > 0:  # the move began later in this step: the one before still ran
        step -= 1
        move_f = _move_f(states, step, table) + FRAMES_PER_STEP - back_f
    move = int(states["player_animation"][step])
    if move in (int(ids[P_PARRY]), int(ids[P_THROWN])) or not states["lock_on"][step]:
        return False
    row = moves[move]
    return not row["safe_from_f"] <= move_f < row["safe_to_f"]


def _move_f(states: NDArray[Any], step: int, table: np.void) -> int:
    row = table["moves"][int(states["player_animation"][step])]
    delay_s = float(table["rules"]["press_delay_s"]) if row["pressed"] else 0.0
    return frames_of_clock(float(states["player_animation_s"][step]), delay_s)

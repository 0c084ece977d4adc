"""Explanations as text: a line a step, under it what happened in it, at the end what took the hit points."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

from ashen.core.errors import UserError
from ashen.core.fight import STEP_S
from ashen.core.geometry import bearing_rad, distance_m
from ashen.evaluation.explain.events import Event, points, side
from ashen.evaluation.explain.fight import Explanation
from ashen.runs.fights import WAITED

Show = Literal["all", "events", "hits"]
LEGEND: Final = (
    "A step is 0.1 s: f0 the keys, then three frames. Its line is what the action at the end was chosen from:"
)
"""Stands at the head of every explanation."""


def explanation_text(explanation: Explanation, show: Show, steps: range) -> str:
    """The text of a part of a fight.

    Args:
        explanation: the fight.
        show: ``"all"`` steps, those with ``"events"`` (what is the same as in the step before is told once), or those
            with ``"hits"``, blows and lost hit points alone.
        steps: which steps.

    Raises:
        UserError: the fight has none of these steps.
    """
    count = len(explanation.record.actions)
    if not set(steps) & set(range(count)):
        raise UserError(f"the fight has steps 0 to {count - 1}, none from {steps.start} to {steps.stop - 1}")
    lines = [*_head(explanation), ""]
    by_step = _chosen(explanation.events, show)
    for step in range(max(0, steps.start), min(count, steps.stop)):
        if show == "all" or step in by_step:
            lines.append(_step_line(explanation, step))
            lines += [f"{'':14}{_frame(event)} {event.kind:6} {event.text}" for event in by_step.get(step, [])]
    return "\n".join([*lines, "", *_sums(explanation)]) + "\n"


def _chosen(events: list[Event], show: Show) -> dict[int, list[Event]]:
    """The events to tell, by step."""
    told = {(event.step, event.text) for event in events} if show == "events" else set()
    chosen: dict[int, list[Event]] = {}
    for event in events:
        if (show != "hits" or event.kind == "hit") and (event.step - 1, event.text) not in told:
            chosen.setdefault(event.step, []).append(event)
    return chosen


def _head(explanation: Explanation) -> Iterator[str]:
    meta, count = explanation.record.meta, len(explanation.record.actions)
    world = f"{meta['fight']} fight against {meta['boss']}, {meta.get('start', 'fixed')} start"
    seed = f"seed {meta['seed']}, fight {meta.get('nth_of_seed', 0)} of its stream"
    yield f"{meta['policy']}: {world}, {seed}: {meta['outcome']} after {count} steps ({count * STEP_S:.1f} s)"
    yield LEGEND
    yield "metres between the centres (the boss's AI measures between surfaces), the player's side seen from the boss."


def _step_line(explanation: Explanation, step: int) -> str:
    record, names = explanation.record, explanation.names
    state, action = record.states[step], int(record.actions[step])
    places = [float(state[name]) for name in ("boss_x_m", "boss_y_m", "boss_yaw_rad", "player_x_m", "player_y_m")]
    away = distance_m(places[0], places[1], places[3], places[4])
    boss = f"{names.boss(state['boss_animation'])} {state['boss_animation_s']:.2f} s"
    player = f"{names.move(int(state['player_animation']))} {state['player_animation_s']:.2f} s"
    bars = f"player {state['player_hp']:.0f} HP {state['player_sp']:.0f} SP, boss {state['boss_hp']:.0f} HP"
    did = "(waits, nobody asked)" if action == WAITED else record.meta["action_names"][action]
    where = f"{away:.1f} m, {side(bearing_rad(*places))}"
    return f"{step:4} {step * STEP_S:6.1f} s  {boss:26} {where:21} {player:29} {bars:36} {did}"


def _frame(event: Event) -> str:
    return f"f{event.frame}"


def _sums(explanation: Explanation) -> Iterator[str]:
    """What took the hit points of either body."""
    last = explanation.record.states[-1]
    for body in ("player", "boss"):
        lost: Counter[str] = Counter()
        times: Counter[str] = Counter()
        for event in explanation.events:
            if event.body == body:
                lost[event.cause] += event.hp_lost
                times[event.cause] += 1
        parts = ", ".join(f"{cause} {points(hp)} ({times[cause]} x)" for cause, hp in lost.most_common())
        total = math.fsum(lost.values())
        ending = f"{last[f'{body}_hp']:.0f} left of {last[f'{body}_max_hp']:.0f}"
        yield f"whole fight: {body} lost {points(np.round(total, 1))} HP, {ending}{': ' if parts else ''}{parts}"

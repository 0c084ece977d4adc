"""Why the boss does what he does: draws with their candidates, walking up, chains, after-moves, turns."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ashen.evaluation.explain.events import Event, Names, points, seconds, side
from ashen.sim.boss_ai import act_weight, ai_distance_m, fits, player_bearing
from ashen.sim.random import uniform
from ashen.sim.records import (
    ACT_ATTACK,
    ACT_TURN,
    FRAMES_PER_S,
    MAX_ACTS,
    MAX_LINKS,
    MODE_APPROACH,
    MODE_ATTACK,
    MODE_HELD,
    MODE_SIDE_WALK,
    MODE_TURN,
    NO_ATTACK,
    SIDE_LEFT,
    SIDE_RIGHT,
)
from ashen.sim.trace import FrameTrace

_SIDES = {SIDE_LEFT: " on his left", SIDE_RIGHT: " on his right"}


@dataclass(frozen=True)
class Draw:
    """A weighted draw of the boss's AI.

    Args:
        act: what was drawn.
        weights: of every candidate, by act.
        cooling_s: seconds until candidates that cool down are ready, by act.
        walk_weight: weight of walking up to a player who lies down, else 0.
        number: the number drawn, 0 to the sum of all weights: first the walk, then the acts in order.
        rule: DECISION record that fitted.
    """

    act: int
    weights: dict[int, float]
    cooling_s: dict[int, float]
    walk_weight: float
    number: float
    rule: np.void

    @property
    def total(self) -> float:
        """Sum of all weights."""
        return self.walk_weight + sum(self.weights.values())


def boss_events(frame: FrameTrace, table: np.void, names: Names) -> Iterator[Event]:
    """What the boss decided in a frame, in order."""
    before, now = frame.before, frame.decided
    texts = [*_ends(frame, table, names)]
    if now["phase"] != before["phase"]:
        limit, hp = table["rules"]["phase_change_hp"], before["boss_hp"]
        texts.append(f"changes to phase 2 ({names.boss(now['attack'])}): {points(hp)} HP, at most {points(limit)}")
    elif has_decided(frame):
        texts.append(_draw_text(frame, table, names))
    elif now["mode"] == MODE_TURN and before["mode"] != MODE_TURN:
        limit_deg = math.degrees(table["rules"]["turn_before_walk_rad"])
        texts.append(f"turns before he walks: player {side(player_bearing(now))}, beyond {limit_deg:.0f}")
    for text in texts:
        yield Event("boss", text)


def start_event(world: np.void, table: np.void, names: Names) -> Event:
    """What the boss is still at when the fight starts."""
    walk = "walks up" if world["mode"] == MODE_APPROACH else "walks left" if world["walk_side"] > 0 else "walks right"
    acts = [act for act in range(MAX_ACTS) if world["ready_f"][act] > world["clock_f"]]
    phase = int(world["phase"])
    cooling = ", ".join(f"{_act_name(table, names, phase, act)} {seconds(world['ready_f'][act])}" for act in acts)
    return Event(
        "boss", f"still {walk} for {seconds(world['mode_f'])} from before; on cooldown: {cooling or 'nothing'}"
    )


def has_decided(frame: FrameTrace) -> bool:
    """Whether the boss made a new decision in this frame.

    Only decisions and what follows an attack draw numbers; of the latter, a walk aside is no decision. A decision
    without a number holds him or changes the phase.
    """
    before, now = frame.before, frame.decided
    drew = now["draws"] > before["draws"] and now["mode"] != MODE_SIDE_WALK
    goes_on_waiting = before["mode"] == MODE_HELD and now["mode_f"] == before["mode_f"] - 1
    return bool(drew or now["phase"] != before["phase"] or (now["mode"] == MODE_HELD and not goes_on_waiting))


def draw_of(frame: FrameTrace, table: np.void) -> Draw | None:
    """The weighted draw of a frame in which the boss decided; None if no rule fitted."""
    before, world = frame.before, frame.decided.copy()
    world["ready_f"] = before["ready_f"]
    # What follows an attack has drawn one number already.
    world["draws"] = before["draws"] + np.uint64(before["mode"] == MODE_ATTACK)
    distance, bearing = ai_distance_m(world, table["rules"]), player_bearing(world)
    phase = int(world["phase"]) - 1
    for rule in table["decisions"][phase]:
        if fits(rule, distance, bearing):
            weights = {act: act_weight(rule, table, world, act) for act in range(MAX_ACTS)}
            weights = {act: weight for act, weight in weights.items() if weight > 0.0}
            left_f = {act: int(world["ready_f"][act] - world["clock_f"]) for act in weights}
            lies = table["moves"][world["move"]]["lying"]
            walk = float(table["rules"]["player_down_weight"]) if lies else 0.0
            return Draw(
                act=int(frame.decided["act"]),
                weights=weights,
                cooling_s={act: left / FRAMES_PER_S for act, left in left_f.items() if left > 0},
                walk_weight=walk,
                number=uniform(world) * (walk + sum(weights.values())),
                rule=rule,
            )
    return None


def _draw_text(frame: FrameTrace, table: np.void, names: Names) -> str:
    now = frame.decided
    phase, act = int(now["phase"]), table["acts"][now["phase"] - 1, now["act"]]
    where = f"{ai_distance_m(now, table['rules']):.1f} m between surfaces, {side(player_bearing(now))}"
    draw = draw_of(frame, table)
    if draw is None:
        return f"finds no act for a player at {where}; {_goes(frame, table)}"
    chosen = draw.weights.get(draw.act, draw.walk_weight)
    rest = [_candidate(draw, table, names, phase, other) for other in draw.weights if other != draw.act]
    if draw.walk_weight and draw.act in draw.weights:
        rest.insert(0, f"walk {points(draw.walk_weight)}, the player lies")
    others = f"; others: {', '.join(rest)}" if rest else "; no other"
    what = _act_name(table, names, phase, draw.act) if draw.act in draw.weights else "a walk, for the player lies"
    chain = ""
    if act["num_chains"] > 1:
        odds = 100 * act["chain_odds"][now["chain"]]
        chain = f", {names.chain(act['chain'][now['chain']])} ({odds:.0f} % of its chains)"
    cools = f"; on cooldown {draw.cooling_s[draw.act]:.1f} s" if draw.act in draw.cooling_s else ""
    drew = f"drew {what} ({points(chosen)} of {points(draw.total)}{cools}{others}){chain}"
    return f"{drew}, as for {_rule_text(draw.rule)}: {where}; {_goes(frame, table)}"


def _act_name(table: np.void, names: Names, phase: int, act: int) -> str:
    """An act with the attack it begins with."""
    first = table["acts"][phase - 1, act]["chain"][0, 0]
    return names.act(phase, act) + (f" {names.boss(first)}" if first != NO_ATTACK else "")


def _candidate(draw: Draw, table: np.void, names: Names, phase: int, act: int) -> str:
    text = f"{_act_name(table, names, phase, act)} {points(draw.weights[act])}"
    if act not in draw.cooling_s:
        return text
    ready = draw.rule["weights"][act] * table["acts"][phase - 1, act]["weight_factor"]
    return f"{text} (on cooldown {draw.cooling_s[act]:.1f} s, then {points(ready)})"


def _rule_text(rule: np.void) -> str:
    low, high = math.degrees(rule["bearing_from_rad"]), math.degrees(rule["bearing_to_rad"])
    band = f"{points(rule['distance_from_m'])}-{points(rule['distance_to_m'])} m"
    angles = "" if low <= 0.0 and high >= 180.0 else f", {low:.0f}-{high:.0f} deg off"
    return f"a player at {band}{angles}{_SIDES.get(int(rule['side']), '')}"


def _goes(frame: FrameTrace, table: np.void) -> str:
    """How the act drawn begins."""
    now = frame.decided
    act = table["acts"][now["phase"] - 1, now["act"]]
    if now["mode"] == MODE_ATTACK:
        wait = f", once the old motion is over in {seconds(-now['motion_f'])}" if now["motion_f"] < 0 else ""
        return f"begins at once, within {points(act['approach_m'])} m{wait}"
    if act["kind"] == ACT_ATTACK:
        return f"walks up first, to within {points(act['approach_m'])} m, for {seconds(now['mode_f'])} at most"
    if act["kind"] == ACT_TURN:
        return "turns on the spot"
    near = points(table["phases"][now["phase"] - 1]["down_walk_to_m"])
    if now["mode"] == MODE_HELD:
        return f"waits {seconds(now['mode_f'])}, being within {near} m"
    return f"walks up to within {near} m, for {seconds(now['mode_f'])} at most"


def _ends(frame: FrameTrace, table: np.void, names: Names) -> Iterator[str]:
    """What ended in a frame, and what was to follow."""
    before, now = frame.before, frame.decided
    if before["mode"] == MODE_ATTACK:
        yield from _chain(frame, table, names)
        if now["draws"] > before["draws"]:
            yield _after_attack(frame, table, names)
    elif before["mode"] == MODE_APPROACH:
        act = table["acts"][before["phase"] - 1, before["act"]]
        if act["kind"] != ACT_ATTACK:
            return
        name, away = names.act(before["phase"], before["act"]), f"{ai_distance_m(now, table['rules']):.1f} m"
        if now["mode"] == MODE_ATTACK and not has_decided(frame):
            yield f"begins {names.boss(now['attack'])} of {name}: {away}, within {points(act['approach_m'])} m"
        elif has_decided(frame):
            patience = seconds(act["approach_life_f"])
            yield f"gives up {name}: {away}, beyond {points(act['approach_m'])} m, walked up for {patience}"
    elif before["mode"] == MODE_SIDE_WALK and has_decided(frame):
        yield "has walked aside"


def _chain(frame: FrameTrace, table: np.void, names: Names) -> Iterator[str]:
    before, now = frame.before, frame.decided
    act, link = table["acts"][before["phase"] - 1, before["act"]], int(before["link"]) + 1
    attack = table["attacks"][before["phase"] - 1, before["attack"]]
    at_combo = before["motion_f"] + 1 == attack["combo_f"]
    if not at_combo or act["kind"] != ACT_ATTACK or link >= MAX_LINKS:
        return
    following = act["chain"][before["chain"], link]
    if following == NO_ATTACK:
        return
    distance, within = ai_distance_m(now, table["rules"]), points(act["within_m"][before["chain"], link])
    if now["link"] == link:
        yield f"goes on with {names.boss(following)}: {distance:.1f} m, within {within} m"
    else:
        yield f"does not go on with {names.boss(following)}: {distance:.1f} m, beyond {within} m"


def _after_attack(frame: FrameTrace, table: np.void, names: Names) -> str:
    before, now = frame.before, frame.decided
    act = table["acts"][before["phase"] - 1, before["act"]]
    phase = table["phases"][before["phase"] - 1]
    over = f"{names.boss(before['attack'])} is over"
    odds = f"{100 * act['after_move_odds']:.0f} %"
    if now["mode"] != MODE_SIDE_WALK:
        return f"{over}; no walk aside (chance {odds})"
    walk = f"{over}; walks {'left' if now['walk_side'] > 0 else 'right'} for {seconds(now['mode_f'])} (chance {odds})"
    near = points(phase["after_near_m"])
    if ai_distance_m(now, table["rules"]) < phase["after_near_m"]:
        return f"{walk}: player within {near} m, {side(player_bearing(now))}"
    return f"{walk}: player beyond {near} m, side drawn"

"""Why blows hit or missed, both bodies', and what took every hit point."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from ashen.core.geometry import bearing_rad, distance_m, wrap
from ashen.evaluation.explain.events import Event, Names, points, seconds, span
from ashen.sim.hits import is_hit_by
from ashen.sim.records import (
    B_PARRIED,
    B_STAGGER,
    FRAMES_PER_S,
    LEVELS,
    MODE_ATTACK,
    P_PARRY,
    P_RIPOSTE,
)
from ashen.sim.trace import BlowTrace, FrameTrace


@dataclass(frozen=True)
class Test:
    """One blow against one body in one frame.

    Args:
        clock_f: frame of the attack's motion or of the swing.
        away_m: distance between the centres.
        off_deg: angle off the middle of the shape.
        verdict: why it missed, or ``"hit"``.
    """

    clock_f: int
    away_m: float
    off_deg: float
    verdict: str


@dataclass(frozen=True)
class Shape:
    """Where and when a blow can hit.

    Args:
        what: the attack with its window, or the swing.
        frames: first frame, and the first after the last.
        reach_m: of centre distance.
        inner_m: dead zone, nearer than which it does not hit.
        half_arc_deg: to either side.
    """

    what: str
    frames: tuple[int, int]
    reach_m: float
    inner_m: float
    half_arc_deg: float

    def miss(self, away_m: float, off_deg: float) -> str:
        """Why a body outside the shape is outside it."""
        if away_m > self.reach_m:
            return "out of reach"
        if away_m < self.inner_m:
            return "inside the dead zone"
        return "out of arc" if off_deg > self.half_arc_deg else ""


class Blows:
    """Watches the blows of a fight; a window's frames are told together, when it hits or closes.

    Args:
        table: the packed TABLE record.
        names: what things are called.
    """

    def __init__(self, table: np.void, names: Names) -> None:
        self._table, self._names = table, names
        self._tests: dict[Shape, list[Test]] = {}

    def watch(self, frame: FrameTrace) -> Iterator[Event]:
        """The blows and lost hit points of the next frame, in the order in which the rules come to them."""
        at_swing, at_strike, after = frame.at_swing, frame.at_strike, frame.after
        fallen = frame.before["player_hp"] - at_swing["player_hp"]
        if fallen > 0.0:
            yield Event("hit", f"the fall kills him: -{points(fallen)} HP", "player", fallen, "fall")
        open_now: set[Shape] = set()
        yield from self._swing(at_swing, at_strike, open_now)
        for blow in frame.blows:
            yield from self._strike(blow, open_now)
        last = frame.blows[-1].after if frame.blows else at_strike
        thrown, riposted = last["player_hp"] - after["player_hp"], at_strike["boss_hp"] - after["boss_hp"]
        if thrown > 0.0:
            text = f"the throw he is in does its damage: {_loss(thrown, frame.before['throw_damage'], 'player')}"
            yield Event("hit", text, "player", thrown, "throw")
        if riposted > 0.0:
            damage = self._table["moves"][self._table["ids"][P_RIPOSTE]]["damage"]
            text = f"the riposte does its damage: {_loss(riposted, damage, 'boss')}"
            yield Event("hit", text, "boss", riposted, "riposte")
        over = [shape for shape, tests in self._tests.items() if shape not in open_now or _is_last(shape, tests)]
        for shape in over:
            yield Event("hit", _miss_text(shape, self._tests.pop(shape)))

    def _swing(self, at_swing: np.void, at_strike: np.void, open_now: set[Shape]) -> Iterator[Event]:
        rules, move = self._table["rules"], self._table["moves"][at_swing["move"]]
        window = int(move["hit_from_f"]), int(move["hit_to_f"])
        if at_swing["sword_has_hit"] or not window[0] <= at_swing["move_f"] < window[1]:
            return
        name = self._names.move(at_swing["move"])
        half_arc = math.degrees(rules["sword_half_arc_rad"])
        shape = Shape(f"swing {name}", window, float(rules["sword_reach_m"]), 0.0, half_arc)
        away = distance_m(*(at_swing[f"{body}_{axis}"] for body in ("player", "boss") for axis in "xy"))
        off = bearing_rad(*(at_swing[key] for key in ("player_x", "player_y", "player_yaw", "boss_x", "boss_y")))
        off_deg = abs(math.degrees(off))
        landed = bool(at_strike["sword_has_hit"])
        verdict = "hit" if landed else shape.miss(away, off_deg)
        tests = self._tests.setdefault(shape, [])
        tests.append(Test(int(at_swing["move_f"]), away, off_deg, verdict))
        open_now.add(shape)
        if landed:
            lost = at_swing["boss_hp"] - at_strike["boss_hp"]
            text = f"{_hit_text(shape, self._tests.pop(shape))}: HIT, boss {_loss(lost, move['damage'], 'boss')}"
            left = at_swing["poise"] - move["poise_damage"]
            text += f", poise {points(at_swing['poise'])} -> {points(left)}"
            if at_strike["name"] == self._table["ids"][B_STAGGER] and at_strike["name_f"] == 0:
                text += f": staggered for {seconds(rules['stagger_f'])}, what he was doing is broken off"
            yield Event("hit", text, "boss", lost, name)

    def _strike(self, blow: BlowTrace, open_now: set[Shape]) -> Iterator[Event]:
        before, slot = blow.before, blow.slot
        attack = self._table["attacks"][before["phase"] - 1, before["attack"]]
        window = int(attack["hit_from_f"][slot]), int(attack["hit_to_f"][slot])
        if before["hits_done"] >> slot & 1 or not window[0] <= before["motion_f"] < window[1]:
            return
        name = self._names.boss(before["attack"])
        what = f"{name} window {slot + 1}"
        figures = float(attack["reach_m"][slot]), float(attack["inner_m"][slot])
        shape = Shape(what, window, *figures, math.degrees(attack["half_arc_rad"][slot]))
        tests = self._tests.setdefault(shape, [])
        tests.append(self._test(before, attack, slot, shape))
        open_now.add(shape)
        if blow.has_landed:
            text = f"{_hit_text(shape, self._tests.pop(shape))}: {self._effect(blow, attack)}"
            lost = before["player_hp"] - blow.after["player_hp"]
            yield Event("hit", text, "player" if lost > 0.0 else "", lost, name if lost > 0.0 else "")

    def _test(self, world: np.void, attack: np.void, slot: int, shape: Shape) -> Test:
        away = distance_m(*(world[f"{body}_{axis}"] for body in ("boss", "player") for axis in "xy"))
        off = bearing_rad(*(world[key] for key in ("boss_x", "boss_y", "boss_yaw", "player_x", "player_y")))
        off_deg = abs(math.degrees(wrap(off - attack["bearing_rad"][slot])))
        move = self._table["moves"][world["move"]]
        verdict = "hit"
        if not is_hit_by(world, attack, slot):
            verdict = shape.miss(away, off_deg)
        elif world["is_falling"]:
            verdict = "he falls"
        elif move["safe_from_f"] <= world["move_f"] < move["safe_to_f"]:
            verdict = "rolled" if move["rolling"] else f"invulnerable in {self._names.move(world['move'])}"
            first, last = int(move["safe_from_f"]), int(move["safe_to_f"])
            verdict += f"|{int(world['move_f']) - first + 1}|{last - first}"
        return Test(int(world["motion_f"]), away, off_deg, verdict)

    def _effect(self, blow: BlowTrace, attack: np.void) -> str:
        """What a blow that landed did."""
        before, after, slot, rules = blow.before, blow.after, blow.slot, self._table["rules"]
        if attack["is_throw"]:
            due = f"{points(attack['throw_damage'])} HP fall due in {seconds(attack['throw_damage_f'])}"
            return f"GRABBED, {self._names.move(after['move'])}, {due}"
        if after["name"] == self._table["ids"][B_PARRIED] and after["mode"] != MODE_ATTACK:
            return f"PARRIED {_parry_clock(before, rules)}, boss stunned for {seconds(rules['parry_stun_f'])}"
        lost = before["player_hp"] - after["player_hp"]
        if after["move"] == before["move"] == self._table["ids"][P_PARRY] and after["move_f"] == before["move_f"]:
            stamina = (before["stamina_halves"] - after["stamina_halves"]) / 2
            rate = f"{100 * rules['partial_parry_damage_rate']:.0f} % of {points(attack['damage'][slot])}"
            clock = _parry_clock(before, rules)
            return f"HALF PARRIED {clock}, {_loss(lost, lost, 'player')} ({rate}), -{points(stamina)} stamina"
        level = LEVELS[attack["level"][slot]]
        effect = (
            f"HIT, {_loss(lost, attack['damage'][slot], 'player')}, level {level}, {self._names.move(after['move'])}"
        )
        if self._table["moves"][before["move"]]["rolling"] and attack["level"][slot] <= rules["additive_up_to_level"]:
            effect += " (only that, for he was rolling)"
        return effect


def _parry_clock(world: np.void, rules: np.void) -> str:
    first, last = rules["parry_window_f"]
    return f"(frame {world['move_f']} of the parry, full in {first}-{last - 1})"


def _loss(lost: float, full: float, who: str) -> str:
    """Lost points; a last blow takes less than its damage."""
    if lost >= full:
        return f"-{points(lost)} HP"
    return f"-{points(lost)} HP (of {points(full)}), {'the boss' if who == 'boss' else 'he'} is dead"


def _hit_text(shape: Shape, tests: list[Test]) -> str:
    """A window up to the frame in which it hit."""
    missed = f" (before: {_reasons(tests[:-1])})" if len(tests) > 1 else ""
    return f"{_window_text(shape)}: frame {tests[-1].clock_f}: {_figures(shape, tests[-1:])}{missed}"


def _miss_text(shape: Shape, tests: list[Test]) -> str:
    """A window that hit nothing; if it was broken off, with the frames there were."""
    cut = "" if _is_last(shape, tests) else f", broken off after frame {tests[-1].clock_f}"
    return f"{_window_text(shape)}{cut}: {_figures(shape, tests)}: missed: {_reasons(tests)}"


def _is_last(shape: Shape, tests: list[Test]) -> bool:
    return tests[-1].clock_f == shape.frames[1] - 1


def _window_text(shape: Shape) -> str:
    first, last = shape.frames
    kind = "" if shape.what.startswith("swing") else "hit test "
    times = f"{first / FRAMES_PER_S:.2f}-{last / FRAMES_PER_S:.2f} s"
    return f"{kind}{shape.what}, frames {first}-{last - 1} ({times})"


def _figures(shape: Shape, tests: list[Test]) -> str:
    dead = f" (dead zone {shape.inner_m:.2f} m)" if shape.inner_m > 0.0 else ""
    away, off = span((test.away_m for test in tests), 1), span(test.off_deg for test in tests)
    return f"{away} m of {shape.reach_m:.2f} m{dead}, {off} deg of {shape.half_arc_deg:.0f} deg"


def _reasons(tests: list[Test]) -> str:
    """Reasons of misses in order, each with its frames if there are several."""
    groups: list[tuple[str, list[Any]]] = [
        (reason, list(group)) for reason, group in groupby(tests, lambda test: test.verdict.split("|")[0])
    ]
    texts = []
    for reason, group in groups:
        plural = "s" if len(group) > 1 else ""
        frames = f" in frame{plural} {span(test.clock_f for test in group)}" if len(groups) > 1 else ""
        if "|" in group[0].verdict:
            length = group[0].verdict.split("|")[2]
            numbers = span(int(test.verdict.split("|")[1]) for test in group)
            frames += f" (i-frame {numbers} of {length})"
        texts.append(reason + frames)
    return ", ".join(texts)

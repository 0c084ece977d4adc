"""Why blows hit or missed, both bodies', and what took every hit point."""

import math
from collections.abc import Iterator
from itertools import groupby

import numpy as np

from ashen.core.geometry import bearing_rad, distance_m
from ashen.evaluation.explain.events import Event, Names, points, seconds, span
from ashen.evaluation.explain.windows import GRABBED, HALF_PARRIED, HIT, PARRIED, Shape, Test, tested
from ashen.sim.records import B_STAGGER, FRAMES_PER_S, LEVELS, P_RIPOSTE
from ashen.sim.trace import BlowTrace, FrameTrace


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
        verdict = HIT if landed else shape.miss(away, off_deg)
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
        found = tested(blow, self._table, self._names)
        if found is None:
            return
        shape, test = found
        self._tests.setdefault(shape, []).append(test)
        open_now.add(shape)
        if blow.has_landed:
            name = self._names.boss(blow.before["attack"])
            text = f"{_hit_text(shape, self._tests.pop(shape))}: {self._effect(blow, test.verdict)}"
            lost = blow.before["player_hp"] - blow.after["player_hp"]
            yield Event("hit", text, "player" if lost > 0.0 else "", lost, name if lost > 0.0 else "")

    def _effect(self, blow: BlowTrace, landing: str) -> str:
        """What a blow that landed did."""
        before, after, slot, rules = blow.before, blow.after, blow.slot, self._table["rules"]
        attack = self._table["attacks"][before["phase"] - 1, before["attack"]]
        if landing == GRABBED:
            due = f"{points(attack['throw_damage'])} HP fall due in {seconds(attack['throw_damage_f'])}"
            return f"GRABBED, {self._names.move(after['move'])}, {due}"
        if landing == PARRIED:
            return f"PARRIED {_parry_clock(before, rules)}, boss stunned for {seconds(rules['parry_stun_f'])}"
        lost = before["player_hp"] - after["player_hp"]
        if landing == HALF_PARRIED:
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
    groups = [(reason, list(group)) for reason, group in groupby(tests, lambda test: test.verdict)]
    texts = []
    for reason, group in groups:
        plural = "s" if len(group) > 1 else ""
        frames = f" in frame{plural} {span(test.clock_f for test in group)}" if len(groups) > 1 else ""
        if group[0].i_frame is not None:
            numbers = span(test.i_frame[0] for test in group)
            frames += f" (i-frame {numbers} of {group[0].i_frame[1]})"
        texts.append(reason + frames)
    return ", ".join(texts)

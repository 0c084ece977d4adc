"""A rehearsal: a boss with hidden numbers is fought and recorded; are his numbers found again?"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.seeding import derive_seed, generator
from ashen.core.tables import Fact, boss_file, load_facts, player_facts, walk
from ashen.env import make_vec
from ashen.evaluation.calibrate.fights import fights_from
from ashen.evaluation.calibrate.numbers import SURE_FROM
from ashen.evaluation.calibrate.overlay import overlay_text
from ashen.evaluation.calibrate.report import judged_calibration
from ashen.evaluation.calibrate.trial import alignment, split
from ashen.evaluation.match import fight_seeds, play_match
from ashen.evaluation.opponents import AlwaysAttack, RandomPolicy, RollAndHit
from ashen.evaluation.policies import Policy
from ashen.runs.fights import FightRecord, save_fight
from ashen.sim.pack import load_tables

HIDDEN_SOURCE = "hidden"
SHIFT_S = 0.15
"""Every hit comes this much earlier or later at most, also where the table has it measured."""
SHARES = {"motion_s_m": 0.3, "turn_s_deg_s": 0.3, "damage": 0.2, "knockback_m": 0.2, "reach_m": 0.2}
"""By what share the other numbers of an attack are off at most."""
SPEEDS = ("walk_forward_m_s", "walk_left_m_s", "walk_right_m_s", "turn_deg_s", "tail_turn_deg_s")
SPEED_SHARE = 0.2
ARC_FACTOR = (0.7, 1.8)
INNER_M = (0.0, 2.0)
DROP_ODDS = 0.05
_DELAYS_S = (-0.3, 0.5)
"""How far the rolls of the scripted player are off from when they should come: early to too late."""
_ROUND = 8


def hidden_boss(seed: int, file: Path, base: str = "iudex") -> Path:
    """Write the overlay of a boss whose numbers all differ from the table's.

    Args:
        seed: same seed, same boss.
        file: where to.
        base: whose numbers vary.

    Returns:
        The file.
    """
    rng, facts = generator(seed, "hidden boss"), load_facts(boss_file(base))
    hidden = {path: fact for path, fact in _varied(rng, facts) if fact.value != _value(facts, path)}
    player = dict(walk(player_facts(boss_file(base))))
    gains = {
        f"camera.{key}": _hidden(player[f"camera.{key}"].value * rng.uniform(0.8, 1.2))
        for key in ("pivot_gain", "view_gain")
    }
    found = {"boss": hidden, "player": gains | {"inputs.drop_odds": _hidden(DROP_ODDS)}}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(overlay_text(base, found), encoding="utf-8")
    return file


def _hidden(value: Any) -> Fact:
    return Fact(value, HIDDEN_SOURCE, "G")


def _value(facts: dict[str, Any], path: str) -> Any:
    return dict(walk(facts))[path].value


def _varied(rng: np.random.Generator, facts: dict[str, Any]) -> Iterator[tuple[str, Fact]]:
    for phase, table in facts["phases"].items():
        for name, attack in table["attacks"].items():
            yield from _varied_attack(rng, f"phases.{phase}.attacks.{name}", attack)
    for key in SPEEDS:
        yield f"body.{key}", _hidden(facts["body"][key].value * _share(rng, SPEED_SHARE))
    for key in ("wall_radius_m", "cliff_radius_m"):
        yield f"arena.{key}", _hidden(facts["arena"][key].value + rng.uniform(-1.0, 1.0))


def _varied_attack(rng: np.random.Generator, path: str, attack: dict[str, Any]) -> Iterator[tuple[str, Fact]]:
    ends = []
    shift = rng.uniform(-SHIFT_S, SHIFT_S)
    for number, hit in enumerate(attack["hits"]):
        own, start, end = f"{path}.hits.{number}", *hit["window_s"].value
        ends.append(max(end - start, end + shift))
        yield f"{own}.window_s", _hidden([max(0.0, start + shift), ends[-1]])
        for key in ("damage", "knockback_m", "reach_m"):
            yield f"{own}.{key}", _hidden(hit[key].value * _share(rng, SHARES[key]))
        arc = min(180.0, hit["half_arc_deg"].value * rng.uniform(*ARC_FACTOR))
        yield f"{own}.half_arc_deg", _hidden(arc)
        if hit["inner_m"].value > 0.0:
            yield f"{own}.inner_m", _hidden(min(rng.uniform(*INNER_M), 0.5 * hit["reach_m"].value))
    least = max(ends, default=0.0)
    for key in ("combo_s", "name_end_s", "next_motion_s"):
        if key in attack:
            least = max(least, attack[key].value + rng.uniform(-SHIFT_S, SHIFT_S))
            yield f"{path}.{key}", _hidden(least)
    for key in ("motion_s_m", "turn_s_deg_s"):
        times, factor = (1, _share(rng, SHARES[key])) if key == "motion_s_m" else (2, _share(rng, SHARES[key]))
        rows = [[*row[:times], *(number * factor for number in row[times:])] for row in attack[key].value]
        yield f"{path}.{key}", _hidden(rows)


def _share(rng: np.random.Generator, most: float) -> float:
    return float(rng.uniform(1.0 - most, 1.0 + most))


class LateRoller(RollAndHit):
    """Rolls and hits like the script, but a little early or late in each fight, and now and then at random."""

    def __init__(self, name: str, action_names: Sequence[str], boss: str) -> None:
        super().__init__(name, action_names, boss)
        self._actions = action_names

    def begin(self, seeds: NDArray[np.uint64]) -> None:
        """Draw how far each fight's rolls are off."""
        self._random = RandomPolicy("random-valid", self._actions, only_valid=True)
        self._random.begin(seeds)
        self._late_s = np.array([generator(int(seed), "late").uniform(*_DELAYS_S) for seed in seeds])
        self._is_wild = np.array([generator(int(seed), "wild").random() < 0.3 for seed in seeds])

    def _choose(self, states: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        off = states.copy()
        off["boss_animation_s"] = np.maximum(0.0, off["boss_animation_s"] - self._late_s)
        chosen = super()._choose(off, mask)
        wild = self._random.act(states, None, mask).actions
        return np.where(self._is_wild & (states["step"] % 3 == 0), wild, chosen)


def rehearsal_fights(boss: Path, steps: int, seed: int) -> list[FightRecord]:
    """Fight a boss with players who need no training, until so many steps are recorded.

    Args:
        boss: the hidden boss's overlay.
        steps: at least this many.
        seed: same seed, same fights.
    """
    records: list[FightRecord] = []
    kinds = [(fight, player) for player in range(3) for fight in ("phase1", "phase2", "full")]
    for number in count():
        fight, player = kinds[number % len(kinds)]
        env = make_vec(str(boss), fight=fight, num_envs=_ROUND, encoder="raw26", random_start=number % 2 == 1, seed=0)
        seeds = fight_seeds(derive_seed(seed, "rehearsal", number), _ROUND)
        facts = {"boss": str(boss), "fight": fight, "kind": "evaluation", "env_step": number}
        play_match(env, _player(player, env), seeds, record=records.append, facts=facts)
        env.close()
        if sum(len(record.actions) for record in records) >= steps:
            break
    return _first_steps(records, steps)


def _first_steps(records: Sequence[FightRecord], steps: int) -> list[FightRecord]:
    """Whole fights, as many as the steps allow."""
    lengths = np.cumsum([len(record.actions) for record in records])
    return list(records[: int(np.searchsorted(lengths, steps)) + 1])


def _player(number: int, env: Any) -> Policy:
    names = env.action_names
    if number == 0:
        return LateRoller("late-roller", names, "iudex")
    if number == 1:
        return RandomPolicy("random-valid", names, only_valid=True)
    return AlwaysAttack("always-attack", names)


def rehearse(seed: int, steps: int, folder: Path) -> dict[str, Any]:
    """Hide a boss's numbers, fight him, calibrate, and compare.

    Args:
        seed: of the boss and the fights.
        steps: of recorded fights.
        folder: for the hidden boss's file, and a folder with the fights.

    Returns:
        ``seed``, ``fights`` and ``steps``; ``hit_times``, how many windows hit at least ``SURE_FROM`` times, with
        ``hit_time_max_s`` and ``hit_time_median_s`` of their errors and ``hit_time_max_before_s``, the table's;
        ``too_rare``, the windows that hit less often; ``ratios`` of each figure after to before on fights held out; and
        ``held_out``, the figures: ``before``, ``after``, and ``true`` with the hidden numbers themselves.
    """
    boss = hidden_boss(seed, folder / f"hidden-{seed}.toml")
    kept = folder / f"fights-{seed}"
    kept.mkdir(parents=True, exist_ok=True)
    for record in rehearsal_fights(boss, steps, seed):
        save_fight(record, kept)
    fights, base = fights_from([str(kept)], folder, None)
    result = judged_calibration(fights, base)
    windows = {path: fact.value[0] for path, fact in walk(load_facts(boss)) if path.endswith(".window_s")}
    seen = [path for path in windows if result.numbers.seen.get(path, 0) >= SURE_FROM]
    errors = [abs(result.numbers.value(path)[0] - windows[path]) for path in seen]
    before = [abs(result.numbers.before()[path].value[0] - windows[path]) for path in seen]
    true = asdict(alignment(split(fights)[1], load_tables(boss)[0][0], base))
    held_out = {name: row | {"true": true[name]} for name, row in result.figures["held_out"].items()}
    return {
        "seed": seed,
        "fights": result.fights,
        "steps": result.steps,
        "hit_times": len(seen),
        "hit_time_max_s": max(errors),
        "hit_time_median_s": float(np.median(errors)),
        "hit_time_max_before_s": max(before),
        "too_rare": sorted(set(windows) - set(seen)),
        "ratios": {name: row["after"] / max(1e-9, row["before"]) for name, row in held_out.items()},
        "held_out": held_out,
    }

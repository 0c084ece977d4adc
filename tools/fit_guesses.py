"""Fits the guessed numbers of Iudex's phase 1 to the figures of the real game, within what the evidence allows.

    python tools/fit_guesses.py --trials 70          # search, print the best
    python tools/fit_guesses.py --trials 70 --write  # and put it into the boss's table

Every trial plays random fights and the recorded strikes with changed numbers; its loss is the sum of squared
deviations, each in units of its figure's tolerance. Within eight tenths of the tolerance they cost little, beyond it
much: that all figures hold counts more than how well. The loss's logarithm is searched, since most of the space is very
wrong. Only numbers of confidence G or I are touched, and only within their ranges, which stay. The search starts from
the tables as they are. Seeded: same tables and trials, same result. Needs Optuna, which comes with the extras "sweep"
and "dev".
"""

import argparse
import math
import re
from copy import deepcopy
from statistics import median
from typing import Any

import optuna

from ashen.core.tables import Fact, boss_file, data_file, load_facts, plain, walk
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.fidelity.fitted import FITTED_TO
from ashen.evaluation.hits_check import recorded_strikes
from ashen.evaluation.logged import real_figures
from ashen.evaluation.random_play import random_fights, reward_per_step
from ashen.evaluation.recording import recorded_fights
from ashen.sim.pack import pack

FILES = {"boss": boss_file("iudex"), "player": data_file("ds3", "player.toml")}
SINGLES = (
    "player.sword.reach_m",
    "boss.phases.1.after_move_life_rate",
    "boss.body.surface_offset_m",
    "boss.arena.wall_radius_m",
    "boss.arena.corridor_half_width_m",
    "boss.arena.open_half_width_deg",
    "boss.phases.1.attacks.Attack3004.hits.0.inner_m",
    "boss.phases.1.attacks.Attack3012.hits.0.inner_m",
    "boss.phases.1.attacks.Attack3012.hits.0.half_arc_deg",
    "boss.phases.1.attacks.Attack3001.hits.0.inner_m",
)
"""Numbers that are searched one by one, each within its range in the table."""
FACTORS = {"reach_m": (1.2, 1.6), "half_arc_deg": (1.3, 2.2), "next_motion_s": (1.0, 1.4)}
"""Numbers of all phase-1 attacks that move together: a factor on the least that each one's range allows. The grab stays
short and narrow, as trained agents say."""
OWN_WAYS = tuple(f"player.reactions.{level}.own_m" for level in ("Fling", "SmallBlow", "Upper"))
"""How far a struck player flies of himself: numbers that lie at one and the same share of their ranges."""
FIGHTS, STEPS, SEED = 4000, 600_000, 1
"""``ashen fidelity`` judges by the fights of another seed."""
STARTUP = 10
"""Trials drawn at random before the sampler, a Gaussian process, has something to go by."""
FINALISTS, FINAL_SAMPLE = 6, 4
"""The best trials are partly the luckiest: so many are measured again, on other fights and so many times as many."""


def changed(trial: optuna.Trial, facts: dict[str, Fact]) -> dict[str, float]:
    """Dotted path -> new value, as the trial suggests, of ``facts`` by dotted path."""
    values = {path: trial.suggest_float(path, *facts[path].range) for path in SINGLES}
    for key, bounds in FACTORS.items():
        factor = trial.suggest_float(f"factor {key}", *bounds)
        values |= {
            path: min(facts[path].range[0] * factor, facts[path].range[1]) for path in _moved_together(key, facts)
        }
    share = trial.suggest_float("share own_m", 0.0, 1.0)
    values |= {path: facts[path].range[0] + share * (facts[path].range[1] - facts[path].range[0]) for path in OWN_WAYS}
    return {path: round(value, 3) for path, value in values.items()}


def as_they_are(facts: dict[str, Fact]) -> dict[str, float]:
    """What a trial would have to suggest to leave ``facts`` nearly as they are."""
    start = {path: facts[path].value for path in SINGLES}
    for key, bounds in FACTORS.items():
        factors = [facts[path].value / facts[path].range[0] for path in _moved_together(key, facts)]
        start[f"factor {key}"] = min(max(median(factors), bounds[0]), bounds[1])
    own = facts[OWN_WAYS[0]]
    return start | {"share own_m": (own.value - own.range[0]) / (own.range[1] - own.range[0])}


def _moved_together(key: str, facts: dict[str, Fact]) -> list[str]:
    """The numbers of phase-1 attacks that a factor moves: free ones, but for those searched one by one and throws."""
    return [
        path
        for path, fact in facts.items()
        if path.startswith("boss.phases.1.attacks.")
        and path.endswith(f".{key}")
        and path not in SINGLES
        and fact.range
        and fact.confidence in "IG"
        and f"{path.partition('.hits')[0]}.throw.damage" not in facts
    ]


def with_values(table: dict[str, Any], values: dict[str, float]) -> dict[str, Any]:
    """The plain table with some numbers replaced."""
    result = deepcopy(table)
    for path, value in values.items():
        *parents, last = path.split(".")
        node: Any = result
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node[part]
        node[last] = value
    return result


def loss_of(
    values: dict[str, float], real: dict[str, Any], seed: int = SEED, sample: int = 1
) -> tuple[float, dict[str, float]]:
    """Loss of a set of values, and the figures it comes from, by ``sample`` times the usual number of fights."""
    tree = with_values({name: plain(load_facts(path)) for name, path in FILES.items()}, values)
    tables = pack(tree["boss"], tree["player"], boss_vocabulary(FILES["boss"]))
    play = random_fights("iudex", "phase1", sample * FIGHTS, seed, tables=tables)
    batches = reward_per_step("iudex", "phase1", sample * STEPS, seed, tables=tables)
    wrong = sum(not strike.is_right for strike in recorded_strikes(recorded_fights(), tables[0]))
    figures = {
        "length_steps": (play.lengths.mean(), real["length_steps"], 0.10 * real["length_steps"]),
        "return_mean": (play.returns.mean(), real["return_mean"], 0.05),
        "return_sd": (play.returns.std(), real["return_sd"], 0.04),
        "reward_per_step_phase1": (batches.mean(), real["reward_per_step_phase1"], 0.000475),
        "batch_sd": (batches.std(), real["batch_sd"], 0.15 * real["batch_sd"]),
        "boss_hp_dealt": (play.dealt.mean(), 0.075, 0.045),
        "fall_share": (play.fell.mean(), 0.06, 0.04),
        "attacks_per_1000_steps": (play.attacks_per_1000_steps, 27.0, 6.0),
        "wrong_strikes": (float(wrong), 0.0, 0.5),
    }
    loss = 0.0
    for target in FITTED_TO:
        value, goal, tolerance = figures[target]
        off = abs(value - goal) / tolerance
        loss += 0.1 * off**2 + 20.0 * max(0.0, off - 0.8) ** 2
    return loss, {name: float(figure[0]) for name, figure in figures.items()}


def replaced(text: str, path: str, value: float) -> str:
    """The TOML text with one number replaced and FIT added to its source; confidence and range stay.

    Raises:
        ValueError: there is no such number in the text.
    """
    start, row = _row_with(text, path)
    key = path.rpartition(".")[2]
    found = re.search(rf'\b{key} = \{{ v = ([^,]+), s = "([^"]*)"', row)
    if found is None:
        raise ValueError(f"no number {path}")
    source = found[2] if "FIT" in found[2] else "FIT" if found[2] == "none" else f"{found[2]}+FIT"
    return f'{text[: start + found.start()]}{key} = {{ v = {value}, s = "{source}"{text[start + found.end() :]}'


def _row_with(text: str, path: str) -> tuple[int, str]:
    """Where the line with a number begins, and the line: one of several hits, its own, or that of its inline table."""
    *parents, key = path.split(".")
    places = [(parents, rf"{key} = ", 0), (parents[:-1], rf"{parents[-1]} = ", 0)]
    if "hits" in parents:
        places = [(parents[: parents.index("hits")], r"  \{ window_s", int(parents[-1]))]
    for section, begins, number in places:
        block = re.search(rf"(?ms)^\[{re.escape('.'.join(section))}\]\n.*?(?=^\[|\Z)", text)
        rows = list(re.finditer(rf"(?m)^{begins}.*$", block[0])) if block else []
        if block and number < len(rows):
            return block.start() + rows[number].start(), rows[number][0]
    raise ValueError(f"no number {path}")


def main() -> None:
    """Search, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=70)
    parser.add_argument("--write", action="store_true", help="put the best numbers into the boss's table")
    options = parser.parse_args()
    real = real_figures()["random_play"]
    facts = dict(walk({name: load_facts(path) for name, path in FILES.items()}))

    def objective(trial: optuna.Trial) -> float:
        return math.log(loss_of(changed(trial, facts), real)[0])

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.GPSampler(seed=SEED, n_startup_trials=STARTUP))
    study.enqueue_trial(as_they_are(facts))
    study.optimize(
        objective,
        n_trials=options.trials,
        callbacks=[
            lambda study, trial: print(
                f"{trial.number:4} loss {math.exp(trial.value):.3f}, best {math.exp(study.best_value):.3f}", flush=True
            )
        ],
    )
    finalists = sorted(study.trials, key=lambda trial: trial.value)[:FINALISTS]
    found = [changed(optuna.trial.FixedTrial(trial.params), facts) for trial in finalists]
    again = [loss_of(values, real, SEED + 1, FINAL_SAMPLE) for values in found]
    print("finalists, measured again: " + ", ".join(f"{loss:.3f}" for loss, _ in again))
    place = min(range(len(again)), key=lambda place: again[place][0])
    values, figures = found[place], again[place][1]
    print("\n".join(f"{name:26} {value:.5g}" for name, value in figures.items()))
    print("\n".join(f"{path} = {value}" for path, value in values.items()))
    if options.write:
        for path, value in values.items():
            name, _, inside = path.partition(".")
            text = replaced(FILES[name].read_text(encoding="utf-8"), inside, value)
            FILES[name].write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

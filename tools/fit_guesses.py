"""Fits the guessed numbers of Iudex's phase 1 to the figures of the real game, within what the evidence allows.

    python tools/fit_guesses.py --trials 120          # search, print the best
    python tools/fit_guesses.py --trials 120 --write  # and put it into the boss's table

Every trial plays random fights and the recorded strikes with changed numbers; its loss is the sum of squared
deviations, each in units of its figure's tolerance. A deviation within the tolerance costs a tenth, so that the search
ends in the middle of what is allowed. Only numbers of confidence G or I are touched. Seeded: same trials, same result.
"""

import argparse
import re
from copy import deepcopy
from typing import Any

import optuna

from ashen.core.tables import boss_file, data_file, load_facts, plain
from ashen.core.vocabulary import boss_vocabulary
from ashen.evaluation.hits_check import recorded_strikes
from ashen.evaluation.random_play import random_fights, reward_per_step
from ashen.evaluation.recording import recorded_fights
from ashen.sim.pack import pack

PATH = boss_file("iudex")
BOUNDS = {
    "phases.1.after_move_life_rate": (0.6, 1.0),
    "body.surface_offset_m": (0.85, 1.25),
    "arena.wall_radius_m": (16.5, 19.5),
    "phases.1.attacks.Attack3004.hits.0.inner_m": (1.25, 2.3),
    "phases.1.attacks.Attack3012.hits.0.inner_m": (1.4, 2.3),
    "phases.1.attacks.Attack3012.hits.0.half_arc_deg": (10.0, 40.0),
    "phases.1.attacks.Attack3001.hits.0.inner_m": (0.0, 2.3),
}
"""Single numbers, each with its range."""
SCALES = {"reach_m": (0.95, 1.1), "half_arc_deg": (0.8, 1.3)}
"""Factors on the phase-1 hits that are not in BOUNDS; the grab stays short and narrow, as trained agents say."""
TAIL_SCALE = (0.8, 1.1)
"""Factor on how long a motion goes on after its name, where that is a guess."""
FIGHTS, STEPS, SEED = 600, 300_000, 0


def changed(trial: optuna.Trial, table: dict[str, Any]) -> dict[str, float]:
    """Dotted path -> new value, as the trial suggests; ``table`` holds facts."""
    values = {path: trial.suggest_float(path, *bounds) for path, bounds in BOUNDS.items()}
    attacks = table["phases"]["1"]["attacks"]
    for key, bounds in SCALES.items():
        factor = trial.suggest_float(f"scale {key}", *bounds)
        for name, attack in attacks.items():
            for slot, hit in enumerate(attack["hits"]):
                path = f"phases.1.attacks.{name}.hits.{slot}.{key}"
                if path not in BOUNDS and "throw" not in attack and hit[key].confidence in "IG":
                    values[path] = min(hit[key].value * factor, 180.0)
    factor = trial.suggest_float("scale tails", *TAIL_SCALE)
    for name, attack in attacks.items():
        end, after = attack["name_end_s"].value, attack["next_motion_s"]
        if after.confidence == "G":
            values[f"phases.1.attacks.{name}.next_motion_s"] = max(end, after.value * factor)
    return {path: round(value, 3) for path, value in values.items()}


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


def loss_of(values: dict[str, float], real: dict[str, Any]) -> tuple[float, dict[str, float]]:
    """Loss of a set of values, and the figures it comes from."""
    table = with_values(plain(load_facts(PATH)), values)
    tables = pack(table, plain(load_facts(data_file("ds3", "player.toml"))), boss_vocabulary(PATH))
    play = random_fights("iudex", "phase1", FIGHTS, SEED, tables=tables)
    batches = reward_per_step("iudex", "phase1", STEPS, SEED, tables=tables)
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
        "wrong_strikes": (float(wrong), 0.0, 1.0),
    }
    loss = 0.0
    for value, goal, tolerance in figures.values():
        off = abs(value - goal) / tolerance
        loss += 0.1 * off**2 + max(0.0, off - 0.8) ** 2
    return loss, {name: float(figure[0]) for name, figure in figures.items()}


def replaced(text: str, path: str, value: float) -> str:
    """The TOML text with one number replaced; its source, confidence and range stay."""
    parts = path.split(".")
    is_hit = "hits" in parts
    section = ".".join(parts[: parts.index("hits")] if is_hit else parts[:-1])
    begin = text.index(f"\n[{section}]\n")
    end = text.find("\n[", begin + 2)
    block = text[begin : end if end >= 0 else len(text)]
    if is_hit:
        rows = [match.start() for match in re.finditer(r"\n  \{ window_s", block)] + [len(block)]
        slot = int(parts[parts.index("hits") + 1])
        row = block[rows[slot] : rows[slot + 1]]
        new_row = re.sub(rf"({parts[-1]} = \{{ v = )[^,]+", rf"\g<1>{value}", row, count=1)
        new = block[: rows[slot]] + new_row + block[rows[slot + 1] :]
    else:
        new = re.sub(rf"(\n{parts[-1]} = \{{ v = )[^,]+", rf"\g<1>{value}", block, count=1)
    return text[:begin] + new + text[begin + len(block) :]


def main() -> None:
    """Search, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=120)
    parser.add_argument("--write", action="store_true", help="put the best numbers into the boss's table")
    options = parser.parse_args()
    real = plain(load_facts(data_file("ds3", "real_figures.toml")))["random_play"]
    table = load_facts(PATH)

    def objective(trial: optuna.Trial) -> float:
        loss, figures = loss_of(changed(trial, table), real)
        trial.set_user_attr("figures", figures)
        return loss

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED, multivariate=True))
    study.optimize(
        objective,
        n_trials=options.trials,
        callbacks=[
            lambda study, trial: print(
                f"{trial.number:4} loss {trial.value:.3f}, best {study.best_value:.3f}", flush=True
            )
        ],
    )
    best = study.best_trial
    print("\n".join(f"{name:26} {value:.5g}" for name, value in best.user_attrs["figures"].items()))
    values = changed(optuna.trial.FixedTrial(best.params), table)
    print("\n".join(f"{path} = {value}" for path, value in values.items()))
    if options.write:
        text = PATH.read_text(encoding="utf-8")
        for path, value in values.items():
            text = replaced(text, path, value)
        PATH.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

"""Measures how far `ashen finetune` brings an agent back in a fight that differs from the one it was trained for.

    python tools/bench_finetune.py --seeds 3
    python tools/bench_finetune.py --parent RUN --table unseen
    python tools/bench_finetune.py --parent RUN --table calibrated
    python tools/bench_finetune.py --parent RUN --table itself

Trains an agent by the recipe `full`, or takes RUN's. Then, for each seed, shifts the boss (all times of an attack 15 %
earlier or later, every hit 20 % harder), fine-tunes, and prints the win rates: of the agent in its own fight, of the
same in the shifted one before and after tuning, of the tuned one in the old fight, and which agent the gate deploys.

What the encoder knows of the shifted boss is told by --table. known: his table. unseen: Iudex's own, as on a game that
differs from it and nobody noticed. calibrated: that at first; the agent's fights in half of the steps are recorded, the
table is calibrated from them, and tuning with it takes the other half. itself: the same by the one command
`ashen finetune RUN --boss SHIFTED --calibrate`, whose gate compares the agent with its old table and the tuned one with
the refitted.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

from ashen.cli import main as ashen
from ashen.core.seeding import derive_seed
from ashen.evaluation.calibrate.fights import fights_from
from ashen.evaluation.calibrate.report import judged_calibration
from ashen.evaluation.judge import judge
from ashen.evaluation.policies import GreedyAgent
from ashen.evaluation.shifted import shifted_boss
from ashen.runs.fights import FightRecord, save_fight
from ashen.runs.folder import RunFolder, create_run, open_run
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import BEST, CANDIDATE, PARENT, copy_checkpoint, load_checkpoint
from ashen.training.finetune import STEPS, finetuning_recipe
from ashen.training.loop import Training
from ashen.training.recipe import Recipe, env_options, load_recipe, make_agent_for
from ashen.training.tables import to_table
from ashen.training.trained import Trained, trained


def main() -> None:
    """Train or take an agent, tune it on several shifted bosses and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="shifted bosses")
    parser.add_argument("--parent", help="folder of a trained run; one is trained if not given")
    parser.add_argument(
        "--train-steps", type=int, help="of the agent trained if none is given; the recipe's own if not"
    )
    parser.add_argument("--steps", type=int, default=STEPS, help="of fine-tuning, recording included")
    parser.add_argument("--fights", type=int, default=200, help="of each match")
    parser.add_argument(
        "--table", choices=("known", "unseen", "calibrated", "itself"), default="known", help="of the encoder"
    )
    parser.add_argument("--keep", type=Path, help="folder for the runs")
    parser.add_argument("--json", action="store_true", help="print one JSON object a seed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        parent = trained(open_run(options.parent or newly_trained(folder, options.train_steps), folder))
        former = win_rate(parent.checkpoint, parent.recipe, options.fights)
        for seed in range(options.seeds):
            row = tuned(parent, former, options.table, seed, folder, options.steps, options.fights)
            print(json.dumps(row) if options.json else text(row), flush=True)


def text(row: dict[str, Any]) -> str:
    """The figures of one shifted boss as a line."""
    share = row["after"] / max(row["former"], 1e-9)
    recorded = f"{row['untuned']:.1%} calibrated after {row['recorded']:,} steps, " if row["recorded"] else ""
    return (
        f"seed {row['seed']}: former {row['former']:.1%}; shifted: {row['before']:.1%} before, {recorded}"
        f"{row['after']:.1%} tuned after {row['steps']:,}, {share:.0%} of the former; "
        f"old fight after: {row['old_fight']:.1%}; deployed: {row['deployed']} (p = {row['chance_of_gain']:.2g})"
    )


def newly_trained(folder: Path, steps: int | None) -> str:
    """Train an agent by the recipe `full`, for its own or so many steps; returns its run's folder."""
    recipe = load_recipe("full")
    recipe = recipe if steps is None else replace(recipe, total_steps=steps)
    run = create_run(folder, None, "parent")
    run.write_config({"recipe": to_table(recipe)})
    for _ in Training(recipe).run(run, lambda: False):
        pass
    return str(run.path)


def tuned(
    parent: Trained, former: float, table: str, seed: int, folder: Path, steps: int, fights: int
) -> dict[str, Any]:
    """Fine-tune an agent on the shifted boss of a seed, told of him what ``table`` says.

    Returns:
        ``former, before, after, old_fight``, win rates; ``deployed`` and ``chance_of_gain``; ``seed``, ``steps``, of
        which ``recorded``.
    """
    boss, recorded = str(shifted_boss(seed, folder / f"shifted-{seed}.toml").resolve()), 0
    shifted = replace(parent.recipe, boss=boss, seed=seed)
    if table != "known":
        shifted = replace(shifted, boss=parent.recipe.boss, real_boss=boss)
    before = win_rate(parent.checkpoint, shifted, fights)
    if table == "itself":
        run, recorded, untuned, final = tuned_by_itself(parent, boss, seed, folder, steps, fights)
    else:
        if table == "calibrated":
            own, recorded = calibrated(parent, shifted, steps // 2, folder / f"calibrated-{seed}")
            shifted = replace(shifted, boss=own)
        recipe = replace(finetuning_recipe(shifted), total_steps=steps - recorded, final_fights=fights)
        run, final = tuned_run(parent, replace(recipe, real_boss=shifted.real_boss), folder)
        untuned = final["parent_win_rate"]
    return {
        "seed": seed,
        "steps": steps,
        "recorded": recorded,
        "former": former,
        "before": before,
        "untuned": untuned,
        "after": final["tuned_win_rate"],
        "old_fight": win_rate(load_checkpoint(run.checkpoints / CANDIDATE), parent.recipe, fights),
        "deployed": final["deployed"],
        "chance_of_gain": final["chance_of_gain"],
    }


def calibrated(parent: Trained, recipe: Recipe, steps: int, folder: Path) -> tuple[str, int]:
    """Record the agent's fights for so many steps, and calibrate: the file of the table, and the steps made."""
    kept, lengths = folder / "fights", []
    kept.mkdir(parents=True)

    def keep(record: FightRecord) -> None:
        lengths.append(len(record.actions))
        save_fight(record, kept)

    policy, options = greedy(parent.checkpoint, recipe), env_options(recipe)
    while sum(lengths) < steps:
        seed, facts = (
            derive_seed(recipe.seed, "recorded", len(lengths)),
            {"kind": "evaluation", "env_step": sum(lengths)},
        )
        judge(policy, options, fights=1, seed=seed, record=keep, facts=facts)
    found, base = fights_from([str(kept)], folder, None)
    table = folder / "own.toml"
    table.write_text(judged_calibration(found, base).overlay, encoding="utf-8")
    return str(table), sum(lengths)


def tuned_by_itself(
    parent: Trained, boss: str, seed: int, folder: Path, steps: int, fights: int
) -> tuple[RunFolder, int, float, dict[str, Any]]:
    """Fine-tune by the one command: the run, the steps recorded, the match before tuning, and the final row."""
    name = f"itself-{seed}"
    words = ["finetune", str(parent.run.path), "--boss", boss, "--calibrate", "--runs-dir", str(folder)]
    words += ["--name", name, "--seed", str(seed), "--total-steps", str(steps), "--final-fights", str(fights)]
    with redirect_stdout(sys.stderr):
        if ashen(words) != 0:
            raise SystemExit(f"ashen {' '.join(words)} failed")
    run = RunFolder(folder / name)
    (found,), first = read_metrics(run, "calibration"), read_metrics(run, "evaluation")[0]
    return run, found["recorded_steps"], first["win_rate"], read_metrics(run, "final")[-1]


def tuned_run(parent: Trained, recipe: Recipe, folder: Path) -> tuple[RunFolder, dict[str, Any]]:
    """Fine-tune by a recipe: the run, and the last row of its metrics."""
    training = Training(recipe)
    parent.hand_over(training)
    run = create_run(folder, None, "tuned")
    copy_checkpoint(parent.path, run, PARENT, BEST)
    for row in training.run(run, lambda: False):
        final = row
    return run, final


def greedy(checkpoint: dict[str, Any], recipe: Recipe) -> Callable[[Any], GreedyAgent]:
    """The agent of a checkpoint, made for an environment."""

    def policy(env: Any) -> GreedyAgent:
        agent = make_agent_for(recipe, env)
        agent.load_state_dict(checkpoint["agent"])
        return GreedyAgent(agent, "agent")

    return policy


def win_rate(checkpoint: dict[str, Any], recipe: Recipe, fights: int) -> float:
    """Win rate of a checkpoint's agent in the fight of a recipe, on seeds that no training has seen."""
    return judge(
        greedy(checkpoint, recipe), env_options(recipe), fights=fights, seed=derive_seed(recipe.seed, "final")
    )["win_rate"]


if __name__ == "__main__":
    main()

"""Measures how far `ashen finetune` brings an agent back in a fight that differs from the one it was trained for.

    python tools/bench_finetune.py --seeds 3
    python tools/bench_finetune.py --parent RUN
    python tools/bench_finetune.py --parent RUN --unseen

Trains an agent by the recipe `full`, or takes RUN's. Then, for each seed, shifts the boss (all times of an attack 15 %
earlier or later, every hit 20 % harder), fine-tunes, and prints the win rates: of the agent in its own fight, of the
same in the shifted one before and after tuning, of the tuned one in the old fight, and which agent the gate deploys.
The encoder reads the shifted boss's table, as after `ashen calibrate`; with --unseen it keeps Iudex's own.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from ashen.core.seeding import derive_seed
from ashen.env import fights as env_fights
from ashen.evaluation.judge import judge
from ashen.evaluation.policies import GreedyAgent
from ashen.evaluation.shifted import shifted_boss
from ashen.obs.encoders import make_encoder
from ashen.runs.folder import create_run, open_run
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
    parser.add_argument("--steps", type=int, default=STEPS, help="of fine-tuning")
    parser.add_argument("--fights", type=int, default=200, help="of each match")
    parser.add_argument("--unseen", action="store_true", help="the encoder keeps the table the agent was made for")
    parser.add_argument("--keep", type=Path, help="folder for the runs")
    parser.add_argument("--json", action="store_true", help="print one JSON object a seed")
    options = parser.parse_args()
    if options.unseen:
        keep_encoder()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        parent = trained(open_run(options.parent or newly_trained(folder, options.train_steps), folder))
        former = win_rate(parent.checkpoint, parent.recipe, options.fights)
        for seed in range(options.seeds):
            row = tuned(parent, former, seed, folder, options.steps, options.fights)
            print(json.dumps(row) if options.json else text(row), flush=True)


def text(row: dict[str, Any]) -> str:
    """The figures of one shifted boss as a line."""
    return (
        f"seed {row['seed']}: former {row['former']:.1%}; shifted: {row['before']:.1%} before, {row['after']:.1%} "
        f"after {row['steps']:,} steps, {row['after'] / max(row['former'], 1e-9):.0%} of the former; "
        f"old fight after: {row['old_fight']:.1%}; deployed: {row['deployed']} (p = {row['chance_of_gain']:.2g})"
    )


def keep_encoder() -> None:
    """Let every encoder show the hits of Iudex's own table, as on a game that differs from it unknown to anyone."""
    env_fights.make_encoder = lambda name, boss: make_encoder(name, "iudex")


def newly_trained(folder: Path, steps: int | None) -> str:
    """Train an agent by the recipe `full`, for its own or so many steps; returns its run's folder."""
    recipe = load_recipe("full")
    recipe = recipe if steps is None else replace(recipe, total_steps=steps)
    run = create_run(folder, None, "parent")
    run.write_config({"recipe": to_table(recipe)})
    for _ in Training(recipe).run(run, lambda: False):
        pass
    return str(run.path)


def tuned(parent: Trained, former: float, seed: int, folder: Path, steps: int, fights: int) -> dict[str, Any]:
    """Fine-tune an agent on the shifted boss of a seed.

    Returns:
        ``former, before, after, old_fight``, win rates; ``deployed`` and ``chance_of_gain``; ``seed``, ``steps``.
    """
    boss = shifted_boss(seed, folder / f"shifted-{seed}.toml")
    recipe = finetuning_recipe(parent.recipe)
    recipe = replace(recipe, boss=str(boss), seed=seed, total_steps=steps, final_fights=fights)
    training = Training(recipe)
    parent.hand_over(training)
    run = create_run(folder, None, "tuned")
    copy_checkpoint(parent.path, run, PARENT, BEST)
    for row in training.run(run, lambda: False):
        final = row
    return {
        "seed": seed,
        "steps": steps,
        "former": former,
        "before": final["parent_win_rate"],
        "after": final["tuned_win_rate"],
        "old_fight": win_rate(load_checkpoint(run.checkpoints / CANDIDATE), parent.recipe, fights),
        "deployed": final["deployed"],
        "chance_of_gain": final["chance_of_gain"],
    }


def win_rate(checkpoint: dict[str, Any], recipe: Recipe, fights: int) -> float:
    """Win rate of a checkpoint's agent in the fight of a recipe, on seeds that no training has seen."""

    def policy(env: Any) -> GreedyAgent:
        agent = make_agent_for(recipe, env)
        agent.load_state_dict(checkpoint["agent"])
        return GreedyAgent(agent, "agent")

    return judge(policy, env_options(recipe), fights=fights, seed=derive_seed(recipe.seed, "final"))["win_rate"]


if __name__ == "__main__":
    main()

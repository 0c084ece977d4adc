"""What pays where steps are few: variants of the recipe game, each trained on a few seeds, judged and tabled.

    python tools/ablate_game.py --jobs 2

Every variant is the recipe with further words for ashen train, measured by tools/measure_recipe.py as a recipe is. What
was measured goes to docs/ablation/NAME/game.json, with the code and machine it was measured on; the same command goes
on with what is missing, --again measures everything anew. docs/game.md has the table.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "game.md"
KEPT: Final = ROOT / "docs" / "ablation"
STEPS: Final = 14_000
"""Decisions of each training: with the waits between them about 60,000 steps of the game."""
DQN_ALONE: Final = (
    "--algorithm dqn --dqn.discount 0.98 --dqn.width 128 --dqn.depth 2 --dqn.learning-starts 1000"
    " --dqn.updates-per-step 2 --dqn.target-tau 0.005 --dqn.target-period-steps 1"
)
DQN: Final = f"{DQN_ALONE} --dqn.epsilon-steps 5000"
RANGE: Final = "--dqn.distributional --dqn.value-range -2 5"
MANY: Final = "--dqn.updates-per-step 8 --dqn.layer-norm"
RESETS: Final = "--dqn.reset-period-updates 28000"
"""Every 3,500 decisions, of which a training has 14,000."""

VARIANTS: Final = {
    "game": ("the recipe", ""),
    "encoder": ("the diary's 74 numbers", "--encoder onehot74"),
    "actions": ("all 20 actions", "--actions all"),
    "reward": ("the diary's reward", "--reward diary"),
    "short": ("rollouts of 256", "--ppo.rollout-steps 256"),
    "long": ("rollouts of 1,024", "--ppo.rollout-steps 1024"),
    "many": ("30 passes, a third of the learning rate", "--ppo.epochs 30 --ppo.learning-rate 3e-4"),
    "far": ("discount .998, as in full", "--ppo.discount 0.998"),
    "large": ("networks of 512", "--ppo.width 512"),
    "dqn": ("double DQN, 2 updates a decision", DQN),
    "dqn_many": ("... 8 updates a decision, layer norm", f"{DQN} {MANY}"),
    "dqn_resets": ("... 8 updates a decision, layer norm, resets", f"{DQN} {MANY} {RESETS}"),
    "dqn_n_step": ("... 3-step returns", f"{DQN} --dqn.n-step 3"),
    "dqn_per": ("... prioritised replay", f"{DQN} --dqn.prioritised"),
    "dqn_c51": ("... distributional", f"{DQN} {RANGE}"),
    "c51_resets": ("... distributional, 8 updates, layer norm, resets", f"{DQN} {RANGE} {MANY} {RESETS}"),
    "dqn_all": (
        "... all of these, dueling and noisy",
        f"{DQN_ALONE} {RANGE} --dqn.n-step 3 --dqn.prioritised --dqn.layer-norm --dqn.dueling dueling --dqn.noisy",
    ),
}
"""Name -> what differs, and the words for it."""


def main() -> int:
    """Measure what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--fights", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1, help="trainings side by side")
    parser.add_argument("--again", action="store_true", help="also what has been measured")
    parser.add_argument("--runs-dir", type=Path, default=Path("runs") / "ablation")
    options = parser.parse_args()
    kept = {} if options.again else read_kept()
    missing = [name for name in VARIANTS if len(kept.get(name, {}).get("seeds", ())) < options.seeds]
    failed = [name for name in missing if measure(name, options)]
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), read_kept()), encoding="utf-8", newline="\n")
    print(PAGE)
    return 1 if failed else 0


def measure(name: str, options: argparse.Namespace) -> int:
    """Measure one variant, as far as it is not; the tool's exit code."""
    tool = [sys.executable, str(ROOT / "tools" / "measure_recipe.py"), "game", "--seeds", str(options.seeds)]
    tool += ["--fights", str(options.fights), "--jobs", str(options.jobs), "--out", str(KEPT / name)]
    tool += ["--again"] if options.again else []
    tool += ["--runs-dir", str(options.runs_dir / name), "--", "--total-steps", str(STEPS)]
    tool += ["--evaluate-every", str(STEPS), *VARIANTS[name][1].split()]
    print(f"ablate_game: {name}, {VARIANTS[name][0]}", flush=True)
    return subprocess.run(tool).returncode


def read_kept() -> dict[str, dict[str, Any]]:
    """What was measured, by variant."""
    files = {name: KEPT / name / "game.json" for name in VARIANTS}
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.is_file()}


def page(text: str, kept: dict[str, dict[str, Any]]) -> str:
    """The page with its table written anew."""
    return re.sub(
        r"(<!-- ablation.*?-->\n).*(<!-- end -->)",
        lambda mark: f"{mark[1]}\n{table(kept)}\n{mark[2]}",
        text,
        flags=re.S,
    )


def table(kept: dict[str, dict[str, Any]]) -> str:
    """A row for each variant measured."""
    lines = ["| variant | reached phase 2 | won | game steps | seconds a seed |", "|---|---|---|---|---|"]
    for name, measured in kept.items():
        seeds = measured["seeds"]
        ends = [next(iter(seed["marks"]["end"].values())) for seed in seeds]
        rates = [end["phase_change_rate"] for end in ends]
        cells = [
            VARIANTS[name][0],
            f"**{mean(rates):.0%}** ({', '.join(f'{rate:.0%}' for rate in rates)})",
            f"{mean(end['win_rate'] for end in ends):.0%}",
            f"{mean(seed['game_steps'] for seed in seeds):,.0f}",
            f"{mean(seed['wall_s'] for seed in seeds):.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())

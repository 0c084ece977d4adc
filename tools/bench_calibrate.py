"""Measures how well `ashen calibrate` finds hidden numbers again: bosses unlike the table, fought, recorded, refitted.

    python tools/bench_calibrate.py --seeds 3 --minutes 30

Prints for each seed the largest and the median error of the hit times of all windows that hit at least five times, the
alignment error on fights held out with the table's numbers, with the calibrated ones and with the true ones (lost keys
and what a recording does not show stay), and the windows that hit too rarely; then the spread over the seeds.
"""

import argparse
import json
import tempfile
from pathlib import Path

from ashen.core.fight import STEP_S
from ashen.evaluation.calibrate.rehearsal import rehearse


def main() -> None:
    """Rehearse on several seeds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=30.0, help="of recorded fights")
    parser.add_argument("--keep", type=Path, help="folder for the hidden bosses and the recorded fights")
    parser.add_argument("--json", action="store_true", help="print all figures as one JSON list")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        steps = round(options.minutes * 60.0 / STEP_S)
        rows = [rehearse(seed, steps, options.keep or Path(folder)) for seed in range(options.seeds)]
    if options.json:
        print(json.dumps(rows))
        return
    for row in rows:
        hits = f"hit times off by {row['hit_time_max_s']:.3f} s at most, {row['hit_time_median_s']:.3f} s in the median"
        before = f"{row['hit_time_max_before_s']:.3f} s before"
        print(f"seed {row['seed']}: {row['fights']} fights, {row['steps']} steps; {row['hit_times']} {hits} ({before})")
        for name, held_out in row["held_out"].items():
            figures = ", ".join(f"{when} {value:.3g}" for when, value in held_out.items())
            print(f"  {name}: {figures}; {row['ratios'][name]:.2f} of it is left")
        print(f"  {len(row['too_rare'])} windows hit too rarely: {', '.join(row['too_rare'])}")
    worst = [row["hit_time_max_s"] for row in rows]
    print(f"hit times over {len(rows)} seeds: {min(worst):.3f} to {max(worst):.3f} s at most")
    for name in rows[0]["ratios"]:
        ratios = [row["ratios"][name] for row in rows]
        print(f"{name}: {min(ratios):.2f} to {max(ratios):.2f} of what it was")


if __name__ == "__main__":
    main()

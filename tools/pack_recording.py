"""Pack the recorded fights of SoulsAI's tests (JSON) into the arrays that ashen ships.

Usage: python tools/pack_recording.py iudex_env_reference_input.json src/ashen/data/ds3/recorded_fights.npz
Source: S21 in src/ashen/data/ds3/sources.toml.
"""

import json
import sys
from pathlib import Path

import numpy as np

NUM_ACTIONS = 20


def pack(recording: dict) -> dict[str, np.ndarray]:
    """Arrays over all steps: SoulsGym's keys, the action that led to a step, its mask and the number of its fight."""
    observations = recording["observations"]
    arrays = {}
    for key, value in observations[0].items():
        kind = np.float32 if isinstance(value, float | list) else np.int32
        arrays[key] = np.array([seen[key] for seen in observations], kind)
    masks = np.zeros((len(observations), NUM_ACTIONS), np.bool_)
    for mask, info in zip(masks, recording["infos"], strict=True):
        mask[info["allowed_actions"]] = True
    ended = np.array(recording["dones"], np.bool_)
    fights = np.concatenate([[0], np.cumsum(ended)[:-1]])
    return arrays | {
        "action": np.array(recording["actions"], np.int32),
        "mask": masks,
        "fight": fights.astype(np.int32),
    }


def main() -> None:
    """Read the JSON file named first, write the archive named second."""
    source, target = map(Path, sys.argv[1:])
    arrays = pack(json.loads(source.read_text(encoding="utf-8")))
    np.savez_compressed(target, **arrays)
    print(
        f"{target}: {len(arrays['fight'])} steps of {arrays['fight'].max() + 1} fights, {target.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()

"""Writes what follows from lists in the code: docs/observations.md, rewards.md, guards.md and the keys in docs/play.md.

Run it after changing one of the lists: python tools/write_docs.py. A test compares the pages.
"""

import re
from pathlib import Path

from ashen.obs.encoders import ENCODER_NAMES, make_encoder
from ashen.play.bindings import key_table
from ashen.rewards import make_reward, preset_names, term_table
from ashen.training.monitors.guards import guard_table

DOCS = Path(__file__).resolve().parent.parent / "docs"


def observations() -> str:
    """The page of every number an encoder gives."""
    parts = ["# Observations\n\nWhat each encoder shows the network, for Iudex. Written by `tools/write_docs.py`.\n"]
    for name in ENCODER_NAMES:
        encoder = make_encoder(name)
        if encoder.is_dictionary:
            parts.append(f"## {name}\n\nSoulsGym's own dictionary, with its keys, shapes and ids.\n")
        else:
            parts.append(f"## {name}\n\n{len(encoder.names)} numbers.\n\n{encoder.table()}")
    return "\n".join(parts)


def rewards() -> str:
    """The page of every reward term and preset."""
    parts = ["# Rewards\n\nThe terms, and the presets made of them. Written by `tools/write_docs.py`.\n"]
    parts.append(f"## Terms\n\n{term_table()}")
    rows = ["| preset | weights |", "|---|---|"]
    for name in preset_names():
        reward = make_reward(name)
        weights = ", ".join(f"{term} {weight:g}" for term, weight in reward.weights.items())
        rows.append(f"| {name} | {weights} |")
    parts.append("## Presets\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def guards() -> str:
    """The page of everything a training warns of."""
    return f"""# Guards

What a training looks out for by itself. A warning stands under the live table, in `run.log` and in `metrics.jsonl`
(kind `warning`); it is said again after every tenth of the training while it lasts, and once more when it is over.
Written by `tools/write_docs.py`.

{guard_table()}
`ashen train --help` explains the options, [rewards](rewards.md) the terms.
"""


def play() -> str:
    """The page on playing, with its table of keys written anew."""
    page = (DOCS / "play.md").read_text(encoding="utf-8")
    return re.sub(
        r"(<!-- keys.*?-->\n).*(<!-- end -->)", lambda mark: mark[1] + key_table() + mark[2], page, flags=re.S
    )


PAGES = {"observations.md": observations, "rewards.md": rewards, "guards.md": guards, "play.md": play}

if __name__ == "__main__":
    for page, text in PAGES.items():
        (DOCS / page).write_text(text(), encoding="utf-8", newline="\n")
        print(DOCS / page)

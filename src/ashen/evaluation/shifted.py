"""A boss whose attacks come earlier or later and hurt more: a fight that differs, for rehearsing fine-tuning."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ashen.core.seeding import generator
from ashen.core.tables import Fact, boss_file, measured_facts
from ashen.evaluation.calibrate.overlay import overlay_text

SOURCE = "shifted"
TIME_SHARE = 0.15
DAMAGE_SHARE = 0.2
_CLOCKS = ("combo_s", "name_end_s", "next_motion_s")


def shifted_boss(
    seed: int, file: Path, base: str = "iudex", time_share: float = TIME_SHARE, damage_share: float = DAMAGE_SHARE
) -> Path:
    """Write the overlay of a boss each of whose attacks runs slower or quicker, as a coin says, and hurts more.

    Args:
        seed: same seed, same boss.
        file: where to.
        base: whose numbers are shifted.
        time_share: by what share all times of an attack lie later or earlier.
        damage_share: by what share every hit hurts more.

    Returns:
        The file.
    """
    rng, found = generator(seed, "shifted boss"), {}
    facts = measured_facts(boss_file(base), "no game that differs from his table can be rehearsed")
    for phase, table in facts["phases"].items():
        for name, attack in table["attacks"].items():
            pace = 1.0 + time_share * float(rng.choice((-1.0, 1.0)))
            found |= dict(_shifted(f"phases.{phase}.attacks.{name}", attack, pace, 1.0 + damage_share))
    file.parent.mkdir(parents=True, exist_ok=True)
    comment = f"Attacks {time_share:.0%} earlier or later, {damage_share:.0%} more damage; seed {seed}."
    file.write_text(overlay_text(base, {"boss": found, "player": {}}, [comment]), encoding="utf-8")
    return file


def _shifted(path: str, attack: dict[str, Any], pace: float, force: float) -> Iterator[tuple[str, Fact]]:
    """All times of one attack, its motion's too, so that it stays one movement; and its damage."""
    for number, hit in enumerate(attack["hits"]):
        yield f"{path}.hits.{number}.window_s", _fact([pace * time_s for time_s in hit["window_s"].value])
        yield f"{path}.hits.{number}.damage", _fact(force * hit["damage"].value)
    for key in _CLOCKS:
        if key in attack:
            yield f"{path}.{key}", _fact(pace * attack[key].value)
    for key, times in (("motion_s_m", 1), ("turn_s_deg_s", 2), ("stretch", 2)):
        if key in attack:
            rows = [[*(pace * time_s for time_s in row[:times]), *row[times:]] for row in attack[key].value]
            yield f"{path}.{key}", _fact(rows)


def _fact(value: Any) -> Fact:
    return Fact(value, SOURCE, "G")

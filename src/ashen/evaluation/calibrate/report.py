"""A calibration and how much it helps: judged on fights that it was not fitted on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ashen.core.tables import boss_file
from ashen.evaluation.alignment import drift, pooled
from ashen.evaluation.calibrate.fit import calibrate
from ashen.evaluation.calibrate.numbers import Numbers
from ashen.evaluation.calibrate.overlay import overlay_text
from ashen.evaluation.hits_check import recorded_strikes
from ashen.evaluation.recording import Recording

CALIBRATED = "Calibrated from"
"""How every overlay of a calibration begins."""
UNSURE = "IG"
"""Confidences of the numbers that a calibration is for."""


@dataclass(frozen=True)
class Alignment:
    """How far a table is off after 1 s on some fights, medians over all starts.

    Args:
        boss_m: of the boss's place.
        player_m: of the player's place.
        boss_yaw_deg: of the boss's facing.
        boss_mean_m: the same as ``boss_m``, as a mean.
        player_mean_m: the same as ``player_m``, as a mean.
        wrong_strikes: share of the hit windows in which the wrong one was hit, or at another time, or harder.
    """

    boss_m: float
    player_m: float
    boss_yaw_deg: float
    boss_mean_m: float
    player_mean_m: float
    wrong_strikes: float


def alignment(fights: Sequence[Recording], table: np.void, boss: str) -> Alignment:
    """Judge a packed table on fights."""
    off = pooled([drift(fight, table, HORIZON_STEPS) for fight in fights if len(fight.states) > HORIZON_STEPS + 2])
    strikes = recorded_strikes(list(fights), table, boss)
    return Alignment(
        boss_m=float(np.median(off.boss_m)),
        player_m=float(np.median(off.player_m)),
        boss_yaw_deg=float(np.degrees(np.median(off.boss_yaw_rad))),
        boss_mean_m=float(off.boss_m.mean()),
        player_mean_m=float(off.player_m.mean()),
        wrong_strikes=float(np.mean([not strike.is_right for strike in strikes])) if strikes else 0.0,
    )


def split(fights: Sequence[Recording]) -> tuple[list[Recording], list[Recording]]:
    """Fights to fit and fights held out, every fifth."""
    held_out = [fight for number, fight in enumerate(fights) if number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1]
    return [fight for number, fight in enumerate(fights) if number % HELD_OUT_EVERY != HELD_OUT_EVERY - 1], held_out


@dataclass(frozen=True)
class Calibration:
    """Numbers refitted to all fights, and how well those of four fifths foretell the last fifth.

    Args:
        boss: whose numbers.
        numbers: fitted to all fights.
        fights: how many there were.
        steps: of all fights.
        held_out: how many fights were judged.
        before: the table's alignment on the fights held out.
        after: that of the numbers fitted on the others.
    """

    boss: str
    numbers: Numbers
    fights: int
    steps: int
    held_out: int
    before: Alignment
    after: Alignment

    @property
    def figures(self) -> dict[str, Any]:
        """What is told of it, ready for JSON."""
        unsure = {
            f"{part}: {path}": path in self.numbers.found[part]
            for part in ("boss", "player")
            for path, fact in self.numbers.before(part).items()
            if fact.confidence in UNSURE
        }
        before, after = asdict(self.before), asdict(self.after)
        return {
            "boss": self.boss,
            "fights": self.fights,
            "steps": self.steps,
            "held_out_fights": self.held_out,
            "refitted": sum(len(found) for found in self.numbers.found.values()),
            "guesses_refitted": sum(unsure.values()),
            "guesses_kept": [path for path, is_found in unsure.items() if not is_found],
            "held_out": {name: {"before": before[name], "after": after[name]} for name in before},
        }

    @property
    def overlay(self) -> str:
        """The overlay as TOML, with what was measured at its head."""
        figures = self.figures
        guesses = f"{figures['guesses_refitted']} of them guesses; {len(figures['guesses_kept'])} guesses stayed"
        comments = [
            f"{CALIBRATED} {self.fights} fights of {self.steps:,} steps against {self.boss}.",
            f"{figures['refitted']} numbers refitted, {guesses} for want of evidence.",
            f"On {self.held_out} fights held out, by the numbers of the others (medians 1 s ahead unless said):",
            *(
                f"  {name}: {row['before']:.3g} before, {row['after']:.3g} after"
                for name, row in figures["held_out"].items()
            ),
            "The numbers below are fitted to all fights. range: what the fights allow; of a list, its last number.",
        ]
        return overlay_text(self.boss, self.numbers.found, comments)


def judged_calibration(fights: Sequence[Recording], boss: str) -> Calibration:
    """Refit a boss's numbers to fights, and judge that on fights held out.

    Args:
        fights: the recordings, at least five.
        boss: name or path of the boss's table.
    """
    path = boss_file(boss)
    fitted, held_out = split(fights)
    table = Numbers(path, "").table()
    before = alignment(held_out, table, boss)
    after = alignment(held_out, calibrate(fitted, path).table(), boss)
    steps = sum(len(fight.states) - 1 for fight in fights)
    return Calibration(boss, calibrate(fights, path), len(fights), steps, len(held_out), before, after)

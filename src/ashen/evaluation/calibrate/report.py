"""A calibration and how much it helps: judged on fights that it was not fitted on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ashen.core.tables import boss_file
from ashen.evaluation.calibrate.fit import calibrate
from ashen.evaluation.calibrate.numbers import Numbers
from ashen.evaluation.calibrate.overlay import extended_overlay
from ashen.evaluation.calibrate.trial import Alignment, alignment, changed, split, without_harm
from ashen.evaluation.recording import Recording

CALIBRATED = "Calibrated from"
"""How every overlay of a calibration begins."""
UNSURE = "IG"
"""Confidences of the numbers that a calibration is for."""


@dataclass(frozen=True)
class Calibration:
    """Numbers refitted to all fights, and how well those of four fifths foretell the last fifth.

    Args:
        boss: whose numbers.
        numbers: fitted to all fights, without those left out.
        fights: how many there were.
        steps: of all fights.
        held_out: how many fights were judged.
        before: the table's alignment on the fights held out.
        after: that of the numbers fitted on the others, without those left out.
        left_out: groups of numbers that foretold the fights held out worse than the table's own.
    """

    boss: str
    numbers: Numbers
    fights: int
    steps: int
    held_out: int
    before: Alignment
    after: Alignment
    left_out: list[str]

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
        better, worse = changed(self.after, self.before)
        return {
            "boss": self.boss,
            "fights": self.fights,
            "steps": self.steps,
            "held_out_fights": self.held_out,
            "refitted": sum(len(found) for found in self.numbers.found.values()),
            # of both confidences, inferred and guessed
            "guesses_refitted": sum(unsure.values()),
            "guesses_kept": [path for path, is_found in unsure.items() if not is_found],
            "measured": sum(fact.confidence == "M" for found in self.numbers.found.values() for fact in found.values()),
            "hit_times": list(self._hit_times()),
            "left_out": self.left_out,
            "better": better,
            "worse": worse,
            "held_out": {name: {"before": before[name], "after": after[name]} for name in before},
        }

    def _hit_times(self) -> Iterator[dict[str, Any]]:
        """Every refitted time at which an attack begins to hit, beside the table's, and how sure it is."""
        for path, fact in self.numbers.found["boss"].items():
            if path.endswith(".window_s"):
                _, phase, _, attack, _, hit, _ = path.split(".")
                at = {"phase": int(phase), "attack": attack, "hit": int(hit)}
                times = {"before_s": self.numbers.before()[path].value[0], "after_s": fact.value[0]}
                yield at | times | {"seen": self.numbers.seen[path], "confidence": fact.confidence}

    @property
    def overlay(self) -> str:
        """The overlay as TOML, with what was measured at its head."""
        figures = self.figures
        refitted, kept = figures["guesses_refitted"], len(figures["guesses_kept"])
        unsure = f"{refitted} of them inferred or guessed; {kept} inferred or guessed ones stayed"
        comments = [
            f"{CALIBRATED} {self.fights} fights of {self.steps:,} steps against {self.boss}.",
            f"{figures['refitted']} numbers refitted, {unsure} for want of evidence.",
            f"On {self.held_out} fights held out, by the numbers of the others (medians 1 s ahead unless said):",
            *(
                f"  {name}: {row['before']:.3g} before, {row['after']:.3g} after"
                for name, row in figures["held_out"].items()
            ),
            f"Left out, since those fights are foretold better without: {', '.join(self.left_out) or 'nothing'}.",
            *([] if figures["better"] else ["Nothing was gained on them: keep the table."]),
            "The numbers below are fitted to all fights. range: what the fights allow; of a list, its last number.",
        ]
        return extended_overlay(self.boss, self.numbers.found, comments)


def judged_calibration(
    fights: Sequence[Recording], boss: str, say: Callable[[str], object] = lambda _: None
) -> Calibration:
    """Refit a boss's numbers to fights, judge that on fights held out, and keep what helps there.

    Args:
        fights: the recordings, at least five.
        boss: name or path of the boss's table.
        say: told what is done, as it is begun.
    """
    path, steps = boss_file(boss), sum(len(fight.states) - 1 for fight in fights)
    fitted, held_out = split(fights)
    say(f"judging the table on {len(held_out)} fights held out")
    before = alignment(held_out, Numbers(path, "").table(), boss)
    say(f"fitting to the other {len(fitted)} fights, and judging that")
    after, left_out = without_harm(calibrate(fitted, path), held_out, boss, before, say)
    say(f"fitting to all {len(fights)} fights")
    numbers = calibrate(fights, path).without(left_out)
    return Calibration(boss, numbers, len(fights), steps, len(held_out), before, after, left_out)

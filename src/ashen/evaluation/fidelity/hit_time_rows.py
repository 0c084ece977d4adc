"""When the attacks hit, against when value networks trained on the real game expect it."""

from collections.abc import Iterator

from ashen.core.fight import REPORTED_STEP_S, STEP_S
from ashen.core.tables import boss_file, data_file, load_facts, measured_facts
from ashen.evaluation.fidelity.rows import IN_SAMPLE, Row, around, judged_row

_TOLERANCE_S = {"I": 0.15, "G": 0.25}
_SAME_NETWORKS = {"RUNS", "PROBE"}
"""Sources that rest on the very value networks that judge here."""
_AT_THE_PROBE = {("1", "Attack3000"), ("1", "Attack3002"), ("1", "Attack3014")}
"""Phase and attack whose table names another source for the window, though it begins where those networks have it:
.03 s off the datamined time, or within a step of the recording but not in its middle."""


def hit_time_rows(boss: str) -> Iterator[Row]:
    """A row for every attack whose hit time is known.

    Args:
        boss: name or table of the boss.
    """
    table = measured_facts(boss_file(boss), "there is nothing to compare; choose --boss iudex")["phases"]
    figures = load_facts(data_file("ds3", "real_figures.toml"))["hit_end_reported_s"]
    for phase in ("1", "2"):
        for attack, fact in figures[f"phase{phase}"].items():
            windows = [hit["window_s"] for hit in table[phase]["attacks"][attack]["hits"]]
            ends = {window.value[1] * REPORTED_STEP_S / STEP_S: window for window in windows}
            value = min(ends, key=lambda end: abs(end - fact.value))
            tolerance = _TOLERANCE_S[fact.confidence]
            name = f"{attack}, phase {phase}: end of the hit window (reported s)"
            if _SAME_NETWORKS & set(ends[value].source.split("+")) or (phase, attack) in _AT_THE_PROBE:
                name += f", {IN_SAMPLE}"
            limits = around(fact.value, tolerance)
            yield judged_row(name, fact.value, value, 0.0, f"within {tolerance} s", limits)

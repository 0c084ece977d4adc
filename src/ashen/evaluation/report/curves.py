"""How the training went: figures by environment step, with intervals where there are some."""

from typing import Any, Final

from ashen.evaluation.report.subject import Missing, Subject
from ashen.evaluation.statistics import wilson_interval
from ashen.runs.metrics import Row

PANELS: Final = {
    "win rate": (("evaluation", "win_rate"), ("train", "win_rate"), ("final", "win_rate")),
    "phase 2 reached": (("evaluation", "phase_change_rate"), ("train", "phase_change_rate"),
                        ("final", "phase_change_rate")),
    "return of a fight": (("evaluation", "return_mean"), ("train", "return_mean"), ("final", "return_mean")),
    "boss HP left": (("evaluation", "boss_hp_left_mean"), ("final", "boss_hp_left_mean")),
    "length of a fight (steps)": (("evaluation", "length_mean_steps"), ("train", "length_mean_steps")),
    "reward terms of a fight": (("train", "term/*"),),
    "loss": (("train", "loss"), ("train", "value_loss"), ("train", "policy_loss")),
    "exploration": (("train", "epsilon"), ("train", "entropy")),
    "steps a second": (("train", "steps_per_s"),),
    "clone: decisions held out that are right": (("pretrain", "held_out_accuracy"), ("pretrain", "baseline_accuracy")),
}  # fmt: skip
"""What is drawn: a panel's name -> kinds of rows and their figures; ``*`` stands for all names that begin so."""
SHARES: Final = ("win rate", "phase 2 reached", "boss HP left", "clone: decisions held out that are right")
"""Panels of shares, 0..1."""


def curves(subject: Subject) -> dict[str, Any]:
    """The learning curves.

    Returns:
        ``panels``: by name, a list of series: ``kind`` of rows, ``name``, ``x`` (environment steps; of clones, passes),
        ``y``, and ``low``, ``high`` (95 %, None where there is no interval); ``warnings`` of guards, each once.

    Raises:
        Missing: the run was not trained here, or not yet.
    """
    panels = {
        name: [one for kind, key in lines for one in _series(subject.rows, kind, key)] for name, lines in PANELS.items()
    }
    panels = {name: series for name, series in panels.items() if series}
    if not any(row["kind"] in ("train", "pretrain") for row in subject.rows):
        raise Missing(f"{subject.run.name} was not trained here (joined or imported), or has only just begun.")
    warnings = [row["message"] for row in subject.rows if row["kind"] == "warning" and row.get("state") == "begun"]
    return {"panels": panels, "shares": SHARES, "warnings": list(dict.fromkeys(warnings))}


def _series(rows: list[Row], kind: str, key: str) -> list[dict[str, Any]]:
    rows = [row for row in rows if row["kind"] == kind]
    keys = sorted({name for row in rows for name in row if name.startswith(key[:-1])}) if key.endswith("*") else [key]
    return [_one(known, kind, name) for name in keys if (known := [row for row in rows if row.get(name) is not None])]


def _one(rows: list[Row], kind: str, key: str) -> dict[str, Any]:
    intervals = [interval_of(row, key) for row in rows]
    return {
        "kind": kind,
        "name": key.removeprefix("term/").replace("_", " "),
        "x": [row["epoch"] if kind == "pretrain" else row.get("checkpoint_step", row["env_step"]) for row in rows],
        "y": [row[key] for row in rows],
        "low": [low for low, _ in intervals],
        "high": [high for _, high in intervals],
    }


def interval_of(row: Row, key: str) -> tuple[float | None, float | None]:
    """The 95 % interval of a figure in a row of a match; (None, None) where nothing is known of it."""
    if key == "phase_change_rate" and row["kind"] != "train":
        fights = row["fights"] - row.get("faults", 0)
        return wilson_interval(round(row[key] * fights), fights)
    stem = key.removesuffix("_mean")
    return row.get(f"{stem}_low"), row.get(f"{stem}_high")

"""Who played for a training besides itself: how fast, how far behind the learner, and what was lost on the way."""

from typing import Any, Final

from ashen.evaluation.report.subject import Missing, Subject

SECONDS: Final = "seconds/"
"""What begins the names of where a row's time went."""
SPEED: Final = "fleet/steps_per_s/"
"""What begins the names of the players' speeds in rows of kind ``train``."""


def fleet(subject: Subject) -> dict[str, Any]:
    """The players of a fleet.

    Returns:
        ``players``: by name, ``x`` (environment steps), ``y`` (steps a second, None where nothing came of it) and
        their ``mean`` over time, silence counted as 0; ``behind``: ``x``, ``mean`` and ``max`` updates; ``restarts``,
        ``left_out_steps`` and ``lost_batches`` in all; ``waiting_max`` batches.

    Raises:
        Missing: the training played all fights itself.
    """
    rows = [row for row in subject.rows if row["kind"] == "train" and "fleet/waiting" in row]
    if not rows:
        raise Missing("the training played all its fights itself; others play for it with: ashen train --actors N.")
    steps = [row["env_step"] for row in rows]
    lasted_s = [sum(value for key, value in row.items() if key.startswith(SECONDS)) for row in rows]
    names = sorted({key.removeprefix(SPEED) for row in rows for key in row if key.startswith(SPEED)})
    restarts = [row["fleet/restarts"] for row in rows]
    return {
        "players": {name: _player([row.get(SPEED + name) for row in rows], steps, lasted_s) for name in names},
        "behind": {"x": steps} | {how: [row[f"fleet/staleness_{how}"] for row in rows] for how in ("mean", "max")},
        "restarts": sum(
            now - before if now >= before else now for before, now in zip([0.0, *restarts[:-1]], restarts, strict=True)
        ),
        "left_out_steps": sum(row["fleet/left_out_steps"] for row in rows),
        "lost_batches": sum(row.get("fleet/lost_batches", 0.0) for row in rows),
        "waiting_max": max(row["fleet/waiting"] for row in rows),
    }


def _player(speeds: list[float | None], steps: list[int], lasted_s: list[float]) -> dict[str, Any]:
    """Rows may span seconds or minutes, so each counts for as long as it lasted."""
    brought = sum((speed or 0.0) * seconds for speed, seconds in zip(speeds, lasted_s, strict=True))
    return {"x": steps, "y": speeds, "mean": brought / sum(lasted_s)}

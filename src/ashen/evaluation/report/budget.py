"""Where the time went: of the training on this machine, and of a fight."""

from collections import Counter
from typing import Any

from ashen.core.fight import STEP_S
from ashen.evaluation.report.subject import ACTION_KINDS, Missing, Subject, action_kinds


def training_time(subject: Subject) -> dict[str, Any]:
    """What the training's time on the clock was spent on.

    Returns:
        ``seconds``: by part; ``total_s``; ``env_steps``, ``fights`` and ``game_hours`` fought in it, the last at the
        game's own speed.

    Raises:
        Missing: the run says nothing of it.
    """
    rows = [row for row in subject.rows if row["kind"] == "train"]
    matches = sum(row.get("seconds") or 0.0 for row in subject.rows if row["kind"] in ("evaluation", "final"))
    seconds: Counter[str] = Counter()
    for row in rows:
        for key, value in row.items():
            if key.startswith("seconds/") and value is not None:
                seconds[key.removeprefix("seconds/")] += value
    if not seconds:
        raise Missing("this run was not trained here, or its metrics hold no times.")
    if matches > seconds["evaluation"]:  # the last ones come after the last row
        seconds["evaluation"] = matches
    last = rows[-1]
    game_steps = last.get("game_steps", last["env_step"])
    return {
        "seconds": dict(seconds),
        "total_s": sum(seconds.values()),
        "env_steps": last["env_step"],
        "fights": last["episode"],
        "game_hours": game_steps * STEP_S / 3600.0,
    }


def fight_time(subject: Subject) -> dict[str, Any]:
    """What the steps of the fights were spent on.

    Returns:
        ``phases``: by number of a phase, ``steps`` in all, ``shares`` by kind of action, ``seconds`` a fight.
    """
    counts: dict[int, Counter[str]] = {}
    fights: Counter[int] = Counter()
    for record in subject.records:
        phases = record.states["phase"][:-1].tolist()
        fights.update(set(phases))
        for phase, kind in zip(phases, action_kinds(record), strict=True):
            counts.setdefault(phase, Counter())[kind] += 1
    return {
        "phases": {
            phase: {
                "steps": (steps := sum(counted.values())),
                "seconds": steps * STEP_S / fights[phase],
                "shares": {kind: counted[kind] / steps for kind in ACTION_KINDS},
            }
            for phase, counted in sorted(counts.items())
        }
    }

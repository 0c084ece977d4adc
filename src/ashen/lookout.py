"""A look at a fleet: which training it plays for, who plays, and what becomes of what they send."""

import json
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.display import number_text
from ashen.options.fleet import FleetStatusOptions
from ashen.training.fleet.desk import GONE_AFTER_S
from ashen.training.fleet.ledger import DOUBLE
from ashen.training.fleet.wire import ENDED, STOPPED, TRAINING, AwayError, Wire, read_token

_SPEED: Final = "fleet/steps_per_s/"
_WHY: Final = {DOUBLE: "that had come before"}


def show_status(options: FleetStatusOptions) -> None:
    """Print how a fleet is.

    Raises:
        UserError: there is none, or the token is wrong.
    """
    try:
        status = Wire(options.address, read_token(), ca=options.ca).status()
    except AwayError as error:
        raise UserError(f"{error}; is it started? ashen fleet start") from None
    if options.json:
        print(json.dumps(status))
        return
    for name, text in (_fleet_lines(status) | _learner_lines(status)).items():
        print(f"{name:18} {text}")


def _fleet_lines(status: dict[str, Any]) -> dict[str, str]:
    lines = {"training": _training_text(status)}
    if status["trials"]:
        lines["sweep"] = ", ".join(status["trials"])
    lines["machines"] = ", ".join(status["machines"]) or "none"
    lines["from outside"] = ", ".join(status["outside"]) or "nobody"
    waiting = status["waiting"] + status["learner"].get("fleet/waiting", 0.0) * (status["state"] == TRAINING)
    lines["waiting"] = f"{waiting:,.0f} batches to be learned from"
    if status["refused"]:
        lines["refused"] = f"{status['refused']} times, as enough waited; players bring such batches again"
    return lines


def _learner_lines(status: dict[str, Any]) -> dict[str, str]:
    """What the learner said of itself; nothing before its first row, or when it has ended."""
    learner = status["learner"]
    if status["state"] != TRAINING or "step" not in learner:
        return {}
    row = {key.removeprefix("fleet/"): number_text(value) for key, value in learner.items() if key != "left_out"}
    speeds = {key.removeprefix(_SPEED): number_text(value) for key, value in learner.items() if _SPEED in key}
    silent = [name for name in status["outside"] if not any(f"-{name}-" in player for player in speeds)]
    told = [*(f"{name} {value}" for name, value in speeds.items()), *(f"{name} nothing yet" for name in silent)]
    reasons = [
        f"{name} {count:,} {_WHY.get(why, why)}"
        for name, by in learner["left_out"].items()
        for why, count in by.items()
    ]
    return {
        "steps": row["step"],
        "steps/s": ", ".join(told) or "none yet",
        "updates behind": f"{row['staleness_mean']} in the mean, {row['staleness_max']} at most",
        "left out": f"{row['left_out_steps_in_all']} steps{'; batches: ' if reasons else ''}{', '.join(reasons)}",
        "lost": f"{row['lost_batches_in_all']} batches",
        "unreadable": f"{row['unreadable']} batches",
        "players replaced": row["restarts"],
    }


def _training_text(status: dict[str, Any]) -> str:
    """Which training a fleet plays for, and how that is."""
    run, seen_s = status["run"], status["learner_seen_s_ago"]
    if run is None:
        return "no training yet"
    if status["state"] == ENDED:
        return f"{run} has ended; players wait for the next one"
    if status["state"] == STOPPED:
        return f"{run} was stopped, and players wait; it goes on with: ashen resume {run}"
    if seen_s > GONE_AFTER_S:
        return f"{run}, no answer since {seen_s:,.0f} s: it has died, or was cut off; then: ashen resume {run}"
    return f"{run}, seen {seen_s:g} s ago"

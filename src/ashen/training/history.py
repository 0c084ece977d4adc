"""What a run is and what came of it, read from its folder alone: state, cost, result, milestones, warnings.

``ashen runs`` and the journal tell it. It loads no torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ashen.runs.claim import is_claimed
from ashen.runs.folder import RunFolder, step_of
from ashen.runs.log import ENDED_BY, RESUMED, STARTED, Line, read_log
from ashen.runs.metrics import Row, read_metrics
from ashen.runs.milestones import MILESTONES
from ashen.runs.seal import is_whole
from ashen.runs.shelf import read_tags
from ashen.training.lineage import CLONED, Config

State = Literal["running", "filming", "stopped", "complete", "trashed"]


@dataclass(frozen=True)
class Cost:
    """What a run has cost so far."""

    env_steps: int
    """Decisions, over all fights together."""
    hours: float
    """Hours of the clock in which somebody was at work on it, also those that a crash made vain."""
    updates: int
    """Of the learner."""
    fights: int
    """Fought to their end, without matches."""


@dataclass(frozen=True)
class History:
    """What a run is and what came of it."""

    run: RunFolder
    config: Config
    state: State
    cost: Cost
    result: Row | None
    """The final match, or else the last one on the way."""
    milestones: list[tuple[str, int, float]]
    """What was reached: its label, at which step, and after how many minutes of work."""
    warnings: list[str]
    """One line each."""
    error: str | None
    """What ended it, if it was an error."""
    command: str | None
    """By which it was begun."""
    tags: list[str]

    @property
    def parents(self) -> list[str]:
        """The runs it was made of."""
        joined, parent = self.config.get("joined", {}), self.config.get("parent")
        return [parent["run"]] if parent else [name for place, name in joined.items() if place != "rule"]


def history_of(run: RunFolder) -> History:
    """Read a run.

    Raises:
        UserError: its folder is damaged.
    """
    config, rows, log = run.read_config(), read_metrics(run), read_log(run.log_file)
    state = state_of(run, config, rows)
    return History(
        run=run,
        config=config,
        state=state,
        cost=_cost(run, state, rows, log),
        result=next((row for row in reversed(rows) if row["kind"] in ("final", "evaluation")), None),
        milestones=_milestones(rows, log),
        warnings=[*_guards(rows), *_others(rows, log)],
        error=_error(log),
        command=next((line.message for line in log if line.message.startswith(STARTED)), None),
        tags=read_tags(run),
    )


def state_of(run: RunFolder, config: Config, rows: Sequence[Row]) -> State:
    """Whether somebody is at work on a run, or all its work is done; the film is the last of it."""
    if run.is_trashed:
        return "trashed"
    state = _own_state(config, rows)
    if is_claimed(run):
        return "filming" if state == "complete" and config.get("trained_here", True) else "running"
    return state


def _own_state(config: Config, rows: Sequence[Row]) -> State:
    finals = [row for row in rows if row["kind"] == "final"]
    if not config.get("trained_here", True):
        return "complete"
    if CLONED in config:
        return "complete" if finals else "stopped"
    total_steps = config.get("recipe", {}).get("total_steps", 0)
    return "complete" if finals and finals[-1]["env_step"] >= total_steps else "stopped"


def worked_s(until: datetime, rows: Sequence[Row], log: Sequence[Line]) -> float:
    """Seconds of work on a run up to a moment: the time between two sittings does not count.

    A sitting begins where the log says that the run was started or resumed, and ends with the last that was written,
    but for errors: one may be of a later attempt to go on.
    """
    moments = sorted([*(line.time for line in log if not line.message.startswith(ENDED_BY)), *map(_time, rows)])
    begins = [line.time for line in log if line.message.startswith((STARTED, RESUMED))] or moments[:1]
    total_s = 0.0
    for begin, following in zip(begins, [*begins[1:], None], strict=False):
        written = [at for at in moments if at >= begin and (following is None or at < following)]
        total_s += max(0.0, (min(until, written[-1]) - begin).total_seconds()) if written else 0.0
    return total_s


def _cost(run: RunFolder, state: State, rows: Sequence[Row], log: Sequence[Line]) -> Cost:
    last = max((*(line.time for line in log), *map(_time, rows)), default=None)
    return Cost(
        env_steps=_env_steps(run, state, rows),
        hours=worked_s(last, rows, log) / 3600.0 if last else 0.0,
        updates=int(max((row.get("updates") or 0 for row in rows), default=0)),
        fights=max((row["episode"] for row in rows), default=0),
    )


def _env_steps(run: RunFolder, state: State, rows: Sequence[Row]) -> int:
    """How far a run is: as far as rows and whole checkpoints tell, and one that was stopped where it will go on."""
    told = max((row["env_step"] for row in rows), default=0)
    saved = {path: step_of(path) for path in reversed(run.numbered_checkpoints)}
    return next((step for path, step in saved.items() if (state == "stopped" or step > told) and is_whole(path)), told)


def _milestones(rows: Sequence[Row], log: Sequence[Line]) -> list[tuple[str, int, float]]:
    curve = [row for row in rows if row["kind"] == "evaluation" and row.get("is_over", True)]
    found = [(milestone.label, milestone.first(curve)) for milestone in MILESTONES]
    return [(label, row["env_step"], worked_s(_time(row), rows, log) / 60.0) for label, row in found if row]


def _guards(rows: Sequence[Row]) -> list[str]:
    """The warnings of each guard in a line: how often it found something, where first, and what it said last."""
    said: dict[str, list[Row]] = {}
    for row in rows:
        if row["kind"] == "warning":
            said.setdefault(row["guard"], []).append(row)
    lines = []
    for told in said.values():
        found = [row for row in told if row["state"] != "over"] or told
        is_over = f", over at step {told[-1]['env_step']:,}" if told[-1]["state"] == "over" else ""
        lines.append(f"{found[-1]['message']} (from step {found[0]['env_step']:,}{is_over})")
    return lines


def _others(rows: Sequence[Row], log: Sequence[Line]) -> list[str]:
    """Wins that do not count, fights that the game spoiled, and warnings that only the log has."""
    finals = [row for row in rows if row["kind"] == "final"]
    lines = [f"the win rate does not count: {found}" for found in finals[-1].get("exploits", ())] if finals else []
    if faults := sum(row.get("faults", 0) for row in rows if row["kind"] == "train"):
        lines.append(f"fights that ended in a fault of the game: {faults:,}")
    if noted := sum(line.level == "WARNING" and not line.message.startswith("warning at step") for line in log):
        lines.append(f"further warnings in run.log: {noted:,}")
    return lines


def _error(log: Sequence[Line]) -> str | None:
    """The error that ended the last sitting."""
    for line in reversed(log):
        if line.message.startswith(ENDED_BY):
            return line.message.removeprefix(ENDED_BY).strip()
        if line.level != "ERROR":
            return None
    return None


def _time(row: Row) -> datetime:
    return datetime.fromisoformat(row["time"]).astimezone()

"""What was found, on one screen."""

from collections.abc import Mapping
from typing import Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ashen.doctor.findings import Finding, State

STYLES: Final = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "bold red", State.ELSEWHERE: "dim"}


def screen(found: Mapping[str, Finding]) -> RenderableType:
    """A line for each check, its cure under it; checks that say the same of themselves share a line."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, finding in found.items():
        if finding.state == State.ELSEWHERE:
            continue
        style = STYLES[finding.state]
        table.add_row(Text(finding.state, style), name, _answer(finding, style))
    return Group(table, *_elsewhere(found), Text(), Text(verdict(found), "bold"))


def plain(found: Mapping[str, Finding]) -> str:
    """The same as text, a line for every check."""
    lines = []
    for name, finding in found.items():
        lines.append(f"{finding.state:18} {name:20} {finding.found}")
        lines += [f"{'':39} {finding.fix}"] if finding.fix else []
    return "\n".join([*lines, "", verdict(found), ""])


def verdict(found: Mapping[str, Finding]) -> str:
    """All of it in a few words."""
    states = [finding.state for finding in found.values()]
    parts = [(State.FAILED, "to mend"), (State.WARNING, "to look at"), (State.ELSEWHERE, "not checked here")]
    counts = [f"{states.count(state)} {words}" for state, words in parts if state in states]
    return f"{states.count(State.OK)} ok" + "".join(f", {count}" for count in counts)


def _answer(finding: Finding, style: str) -> RenderableType:
    if not finding.fix:
        return escape(finding.found)
    return Group(Text(finding.found, style), Text(f"-> {finding.fix}"))


def _elsewhere(found: Mapping[str, Finding]) -> list[RenderableType]:
    """What cannot be checked, by reason."""
    reasons: dict[str, list[str]] = {}
    for name, finding in found.items():
        if finding.state == State.ELSEWHERE:
            reasons.setdefault(finding.found, []).append(name)
    style = STYLES[State.ELSEWHERE]
    return [
        Padding(Text(f"{State.ELSEWHERE}, {reason}: {', '.join(names)}", style), (1, 0, 0, 0))
        for reason, names in reasons.items()
    ]

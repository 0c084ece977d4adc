"""Two runs as one: the first plays phase 1 of the full fight, the second phase 2.

A joined run's folder holds copies of both, as run folders of their own, and a ``config.json`` that says who plays when.
It needs neither of the runs it was made of.
"""

from pathlib import Path
from typing import Final

from ashen.core.errors import UserError, unknown
from ashen.core.tables import boss_file, table_hash
from ashen.runs.folder import RunFolder, create_run
from ashen.training.code_version import code_versions
from ashen.training.recipe import recipe_of, view_of
from ashen.training.trained import Trained, trained

PLACES: Final = {1: "phase1", 2: "phase2"}
"""Folder of the run that plays a phase."""
RULE: Final = "phase"
"""Who plays is decided by the phase in the observation, which the game shows."""


def is_joined(run: RunFolder) -> bool:
    """Whether a run is two that were joined.

    Raises:
        UserError: its ``config.json`` is damaged.
    """
    return "joined" in run.read_config()


def join(first: RunFolder, second: RunFolder, runs_dir: Path, name: str | None) -> RunFolder:
    """Make a run of two, which stay as they are.

    Args:
        first: plays phase 1.
        second: plays phase 2.
        runs_dir: where the new run goes.
        name: the new run's name; None makes one.

    Raises:
        UserError: a run has no agent or is joined itself, they do not fit together, or the name is taken.
        OSError: the disk is full.
    """
    members = {1: _member(first), 2: _member(second)}
    _check_fit(members[1], members[2])
    run = create_run(runs_dir, name, f"{boss_file(members[1].recipe.boss).stem}-joined")
    for phase, member in members.items():
        run.keep_run(member.run, member.path, PLACES[phase])
    played = {PLACES[phase]: member.run.name for phase, member in members.items()}
    run.write_config({"joined": {"rule": RULE} | played, "trained_here": False, "versions": code_versions()})
    run.log(f"joined: {first.name} plays phase 1, {second.name} phase 2")
    return run


def phase_doubts(first: RunFolder, second: RunFolder) -> list[str]:
    """One line for each run that is to play a phase it was not trained for.

    Args:
        first: to play phase 1.
        second: to play phase 2.
    """
    fights = {phase: (run.name, recipe_of(run).fight) for phase, run in enumerate((first, second), start=1)}
    return [
        f"{name} plays phase {phase}, but was trained on {fight} alone"
        for phase, (name, fight) in fights.items()
        if fight not in ("full", PLACES[phase])
    ]


def members_of(run: RunFolder) -> dict[int, Trained]:
    """Who plays each phase of a joined run, by its number.

    Raises:
        UserError: the folder is damaged, or of another rule.
    """
    rule = run.read_config()["joined"].get("rule")
    if rule != RULE:
        raise unknown("rule", str(rule), [RULE], str(run.config_file))
    return {phase: trained(RunFolder(run.path / place)) for phase, place in PLACES.items()}


def _member(run: RunFolder) -> Trained:
    """A run's agent, which has played nothing yet but is known to fit its own recipe."""
    member = trained(run)
    member.agent(view_of(member.recipe, member.recipe.boss))
    return member


def _check_fit(first: Trained, second: Trained) -> None:
    if (first.recipe.fight, second.recipe.fight) == ("phase2", "phase1"):
        raise UserError(
            f"{first.run.name} was trained for phase 2 and {second.run.name} for phase 1; name them the other way round"
        )
    if table_hash(first.recipe.boss) != table_hash(second.recipe.boss):
        raise UserError(
            f"{first.run.name} was trained against {first.recipe.boss}, {second.run.name} against "
            f"{second.recipe.boss}, which has other numbers; join runs against one boss"
        )

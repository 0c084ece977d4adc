"""Who is reported on: a run's settings and metrics, and the fights its greedy agent was made to play for the report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ashen.core.seeding import derive_seed
from ashen.evaluation.explain.attacks import MadeAttack
from ashen.evaluation.explain.fight import made_attacks
from ashen.evaluation.judge import judge
from ashen.evaluation.match import FightResult
from ashen.evaluation.policies import Policy
from ashen.runs.fights import WAITED, FightRecord
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import Row, read_metrics

SEED: Final = derive_seed(0, "report") % 2**31
"""Of the match: no training plays these fights, and ``ashen evaluate --seed`` does with this number."""
LOCKED: Final = "could not act"
"""Stands for the action of a step in which nothing but waiting had an effect."""
ACTION_KINDS: Final = ("walk", "roll", "light attack", "heavy attack", "parry", "nothing", LOCKED)


class Missing(Exception):
    """A part of a report cannot be made for this run; the message says why, in one sentence."""


@dataclass(frozen=True)
class Rival:
    """Who plays the same fights, to compare with.

    Args:
        name: what it is called.
        role: what it is to the run: ``"parent"``, ``"plays phase 1"`` or ``"opponent"``.
        make_policy: gives its policy for an environment.
        env_options: of its own environment.
    """

    name: str
    role: str
    make_policy: Callable[[Any], Policy]
    env_options: dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """What a report is made from.

    Args:
        run: the run's folder.
        env_options: of the fights it played for the report.
        figures: of these fights, as :func:`ashen.evaluation.judge.judge` gives them.
        results: of each.
        records: of each, in the same order.
        rivals: who else plays these fights.
        no_parent: why there is no parent among them; empty if there is one.
        fights_dir: where the fights are kept that the page links to, and their films.
        is_filmed: whether they are filmed.
        show: told what takes long, how much of it is done, and of how much.
    """

    run: RunFolder
    env_options: dict[str, Any]
    figures: dict[str, Any]
    results: list[FightResult]
    records: list[FightRecord]
    rivals: list[Rival]
    no_parent: str
    fights_dir: Path
    is_filmed: bool
    show: Callable[[str, int, int], object]

    def follow(self, part: str) -> Callable[[Sequence[object]], object]:
        """What is to be called with the results of a match of as many fights so far."""
        return lambda results: self.show(part, len(results), len(self.records))

    @cached_property
    def config(self) -> dict[str, Any]:
        """What ``config.json`` says."""
        return self.run.read_config()

    @cached_property
    def rows(self) -> list[Row]:
        """The run's metrics."""
        return read_metrics(self.run)

    @cached_property
    def attacks(self) -> list[list[MadeAttack]]:
        """What became of the boss's attacks, fight by fight; they are played once more for it."""
        made: list[list[MadeAttack]] = []
        for number, record in enumerate(self.records, 1):
            self.show("looking into every attack", number - 1, len(self.records))
            made.append(made_attacks(record, f"fight {number} of the report"))
        return made


def play(
    make_policy: Callable[[Any], Policy],
    env_options: dict[str, Any],
    fights: int,
    record: Callable[[FightRecord], object] | None = None,
    facts: dict[str, Any] | None = None,
    progress: Callable[[Sequence[FightResult]], object] = lambda results: None,
) -> tuple[dict[str, Any], list[FightResult]]:
    """Play a report's match in the simulator; the same fights for everybody.

    Returns:
        Figures as of :func:`ashen.evaluation.judge.judge`, and the results fight by fight.
    """
    latest: list[FightResult] = []

    def keep(results: Sequence[FightResult]) -> None:
        latest[:] = results
        progress(results)

    world = env_options | {"backend": "sim"}
    figures = judge(
        make_policy, world, fights=fights, seed=SEED, record=record, facts={"kind": "evaluation"} | (facts or {}),
        progress=keep,
    )  # fmt: skip
    return figures, latest


def action_kinds(record: FightRecord) -> list[str]:
    """What was done in each step of a fight, one of :data:`ACTION_KINDS`, [T]."""
    names = record.meta["action_names"]
    acting = [index for index, name in enumerate(names) if name != "nothing"]
    is_free = record.masks[:, acting].any(axis=1)
    kinds = [kind_of_action(name) for name in names]
    chosen = record.actions.tolist()
    return [
        LOCKED if action == WAITED or not free else kinds[action]
        for action, free in zip(chosen, is_free.tolist(), strict=True)
    ]


def kind_of_action(name: str) -> str:
    """The kind of an action by its name."""
    first = name.partition("_")[0]
    return first if first in ("walk", "roll") else name.replace("_", " ")

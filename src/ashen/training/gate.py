"""Which agent a training hands over: the best of its matches, and after fine-tuning only one that beats its parent."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ashen.core.fight import Outcome
from ashen.core.tables import own_base
from ashen.evaluation.match import FightResult
from ashen.evaluation.statistics import chance_of_gain
from ashen.runs.folder import RunFolder
from ashen.training.checkpoints import (
    BEST,
    CANDIDATE,
    PARENT,
    copy_checkpoint,
    has_parent,
    load_checkpoint,
)
from ashen.training.whole import best_checkpoint

SURE = 0.05
"""The tuned agent is deployed if the parent's equal would do so well in fewer than this share of matches."""
Progress = Callable[[Sequence[FightResult]], object]


class Play(Protocol):
    """The final match of a checkpoint: always the same fights, on seeds no training has seen."""

    def __call__(
        self, checkpoint: dict[str, Any], progress: Progress | None = None, as_parent: bool = False
    ) -> dict[str, Any]:
        """The match's figures with ``checkpoint_step``; ``progress`` is told the results.

        ``as_parent``: by the table that the parent came with, if another has been refitted since.
        """


def judge_best(run: RunFolder, play: Play) -> dict[str, Any]:
    """Play the final match of the agent that a training hands over.

    A run with a parent plays it twice on the same fights, the parent's and that of the best tuned agent. The tuned one
    becomes the run's best only if McNemar's exact test says that it wins more; else the parent stays. Where the table
    was refitted, the parent plays and stays with its own, and the tuned agent takes the refitted one along.

    Args:
        run: whose checkpoints.
        play: plays the match.

    Returns:
        The figures of the agent deployed, and with a parent ``deployed`` ("parent" or "tuned"), ``parent_win_rate``,
        ``tuned_win_rate``, ``tuned_step`` and ``chance_of_gain``, the test's p-value.
    """
    if not has_parent(run):
        return play(best_checkpoint(run)[1])
    (parent, before), (tuned, after) = (_played(run, name, play) for name in (PARENT, CANDIDATE))
    both = [pair for pair in zip(before, after, strict=True) if Outcome.FAULT not in pair]
    chance = chance_of_gain(*([outcome == Outcome.WIN for outcome in side] for side in zip(*both, strict=True)))
    is_better = chance < SURE
    copy_checkpoint(run.checkpoints / (CANDIDATE if is_better else PARENT), run, BEST)
    if is_better and run.calibrated_file.is_file():
        run.keep_overlay(run.calibrated_file, own_base(run.calibrated_file))
    # The parent's own steps were another training's.
    figures = tuned if is_better else parent | {"checkpoint_step": 0}
    return figures | {
        "deployed": "tuned" if is_better else "parent",
        "parent_win_rate": parent["win_rate"],
        "tuned_win_rate": tuned["win_rate"],
        "tuned_step": tuned["checkpoint_step"],
        "chance_of_gain": chance,
    }


def _played(run: RunFolder, name: str, play: Play) -> tuple[dict[str, Any], list[Outcome]]:
    outcomes: list[Outcome] = []

    def keep(results: Sequence[FightResult]) -> None:
        outcomes[:] = [result.outcome for result in results]

    return play(load_checkpoint(run.checkpoints / name), keep, name == PARENT), outcomes

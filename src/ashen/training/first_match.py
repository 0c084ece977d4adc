"""The first match of a run that was made and not trained, recorded so that film, explain and plot have something."""

from collections.abc import Callable, Sequence
from functools import partial

from ashen.evaluation.judge import judge
from ashen.evaluation.match import FightResult
from ashen.runs.fights import save_fight
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import MetricsLog, Row
from ashen.training.contenders import run_contender


def play_first_match(run: RunFolder, fights: int, progress: Callable[[Sequence[FightResult]], object]) -> Row:
    """Play the first fights of ``ashen evaluate RUN``, record them all, and write their figures to the metrics.

    Args:
        run: a new run.
        fights: how many.
        progress: called when the match begins, and whenever a fight ends, with all results so far.

    Returns:
        The row of metrics.

    Raises:
        OSError: the disk is full.
    """
    contender = run_contender(run)
    figures = judge(
        contender.make_policy,
        contender.env_options | {"backend": "sim"},
        fights=fights,
        seed=0,
        record=partial(save_fight, folder=run.fights),
        facts={"kind": "evaluation", "env_step": contender.env_step},
        progress=progress,
    )
    return MetricsLog(run).write("evaluation", contender.env_step, 0, figures)

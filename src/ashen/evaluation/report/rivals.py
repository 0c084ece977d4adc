"""The same fights, played by others: the parent and the built-in opponents."""

from collections.abc import Sequence
from typing import Any, Final

from ashen.core.fight import Outcome
from ashen.evaluation.match import FightResult
from ashen.evaluation.report.subject import Subject, play
from ashen.evaluation.statistics import bootstrap_interval, chance_of_gain

SHARED: Final = ("boss", "fight", "reward")
"""What all are judged by, taken from the run; the rest of a world is each one's own."""


def comparison(subject: Subject) -> dict[str, Any]:
    """Play the report's fights with every rival.

    Returns:
        ``rows``, the run's own first: ``name, role, wins, n, rate, low, high`` (95 %), ``return_mean`` with
        ``return_low, return_high``, ``boss_hp_left_mean``, ``length_mean_steps``, ``hp_lost_mean`` with ``hp_lost_low,
        hp_lost_high``, and of rivals ``chance``: how likely equals would differ so much for the run;
        ``no_parent``: why there is none.
    """
    own = _row(subject.run.name, "this run", subject.figures, subject.results)
    rows, world = [own], {key: subject.env_options[key] for key in SHARED}
    won = _won(subject.results)
    for rival in subject.rivals:
        told = subject.follow(f"{rival.name} plays the same fights")
        figures, results = play(rival.make_policy, rival.env_options | world, len(won), progress=told)
        rows.append(_row(rival.name, rival.role, figures, results) | {"chance": chance_of_gain(_won(results), won)})
    return {"rows": rows, "no_parent": subject.no_parent}


def _row(name: str, role: str, figures: dict[str, Any], results: Sequence[FightResult]) -> dict[str, Any]:
    lost = [sum(result.damage.values()) for result in results]
    low, high = bootstrap_interval(lost)
    kept = ("wins", "return_mean", "return_low", "return_high", "boss_hp_left_mean", "length_mean_steps")
    return {
        "name": name, "role": role, "n": figures["fights"] - figures["faults"], "rate": figures["win_rate"],
        "low": figures["win_rate_low"], "high": figures["win_rate_high"],
        "hp_lost_mean": sum(lost) / len(lost), "hp_lost_low": low, "hp_lost_high": high,
    } | {key: figures[key] for key in kept}  # fmt: skip


def _won(results: Sequence[FightResult]) -> list[bool]:
    return [result.outcome == Outcome.WIN for result in results]

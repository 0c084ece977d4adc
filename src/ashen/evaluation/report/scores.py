"""What the agent thought along a fight: the Q-values or probabilities of its actions, step by step."""

from typing import Any

import numpy as np

from ashen.core.fight import STEP_S
from ashen.evaluation.report.subject import Subject
from ashen.runs.fights import WAITED, FightRecord, merit


def chosen_fights(records: list[FightRecord]) -> dict[str, FightRecord]:
    """The best, the median and the worst of some fights; fewer if there are fewer.

    Args:
        records: at least one.
    """
    ranked = sorted(records, key=lambda record: merit(record.meta), reverse=True)
    taken: dict[int, str] = {}
    for name, place in (("best", 0), ("worst", len(ranked) - 1), ("median", len(ranked) // 2)):
        taken.setdefault(place, name)
    return {name: ranked[place] for place, name in sorted(taken.items())}


def scores(subject: Subject) -> dict[str, Any]:
    """The scores along the median and the worst fight.

    Returns:
        By the fight's name, see :func:`scores_of`.
    """
    chosen = chosen_fights(subject.records)
    fights = {name: record for name, record in chosen.items() if name != "best"} or chosen
    by_record = {id(record): number for number, record in enumerate(subject.records)}
    return {
        name: scores_of(record)
        | {
            "hits": [
                {"time_s": attack.hit_step * STEP_S, "name": attack.name, "hp_lost": attack.hp_lost}
                for attack in subject.attacks[by_record[id(record)]]
                if attack.hit_step is not None
            ]
        }
        for name, record in fights.items()
    }


def scores_of(record: FightRecord) -> dict[str, Any]:
    """The scores along one fight.

    Returns:
        ``kind``: ``"q_values"`` or ``"probabilities"``; ``outcome``; ``time_s`` [T]; ``actions``: names, most used
        first; ``values``: by action and step, [A][T], None where it was not valid or nobody was asked; ``chosen``: of
        the action chosen, [T]; ``action`` its name [T]; ``player_hp`` and ``boss_hp``: shares, [T].
    """
    names, steps = record.meta["action_names"], np.arange(len(record.actions))
    asked = record.actions != WAITED
    is_known = record.masks & asked[:, None] & np.isfinite(record.scores)
    chosen = record.scores[steps, np.where(asked, record.actions, 0)]
    used = np.bincount(record.actions[asked], minlength=len(names))
    order = sorted(range(len(names)), key=lambda action: (-used[action], action))
    states = record.states[:-1]
    return {
        "kind": record.meta["score_kind"],
        "outcome": record.meta["outcome"],
        "time_s": [round(float(step) * STEP_S, 1) for step in steps],
        "actions": [names[action] for action in order],
        "values": [_known(record.scores[:, action], is_known[:, action]) for action in order],
        "chosen": _known(chosen, asked & np.isfinite(chosen)),
        "action": [names[action] if action != WAITED else "waits" for action in record.actions.tolist()],
        "player_hp": [round(float(hp), 4) for hp in states["player_hp"] / states["player_max_hp"]],
        "boss_hp": [round(float(hp), 4) for hp in states["boss_hp"] / states["boss_max_hp"]],
    }


def _known(values: np.ndarray, known: np.ndarray) -> list[float | None]:
    return [float(f"{value:.4g}") if is_known else None for value, is_known in zip(values, known, strict=True)]

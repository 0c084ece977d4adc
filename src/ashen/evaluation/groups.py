"""Runs to be compared: what each came to, and which of them are one recipe on several seeds."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ashen.core.errors import UserError
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import METRICS, Row, read_metrics

_SHOWN = 3
"""So many settings make a group's name, more only where those do not tell the groups apart."""
_BOOKKEEPING = ("_every", "_fights")
"""How settings end that change what is written down of a training more than the training."""
_NOT_COMPARED = ("seed", "real_boss")
"""Settings that the seed of a run and the hash of the table it was judged against tell."""
_TABLE = "table"
"""Among a run's settings: hash of the boss's numbers it was judged against."""


@dataclass(frozen=True)
class JudgedRun:
    """A training that has ended."""

    name: str
    """Of the run."""
    settings: dict[str, Any]
    """Its recipe without the seed, flat (``ppo.width``), and the hash of the table it was judged against."""
    seed: int
    """Of the recipe."""
    reward: str
    """What its return was counted in."""
    score: float
    """Its best network's figure in the match at the end."""
    interval: tuple[float, float] | None
    """How sure the fights of that match make it, of a win rate."""
    curve: dict[int, float]
    """The same figure of the matches on the way, by env step."""
    chosen_precision: str | None
    """What a trial at its start chose to learn in; None if its recipe says it, or the run is older than that."""


@dataclass(frozen=True)
class Group:
    """Runs of one recipe that differ in nothing but the seed."""

    name: str
    """What sets it apart from the other groups, in short, for example ``dqn.double=target``; a run alone has its own
    name before that."""
    differs: dict[str, Any]
    """All of its settings that differ between the groups."""
    runs: list[JudgedRun]
    """At least one."""


def judged_run(
    run: RunFolder, metric: str, as_now: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> JudgedRun | None:
    """Read a run; None if it has no final match, or no such figure of it.

    Args:
        run: its folder.
        metric: one of :data:`~ashen.runs.metrics.METRICS`.
        as_now: of its recipe, as :func:`~ashen.evaluation.compare.compare` takes it.

    Raises:
        UserError: the folder is damaged or is not that of a training.
    """
    rows = [row for row in read_metrics(run) if row.get(metric) is not None]
    finals = [row for row in rows if row["kind"] == "final"]
    if not finals:
        return None
    curve = {row["env_step"]: row[metric] for row in rows if row["kind"] == "evaluation"}
    try:
        config = run.read_config()
        return _as_judged(run.name, config | {"recipe": as_now(config["recipe"])}, finals[-1], metric, curve)
    except KeyError as error:
        raise UserError(f"{run.path} does not say its {error}; it is no training of this ashen, leave it out") from None


def check_comparable(runs: Sequence[JudgedRun], metric: str) -> None:
    """Require that all runs were judged by the same fight and by the same measure.

    Raises:
        UserError: two were not.
    """
    first = runs[0]
    for run in runs[1:]:
        for key in ("boss", "fight"):
            if run.settings[key] != first.settings[key]:
                raise UserError(
                    f"{first.name} fought {key} {first.settings[key]}, {run.name} {run.settings[key]}: "
                    "they cannot be compared; give runs of one fight"
                )
        if metric == "return_mean" and run.reward != first.reward:
            raise UserError(
                f"{first.name} and {run.name} count returns in different rewards; compare another metric: "
                + ", ".join(name for name in METRICS if name != metric)
            )


def grouped(runs: Sequence[JudgedRun]) -> list[Group]:
    """Put runs of one recipe together, in the order in which the recipes first come.

    Raises:
        UserError: two runs are of the same recipe and the same seed, and would count twice.
    """
    groups: dict[str, list[JudgedRun]] = {}
    for run in runs:
        members = groups.setdefault(json.dumps(run.settings, sort_keys=True), [])
        for other in members:
            if other.seed == run.seed:
                raise UserError(f"{other.name} and {run.name} are one recipe on one seed, {run.seed}; leave one out")
        members.append(run)
    settings = [members[0].settings for members in groups.values()]
    named = zip(group_names(settings), differences(settings), groups.values(), strict=True)
    return [
        Group(f"{members[0].name}: {name}" if len(members) == 1 else name, differs, members)
        for name, differs, members in named
    ]


def group_names(settings: Sequence[dict[str, Any]]) -> list[str]:
    """Name groups by the settings that tell them apart, and say how many more differ; one alone by its algorithm.

    Args:
        settings: of each group, as :func:`differences` takes them.
    """
    if len(settings) == 1:
        return [str(settings[0].get("algorithm"))]
    own = differences(settings)
    keys = sorted(dict.fromkeys(key for flat in own for key in flat), key=_rank)

    def distinct(shown: list[str]) -> int:
        return len(set(_names(own, shown)))

    shown: list[str] = []
    while distinct(shown) < len(own) and len(shown) < len(keys):
        shown.append(max((key for key in keys if key not in shown), key=lambda key: distinct([*shown, key])))
    shown += [key for key in keys if key not in shown][: max(0, _SHOWN - len(shown))]
    more = [len(flat.keys() - set(shown)) for flat in own]
    names = _names(own, sorted(shown, key=keys.index))
    return [f"{name}, +{count} more" if count else name for name, count in zip(names, more, strict=True)]


def differences(settings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The settings of each group that differ between them.

    Args:
        settings: of each group, flat; settings of an algorithm count among groups of that algorithm only.
    """
    keys = [key for key in dict.fromkeys(key for flat in settings for key in flat) if _differs(key, settings)]
    return [{key: flat.get(key) for key in keys if _applies(key, flat)} for flat in settings]


def table_hashes(groups: Sequence[Group]) -> list[str]:
    """Hashes of the tables the groups were judged against, each once."""
    return list(dict.fromkeys(group.runs[0].settings[_TABLE] for group in groups))


def _as_judged(name: str, config: dict[str, Any], final: Row, metric: str, curve: dict[int, float]) -> JudgedRun:
    recipe = config["recipe"]
    # A run's own copy of an overlay has a path of its own: what was fought is told by the table's hash.
    world = {"boss": Path(final["boss"]).stem, "fight": final["fight"], _TABLE: final["table_hash"]}
    reward = json.dumps(final["reward"], sort_keys=True)
    settings = _flat(recipe) | world
    chosen = config.get("precision") if settings.get("ppo.precision") == "auto" else None
    ends = (final.get(f"{metric}_low"), final.get(f"{metric}_high"))
    interval = None if None in ends else ends
    return JudgedRun(name, settings, recipe["seed"], reward, final[metric], interval, curve, chosen)


def _flat(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe without its seed and without the settings of learners that it does not use."""
    algorithm = recipe["algorithm"]
    flat = {
        key: value
        for key, value in recipe.items()
        if key not in _NOT_COMPARED and (key == "reward" or not isinstance(value, dict))
    }
    return flat | {f"{algorithm}.{key}": value for key, value in recipe[algorithm].items()}


def _rank(key: str) -> int:
    """How little a setting tells of a recipe: the learner comes first."""
    return 0 if key == "algorithm" else 2 if key.endswith(_BOOKKEEPING) else 1


def _names(own: Sequence[dict[str, Any]], shown: Sequence[str]) -> list[str]:
    return [", ".join(f"{key}={_text(flat[key])}" for key in shown if key in flat) for flat in own]


def _applies(key: str, flat: dict[str, Any]) -> bool:
    return "." not in key or key.startswith(f"{flat.get('algorithm')}.")


def _differs(key: str, settings: Sequence[dict[str, Any]]) -> bool:
    return len({json.dumps(flat.get(key), sort_keys=True) for flat in settings if _applies(key, flat)}) > 1


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))

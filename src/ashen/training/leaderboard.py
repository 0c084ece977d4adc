"""The leaderboard: packs, runs and opponents in the same fights, those of the benchmark, and who wins most."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import ashen
from ashen.core.errors import UserError
from ashen.evaluation.benchmark import BENCHMARK
from ashen.evaluation.judge import judge
from ashen.evaluation.match import FightResult
from ashen.evaluation.opponents import DESCRIPTIONS
from ashen.runs.pack_file import shipped_packs
from ashen.training.contenders import OPPONENTS, find_contender

KIND: Final = "ashen leaderboard"
"""What ``format`` in a leaderboard's file says."""
_FIGURES: Final = ("fights", "wins", "losses", "timeouts", "win_rate", "win_rate_low", "win_rate_high")
_FIGURES += ("length_mean_steps", "boss_hp_left_mean")
Follow = Callable[[str, int], Callable[[Sequence[FightResult]], object] | None]


def contestants(names: Sequence[str]) -> list[str]:
    """Who fights: those named, or the packs that are shipped, and every script to compare with."""
    return list(dict.fromkeys([*(names or shipped_packs()), *DESCRIPTIONS]))


def leaderboard(
    names: Sequence[str],
    runs_dir: Path,
    fights: int,
    say: Callable[[str], object],
    follow: Follow = lambda part, fights: None,
) -> dict[str, Any]:
    """Let everyone fight the benchmark's first fights.

    Args:
        names: of packs, runs and opponents.
        runs_dir: folder of all runs.
        fights: how many, at most the benchmark's.
        say: told what is doubtful about a contender.
        follow: gives, for the words and the number of fights of a contender's match, what is told its results so far.

    Returns:
        ``format``, ``benchmark`` with what is pinned, ``made_by``, and ``rows``, best first: ``name, kind`` ("pack",
        "run" or "opponent"), ``env_step``, ``trained_for`` (the fight), ``sha256`` of a pack, and the match's figures.

    Raises:
        UserError: somebody is unknown, cannot play, or was trained for another boss.
    """
    if fights > BENCHMARK.fights:
        raise UserError(f"--fights {fights} must be at most {BENCHMARK.fights}, the fights of the benchmark")
    rows = list(_rows(names, runs_dir, fights, say, follow))
    rows.sort(key=lambda row: (-row["win_rate"], row["boss_hp_left_mean"], row["length_mean_steps"]))
    pinned = {name: getattr(BENCHMARK, name) for name in ("env_id", "boss", "fight", "start", "seed", "table_hash")}
    return {
        "format": KIND,
        "benchmark": pinned | {"fights": fights},
        "made_by": f"ashen {ashen.__version__}",
        "rows": rows,
    }


def _rows(
    names: Sequence[str],
    runs_dir: Path,
    fights: int,
    say: Callable[[str], object],
    follow: Follow,
) -> Iterator[dict[str, Any]]:
    found = {name: find_contender(name, runs_dir) for name in names}
    for name, contender in found.items():  # whoever cannot take part is told before anybody fights
        BENCHMARK.check_boss(contender.env_options["boss"], name)
        if doubt := contender.pack.get("doubt"):
            say(doubt)
        if doubt := contender.doubt_in(BENCHMARK.fight):
            say(f"{name} {doubt}, like all others")
    for number, (name, contender) in enumerate(found.items(), 1):
        world = contender.env_options | BENCHMARK.world
        progress = follow(f"{name} fights {fights:,} times ({number} of {len(found)})", fights)
        figures = judge(contender.make_policy, world, fights=fights, seed=BENCHMARK.seed, progress=progress)
        if figures["table_hash"] != BENCHMARK.table_hash:
            raise UserError(
                f"the tables here are {figures['table_hash']}, {BENCHMARK.env_id} is pinned to {BENCHMARK.table_hash}; "
                "use the ashen of that version"
            )
        kind = "opponent" if name in OPPONENTS else "pack" if contender.pack else "run"
        who = {"name": figures["policy"], "kind": kind, "env_step": contender.env_step}
        who |= {"trained_for": contender.env_options["fight"]} if contender.env_step else {}
        who |= {"sha256": contender.pack["sha256"]} if contender.pack else {}
        yield who | {figure: figures[figure] for figure in _FIGURES}

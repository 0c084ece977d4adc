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


def contestants(names: Sequence[str]) -> list[str]:
    """Who fights: those named, or the packs that are shipped, and every script to compare with."""
    return list(dict.fromkeys([*(names or shipped_packs()), *DESCRIPTIONS]))


def leaderboard(
    names: Sequence[str],
    runs_dir: Path,
    fights: int,
    say: Callable[[str], object],
    progress: Callable[[Sequence[FightResult]], object] | None = None,
) -> dict[str, Any]:
    """Let everyone fight the benchmark's first fights.

    Args:
        names: of packs, runs and opponents.
        runs_dir: folder of all runs.
        fights: how many, at most the benchmark's.
        say: told what is doubtful about a contender.
        progress: called at once, and whenever a fight ends with all results of this contender so far.

    Returns:
        ``format``, ``benchmark`` with what is pinned, ``made_by``, and ``rows``, best first: ``name, kind`` ("pack",
        "run" or "opponent"), ``env_step``, ``sha256`` of a pack, and the figures of the match.

    Raises:
        UserError: somebody is unknown, cannot play, or was trained for another boss.
    """
    if fights > BENCHMARK.fights:
        raise UserError(f"--fights {fights} must be at most {BENCHMARK.fights}, the fights of the benchmark")
    rows = list(_rows(names, runs_dir, fights, say, progress))
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
    progress: Callable[[Sequence[FightResult]], object] | None,
) -> Iterator[dict[str, Any]]:
    found = {name: find_contender(name, runs_dir) for name in names}
    for name, contender in found.items():  # whoever cannot take part is told before anybody fights
        BENCHMARK.check_boss(contender.env_options["boss"], name)
        if doubt := contender.pack.get("doubt"):
            say(doubt)
    for name, contender in found.items():
        world = contender.env_options | BENCHMARK.world
        figures = judge(contender.make_policy, world, fights=fights, seed=BENCHMARK.seed, progress=progress)
        if figures["table_hash"] != BENCHMARK.table_hash:
            raise UserError(
                f"the tables here are {figures['table_hash']}, {BENCHMARK.env_id} is pinned to {BENCHMARK.table_hash}; "
                "use the ashen of that version"
            )
        kind = "opponent" if name in OPPONENTS else "pack" if contender.pack else "run"
        who = {"name": figures["policy"], "kind": kind, "env_step": contender.env_step}
        who |= {"sha256": contender.pack["sha256"]} if contender.pack else {}
        yield who | {figure: figures[figure] for figure in _FIGURES}

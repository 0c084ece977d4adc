"""The benchmark: one fight, its tables and 1,000 seeds, pinned so that win rates of anybody can be compared.

What is pinned here is written nowhere else; the datasheet is docs/benchmark.md.
"""

from dataclasses import dataclass
from typing import Any, Final

from ashen.core.errors import UserError
from ashen.core.tables import base_file, boss_file
from ashen.evaluation.match import fight_seeds


@dataclass(frozen=True)
class Benchmark:
    """A world and the fights in it. How an agent sees it and which of the actions it uses is the agent's own."""

    version: int
    """Rises with every change of dynamics, tables or observations; win rates of two versions do not compare."""
    table_hash: str
    """Fingerprint of the numbers of boss and player."""
    boss: str = "iudex"
    """Who is fought."""
    fight: str = "full"
    """Both phases, from the first to the last hit point."""
    start: str = "fixed"
    """Start pose."""
    seed: int = 1000
    """Of the match; every fight has its own seed from it."""
    fights: int = 1000
    """How many count."""

    @property
    def env_id(self) -> str:
        """The environment's id in Gymnasium."""
        return f"ashen/{self.boss.title()}-v{self.version}"

    @property
    def world(self) -> dict[str, Any]:
        """What of :func:`ashen.make_vec` the benchmark decides, whatever a contender was trained in."""
        return {"boss": self.boss, "fight": self.fight, "backend": "sim"}

    def seeds(self) -> list[int]:
        """Seeds of the fights, for ``reset``, [fights]."""
        return fight_seeds(self.seed, self.fights)

    def check_boss(self, boss: str, name: str) -> None:
        """Refuse a contender that was trained for somebody else.

        Raises:
            UserError: names both.
        """
        path = boss_file(boss)
        if (base_file(path) or path).resolve() != boss_file(self.boss).resolve():
            raise UserError(
                f"{name} was trained against {boss}, the benchmark is fought against {self.boss}; leave it out"
            )


TABLE_HASHES: Final = {0: "c978e69cb5a82f1c"}
"""The tables of every version so far. Other tables need a new version, here and in :mod:`ashen.env.registration`."""
BENCHMARK: Final = Benchmark(max(TABLE_HASHES), TABLE_HASHES[max(TABLE_HASHES)])

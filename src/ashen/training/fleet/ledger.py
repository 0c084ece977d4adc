"""The learner's books: who has sent what, whether it is whole, in order and fresh enough, and what was left out."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ashen.training.fleet.batch import Batch, Tag
from ashen.training.fleet.desk import GONE_AFTER_S

DAMAGED: Final = "damaged"
DOUBLE: Final = "double"
EMPTY: Final = "empty"
"""Its player ended before there was a whole rollout."""
STALE: Final = "stale"
LEFT_OUT: Final = (DAMAGED, DOUBLE, EMPTY, STALE)
"""Why a batch is not learned from."""
_FIGHTS_PER_LIFE: Final = 2**40
"""Numbers of fights that one life of a player may use."""


@dataclass
class Account:
    """One player's."""

    lives: dict[str, int] = field(default_factory=dict)
    """Life -> number of the next batch due."""
    batches: int = 0
    steps: int = 0
    """Learned from."""
    lost: int = 0
    """Batches that never came, though later ones did."""
    left_out: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LEFT_OUT, 0))
    """Batches by reason."""


class Ledger:
    """Keeps the accounts of all players of a training.

    Args:
        session: of this learner.
        staleness: updates that a batch may be behind; 0 takes only what this session's present version has played.
    """

    def __init__(self, session: str, staleness: int):
        self.session, self._staleness = session, staleness
        self.accounts: dict[str, Account] = {}
        self._places: dict[str, int] = {}  # of lives, for numbers of fights
        self._news: Counter[str] = Counter()
        self._steps: Counter[str] = Counter()
        self._behind: list[int] = []
        self._silent_s: dict[str, float] = {}
        """Who plays, and for how long nothing of his has come."""

    def check(self, batch: Batch, version: int) -> str | None:
        """Enter a batch that came while the learner had made ``version`` updates.

        Returns:
            None if it is to be learned from, else why not.
        """
        account = self.accounts.setdefault(batch.player, Account())
        self._silent_s[batch.player] = 0.0
        reason = self._reason(account, batch, Tag(self.session, version))
        if reason != DOUBLE:
            lost = batch.number - account.lives.get(batch.life, 0)
            account.lost += lost
            account.lives[batch.life] = batch.number + 1
            self._news["lost_batches"] += lost
        if reason is not None:
            account.left_out[reason] += 1
            self._news["left_out_steps"] += batch.counts["steps"] if reason != DOUBLE else 0
        return reason

    def take(self, batch: Batch, version: int) -> None:
        """Count a batch that is learned from now, by a learner that has made ``version`` updates."""
        account = self.accounts[batch.player]
        account.batches += 1
        account.steps += batch.counts["steps"]
        self._steps[batch.player] += batch.counts["steps"]
        self._behind.append(max(0, version - batch.tag.version))

    def _reason(self, account: Account, batch: Batch, now: Tag) -> str | None:
        if batch.number < account.lives.get(batch.life, 0):
            return DOUBLE
        if not batch.is_whole:
            return DAMAGED
        if not batch.part:
            return EMPTY
        if self._staleness == 0:
            return None if batch.tag == now else STALE
        return STALE if now.version - batch.tag.version > self._staleness else None

    def first_fight(self, life: str) -> int:
        """What to add to the numbers of a life's fights, so that they are its own among all."""
        return self._places.setdefault(life, len(self._places)) * _FIGHTS_PER_LIFE

    def latest_fight(self, life: str, fights: NDArray[np.int64]) -> NDArray[np.int64]:
        """The highest of ``fights`` that is a number of this life's, [1]; [0] if there is none."""
        own = fights[(fights >= 0) & (fights // _FIGHTS_PER_LIFE == self.first_fight(life) // _FIGHTS_PER_LIFE)]
        return np.unique(own)[-1:]

    def lost(self, player: str) -> int:
        """Batches of a player that never came."""
        return self.accounts[player].lost if player in self.accounts else 0

    def left_out(self) -> dict[str, dict[str, int]]:
        """Batches that were not learned from, by player and reason; without those of whom all were."""
        some = {name: +Counter(account.left_out) for name, account in self.accounts.items()}
        return {name: dict(reasons) for name, reasons in some.items() if reasons}

    def take_row(self, seconds: float) -> dict[str, float]:
        """Metrics since the last call, which was so long ago: also of who plays and had no turn meanwhile."""
        row = {f"fleet/steps_per_s/{name}": self._steps[name] / seconds for name in sorted(self._silent_s)}
        silent_s = {name: silent_s + seconds for name, silent_s in self._silent_s.items()}
        self._silent_s = {name: since_s for name, since_s in silent_s.items() if since_s < GONE_AFTER_S}
        behind = self._behind or [0]
        row |= {"fleet/staleness_mean": sum(behind) / len(behind), "fleet/staleness_max": float(max(behind))}
        row |= {f"fleet/{name}": float(self._news[name]) for name in ("left_out_steps", "lost_batches")}
        self._news.clear(), self._steps.clear(), self._behind.clear()
        return row

    def state_dict(self) -> dict[str, Any]:
        """All accounts, and what the next row is to say of the time before."""
        accounts = {name: asdict(account) for name, account in self.accounts.items()}
        return {"accounts": accounts, "places": self._places, "news": dict(self._news), "steps": dict(self._steps)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with these."""
        self.accounts = {name: Account(**account) for name, account in state["accounts"].items()}
        self._places = dict(state["places"])
        self._news, self._steps = (Counter(state.get(name, {})) for name in ("news", "steps"))
        self._silent_s = dict.fromkeys(self._steps, 0.0)

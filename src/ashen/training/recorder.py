"""Records a sample of the fights an agent trains in: now and then one whole fight of the first slot."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import Outcome
from ashen.core.protocols import Transitions
from ashen.runs.fights import FightRecord, Tape


class FightRecorder:
    """Watches slot 0: a fight is asked for, taped from the next start on, and saved when it ends.

    Args:
        save: called with each record.
        facts: what stands in every record's ``meta``.
    """

    def __init__(self, save: Callable[[FightRecord], object], facts: dict[str, Any]):
        self._save, self._facts = save, facts
        self._tape = Tape()
        self._is_wanted = True
        self._is_taping = False
        self._stream: dict[str, int] = {}

    def ask(self) -> None:
        """Record the next fight that starts."""
        self._is_wanted = True

    def stream_starts(self, seed: int) -> None:
        """Slot 0 begins the first fight of a stream on ``seed``; one that was being taped is given up."""
        self._stream = {"seed": seed, "nth_of_seed": 0}
        self._begin()

    @property
    def is_taping(self) -> bool:
        """Whether the fight under way is being recorded."""
        return self._is_taping

    def add(
        self, state: NDArray[Any], step: Transitions, terms: NDArray[Any], scores: NDArray[Any], waits: Any
    ) -> None:
        """Take in one step of all slots; ``state`` is FIGHT_STATE [1] of slot 0 before it."""
        if self._is_taping:
            own = [tuple(part[:1] for part in wait) for wait in waits]
            self._tape.add(state, step.actions[:1], step.mask[:1], terms[:1], step.rewards[:1], scores[:1], own)

    def fight_ends(self, final_state: Any, outcome: Outcome, env_step: int, next_is_whole: bool) -> None:
        """Slot 0's fight is over and the next begins; only one that begins at the beginning can be recorded."""
        if self._is_taping:
            meta = {"outcome": outcome.name, "env_step": env_step, "fight_number": 0} | self._stream
            self._save(self._tape.cut(0, np.asarray(final_state), self._facts | meta))
            self._is_wanted = False
        self._stream["nth_of_seed"] += 1
        self._begin(next_is_whole)

    def state_dict(self) -> dict[str, Any]:
        """What is taped and wanted."""
        return {name: getattr(self, name) for name in _KEPT} | {"tape": self._tape.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there with the fights of then."""
        for name in _KEPT:
            setattr(self, name, state[name])
        self._tape.load_state_dict(state["tape"])

    def _begin(self, is_whole: bool = True) -> None:
        self._tape.clear()
        self._is_taping = self._is_wanted and is_whole


_KEPT = ("_is_wanted", "_is_taping", "_stream")

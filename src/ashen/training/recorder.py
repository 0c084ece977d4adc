"""Records the fights an agent trains in: now and then one whole fight of the first slot, on the game every one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ashen.core.fight import Outcome
from ashen.core.protocols import Transitions
from ashen.evaluation.incidents import Incidents
from ashen.runs.fight_journal import FightJournal
from ashen.runs.fights import FightRecord, Tape


class FightRecorder:
    """Watches slot 0: a fight is asked for, taped from the next start on, and saved when it ends.

    Args:
        save: called with each record.
        facts: what stands in every record's ``meta``.
        incidents: what goes wrong in the fights.
        journal: keeps the fight under way on disk, and has every fight recorded; None records a sample.
    """

    def __init__(
        self,
        save: Callable[[FightRecord], object],
        facts: dict[str, Any],
        incidents: Incidents,
        journal: FightJournal | None = None,
    ):
        self._save, self._facts, self._incidents, self._journal = save, facts, incidents, journal
        self._tape = Tape()
        self._is_wanted = True
        self._is_taping = False
        self._stream: dict[str, int] = {}
        self._began: dict[str, str] = {}

    def ask(self) -> None:
        """Record the next fight that starts."""
        self._is_wanted = True

    def stream_starts(self, seed: int, env_step: int) -> None:
        """Slot 0 begins the first fight of a stream on ``seed``; one that was being taped is given up."""
        self._stream = {"seed": seed, "nth_of_seed": 0}
        self._begin(env_step)

    @property
    def is_taping(self) -> bool:
        """Whether the fight under way is being recorded."""
        return self._is_taping

    def add(
        self,
        state: NDArray[Any],
        step: Transitions,
        terms: NDArray[Any],
        scores: NDArray[Any],
        waits: Any,
        after: NDArray[Any],
    ) -> None:
        """Take in one step of all slots; FIGHT_STATE [1] of slot 0 is ``state`` before it and ``after`` it."""
        if self._is_taping:
            own = [tuple(part[:1] for part in wait) for wait in waits]
            parts = (step.actions[:1], step.mask[:1], terms[:1], step.rewards[:1], scores[:1])
            rows = self._tape.add(state, *parts, own)
            if self._journal is not None:
                self._journal.add(rows, after)

    def fight_ends(self, final_state: Any, outcome: Outcome, env_step: int, next_is_whole: bool) -> None:
        """Slot 0's fight is over and the next begins; only one that begins at the beginning can be recorded."""
        if self._is_taping:
            meta = self._meta(env_step) | {"outcome": outcome.name}
            if outcome == Outcome.FAULT:
                meta["incident"] = self._incidents.first()
            self._save(self._tape.cut(0, np.asarray(final_state), meta))
            self._is_wanted = self._journal is not None
        self._stream["nth_of_seed"] += 1
        self._begin(env_step, next_is_whole)

    def give_up(self) -> Path | None:
        """The fight under way does not go on; the file in which the journal, if there is one, keeps it as it is."""
        return None if self._journal is None else self._journal.give_up(self._incidents.first())

    def state_dict(self) -> dict[str, Any]:
        """What is taped and wanted."""
        return {name: getattr(self, name) for name in _KEPT} | {"tape": self._tape.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there with the fights of then."""
        for name in _KEPT:
            setattr(self, name, state[name])
        self._tape.load_state_dict(state["tape"])

    def _begin(self, env_step: int, is_whole: bool = True) -> None:
        self._tape.clear()
        self._incidents.fight_begins()
        self._is_taping = self._is_wanted and is_whole
        self._began = {} if self._journal is None else self._journal.begin(self._meta(env_step))

    def _meta(self, env_step: int) -> dict[str, Any]:
        return self._facts | {"env_step": env_step, "fight_number": 0} | self._stream | self._began


_KEPT = ("_is_wanted", "_is_taping", "_stream")

"""One fight on the real game behind :class:`ashen.core.protocols.Backend`."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from ashen.core.errors import unknown
from ashen.core.fight import FIGHT_STATE, GAME_TABLES, MAX_STEPS, NUM_ACTIONS, Outcome
from ashen.core.tables import boss_file
from ashen.core.vocabulary import boss_vocabulary, player_vocabulary
from ashen.game.door import Shown
from ashen.game.keeper import Incident, the_keeper
from ashen.game.options import GameOptions
from ashen.game.soulsgym_builds import fight_spec
from ashen.game.translate import SHOWN_BYTES

FIGHTS = ("phase1", "phase2", "full")
RUNNING, WIN, LOSS, TIMEOUT, FAULT = (int(outcome) for outcome in Outcome)


class GameBackend:
    """The fight on the game that runs on this machine. Nothing it does can hang; a fight that fails becomes a FAULT.

    Several may be open in one process, as for training and its matches; they play in turns, a whole fight each.

    Args:
        boss: a boss's name or the path of its table.
        fight: ``"phase1"``, ``"phase2"`` (SoulsGym's training fights) or ``"full"`` (its demo fight).
        options: how.

    Raises:
        UserError: there is no such boss or fight, or the game or SoulsGym is not there.
    """

    num_fights = 1
    table_hash = GAME_TABLES

    def __init__(self, boss: str, fight: str, options: GameOptions | None = None):
        if fight not in FIGHTS:
            raise unknown("fight", fight, FIGHTS)
        self.options = options or GameOptions()
        self._spec = fight_spec(boss, fight, self.options)
        self.player_vocabulary, self.boss_vocabulary = player_vocabulary(), boss_vocabulary(boss_file(boss))
        self.states = np.zeros(1, FIGHT_STATE)
        self._shown = self.states.view(np.uint8)[:SHOWN_BYTES]
        self._mask = np.ones((1, NUM_ACTIONS), np.bool_)
        self._outcome = np.full(1, FAULT, np.int8)
        self._keeper = the_keeper()
        self._keeper.open(self._spec, self.options)
        self._keeper.users.add(self)

    @property
    def incidents(self) -> list[Incident]:
        """Everything that went wrong so far in this process, in order."""
        return self._keeper.incidents

    @property
    def unknown_animations(self) -> Counter[str]:
        """Animations that no table knows, such as ``boss Attack1501``, with the steps that showed them."""
        return self._keeper.unknown_animations

    @property
    def measured(self) -> dict[str, Counter[float]]:
        """How often each value was measured, by ``game_speed`` and ``input_latency_steps``."""
        return self._keeper.measured

    def reset(self, which: NDArray[np.bool_], seeds: NDArray[np.uint64] | None = None) -> None:
        """Start a new fight if ``which`` [1]; the game's dice know no ``seeds``.

        Raises:
            UserError: no fight can be started and only the user can help; the game is left playable.
        """
        if which[0]:
            self._show(self._keeper.begin(self, self._spec, self.options), step=0)
            self._outcome[0] = RUNNING

    def step(self, actions: NDArray[np.int64], which: NDArray[np.bool_] | None = None) -> None:
        """Do ``actions`` [1], 0..19, and let 0.1 s pass, if ``which`` [1] or None."""
        if self._outcome[0] != RUNNING or (which is not None and not which[0]):
            return
        if self._keeper.holder is not self:
            self._keeper.interrupt()
            self._outcome[0] = FAULT
            return
        shown = self._keeper.step(int(actions[0]), self.options)
        if shown is None:
            self._outcome[0] = FAULT
            return
        self._show(shown, step=int(self.states["step"][0]) + 1)
        self._outcome[0] = self._judge()

    def valid_actions(self) -> NDArray[np.bool_]:
        """Mask [1, 20]; rewritten in place by reset and step."""
        return self._mask

    def outcome(self) -> NDArray[np.int8]:
        """Outcome [1] of the last step; rewritten in place by reset and step."""
        return self._outcome

    def close(self) -> None:
        """Let go of the game; the last one to do so leaves it playable."""
        self._keeper.users.discard(self)
        if not self._keeper.users:
            self._keeper.close()

    def _show(self, shown: Shown, step: int) -> None:
        self._shown[:] = np.frombuffer(shown.row, np.uint8)
        self.states["step"] = step
        self._mask[0] = np.frombuffer(shown.mask, np.bool_)

    def _judge(self) -> int:
        state = self.states[0]
        if state["player_hp"] <= 0.0:
            return LOSS
        if state["boss_hp"] <= 0.0:
            return WIN
        return TIMEOUT if state["step"] >= MAX_STEPS else RUNNING

"""The training of a fleet: the ordinary loop, which gets its steps from players elsewhere."""

from collections.abc import Iterator
from typing import Any

from ashen.core.signals import is_stop_asked
from ashen.runs.metrics import Row
from ashen.training.fleet.fights_elsewhere import FightsElsewhere
from ashen.training.fleet.plan import FleetPlan, check_learner
from ashen.training.loop import Training
from ashen.training.recipe import Recipe


class FleetTraining(Training):
    """An agent, and the players who fight for it.

    Args:
        recipe: how to train.
        plan: who plays.

    Raises:
        UserError: the recipe names something that does not exist, or no fleet can train by it.
    """

    def __init__(self, recipe: Recipe, plan: FleetPlan):
        check_learner(recipe, plan)
        super().__init__(recipe)
        self.plan = plan
        self._player = FightsElsewhere(recipe, plan, self._player, self.agent)

    def _step(self) -> None:
        self._step_before, self._has_ended = self.env_step, True
        with self._tally.time("world"):
            batches = self._player.collect()
        if not batches:
            return
        self._tally.leave_out("world", self._player.take_delay_s(batches))
        with self._tally.time("learning"):
            parts = [self._numbered(batch.life, batch.part) for batch in batches]
            self._tally.add_update(self.agent.take(parts, is_stop_asked))  # on a slow machine it may take a minute
        for batch in batches:
            self.env_step += batch.counts["steps"]
            self._tally.add_counts(batch.counts)
            self._monitors.add_windows(batch.windows)
        if self.env_step >= self.recipe.total_steps:
            self._player.end()

    def _numbered(self, life: str, part: dict[str, Any]) -> dict[str, Any]:
        """A part whose fights have numbers of their own among those of all players."""
        if "fights" not in part:
            return part
        first = self._player.ledger.first_fight(life)
        return part | {"fights": part["fights"] + first, "faulted": part["faulted"] + first}

    def _periodic_work(self) -> Iterator[Row]:
        if hint := self._player.take_hint():
            yield self._write("warning", hint)
        yield from (self._write("warning", row) for row in self._player.stragglers.take_rows())
        yield from super()._periodic_work()

    def _train_row(self) -> Row:
        seconds = self._tally.seconds
        return super()._train_row() | self._player.take_row(seconds)

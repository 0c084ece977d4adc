"""The fights of a training whose players are a fleet: in place of :class:`ashen.training.player.Player`."""

import secrets
import time
from contextlib import ExitStack
from typing import Any, Final

from ashen.agents.acting import acting_state
from ashen.core.protocols import Agent
from ashen.runs.fights import save_new_fight
from ashen.runs.folder import RunFolder
from ashen.training.fleet.batch import Batch, Tag
from ashen.training.fleet.crew import Crew, ray_running
from ashen.training.fleet.ledger import DOUBLE, Ledger
from ashen.training.fleet.plan import FleetPlan
from ashen.training.fleet.tables import pack_tables
from ashen.training.fleet.weights import packed
from ashen.training.game_account import UnknownAnimations
from ashen.training.player import Player
from ashen.training.recipe import Recipe
from ashen.training.tables import to_table

WAIT_S: Final = 0.5
"""How long to wait for a batch before looking whether to stop."""
OPEN_CALLS: Final = 2
"""Of each player where the learner need not have learned from a batch before the next one begins."""
ENOUGH: Final = 0.95
"""Share of a rollout at which a round is over: shares of players are rounded."""
_GRACE_S: Final = 1.0
"""A round waits at least so long for stragglers before others play more in their place."""


class _Wish:
    """In place of a recorder, which every player has: whether one of them is to record a fight."""

    def __init__(self) -> None:
        self._is_wanted = False

    def ask(self) -> None:
        self._is_wanted = True

    def take(self) -> bool:
        was_wanted, self._is_wanted = self._is_wanted, False
        return was_wanted

    def give_up(self) -> None:
        """Players end theirs by themselves."""


class FightsElsewhere:
    """Asks players for batches, and hands on those that may be learned from.

    Args:
        recipe: of the training.
        plan: who plays.
        shape: whose environment says what the fights are like; it is not played.
        agent: the learner.
    """

    can_be_saved = False

    def __init__(self, recipe: Recipe, plan: FleetPlan, shape: Player, agent: Agent):
        self.env, self.tally = shape.env, shape.tally
        self._recipe, self._plan, self._agent = recipe, plan, agent
        self._round_steps = recipe.num_envs * recipe.ppo.rollout_steps * ENOUGH if agent.replay is None else 0
        self._key = secrets.token_hex(8)
        self.ledger = Ledger(secrets.token_hex(8), 0 if self._round_steps else plan.staleness)
        self.crew = Crew(recipe, plan, pack_tables(recipe))
        self.recorder = _Wish()
        self._stack = ExitStack()
        self._published = -1
        self._round: list[Batch] = []
        self._counted_s = time.monotonic()
        self.has_begun = False

    def start(self, env_step: int) -> None:
        """Start the players.

        Raises:
            UserError: there is no fleet.
        """
        self._stack.enter_context(ray_running(self._plan))
        self.crew.start(None if self._plan.fleet is None else self._about())
        if (room := self.crew.room()) < self._plan.actors:
            self._run.log(f"the fleet has cores for {room} actors now; the others begin when machines join")
        self.has_begun = True

    def _about(self) -> dict[str, Any]:
        return {
            "run": self._run.name,
            "key": self._key,
            "recipe": to_table(self._recipe),
            "luggage": pack_tables(self._recipe),
            "players": self._plan.actors,
            "inputs": list(self.env.encoder.names),
            "actions": list(self.env.action_names),
        }

    def collect(self) -> list[Batch]:
        """Batches to learn from now, none if there are none yet; for PPO those of a whole round.

        Raises:
            UserError: a player cannot play.
        """
        version = self._agent.updates
        if version != self._published:
            tag = Tag(self.ledger.session, version)
            self.crew.publish(packed(acting_state(self._agent), tag), tag)
            self._published, self._round, self._round_began_s = version, [], time.monotonic()
        self.crew.ask(1 if self._round_steps else OPEN_CALLS, self._is_late, self.recorder.take())
        new = [batch for batch in self.crew.wait(WAIT_S) if self._enter(batch, version)]
        if not self._round_steps:
            return new
        if new and not self._round:
            self._grace_ends_s = 2.0 * time.monotonic() - self._round_began_s + _GRACE_S
        self._round += new
        if sum(batch.counts["steps"] for batch in self._round) < self._round_steps:
            return []
        self._published = -1  # also where nothing of the round could be learned and the policy stays
        return self._round

    def _enter(self, batch: Batch, version: int) -> bool:
        """Keep what a batch tells; whether it is to be learned from."""
        reason = self.ledger.check(batch, version)
        if reason == DOUBLE:
            return False
        for fight in batch.fights:  # whatever becomes of the steps: nobody can fight it again
            save_new_fight(fight, self._run.fights)
        for note in batch.notes:
            self._run.log(f"{batch.player}: {note}")
        if batch.unknown:
            self._unknown.add(batch.unknown)
            self._unknown.save()
        return reason is None

    @property
    def _is_late(self) -> bool:
        """Whether whoever has played may be asked again by the same networks: always, but in rounds."""
        return not self._round_steps or (bool(self._round) and time.monotonic() > self._grace_ends_s)

    def take_row(self) -> dict[str, float]:
        """Metrics of the fleet since the last call."""
        now_s = time.monotonic()
        row = self.ledger.take_row(now_s - self._counted_s)
        self._counted_s = now_s
        row |= {"fleet/restarts": float(self.crew.restarts), "fleet/waiting": float(self.crew.waiting)}
        self.crew.status = row | {"step": self._agent.steps}
        return row

    def record(self, policy: Any, save: Any, run: RunFolder) -> None:
        """Players record by themselves; what they send is kept in the run's folder."""
        self._run, self._unknown = run, UnknownAnimations(run, self._recipe.boss)

    def give_up(self) -> None:
        """End the players."""
        self._stack.close()
        self.has_begun = False

    def state_dict(self) -> dict[str, Any]:
        """What was counted."""
        return {"tally": self.tally.state_dict(), "fleet": self.ledger.state_dict(), "fleet_key": self._key}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on counting from there."""
        self.tally.load_state_dict(state["tally"])
        if "fleet" in state:
            self._key = state["fleet_key"]
            self.ledger.load_state_dict(state["fleet"])

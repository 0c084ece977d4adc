"""The fights of a training whose players are a fleet: in place of :class:`ashen.training.player.Player`."""

import math
import secrets
import time
from collections import Counter, deque
from contextlib import ExitStack
from typing import Any, Final

from ashen.agents.acting import acting_state
from ashen.core.protocols import Agent
from ashen.runs.fights import save_new_fight
from ashen.runs.folder import RunFolder
from ashen.runs.metrics import Row
from ashen.training.fleet.batch import Batch, Tag
from ashen.training.fleet.cluster import is_loopback
from ashen.training.fleet.crew import Crew
from ashen.training.fleet.engine import ray_running
from ashen.training.fleet.ledger import DOUBLE, Ledger
from ashen.training.fleet.plan import FleetPlan
from ashen.training.fleet.round import Round
from ashen.training.fleet.stragglers import Stragglers
from ashen.training.fleet.tables import pack_tables
from ashen.training.fleet.weights import packed
from ashen.training.fleet.wire import ENDED, STOPPED
from ashen.training.game_account import UnknownAnimations
from ashen.training.player import Player
from ashen.training.recipe import Recipe
from ashen.training.tables import to_table

WAIT_S: Final = 0.5
"""How long to wait for a batch before looking whether to stop."""
HINT_AFTER_S: Final = 5.0
"""Without a player, until it is said how they join."""
NOBODY: Final = "no players"
FEW_CORES: Final = "few cores"
_IN_ROUNDS: Final = (
    "PPO learns from its present policy alone, in rounds that last as long as the quick ones make them: have all play "
    "at one speed (--pace), or train by a recipe of DQN, which learns from slow ones too"
)
_LATER: Final = "give more --staleness, or have fewer play that are quick"
OPEN_CALLS: Final = 2
"""Of each player where the learner need not have learned from a batch before the next one begins."""


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
        self._is_in_rounds = agent.replay is None
        self._key = secrets.token_hex(8)
        self.ledger = Ledger(secrets.token_hex(8), 0 if self._is_in_rounds else plan.staleness)
        self.stragglers = Stragglers(_IN_ROUNDS if self._is_in_rounds else _LATER, self.ledger.session, time.monotonic)
        self.crew = Crew(recipe, plan, pack_tables(recipe))
        self.recorder = self.crew.recorder
        self._stack = ExitStack()
        self._waiting: deque[Batch] = deque()
        self._published = -1
        self._amiss = Counter[str]()
        """Since the training was begun or resumed, for who looks at the status."""
        self.has_begun = self._is_deserted = False
        self._room_hint: Row | None = None
        self._starts_s: float | None = None
        """Since when players are started, as long as nobody has sent anything."""
        self._look_at_s = math.inf
        """When to look whether anybody is there, if nothing comes until then."""

    def start(self, env_step: int) -> None:
        """Start the players; those of this machine alone only if there is anything left to learn.

        Raises:
            UserError: there is no fleet.
        """
        is_complete = env_step >= self._recipe.total_steps
        if is_complete and self._plan.fleet is None:
            return
        self._starts_s = time.monotonic()
        self._stack.callback(self.crew.release)
        self._stack.enter_context(ray_running(self._plan))
        self.crew.start(None if self._plan.fleet is None else self._about())
        if is_complete:
            self.end()
        if (room := self.crew.room()) < self._plan.actors:
            self._room_hint = _without_room(self._plan, room)
        self._look_at_s = self._next_look_s()
        self.has_begun = True

    def take_hint(self) -> Row | None:
        """Values of a ``warning`` row when actors lack room, when nobody is there to play and when somebody is again.

        Raises:
            UserError: the fleet's head has gone.
        """
        if hint := self._room_hint:
            self._room_hint = None
            return hint
        if self._is_deserted and self._look_at_s < math.inf:
            self._is_deserted = False
            return {"guard": NOBODY, "state": "over", "message": f"{NOBODY}: over"}
        if time.monotonic() < self._look_at_s:
            return None
        if not self.crew.is_deserted():
            self._look_at_s = self._next_look_s()
            return None
        self._look_at_s, self._is_deserted = math.inf, True
        what = "all have left or fallen silent" if self.ledger.accounts else "waiting for players"
        how = f"they join with: ashen fleet join {self.crew.door} --game, or --client for the simulator"
        if self._plan.actors and not is_loopback(self._plan.fleet):
            how += f"; machines for its {self._plan.actors} actors with: ashen fleet join {self._plan.fleet}"
        return {"guard": NOBODY, "state": "begun", "message": f"{NOBODY}: {what}; {how}"}

    def _next_look_s(self) -> float:
        return math.inf if self._plan.fleet is None else time.monotonic() + HINT_AFTER_S

    def end(self) -> None:
        """The training is complete: nobody need play for its last matches."""
        self._waiting.extend(self.crew.close(self._key, ENDED))

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
        """What to learn from now, none if there is nothing yet: one batch, or for PPO those of a whole round.

        Raises:
            UserError: a player cannot play.
        """
        batches = self._round_played() if self._is_in_rounds else self._next_batch()
        for batch in batches:
            self.ledger.take(batch, self._agent.updates)
        return batches

    def _next_batch(self) -> list[Batch]:
        """One at a time, so that the training sees to other things between two; nobody is asked for more before all
        that came have been taken.
        """
        if not self._waiting:
            self._publish()
            self._waiting.extend(self._heard(OPEN_CALLS, again=True))
        while self._waiting:
            batch = self._waiting.popleft()
            if self._enter(batch):
                return [batch]
        return []

    def _round_played(self) -> list[Batch]:
        if self._publish():
            self._round = Round(self._recipe.num_envs * self._recipe.ppo.rollout_steps, time.monotonic())
        heard = self._heard(1, again=self._round.is_late(time.monotonic()))
        played = sum(batch.tag.version == self._published for batch in heard)
        self._round.add(played, [batch for batch in heard if self._enter(batch)], time.monotonic())
        if not self._round.is_over:
            return []
        self._published = -1  # also where nothing of the round could be learned and the policy stays
        return self._round.batches

    def _publish(self) -> bool:
        """Have everybody act by the networks as they are; whether they are others than before."""
        version = self._agent.updates
        if version == self._published:
            return False
        tag = Tag(self.ledger.session, version)
        self.crew.publish(packed(acting_state(self._agent), tag), tag)
        self._published = version
        return True

    def _heard(self, open_calls: int, again: bool) -> list[Batch]:
        """Batches that came after asking for more."""
        self.crew.ask(open_calls, again)
        if batches := self.crew.wait(WAIT_S):
            self._look_at_s = self._next_look_s()
        for line in self.crew.take_news():
            self._run.log(line)
        return batches

    def _enter(self, batch: Batch) -> bool:
        """Enter a batch in the books and keep what it tells; whether it is to be learned from."""
        lost_before = self.ledger.lost(batch.player)
        reason = self.ledger.check(batch, self._agent.updates)
        if reason == DOUBLE:
            return False
        missed = self._agent.updates - batch.tag.version if self._is_in_rounds else 1
        self.stragglers.note(batch, reason, missed)
        if reason is not None or self.ledger.lost(batch.player) > lost_before:
            self._doubt_fight(batch.life)
        self._keep(batch)
        return reason is None

    def _keep(self, batch: Batch) -> None:
        """What a batch tells besides its steps, whatever becomes of those: nobody can fight its fights again."""
        for fight in batch.fights:
            save_new_fight(fight, self._run.fights)
        for note in batch.notes:
            self._run.log(f"{batch.player}: {note}")
        if batch.unknown:
            self._unknown.add(batch.unknown)
            self._unknown.save()

    def _doubt_fight(self, life: str) -> None:
        """What is not read may say that a fault ended the fight under way: take out what there is of it."""
        replay = self._agent.replay
        if replay is not None:
            replay.remove(self.ledger.latest_fight(life, replay.fights))

    def take_delay_s(self, batches: list[Batch]) -> float:
        """Before the first of these was begun, if they are the first: that long players took to start."""
        if self._starts_s is None:
            return 0.0
        starts_s, self._starts_s = self._starts_s, None
        return max(0.0, time.monotonic() - starts_s - max(batch.took_s for batch in batches))

    def take_row(self, seconds: float) -> dict[str, float]:
        """Metrics of the fleet since the last call, which was so long ago."""
        row = self.ledger.take_row(seconds)
        row |= {f"fleet/{name}": float(getattr(self.crew, name)) for name in ("restarts", "waiting", "unreadable")}
        row["fleet/waiting"] += len(self._waiting)
        self._amiss.update({f"{name}_in_all": row[name] for name in ("fleet/left_out_steps", "fleet/lost_batches")})
        self.crew.status = row | self._amiss | {"step": self._agent.steps, "left_out": self.ledger.left_out()}
        return row

    def record(self, policy: Any, save: Any, run: RunFolder) -> None:
        """Players record by themselves; what they send is kept in the run's folder."""
        self._run, self._unknown = run, UnknownAnimations(run, self._recipe.boss)

    def give_up(self) -> None:
        """End the players. Of batches that nobody will learn from, fights and notes are kept."""
        try:
            for batch in (*self._waiting, *self.crew.close(self._key, STOPPED)):
                if self.ledger.check(batch, self._agent.updates) != DOUBLE:
                    self._keep(batch)
        finally:
            self._waiting.clear()
            self._stack.close()
            self.has_begun = False

    def state_dict(self) -> dict[str, Any]:
        """What was counted, and whose the rows of the replay are: players from outside fight on meanwhile."""
        state = {"tally": self.tally.state_dict(), "fleet": self.ledger.state_dict(), "fleet_key": self._key}
        return state if self._agent.replay is None else state | {"replay_fights": self._agent.replay.fights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on counting from there."""
        self.tally.load_state_dict(state["tally"])
        if "fleet" in state:
            self._key = state["fleet_key"]
            self.ledger.load_state_dict(state["fleet"])
        if "replay_fights" in state:
            self._agent.replay.fights[:] = state["replay_fights"]


def _without_room(plan: FleetPlan, room: int) -> Row:
    """Values of a ``warning`` row for a fleet whose machines have cores for so many of its actors."""
    how = f"the others begin when machines join: ashen fleet join {plan.fleet}"
    if is_loopback(plan.fleet):
        how = f"no machine can join it; start it for more: ashen fleet start --actors {plan.actors}"
    said = f"{FEW_CORES}: the fleet has cores for {room} of {plan.actors} actors now; {how}"
    return {"guard": FEW_CORES, "state": "begun", "message": said}

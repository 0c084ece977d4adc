"""A match on the game, one fight at a time: of the agent as it was when the match began, until its answer is sure.

Whatever is learned while it lasts does not change who plays it: it keeps its own copy of the agent. Ctrl-C cuts off the
fight under way; those that are over stay, and the match goes on from there another time.
"""

import copy
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from ashen.core.fight import Outcome
from ashen.core.protocols import Agent
from ashen.core.seeding import derive_seed
from ashen.core.signals import heed_stop
from ashen.evaluation.judge import judge
from ashen.evaluation.match import FightResult, wins_of
from ashen.evaluation.policies import GreedyAgent
from ashen.evaluation.sequential import SureWhen
from ashen.evaluation.summary import summarise
from ashen.runs.fight_journal import FightJournal
from ashen.runs.fights import FightRecord
from ashen.runs.folder import RunFolder
from ashen.training.recipe import Recipe, env_options, make_agent_for


class SlowMatch:
    """A match whose fights are asked for one by one.

    Args:
        run: whose agent it is; the fight under way is kept there on disk.
        recipe: how it fights.
        agent: what the agent's ``state_dict()`` gives; copied.
        env_step: steps of training behind the agent.
        fights: that count the match has at most.
        sure_when: when its answer is sure; None plays exactly so many, those that a fault ended among them.
        record: called with the record of every fight.
        kind: of the fights, in their records; those of a gate are the final ones.
    """

    def __init__(
        self,
        run: RunFolder,
        recipe: Recipe,
        agent: dict[str, Any],
        env_step: int,
        fights: int,
        sure_when: SureWhen | None,
        record: Callable[[FightRecord], object],
        kind: str = "evaluation",
    ):
        self.env_step, self.agent_state = env_step, copy.deepcopy(agent)
        self._recipe, self._fights, self._sure_when = recipe, fights, sure_when
        self.results: list[FightResult] = []
        self._figures: dict[str, Any] = {}
        self._agent: Agent | None = None
        self._play = partial(
            judge,
            lambda env: GreedyAgent(self._agent_for(env), run.name),
            env_options(recipe),
            fights=1,
            seed=derive_seed(recipe.seed, "final" if kind == "gate" else kind),
            record=record,
            facts={"kind": kind, "env_step": env_step},
            watch=heed_stop,
        )
        self._fights_dir = run.fights

    @property
    def counts(self) -> tuple[int, int, int]:
        """Fights won so far, fights that count, and fights left out because a fault ended them."""
        wins, judged = wins_of(self.results)
        return wins, judged, len(self.results) - judged

    @property
    def is_over(self) -> bool:
        """Whether the answer is sure, or all fights are fought."""
        if self._sure_when is None:  # two such matches are compared fight by fight
            return len(self.results) >= self._fights
        wins, judged, _ = self.counts
        return judged >= self._fights or self._sure_when.answer(wins, judged) is not None

    def fight(self) -> int:
        """Fight the next fight to its end; returns the steps of 0.1 s it took.

        Raises:
            UserError: the game needs the user, or he pressed Ctrl-C.
        """
        latest: list[FightResult] = []

        def keep(results: Any) -> None:
            latest[:] = results

        figures = self._play(first=len(self.results), journal=FightJournal(self._fights_dir), progress=keep)
        figures["seconds"] += self._figures.get("seconds", 0.0)
        self.results += latest
        self._figures = figures
        return latest[0].length_steps

    def figures(self) -> dict[str, Any]:
        """As :func:`ashen.evaluation.judge.judge` gives them, of all fights so far, at least one; and ``is_over``."""
        full_fight = self._recipe.fight == "full"
        figures = summarise(self.results, full_fight=full_fight, sure_when=self._sure_when)
        return self._figures | figures | {"is_over": self.is_over}

    def state_dict(self) -> dict[str, Any]:
        """What came of it so far, plain data; the agent is apart."""
        results = [asdict(result) | {"outcome": int(result.outcome)} for result in self.results]
        rival = None if self._sure_when is None or self._sure_when.rival is None else list(self._sure_when.rival)
        return {"env_step": self.env_step, "rival": rival, "results": results, "figures": self._figures}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.results = [FightResult(**row | {"outcome": Outcome(row["outcome"])}) for row in state["results"]]
        self._figures = state["figures"]

    def _agent_for(self, env: Any) -> Agent:
        if self._agent is None:
            self._agent = make_agent_for(self._recipe, env)
            self._agent.load_state_dict(self.agent_state)
        return self._agent

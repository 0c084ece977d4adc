"""A match on the game, one fight at a time: of the agent as it was when the match began, until its answer is sure.

Whatever is learned while it lasts does not change who plays it: it keeps its own copy of the agent.
"""

import copy
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from ashen.core.fight import Outcome
from ashen.core.protocols import Agent
from ashen.core.seeding import derive_seed
from ashen.evaluation.judge import judge
from ashen.evaluation.match import FightResult, wins_of
from ashen.evaluation.policies import GreedyAgent
from ashen.evaluation.sequential import Rival, SureWhen
from ashen.evaluation.summary import summarise
from ashen.runs.fight_journal import FightJournal
from ashen.runs.fights import FightRecord
from ashen.runs.folder import RunFolder
from ashen.training.recipe import Recipe, env_options, make_agent_for


class SlowMatch:
    """A match whose fights are asked for one by one.

    Args:
        run: whose agent it is; the fight under way is kept there on disk.
        recipe: how it fights, and how many fights that count the match has at most.
        agent: what the agent's ``state_dict()`` gives; copied.
        env_step: steps of training behind the agent.
        rival: with whom it is compared.
        record: called with the record of every fight.
    """

    def __init__(
        self,
        run: RunFolder,
        recipe: Recipe,
        agent: dict[str, Any],
        env_step: int,
        rival: Rival | None,
        record: Callable[[FightRecord], object],
    ):
        self.env_step, self.agent_state, self.rival = env_step, copy.deepcopy(agent), rival
        self._recipe, self._sure_when = recipe, SureWhen(rival=rival)
        self._results: list[FightResult] = []
        self._figures: dict[str, Any] = {}
        self._agent: Agent | None = None
        self._play = partial(
            judge,
            lambda env: GreedyAgent(self._agent_for(env), run.name),
            env_options(recipe),
            fights=1,
            seed=derive_seed(recipe.seed, "evaluation"),
            record=record,
            facts={"kind": "evaluation", "env_step": env_step},
        )
        self._fights_dir = run.fights

    @property
    def counts(self) -> tuple[int, int, int]:
        """Fights won so far, fights that count, and fights left out because a fault ended them."""
        wins, judged = wins_of(self._results)
        return wins, judged, len(self._results) - judged

    @property
    def is_over(self) -> bool:
        """Whether the answer is sure, or all fights are fought."""
        wins, judged, _ = self.counts
        return judged >= self._recipe.evaluation_fights or self._sure_when.answer(wins, judged) is not None

    def fight(self) -> int:
        """Fight the next fight to its end; returns the steps of 0.1 s it took.

        Raises:
            UserError: the game needs the user.
        """
        latest: list[FightResult] = []

        def keep(results: Any) -> None:
            latest[:] = results

        figures = self._play(first=len(self._results), journal=FightJournal(self._fights_dir), progress=keep)
        figures["seconds"] += self._figures.get("seconds", 0.0)
        self._results += latest
        self._figures = figures
        return latest[0].length_steps

    def figures(self) -> dict[str, Any]:
        """As :func:`ashen.evaluation.judge.judge` gives them, of all fights so far, at least one; and ``is_over``."""
        full_fight = self._recipe.fight == "full"
        figures = summarise(self._results, full_fight=full_fight, sure_when=self._sure_when)
        return self._figures | figures | {"is_over": self.is_over}

    def state_dict(self) -> dict[str, Any]:
        """What came of it so far, plain data; the agent is apart."""
        results = [asdict(result) | {"outcome": int(result.outcome)} for result in self._results]
        rival = None if self.rival is None else list(self.rival)
        return {"env_step": self.env_step, "rival": rival, "results": results, "figures": self._figures}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._results = [FightResult(**row | {"outcome": Outcome(row["outcome"])}) for row in state["results"]]
        self._figures = state["figures"]

    def _agent_for(self, env: Any) -> Agent:
        if self._agent is None:
            self._agent = make_agent_for(self._recipe, env)
            self._agent.load_state_dict(self.agent_state)
        return self._agent

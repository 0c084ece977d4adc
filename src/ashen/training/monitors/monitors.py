"""The guards at work: what they are shown, and how often a warning is said."""

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

from ashen.core.protocols import Agent, Transitions
from ashen.runs.metrics import Row
from ashen.training.monitors.guards import GUARDS
from ashen.training.monitors.look import UNCLEAR, Look
from ashen.training.monitors.window import Watch, Window
from ashen.training.recipe import Recipe

SAY_AGAIN_SHARE = 0.1
"""A warning that lasts is said again after this share of the training: ten times at most."""
OVER_AFTER_SHARE = 0.05
"""One that has not come back for this share is over; one that comes and goes is not said each time."""


class Monitors:
    """Watches one training.

    Args:
        recipe: of the training.
        env: its vector environment.
        agent: who learns.
    """

    def __init__(self, recipe: Recipe, env: Any, agent: Agent):
        self._agent, self._total_steps = agent, recipe.total_steps
        inputs = list(zip(env.encoder.names, env.encoder.features, strict=True))
        self._look = Look(recipe, env.reward, env.action_names, inputs)
        self._watch = Watch(recipe.num_envs, len(inputs), len(env.action_names))
        self._said: dict[str, int] = {}  # at which step a warning was last said
        self._seen: dict[str, int] = {}  # and at which its cause was last there

    def add_step(self, step: Transitions, states: NDArray[Any]) -> None:
        """Take in one step of all fights; ``states`` are FIGHT_STATE [N] after it, resets included."""
        self._watch.add_step(step, states)

    def add_windows(self, windows: Iterable[dict[str, Any]]) -> None:
        """Take in what others have seen, by the attributes of their full :class:`Window`."""
        self._look.windows.extend(Window.of(window) for window in windows)

    def add_rows(self, rows: Iterable[Row]) -> None:
        """Take in rows of metrics, oldest first."""
        self._look.rows.extend(rows)

    def warnings(self) -> list[Row]:
        """What there is to say now, as values of ``warning`` rows, see :mod:`ashen.runs.metrics`."""
        look = self._look
        look.reward_scale = self._agent.reward_scale
        if window := self._watch.take():
            look.windows.append(window)
        news = []
        for guard in GUARDS:
            finding = guard.check(look)
            if finding != UNCLEAR and (state := self._news(guard.name, finding is not None)):
                said = "over" if finding is None else f"{finding}; {guard.remedy_for(look.recipe.algorithm)}"
                news.append({"guard": guard.name, "state": state, "message": f"{guard.name}: {said}"})
        return news

    def state_dict(self) -> dict[str, Any]:
        """What was seen and said so far; rows of metrics are kept elsewhere. The arrays are live."""
        windows = [vars(window) for window in self._look.windows]
        return {"said": self._said, "seen": self._seen, "windows": windows, "watch": self._watch.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there, over as many environments."""
        self._said, self._seen = dict(state["said"]), dict(state["seen"])
        self._look.windows = [Window.of(window) for window in state["windows"]]
        self._watch.load_state_dict(state["watch"])

    def _news(self, name: str, is_there: bool) -> str | None:
        """What has become of a warning: begun, lasting, over, or None if there is nothing to say."""
        now = self._look.env_step
        if is_there:
            self._seen[name] = now
            if name in self._said and now - self._said[name] < SAY_AGAIN_SHARE * self._total_steps:
                return None
            state = "lasting" if name in self._said else "begun"
            self._said[name] = now
            return state
        if name in self._said and now - self._seen[name] >= OVER_AFTER_SHARE * self._total_steps:
            del self._said[name]
            return "over"
        return None

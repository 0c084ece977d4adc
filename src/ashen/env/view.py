"""What an agent sees of a fight and may do in it, apart from any world: for agents that play in one not their own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from ashen.env.actions import action_ids, action_subset
from ashen.env.passes import subset_masks
from ashen.env.spaces import observation_space
from ashen.obs.encode import encode_rows
from ashen.obs.encoders import make_encoder
from ashen.rewards import make_reward


class View:
    """An encoder, a set of A actions and whether there is waiting, as an environment of the same settings has them.

    Args:
        boss: name or table of the boss.
        encoder: name of the encoder.
        actions: name of a set of actions, or their names.
        skip_steps: whether time passes by itself while only doing nothing is valid.
        reward: name of a preset, or a table of weights: what the agent was paid.

    Raises:
        UserError: an unknown name.
    """

    def __init__(
        self,
        boss: str,
        encoder: str,
        actions: str | Sequence[str],
        skip_steps: bool = False,
        reward: str | dict[str, Any] = "soulsgym",
    ) -> None:
        self.encoder = make_encoder(encoder, boss)
        self.action_names = action_subset(actions)
        self.action_ids = action_ids(self.action_names)
        self.skip_steps = skip_steps
        self.reward = make_reward(reward)
        self.observation_space = observation_space(self.encoder)
        self.action_space = Discrete(len(self.action_names))

    def observe(self, states: NDArray[Any]) -> NDArray[np.float32]:
        """Observations [N, D] of FIGHT_STATE ``states`` [N] whose memory fields are filled."""
        return encode_rows(states, self.encoder)

    def mask(self, valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mask [N, A] of the view's own actions, from ``valid`` [N, 20] of all."""
        masks = np.empty((len(valid), len(self.action_ids)), np.bool_)
        subset_masks(valid, self.action_ids, masks)
        return masks

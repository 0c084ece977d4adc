"""One fight as a Gymnasium environment."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from ashen.core.protocols import Backend
from ashen.env.fights import LOSS, WIN, Fights
from ashen.env.screen import FRAMES_PER_S, RENDER_MODES, Window, checked_mode, picture
from ashen.env.spaces import observation_space
from ashen.env.vector import fresh_seeds
from ashen.env.worlds import make_backend
from ashen.obs.dictionary import dictionary_from


class FightEnv(gymnasium.Env):
    """A fight against a boss, one decision every 0.1 s.

    ## Action Space
    ``Discrete(20)``: 0-7 walk and 8-15 roll, each forward, forward right, right, back right, back, back left, left,
    forward left of the camera's view; 16 light attack, 17 heavy attack, 18 parry, 19 nothing. An action that is
    not valid does nothing; ``info["action_mask"]`` tells. ``actions`` takes a subset.

    ## Observation Space
    By ``encoder``: ``ashen`` (the default), ``onehot74``, ``raw26``: a ``Box``, documented number by number by
    :func:`ashen.obs.encoder_table`; ``dict``: SoulsGym's own dictionary.

    ## Rewards
    By ``reward``: a preset (``soulsgym`` is SoulsGym's own) or a table of weights on :func:`ashen.rewards.term_table`.
    ``info["reward_terms"]`` gives the terms one by one, in the order of ``env.unwrapped.reward.names``.

    ## Starting State
    SoulsGym's start poses: a fixed one, or with ``random_start`` one of eleven. The boss goes on with what he was at.

    ## Episode End
    1. Termination: the boss or the player has no hit points left, or the player falls off the cliff.
    2. Truncation: 3000 steps have passed, or the backend is at fault.

    ``info["outcome"]`` tells which (:class:`ashen.core.fight.Outcome`), ``info["phase"]`` the boss's phase.

    ## Arguments
    ``fight`` is ``phase1``, ``phase2`` (SoulsGym's training fights: the boss's whole hit points in one phase) or
    ``full``; ``randomise`` is ``none``, or ``facts`` or ``wide``: every fight against one of 128 bosses, drawn by
    ``randomise_seed``, whose numbers vary within what their confidence allows, or beyond; ``skip_steps`` lets time pass
    while only doing nothing is valid; ``real_boss`` is fought in place of ``boss``, whose numbers the encoder goes on
    showing; ``render_mode`` is ``rgb_array`` or ``human``; ``backend`` is ``sim``, ``game``
    (the real game, at ``game_speed`` 1..3, its keys pressed by place unless ``scan_codes`` is False), or fights that
    are there already.

    ## Version History
    - v0: first.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": FRAMES_PER_S}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(
        self,
        boss: str = "iudex",
        *,
        fight: str = "phase1",
        encoder: str = "ashen",
        reward: str | dict[str, Any] = "soulsgym",
        random_start: bool = False,
        real_boss: str = "",
        randomise: str = "none",
        randomise_seed: int = 0,
        actions: str | Sequence[str] = "all",
        skip_steps: bool = False,
        render_mode: str | None = None,
        backend: str | Backend = "sim",
        game_speed: float = 3.0,
        scan_codes: bool = True,
    ) -> None:
        self.render_mode = checked_mode(render_mode)
        self.backend = make_backend(
            backend,
            boss=boss,
            fight=fight,
            random_start=random_start,
            real_boss=real_boss,
            game_speed=game_speed,
            scan_codes=scan_codes,
            randomise=randomise,
            randomise_seed=randomise_seed,
        )
        self._fights = Fights(self.backend, boss, encoder, reward, actions, skip_steps)
        self.encoder, self.reward, self.action_names = (
            self._fights.encoder,
            self._fights.reward,
            self._fights.action_names,
        )
        self.observation_space = observation_space(self.encoder)
        self.action_space = gymnasium.spaces.Discrete(len(self.action_names))
        self._ids = self._fights.action_ids.tolist()
        self._action = np.zeros(1, np.int64)
        self._is_dictionary = self.encoder.is_dictionary
        self._is_seeded = False
        self._window = Window()

    @property
    def states(self) -> NDArray[Any]:
        """The fight as it stands, FIGHT_STATE [1]."""
        return self.backend.states

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start a new fight; a seed starts the environment's stream of fights anew."""
        super().reset(seed=seed)
        seeds = None
        if seed is not None or not self._is_seeded:
            seeds = fresh_seeds(seed, 1)
            self._is_seeded = True
        obs, mask = self._fights.empty()
        self._fights.begin(self._fights.everyone, seeds, obs, mask)
        if self.render_mode == "human":
            self.render()
        terms = np.zeros(len(self.reward.names), np.float32)
        return self._observation(obs), self._info(mask, np.zeros(1, np.int8), terms)

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do one action and let 0.1 s pass."""
        if not 0 <= action < len(self._ids):
            raise ValueError(f"action {action} is not in 0..{len(self._ids) - 1}")
        self._action[0] = self._ids[action]
        step = self._fights.step(self._action)
        if self.render_mode == "human":
            self.render()
        info = self._info(step.mask, step.outcome, step.terms[0])
        outcome = step.outcome.item()
        terminated, truncated = WIN <= outcome <= LOSS, outcome > LOSS
        return self._observation(step.obs), step.rewards.item(), terminated, truncated, info

    def render(self) -> NDArray[np.uint8] | None:
        """The fight as it stands: a picture, or in the window."""
        if self.render_mode is None:
            gymnasium.logger.warn(
                "render() without a render_mode shows nothing; give render_mode='rgb_array' or 'human'"
            )
            return None
        image = picture(self.backend.states[0], self._fights.boss)
        if self.render_mode == "rgb_array":
            return image
        self._window.show(image, f"ashen: {self._fights.boss}")
        return None

    def close(self) -> None:
        """Close the window and the backend."""
        self._window.close()
        self.backend.close()

    def _observation(self, obs: NDArray[np.float32]) -> Any:
        if not self._is_dictionary:
            return obs[0]
        return {key: value[0] for key, value in dictionary_from(self.backend.states, self.encoder.facts).items()}

    def _info(self, mask: NDArray[np.bool_], outcome: NDArray[np.int8], terms: NDArray[np.float32]) -> dict[str, Any]:
        phase = self.backend.states["phase"][0]
        return {"action_mask": mask[0], "phase": phase, "outcome": outcome[0], "reward_terms": terms}

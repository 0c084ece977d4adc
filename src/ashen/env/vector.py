"""N fights as one Gymnasium vector environment, in one process and one compiled pass."""

import secrets
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from ashen.core.errors import UserError
from ashen.core.memory import keep_freed_memory
from ashen.core.protocols import Backend
from ashen.env.fights import LOSS, RUNNING, WIN, Fights, Wait
from ashen.env.screen import FRAMES_PER_S, RENDER_MODES, Window, checked_mode, picture
from ashen.env.spaces import observation_space
from ashen.env.view import View
from ashen.env.worlds import make_backend
from ashen.obs.dictionary import dictionary_from

_SEEDS = 2**64


class FightVectorEnv(gymnasium.vector.VectorEnv):
    """N independent fights against a boss. A fight that ends is followed at once by the next one (SAME_STEP).

    Fight i of ``reset(seed=s)`` is the fight of :class:`~ashen.env.single.FightEnv` after ``reset(seed=s + i)``, and
    later fights of an environment go on in its own stream, for any N.

    Every ``info`` holds arrays: ``action_mask`` bool [N, A] and ``phase`` [N] of the observation returned, ``outcome``
    [N] and ``reward_terms`` [N, K] of the step just made; after a step also ``final_obs`` [N, D], the true last
    observation of that step, the same as the one returned where no fight ended, and ``_final_obs`` [N], where one did
    (Gymnasium's convention).

    Args:
        boss: name or table of the boss.
        fight: ``phase1``, ``phase2`` or ``full``.
        num_envs: N.
        encoder: name of the encoder.
        reward: name of a preset, or a table of weights.
        random_start: start at one of eleven poses instead of the fixed one.
        randomise: ``none``; ``facts`` or ``wide``: each fight against one of 128 bosses whose numbers vary.
        randomise_seed: draws those 128.
        randomise_share: how many of them vary, 0..1; the others are the boss of the table.
        phase2_starts: share of the fights that begin where a recent one came into phase 2.
        seed: of the first reset without one; None draws it.
        actions: name of a set of actions, or their names.
        skip_steps: after a step, let time pass while only doing nothing is valid.
        render_mode: ``rgb_array`` or ``human``, which shows the first fight.
        backend: ``sim``, ``game``, or fights that are there already; what these fight and how is then their own.
        game_speed: how many times faster than real the game runs, 1..3.
        scan_codes: press the game's keys by place; False by letter, as SoulsGym itself does.
        real_boss: whom the simulator fights while the encoder shows the next hit of ``boss``; "": the same one.

    Raises:
        UserError: an unknown name or a bad number.
    """

    metadata = {  # noqa: RUF012 (Gymnasium's own form)
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": list(RENDER_MODES),
        "render_fps": FRAMES_PER_S,
    }

    def __init__(
        self,
        boss: str = "iudex",
        *,
        fight: str = "phase1",
        num_envs: int = 1,
        encoder: str = "ashen",
        reward: str | dict[str, Any] = "soulsgym",
        random_start: bool = False,
        randomise: str = "none",
        randomise_seed: int = 0,
        randomise_share: float = 1.0,
        phase2_starts: float = 0.0,
        seed: int | None = None,
        actions: str | Sequence[str] = "all",
        skip_steps: bool = False,
        render_mode: str | None = None,
        backend: str | Backend = "sim",
        game_speed: float = 3.0,
        scan_codes: bool = True,
        real_boss: str = "",
    ) -> None:
        keep_freed_memory()
        self.render_mode = checked_mode(render_mode)
        View(boss, encoder, actions, skip_steps, reward)  # what cannot be is said before a game is opened
        self.backend = make_backend(
            backend,
            boss=boss,
            fight=fight,
            real_boss=real_boss,
            num_envs=num_envs,
            random_start=random_start,
            game_speed=game_speed,
            scan_codes=scan_codes,
            randomise=randomise,
            randomise_seed=randomise_seed,
            randomise_share=randomise_share,
            phase2_starts=phase2_starts,
        )
        self.num_envs = self.backend.num_fights
        self._fights = Fights(self.backend, boss, encoder, reward, actions, skip_steps)
        self.encoder, self.reward, self.action_names = (
            self._fights.encoder,
            self._fights.reward,
            self._fights.action_names,
        )
        self.single_observation_space = observation_space(self.encoder)
        self.single_action_space = gymnasium.spaces.Discrete(len(self.action_names))
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.final_mask = np.ones((self.num_envs, len(self.action_names)), np.bool_)
        """Mask [N, A] that belongs to ``final_obs``."""
        self._first_seed = seed
        self._is_seeded = False
        self._window = Window()

    @property
    def states(self) -> NDArray[Any]:
        """The fights as they stand, FIGHT_STATE [N]; rewritten in place by every step."""
        return self.backend.states

    @property
    def final_states(self) -> NDArray[Any]:
        """The fights after the step just made and before any reset, FIGHT_STATE [N]; rewritten in place."""
        return self._fights.final_states

    @property
    def waits(self) -> list[Wait]:
        """What ``skip_steps`` let pass in the step just made, 0.1 s each, if they are kept."""
        return self._fights.waits

    def keep_waits(self, keep: bool) -> None:
        """Whether to keep the waits of every step from now on: the record of a fight needs all its states."""
        self._fights.keep_waits = keep

    def close_cliff(self) -> None:
        """Wall the simulated arena all round, to see who lives by the cliff; before a reset."""
        self._fights.close_cliff()

    def state_dict(self) -> dict[str, Any]:
        """The running simulated fights. The arrays are live: save or copy them before going on."""
        return self._fights.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with the fights that :meth:`state_dict` gave in an environment made alike."""
        self._fights.load_state_dict(state)
        self._is_seeded = True

    def branch(self, rows: NDArray[np.int64], streams: NDArray[np.uint64]) -> Fights:
        """Copies of running simulated fights to try actions on; see :meth:`ashen.env.fights.Fights.branch`."""
        return self._fights.branch(rows, streams)

    def reset(
        self,
        *,
        seed: int | Sequence[int] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Start N new fights; seeds (one for all, or one each) start the streams of fights anew."""
        super().reset(seed=seed if isinstance(seed, int) else None)
        seeds = None
        if seed is not None or not self._is_seeded:
            seeds = fresh_seeds(self._first_seed if seed is None else seed, self.num_envs)
            self._is_seeded = True
        obs, mask = self._fights.empty()
        self._fights.begin(self._fights.everyone, seeds, obs, mask)
        if self.render_mode == "human":
            self.render()
        terms = np.zeros((self.num_envs, len(self.reward.names)), np.float32)
        return self._observation(obs, self.states), self._info(mask, np.zeros(self.num_envs, np.int8), terms)

    def step(self, actions: ArrayLike) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Do one action in each fight, ``actions`` [N] in 0..A-1, and let 0.1 s pass."""
        step = self._fights.step(self._checked(actions))
        obs, self.final_mask = step.obs, step.mask
        mask = step.mask
        final_obs = self._observation(obs, self.final_states)
        terminated = (step.outcome == WIN) | (step.outcome == LOSS)
        truncated = step.outcome > LOSS
        ended = step.outcome != RUNNING
        if ended.any():
            obs, mask = obs.copy(), mask.copy()
            self._fights.begin(ended, None, obs, mask)
        if self.render_mode == "human":
            self.render()
        info = self._info(mask, step.outcome, step.terms)
        info["final_obs"], info["_final_obs"] = final_obs, ended
        return self._observation(obs, self.states), step.rewards, terminated, truncated, info

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """The fights as they stand: one picture each, or the first one in the window."""
        if self.render_mode == "rgb_array":
            return tuple(picture(state, self._fights.boss) for state in self.states)
        if self.render_mode == "human":
            self._window.show(picture(self.states[0], self._fights.boss), f"ashen: {self._fights.boss}")
        return None

    def close_extras(self, **kwargs: Any) -> None:
        """Close the window and the backend."""
        self._window.close()
        self.backend.close()

    def _checked(self, actions: ArrayLike) -> NDArray[np.int64]:
        chosen = np.asarray(actions)
        if chosen.shape != (self.num_envs,) or chosen.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be whole numbers of shape ({self.num_envs},), not {chosen.dtype} {chosen.shape}"
            )
        if chosen.min() < 0 or chosen.max() >= len(self.action_names):
            raise ValueError(f"actions {chosen.min()}..{chosen.max()} must lie in 0..{len(self.action_names) - 1}")
        return self._fights.action_ids[chosen]

    def _observation(self, obs: NDArray[np.float32], states: NDArray[Any]) -> Any:
        return dictionary_from(states, self.encoder.facts) if self.encoder.is_dictionary else obs

    def _info(self, mask: NDArray[np.bool_], outcome: NDArray[np.int8], terms: NDArray[np.float32]) -> dict[str, Any]:
        phase = self.states["phase"].copy()
        return {"action_mask": mask, "phase": phase, "outcome": outcome, "reward_terms": terms}


def make_vec(boss: str = "iudex", **options: Any) -> FightVectorEnv:
    """N fights against a boss as one vector environment; options as :class:`FightVectorEnv` takes them."""
    return FightVectorEnv(boss, **options)


def fresh_seeds(seed: int | Sequence[int] | None, count: int) -> NDArray[np.uint64]:
    """Seeds of the fights' streams: one integer counts upwards over the fights, a list is taken as it is.

    Raises:
        UserError: a list of another length than ``count``.
    """
    if seed is None:
        seed = secrets.randbits(63)
    seeds = list(seed) if isinstance(seed, Sequence) else [seed + place for place in range(count)]
    if len(seeds) != count:
        raise UserError(f"{len(seeds)} seeds for {count} environments; give one integer or one seed each")
    return np.array([(secrets.randbits(63) if one is None else int(one)) % _SEEDS for one in seeds], np.uint64)

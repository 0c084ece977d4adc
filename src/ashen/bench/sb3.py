"""Stable-Baselines3's DQN and PPO on the job that :mod:`ashen.bench.job` sets; the only home of that library."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from ashen.bench.job import SEED, Contender, Job, make_world
from ashen.env import FightVectorEnv


class FightVecEnv(VecEnv):
    """Our vector environment as a VecEnv: arrays are handed on as they are, so it costs next to nothing.

    Args:
        env: the fights, which start anew in the step they end in, as VecEnv wants it.
    """

    def __init__(self, env: FightVectorEnv):
        self.env = env
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> NDArray[np.float32]:
        seeds = self._seeds if self._seeds[0] is not None else None
        obs, _ = self.env.reset(seed=seeds)
        self._reset_seeds()
        self._reset_options()
        return obs

    def step_async(self, actions: NDArray[np.int64]) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        obs, rewards, terminated, truncated, info = self.env.step(self._actions)
        dones = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(dones):
            infos[i] = {"terminal_observation": info["final_obs"][i], "TimeLimit.truncated": bool(truncated[i])}
        return obs, rewards, dones, infos

    def close(self) -> None:
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self.env, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError("the fights share their settings")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        raise NotImplementedError("the fights are no objects of their own")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]


def dqn(job: Job) -> Contender:
    """DQN from acting to update."""
    c = job.dqn
    model = DQN(
        "MlpPolicy",
        FightVecEnv(make_world(job.dqn_envs)),
        learning_rate=c.learning_rate,
        buffer_size=c.replay_capacity,
        learning_starts=c.learning_starts,
        batch_size=c.batch_size,
        tau=c.target_tau,
        gamma=c.discount,
        train_freq=1,
        gradient_steps=job.dqn_updates,
        target_update_interval=c.target_period_steps,
        exploration_initial_eps=c.epsilon_start,
        exploration_final_eps=c.epsilon_end,
        max_grad_norm=c.grad_clip_norm,
        policy_kwargs={"net_arch": [c.width] * c.depth, "activation_fn": nn.ReLU},
        seed=SEED,
        device="cpu",
    )
    _learn(model, c.learning_starts)
    return Contender(job.dqn_steps, partial(_learn, model, job.dqn_steps), model.q_net, model.policy.optimizer)


def ppo(job: Job) -> Contender:
    """PPO from acting to update."""
    c, layers = job.ppo, [job.ppo.width] * job.ppo.depth
    model = PPO(
        "MlpPolicy",
        FightVecEnv(make_world(job.ppo_envs)),
        learning_rate=c.learning_rate,
        n_steps=c.rollout_steps,
        batch_size=c.minibatch_size,
        n_epochs=c.epochs,
        gamma=c.discount,
        gae_lambda=c.gae_lambda,
        clip_range=c.clip,
        ent_coef=c.entropy_coef,
        vf_coef=c.value_coef,
        max_grad_norm=c.max_grad_norm,
        policy_kwargs={"net_arch": {"pi": layers, "vf": layers}, "activation_fn": nn.ReLU},
        seed=SEED,
        device="cpu",
    )
    steps = job.ppo_rollouts * job.ppo_steps
    return Contender(steps, partial(_learn, model, steps), model.policy, model.policy.optimizer)


def _learn(model: DQN | PPO, steps: int) -> None:
    model.learn(steps, log_interval=None, reset_num_timesteps=False)

"""Our learners on the job that :mod:`ashen.bench.job` sets."""

from dataclasses import replace
from functools import partial

import numpy as np

from ashen.agents import make_agent
from ashen.bench.job import SEED, Contender, Job, make_world
from ashen.core.fight import Outcome
from ashen.core.protocols import Agent, Transitions
from ashen.core.seeding import generator
from ashen.env import FightVectorEnv


class Loop:
    """Act, step, observe, update, as in a training, without run folder and display.

    Args:
        agent: learns.
        env: is fought in.
        use_mask: give the agent the fight's masks; else every action counts as valid.
    """

    def __init__(self, agent: Agent, env: FightVectorEnv, use_mask: bool):
        self.agent, self.env, self.use_mask = agent, env, use_mask
        self.all_valid = np.ones((env.num_envs, len(env.action_names)), np.bool_)
        self.obs, info = env.reset()
        self.mask = info["action_mask"]

    def go(self, steps: int) -> None:
        """Go on for ``steps`` steps, over all fights."""
        for _ in range(steps // self.env.num_envs):
            mask = self.mask if self.use_mask else self.all_valid
            decision = self.agent.act(self.obs, mask, explore=True)
            obs, rewards, terminated, truncated, info = self.env.step(decision.actions)
            next_mask = self.env.final_mask if self.use_mask else self.all_valid
            faulted = info["outcome"] == Outcome.FAULT
            before, ends = (self.obs, mask, decision.actions), (terminated, truncated, faulted)
            step = Transitions(*before, rewards, info["final_obs"], next_mask, *ends)
            self.agent.observe(step)
            self.agent.update()
            self.obs, self.mask = obs, info["action_mask"]


def dqn(job: Job) -> Contender:
    """DQN from acting to update, as the job has it."""
    env = make_world(job.dqn_envs)
    agent = make_agent("dqn", job.dqn, *shape(env), job.dqn_envs, SEED, 1)
    loop = Loop(agent, env, use_mask=False)
    loop.go(job.dqn.learning_starts)
    return Contender(job.dqn_steps, partial(loop.go, job.dqn_steps), agent.online, agent.optimizer)


def dqn_updates(job: Job, steps: list[Transitions]) -> Contender:
    """Double DQN with prioritised replay, without acting: recorded steps are stored and learned from."""
    env = make_world(job.dqn_envs)
    config = replace(job.dqn, double="target", prioritised=True)
    agent = make_agent("dqn", config, *shape(env), job.dqn_envs, SEED, 1)

    def go(part: list[Transitions]) -> None:
        for step in part:
            agent.observe(step)
            agent.update()

    go(steps[: job.dqn.learning_starts // job.dqn_envs])
    measured = steps[: job.dqn_steps // job.dqn_envs]
    return Contender(job.dqn_steps, partial(go, measured), agent.online, agent.optimizer)


def ppo(job: Job, use_mask: bool, tune: bool = False) -> Contender:
    """PPO from acting to update.

    Args:
        job: what it does.
        use_mask: leave out of the policy's gradient what leaves no choice.
        tune: multiply in 16 bits if that is quicker here, as trainings do.
    """
    env = make_world(job.ppo_envs)
    agent = make_agent("ppo", job.ppo, *shape(env), job.ppo_envs, SEED, 1)
    if tune:
        agent.tune()
    loop, steps = Loop(agent, env, use_mask), job.ppo_rollouts * job.ppo_steps
    return Contender(steps, partial(loop.go, steps), agent.network, agent.optimizer)


def random_steps(job: Job) -> list[Transitions]:
    """Steps of random play, as many as DQN wants before it learns and at least one measurement's."""
    env, rng = make_world(job.dqn_envs), generator(SEED, "bench")
    all_valid = np.ones((job.dqn_envs, len(env.action_names)), np.bool_)
    obs, _ = env.reset()
    steps = []
    for _ in range(max(job.dqn.learning_starts, job.dqn_steps) // job.dqn_envs):
        actions = rng.integers(0, len(env.action_names), job.dqn_envs)
        after, rewards, terminated, truncated, info = env.step(actions)
        ends = (terminated, truncated, np.zeros(job.dqn_envs, np.bool_))
        steps.append(Transitions(obs, all_valid, actions, rewards, info["final_obs"], all_valid, *ends))
        obs = after
    return steps


def shape(env: FightVectorEnv) -> tuple[int, int]:
    """D and A."""
    return env.single_observation_space.shape[0], len(env.action_names)

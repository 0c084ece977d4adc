"""TorchRL's DQN update and PPO loop on the job that :mod:`ashen.bench.job` sets; the only home of that library."""

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict, TensorDictBase
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl import torchrl_logger
from torchrl.collectors import Collector
from torchrl.data import (
    Binary,
    Categorical,
    Composite,
    LazyTensorStorage,
    SamplerWithoutReplacement,
    TensorDictReplayBuffer,
    Unbounded,
)
from torchrl.envs import EnvBase
from torchrl.modules import MLP, ProbabilisticActor, QValueActor, ValueOperator
from torchrl.objectives import ClipPPOLoss, DQNLoss, HardUpdate, ValueEstimators
from torchrl.objectives.value import GAE

from ashen.bench.job import SEED, Contender, Job, make_world
from ashen.bench.ours import shape
from ashen.core.protocols import Transitions
from ashen.core.seeding import generator
from ashen.env import FightVectorEnv
from ashen.replay import NStep, ReplayBuffer

torchrl_logger.setLevel("WARNING")  # it tells on standard output what it stores, where figures go


class FightTorchEnv(EnvBase):
    """Our vector environment as one batched TorchRL environment of N fights.

    A step tells the true last observation; the reset that TorchRL then asks for is already done.
    """

    def __init__(self, env: FightVectorEnv):
        super().__init__(device="cpu", batch_size=[env.num_envs])
        self.env, count = env, env.num_envs
        obs_dim, num_actions = shape(env)
        flag = Binary(1, shape=(count, 1), dtype=torch.bool)
        flags = {name: flag.clone() for name in ("done", "terminated", "truncated")}
        self.observation_spec = Composite(observation=Unbounded((count, obs_dim)), shape=(count,))
        self.action_spec = Categorical(num_actions, shape=(count,))
        self.reward_spec = Unbounded((count, 1))
        self.done_spec = Composite(**flags, shape=(count,))
        self._seed: int | None = None

    def _reset(self, tensordict: TensorDictBase | None, **kwargs: Any) -> TensorDictBase:
        if tensordict is None or "_reset" not in tensordict:
            self._obs, _ = self.env.reset(seed=self._seed)
        return TensorDict({"observation": torch.from_numpy(self._obs)}, self.batch_size)

    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        self._obs, rewards, terminated, truncated, info = self.env.step(tensordict["action"].numpy())
        fields = {
            "observation": info["final_obs"],
            "reward": rewards[:, None],
            "terminated": terminated[:, None],
            "truncated": truncated[:, None],
            "done": (terminated | truncated)[:, None],
        }
        return TensorDict({name: torch.from_numpy(values) for name, values in fields.items()}, self.batch_size)

    def _set_seed(self, seed: int | None) -> None:
        self._seed = seed


def dqn_updates(job: Job, steps: list[Transitions]) -> Contender:
    """DQNLoss, double, with our prioritised replay, without acting: recorded steps are stored and learned from."""
    c = job.dqn
    obs_dim, num_actions = shape(make_world(1))
    torch.manual_seed(SEED)
    network = _mlp(obs_dim, num_actions, c.width, c.depth)
    actor = QValueActor(network, in_keys=["observation"], spec=Categorical(num_actions))
    loss_module = DQNLoss(actor, loss_function=c.loss, delay_value=True, double_dqn=True)
    loss_module.make_value_estimator(ValueEstimators.TD0, gamma=c.discount)
    updater = HardUpdate(loss_module, value_network_update_interval=round(c.target_period_steps * c.updates_per_step))
    optimizer = torch.optim.Adam(loss_module.parameters(), lr=c.learning_rate)
    replay = ReplayBuffer(c.replay_capacity, obs_dim, num_actions, c.priority_alpha)
    n_step = NStep(job.dqn_envs, 1, c.discount, obs_dim, num_actions)
    rng = generator(SEED, "bench")

    def update() -> None:
        batch = replay.sample(c.batch_size, rng, c.priority_beta)
        data = _transitions(batch.rows, batch.weights)
        loss = loss_module(data)["loss"]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(loss_module.parameters(), c.grad_clip_norm)
        optimizer.step()
        updater.step()
        replay.update_priorities(batch.indices, data["td_error"].squeeze(-1).sqrt().numpy())

    def go(part: list[Transitions], updates: int) -> None:
        for step in part:
            replay.extend(n_step.push(step)[0])
            for _ in range(updates):
                update()

    go(steps[: c.learning_starts // job.dqn_envs], 0)
    measured = steps[: job.dqn_steps // job.dqn_envs]
    return Contender(job.dqn_steps, partial(go, measured, job.dqn_updates), network, optimizer)


def ppo(job: Job) -> Contender:
    """The loop of TorchRL's PPO example: collector, GAE, epochs over a replay without replacement, ClipPPOLoss."""
    c = job.ppo
    env = FightTorchEnv(make_world(job.ppo_envs))
    torch.manual_seed(SEED)
    obs_dim, num_actions = shape(env.env)
    policy, value = (_mlp(obs_dim, outputs, c.width, c.depth) for outputs in (num_actions, 1))
    actor = ProbabilisticActor(
        TensorDictModule(policy, in_keys=["observation"], out_keys=["logits"]),
        spec=env.action_spec,
        in_keys=["logits"],
        distribution_class=torch.distributions.Categorical,
        return_log_prob=True,
    )
    critic = ValueOperator(value, in_keys=["observation"])
    advantage = GAE(gamma=c.discount, lmbda=c.gae_lambda, value_network=critic)
    loss_module = ClipPPOLoss(
        actor,
        critic,
        clip_epsilon=c.clip,
        entropy_coeff=c.entropy_coef,
        critic_coeff=c.value_coef,
        loss_critic_type="l2",
        normalize_advantage=True,
    )
    optimizer = torch.optim.Adam(loss_module.parameters(), lr=c.learning_rate, eps=1e-5)
    collector = iter(
        Collector(env, actor, frames_per_batch=job.ppo_steps, total_frames=-1, auto_register_policy_transforms=False)
    )
    replay = TensorDictReplayBuffer(
        storage=LazyTensorStorage(job.ppo_steps), sampler=SamplerWithoutReplacement(), batch_size=c.minibatch_size
    )

    def learn(batch: TensorDictBase) -> None:
        terms = loss_module(batch)
        optimizer.zero_grad()
        (terms["loss_objective"] + terms["loss_entropy"] + terms["loss_critic"]).backward()
        nn.utils.clip_grad_norm_(loss_module.parameters(), c.max_grad_norm)
        optimizer.step()

    def go() -> None:
        for _ in range(job.ppo_rollouts):
            with torch.no_grad():
                replay.extend(advantage(next(collector)).reshape(-1))
            for _ in range(c.epochs):
                for batch in replay:
                    learn(batch)

    return Contender(job.ppo_rollouts * job.ppo_steps, go, nn.ModuleList([policy, value]), optimizer)


def _mlp(inputs: int, outputs: int, width: int, depth: int) -> MLP:
    return MLP(in_features=inputs, out_features=outputs, num_cells=[width] * depth, activation_class=nn.ReLU)


def _transitions(rows: NDArray[Any], weights: NDArray[np.float32]) -> TensorDict:
    """A batch of replay as DQNLoss reads it, [B]; a discount of 0 says that the fight ended."""
    terminated = torch.from_numpy(rows["discount"] == 0.0).unsqueeze(-1)
    after = {
        "observation": torch.from_numpy(rows["next_obs"]),
        "reward": torch.from_numpy(rows["n_return"]).unsqueeze(-1),
        "terminated": terminated,
        "done": terminated,
    }
    before = {
        "observation": torch.from_numpy(rows["obs"]),
        "action": torch.from_numpy(rows["action"].astype(np.int64)),
        "priority_weight": torch.from_numpy(weights),
    }
    return TensorDict(before | {"next": TensorDict(after, len(rows))}, len(rows))

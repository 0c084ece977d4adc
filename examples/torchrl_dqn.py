"""The diary's last pipeline on TorchRL: its environment wrapper, collector, modules, loss, target update, exploration.

For those who would rather build on TorchRL than on ashen's own agents. The settings are those of the recipe ``diary``,
and a test holds both learners to the same updates. Only replay is ashen's, behind the methods of TorchRL's: the
compiled part of TorchRL's own does not load with torch 2.13. Needs torchrl and tensordict (the extra ``peers``).
"""

import argparse
import sys

import gymnasium
import numpy as np
import torch

try:
    from tensordict import TensorDict
    from tensordict.nn import TensorDictSequential
    from torchrl.collectors import Collector
    from torchrl.envs import GymWrapper
    from torchrl.modules import MLP, EGreedyModule, QValueActor
    from torchrl.objectives import DQNLoss, SoftUpdate
except ModuleNotFoundError as error:
    install = f'{sys.executable} -m pip install -c constraints.txt -e ".[peers]"'
    print(f"{error.name} is missing, it is in the extra peers; install with: {install}", file=sys.stderr)
    sys.exit(2)

import ashen  # noqa: F401  (makes the ids known)
from ashen.agents import DQNConfig
from ashen.replay import Batch, ReplayBuffer
from ashen.training.recipe import env_options, load_recipe


class PrioritisedReplay:
    """ashen's prioritised replay with the methods of TorchRL's."""

    def __init__(self, config: DQNConfig, obs_dim: int, num_actions: int, rng: np.random.Generator):
        self.config, self.rng = config, rng
        self.buffer = ReplayBuffer(config.replay_capacity, obs_dim, num_actions, config.priority_alpha)

    def extend(self, steps: TensorDict) -> None:
        """Append steps [M]."""
        rows = np.zeros(len(steps), self.buffer.rows.dtype)
        rows["obs"], rows["next_obs"] = steps["observation"], steps["next", "observation"]
        rows["action"], rows["n_return"] = steps["action"], steps["next", "reward"][:, 0]
        rows["discount"] = self.config.discount * ~steps["next", "terminated"][:, 0]
        self.buffer.extend(rows)

    def sample(self) -> TensorDict:
        """A batch [B]. The diary's pipeline had no use for importance weights, so there are none in it."""
        batch: Batch = self.buffer.sample(self.config.batch_size, self.rng, beta=0.0)
        ended = torch.from_numpy(batch.rows["discount"] == 0.0)[:, None]
        return TensorDict(
            {
                "observation": batch.rows["obs"],
                "action": batch.rows["action"].astype(np.int64),
                "index": batch.indices,
                "next": {
                    "observation": batch.rows["next_obs"],
                    "reward": batch.rows["n_return"][:, None],
                    "terminated": ended,
                    "done": ended,
                },
            },
            batch_size=len(batch.rows),
        )

    def update_tensordict_priority(self, batch: TensorDict) -> None:
        """Make the TD errors that the loss wrote into a batch its priorities."""
        squared = batch["td_error"].squeeze(-1)
        self.buffer.update_priorities(batch["index"].numpy(), squared.sqrt().numpy())


class Learner:
    """Double DQN of TorchRL's parts around a network from observations [B, D] to Q-values [B, A]."""

    def __init__(self, config: DQNConfig, network: torch.nn.Module):
        self.config = config
        self.actor = QValueActor(network, action_space="categorical")
        self.loss = DQNLoss(
            self.actor, loss_function=config.loss, delay_value=True, double_dqn=True, action_space="categorical"
        )
        self.loss.make_value_estimator(gamma=config.discount)
        self.target_update = SoftUpdate(self.loss, tau=config.target_tau)
        self.optimizer = torch.optim.AdamW(
            self.loss.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )

    def update(self, batch: TensorDict) -> float:
        """One step on a batch, into which the TD errors are written; its loss."""
        loss = self.loss(batch)["loss"]
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.loss.parameters(), self.config.grad_clip_norm)
        self.optimizer.step()
        return loss.item()


def main() -> None:
    """Train, telling the reward per step as the diary's logs do."""
    recipe = load_recipe("diary")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=recipe.total_steps, help="environment steps; schedules follow")
    steps = parser.parse_args().steps
    config, share = recipe.dqn, steps / recipe.total_steps
    period = config.update_period_steps
    random_steps = int(share * config.learning_starts) // period * period
    torch.manual_seed(recipe.seed)

    fight = gymnasium.make("ashen/Iudex-v0", random_start=recipe.random_start, **env_options(recipe))
    env = GymWrapper(fight, categorical_action_encoding=True)
    env.set_seed(recipe.seed)
    obs_dim, num_actions = env.observation_spec["observation"].shape[0], env.action_spec.n
    network = MLP(obs_dim, num_actions, config.depth, config.width, activation_class=torch.nn.ReLU)
    learner = Learner(config, network)
    replay = PrioritisedReplay(config, obs_dim, num_actions, np.random.default_rng(recipe.seed))
    explore = EGreedyModule(
        env.action_spec, config.epsilon_start, config.epsilon_end, max(1, int(share * config.epsilon_steps))
    )
    collector = Collector(
        env,
        TensorDictSequential(learner.actor, explore),
        frames_per_batch=period,
        total_frames=steps,
        init_random_frames=random_steps,
        auto_register_policy_transforms=False,
    )
    made = 0
    for data in collector:
        replay.extend(data)
        made += len(data)
        if made >= random_steps:
            explore.step(len(data))
            losses = []
            for _ in range(round(config.updates_per_step * len(data))):
                batch = replay.sample()
                losses.append(learner.update(batch))
                replay.update_tensordict_priority(batch)
            learner.target_update.step()
            reward = data["next", "reward"].mean().item()
            print(f"step {made:,}: reward per step {reward:.5f}, loss {np.mean(losses):.5f}, epsilon {explore.eps:.3f}")
    collector.shutdown()


if __name__ == "__main__":
    main()

"""One fight through Gymnasium, with valid random actions: the shortest way in."""

import gymnasium
import numpy as np

import ashen  # noqa: F401  (makes the ids known)
from ashen.core.fight import Outcome

env = gymnasium.make("ashen/Iudex-v0", fight="full", encoder="dict")
rng = np.random.default_rng(0)
observation, info = env.reset(seed=0)
total, ended = 0.0, False
while not ended:
    action = rng.choice(np.flatnonzero(info["action_mask"]))
    observation, reward, terminated, truncated, info = env.step(action)
    total += float(reward)
    ended = terminated or truncated
outcome = Outcome(int(info["outcome"])).name.lower()
print(f"boss HP left {float(observation['boss_hp'][0]):.0f}, return {total:.2f}, outcome: {outcome}")

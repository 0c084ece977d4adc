"""Thousands of fights side by side, one action each: how learners of your own get their data."""

import time

import numpy as np

import ashen

FIGHTS, STEPS = 1024, 200

env = ashen.make_vec("iudex", fight="phase1", num_envs=FIGHTS, encoder="onehot74", reward="diary", seed=0)
observations, info = env.reset()
rng, ended, begin = np.random.default_rng(0), 0, time.perf_counter()
for _ in range(STEPS):
    chances = rng.random(info["action_mask"].shape) * info["action_mask"]
    observations, rewards, terminated, truncated, info = env.step(chances.argmax(axis=1))
    ended += int((terminated | truncated).sum())
seconds = time.perf_counter() - begin
print(f"{FIGHTS * STEPS / seconds:,.0f} steps/s, {ended} fights ended, observations {observations.shape}")

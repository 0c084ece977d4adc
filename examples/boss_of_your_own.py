"""A boss is one TOML file: copy one, change numbers, fight it by its path."""

import tempfile
from pathlib import Path

import numpy as np

import ashen
from ashen.core.tables import boss_file

table = boss_file("iudex").read_text(encoding="utf-8")
with tempfile.TemporaryDirectory() as folder:
    mine = Path(folder) / "easy.toml"
    mine.write_text(table.replace('hp = { v = 1037.0, s = "S3", c = "D" }', 'hp = { v = 52.0, s = "mine", c = "G" }'))
    env = ashen.make_vec(str(mine), fight="full", num_envs=64, seed=0)
    env.reset()
    wins = fights = 0
    rng = np.random.default_rng(0)
    while fights < 200:
        *_, info = env.step(rng.integers(0, 20, 64))
        fights += int((info["outcome"] != 0).sum())
        wins += int((info["outcome"] == 1).sum())
print(f"random play beats a boss of one hit in {wins} of {fights} fights")

import numpy as np

import ashen
from ashen.env import FightVectorEnv
from ashen.evaluation.logged import as_logged, fight_as_logged, real_figures
from ashen.evaluation.random_play import random_fights


def late_share(env: FightVectorEnv) -> float:
    """Share of the fights in which a walking key of the first step does nothing yet."""
    env.reset(seed=3)
    before = env.states.copy()
    env.step(np.zeros(env.num_envs, np.int64))
    moved = np.hypot(env.states["player_x_m"] - before["player_x_m"], env.states["player_y_m"] - before["player_y_m"])
    return float((moved == 0.0).mean())


def test_fights_as_logged_have_late_keys_as_often_as_the_table_says_and_others_none():
    """Breaks if the guess of the logs does not reach the fights of the diary's pipeline, or stays in others."""
    odds = real_figures()["logs"]["late_odds"]
    env = ashen.make_vec("iudex", num_envs=2000, encoder="raw26")
    assert late_share(env) == 0.0
    fight_as_logged(env)
    assert abs(late_share(env) - odds) < 0.05
    assert late_share(ashen.make_vec("iudex", num_envs=200, encoder="raw26")) == 0.0


def test_random_play_is_that_of_the_logs():
    """Breaks if random play is compared with logs that had late keys, without having any itself."""
    always_late = ashen.make_vec("iudex", num_envs=1).backend.tables.copy()
    always_late["rules"]["late_odds"] = 1.0
    logged = random_fights("iudex", "phase1", 60, 5)
    assert (logged.lengths == random_fights("iudex", "phase1", 60, 5, tables=always_late).lengths).all()
    assert as_logged(always_late)["rules"]["late_odds"][0] == real_figures()["logs"]["late_odds"] < 1.0

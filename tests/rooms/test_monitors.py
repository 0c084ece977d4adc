"""Real trainings, watched: what is said, where it stands, how often, and that nothing is said of a sound one."""

from dataclasses import replace

import pytest
import torch

from ashen.agents import DQNConfig, PPOConfig
from ashen.runs.folder import create_run
from ashen.runs.metrics import read_metrics
from ashen.training.checkpoints import latest_checkpoint, load_checkpoint
from ashen.training.loop import Training
from ashen.training.monitors.monitors import Monitors
from ashen.training.recipe import Recipe

SMALL = Recipe(
    fight="phase1",
    num_envs=4,
    total_steps=2000,
    evaluate_every=2000,
    evaluation_fights=1,
    final_fights=1,
    checkpoint_every=1000,
    log_every=100,
    ppo=PPOConfig(rollout_steps=32, epochs=1, minibatch_size=64, width=16),
    dqn=DQNConfig(learning_starts=100, batch_size=16, width=16, depth=1, replay_capacity=2000),
)
COSTLY_ROLLS = {"damage_dealt": 1.0, "damage_taken": -1.0, "win": 0.1, "death": -0.1, "roll": -0.5}


def _train(training, run, until=None, spoil=lambda: None):
    """Train, up to a step if one is given; ``spoil`` is called before every step."""

    def should_stop():
        spoil()
        return until is not None and training.env_step >= until

    return list(training.run(run, should_stop))


def _warnings(rows):
    return [row for row in rows if row["kind"] == "warning"]


def test_a_warning_stands_in_metrics_and_log(tmp_path):
    """Breaks if a reward that outweighs winning is not told from the start, in metrics.jsonl and in run.log."""
    run = create_run(tmp_path, "run", "x")
    rows = _train(Training(replace(SMALL, reward=COSTLY_ROLLS)), run, until=100)
    words = "reward: term roll (-7.5 a fight) outweighs dying (-1.1); change the weights: --reward"
    assert rows[0]["kind"] == "warning"
    assert (rows[0]["guard"], rows[0]["state"], rows[0]["env_step"]) == ("reward", "begun", 0)
    assert rows[0]["message"].startswith(words)
    assert _warnings(rows) == read_metrics(run, "warning")
    assert f"warning at step 0: {words}" in run.log_file.read_text(encoding="utf-8")
    assert "warning" in run.csv_file.read_text(encoding="utf-8")


def test_a_resumed_run_remembers_its_fights(tmp_path):
    """Breaks if a resumed training judges without the rows before, or is silent about what it had said before."""
    run, costly = create_run(tmp_path, "run", "x"), replace(SMALL, reward=COSTLY_ROLLS)
    _train(Training(costly), run, until=500)
    said = read_metrics(run)
    assert said[0]["kind"] == "warning"
    resumed = Training(costly)
    resumed.resume(run, load_checkpoint(latest_checkpoint(run)))
    assert resumed.env_step == 500
    assert _warnings(_train(resumed, run, until=500)) == []
    assert read_metrics(run) == said


@pytest.mark.parametrize(("algorithm", "weights"), [("ppo", "network"), ("dqn", "online")])
def test_broken_and_overgrown_weights_are_told(tmp_path, algorithm, weights):
    """Breaks if a training goes on in silence with NaN in its losses, or with values that no fight can pay."""
    for name, guard, spoil in (("nan", "losses", torch.nan), ("huge", "values", 1e4)):
        training = Training(replace(SMALL, algorithm=algorithm))
        network = getattr(training.agent, weights)

        def fill(network=network, value=spoil):
            with torch.no_grad():
                network.state_dict()[_last_bias(network)].fill_(value)

        rows = _train(training, create_run(tmp_path, name, "x"), until=600, spoil=fill)
        assert guard in {row["guard"] for row in _warnings(rows)}


def _last_bias(network):
    """The bias of the layer that gives the values."""
    return [name for name in network.state_dict() if name.endswith("bias") and "policy" not in name][-1]


def test_a_warning_is_said_again_and_is_over_in_the_end():
    """Breaks if a warning is said at every row, never again, each time it comes back, or stays for ever."""
    training = Training(SMALL)
    monitors = Monitors(replace(SMALL, total_steps=1000), training.env, training.agent)
    told = []
    for env_step in range(10, 400, 10):
        sick = env_step <= 250 and env_step % 40  # well again now and then, but not for long
        row = {"kind": "train", "env_step": env_step, "fights": 0, "loss": float("nan") if sick else 1.0}
        monitors.add_rows([row])
        told += [(env_step, row["state"], row["message"]) for row in monitors.warnings() if row["guard"] == "losses"]
    assert [(env_step, state) for env_step, state, _ in told] == [
        (10, "begun"),
        (110, "lasting"),
        (210, "lasting"),
        (300, "over"),
    ]
    assert told[0][2] == "losses: loss not finite; train anew with a lower --ppo.learning-rate"
    assert told[-1][2] == "losses: over"


@pytest.mark.parametrize(("moves_from", "ends"), [(2000, []), (600, [(600, "over")])])
def test_what_is_looked_for_no_more_is_not_over(moves_from, ends):
    """Breaks if a policy that stands still to the end is told to be well again, or one that moves again is not."""
    training = Training(SMALL)
    monitors = Monitors(replace(SMALL, total_steps=1000), training.env, training.agent)
    told = []
    for env_step in range(50, 1001, 50):
        kl = 1e-3 if env_step >= moves_from else 0.0
        row = {"kind": "train", "env_step": env_step, "fights": 0, "clip_fraction": 0.0, "approx_kl": kl}
        monitors.add_rows([row | {"learning_rate": 1e-9}])
        found = [row["state"] for row in monitors.warnings() if row["guard"] == "nothing moves"]
        told += [(env_step, state) for state in found if state != "lasting"]
    assert told == [(250, "begun"), *ends]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["ppo", "dqn"])
def test_nothing_is_said_of_a_sound_training(tmp_path, algorithm):
    """Breaks if a guard cries wolf in the first windows of a training that learns."""
    ppo = PPOConfig(width=32, epochs=2)
    dqn = DQNConfig(updates_per_step=0.005, batch_size=128, epsilon_steps=50_000, width=32, depth=2)
    recipe = Recipe(
        algorithm=algorithm, fight="phase1", reward="diary", skip_steps=True, total_steps=130_000, evaluation_fights=5,
        final_fights=5, ppo=ppo, dqn=dqn,
    )  # fmt: skip
    training = Training(recipe)
    rows = _train(training, create_run(tmp_path, "run", "x"))
    assert _warnings(rows) == []
    assert rows[-1]["kind"] == "final"

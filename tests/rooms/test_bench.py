import json
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch

from ashen.agents import DQNConfig
from ashen.bench import peers
from ashen.bench.alternate import alternate
from ashen.bench.devices import advice, devices_text, measure_devices, shares
from ashen.bench.job import STANDARD, Job, make_world
from ashen.cli import main
from ashen.training.recipe import Recipe

SMALL = Job(
    dqn_envs=4,
    dqn_steps=16,
    dqn=replace(STANDARD.dqn, learning_starts=64, batch_size=32, replay_capacity=1_000, width=16),
    ppo_envs=4,
    ppo_rollouts=1,
    ppo=replace(STANDARD.ppo, rollout_steps=16, minibatch_size=16, epochs=2, width=16),
)
# TorchRL warns of its own classes when it is imported.
needs_peers = pytest.mark.filterwarnings("ignore:.*WeightUpdaterBase:DeprecationWarning")


def _contenders(job):
    """Every contender of the comparison, by group and name."""
    pytest.importorskip("stable_baselines3")
    pytest.importorskip("torchrl")
    return [{name: make() for name, make in group.items()} for group in peers.contenders(job)]


def _gradient_steps(contender):
    """Batch sizes that a network was differentiated at in one measurement, and how many steps its optimiser made."""
    sizes = set()
    first = next(module for module in contender.network.modules() if isinstance(module, torch.nn.Linear))
    hook = first.register_forward_pre_hook(lambda _, args: sizes.add(len(args[0])) if torch.is_grad_enabled() else None)
    with patch.object(contender.optimizer, "step", wraps=contender.optimizer.step) as step:
        contender.work()
    hook.remove()
    return sizes, step.call_count


@pytest.mark.slow
@needs_peers
def test_every_library_does_the_same_job():
    """Breaks if one library trains another network, with another batch, or makes more or fewer gradient steps."""
    updates, epochs = SMALL.dqn_steps // 4, 2 * SMALL.ppo_steps // 16
    expected = [({32}, updates), ({32}, updates), ({16}, epochs)]
    for group, (sizes, steps) in zip(_contenders(SMALL), expected, strict=True):
        numbers = {name: sum(p.numel() for p in one.network.parameters()) for name, one in group.items()}
        assert len(set(numbers.values())) == 1, numbers
        for name, contender in group.items():
            contender.work()  # Stable-Baselines3's first step only crosses the start of learning
            seen_sizes, seen_steps = _gradient_steps(contender)
            assert seen_steps == steps, name
            assert seen_sizes == sizes or name in ("ppo_ours_masked", "ppo_ours_as_trained"), (name, seen_sizes)
            assert contender.optimizer.param_groups[0]["lr"] == (3e-4 if "dqn" in name else 5e-4), name


@pytest.mark.slow
@needs_peers
def test_the_comparison_is_one_json_object():
    """Breaks if a ratio is not that of the speeds, if the lesser is not taken, or if a figure cannot be printed."""
    pytest.importorskip("stable_baselines3")
    figures = json.loads(json.dumps(peers.measure_peers(1, SMALL)))
    assert figures["dqn_ratio"] == min(figures["dqn_sb3_ratio"], figures["dqn_torchrl_ratio"])
    assert figures["ppo_ratio"] == min(figures["ppo_sb3_ratio"], figures["ppo_torchrl_ratio"])
    for ratio, (mine, other) in peers.RATIOS.items():
        assert figures[ratio] == figures[f"{mine}_steps_per_s"] / figures[f"{other}_steps_per_s"]
    for limit, ratio in peers.LIMITS.items():
        mine, other = peers.RATIOS[ratio]
        assert figures[limit] == figures[f"{mine}_products_steps_per_s"] / figures[f"{other}_steps_per_s"]
        shares = figures[f"{mine}_shares"]
        assert all(share > 0.0 for share in shares.values()) and sum(shares.values()) == pytest.approx(1.0), shares
    assert figures["versions"]["stable-baselines3"]


def test_the_vec_env_is_our_fights_step_by_step():
    """Breaks if Stable-Baselines3 is shown other fights than ours, or another end than the true one."""
    pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.vec_env import VecCheckNan, VecMonitor

    from ashen.bench.sb3 import FightVecEnv

    ours, inner = make_world(8), FightVecEnv(make_world(8))
    theirs = VecMonitor(VecCheckNan(inner, raise_exception=True))
    theirs.seed(3)
    assert np.array_equal(theirs.reset(), ours.reset(seed=3)[0])
    rng, ends = np.random.default_rng(0), 0
    for _ in range(600):
        actions = rng.integers(0, theirs.action_space.n, 8)
        obs, rewards, terminated, truncated, info = ours.step(actions)
        seen, seen_rewards, dones, infos = theirs.step(actions)
        assert seen.dtype == np.float32 and np.array_equal(seen, obs) and np.array_equal(seen_rewards, rewards)
        assert np.array_equal(dones, terminated | truncated)
        for i in np.flatnonzero(dones):
            ends += 1
            assert np.array_equal(infos[i]["terminal_observation"], info["final_obs"][i])
            assert infos[i]["TimeLimit.truncated"] == truncated[i]
            assert infos[i]["episode"]["l"] > 1
    assert ends > 0
    assert theirs.observation_space.contains(seen[0])
    assert theirs.get_attr("num_envs", [0, 1]) == [8, 8]
    assert inner.env_is_wrapped(VecMonitor) == [False] * 8


@needs_peers
def test_torchrls_checker_passes_the_batched_environment():
    """Breaks if shapes or types differ from what the environment tells TorchRL, or a reset after an end starts anew."""
    pytest.importorskip("torchrl")
    from torchrl.envs.utils import check_env_specs

    from ashen.bench.torchrl_loops import FightTorchEnv

    env = FightTorchEnv(make_world(4))
    check_env_specs(env)
    env.set_seed(1)
    played = env.rollout(700, break_when_any_done=False)
    done = played["next", "done"][:, :-1, 0]
    assert done.any()
    follows = (played["next", "observation"][:, :-1] == played["observation"][:, 1:]).all(-1)
    assert torch.equal(follows, ~done)


def test_what_is_missing_is_told_in_one_line(monkeypatch, capsys):
    """Breaks if a missing library is a traceback, or the line does not say what installs it."""
    monkeypatch.setitem(peers.PACKAGES, "no_such_module", "no-such-package")
    assert main(["bench", "--peers"]) == 2
    said = capsys.readouterr().err
    assert "needs no-such-package; install with: " in said
    assert '-e ".[peers]"' in said
    assert said.count("\n") == 1


def test_measurements_take_turns():
    """Breaks if one is measured to its end before the next begins, or if the first, which compiles, counts."""
    calls = []

    def make(name):
        return lambda: calls.append(name) or len(calls)

    values = alternate({"a": make("a"), "b": make("b")}, 2)
    assert calls == ["a", "b", "a", "b", "a", "b"]
    assert values == {"a": [3, 5], "b": [4, 6]}


def test_devices_without_cuda_are_measured_on_the_cpu(tmp_path, capsys, monkeypatch):
    """Breaks if a machine without CUDA gets no figures, or if a kind of learner or network cannot be measured."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    recipe = tmp_path / "all.toml"
    recipe.write_text("algorithm = 'dqn'\nnum_envs = 2\n[dqn]\ndueling = 'enhanced'\nnoisy = true\n", encoding="utf-8")
    figures = json.loads(json.dumps(measure_devices(["cpu", "cuda"], ["smoke", str(recipe)], 1, rounds=1)))
    assert capsys.readouterr().err.count("no CUDA device here") == 1
    assert list(figures["devices"]) == ["cpu"]
    for row in figures["recipes"].values():
        assert row["cpu"]["update_ms"] > 0.0
        assert 0.0 < row["cpu"]["game_share"] < row["cpu"]["simulator_share"] < 1.0
        assert "cuda" not in row
        assert row["advice"] in devices_text(figures)


def test_shares_by_hand():
    """Breaks if learning's share is not its seconds over those of a whole step."""
    recipe = Recipe(algorithm="dqn", num_envs=10, dqn=DQNConfig(updates_per_step=0.25))
    part = shares(recipe, world_us=500.0, timed={"update_ms": 20.0, "act_1_ms": 5.0, "act_n_ms": 45.0})
    assert part["game_share"] == pytest.approx(0.005 / (0.005 + 0.005 + 1.0 / 22.0))
    assert part["simulator_share"] == pytest.approx(0.005 / (0.005 + 0.0045 + 0.0005))


def test_advice_by_hand():
    """Breaks if a GPU that gains little is advised, or one that gains much is not."""
    cpu = {"game_step_s": 0.05, "game_share": 0.1, "simulator_step_s": 0.01, "simulator_share": 0.5}
    assert advice({"cpu": cpu}) == (
        "with a GPU in the game at most 1.11 times as fast, not worth it; "
        "in the simulator at most 2 times as fast, worth a trial"
    )
    cuda = {"game_step_s": 0.0625, "simulator_step_s": 0.005}
    assert advice({"cpu": cpu, "cuda": cuda}) == (
        "with a GPU in the game 0.8 times as fast, not worth it; in the simulator 2 times as fast, worth it"
    )

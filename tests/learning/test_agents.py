import io
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import worlds

from ashen.agents import ALGORITHMS, DQNAgent, DQNConfig, PPOAgent, PPOConfig, make_agent
from ashen.core.errors import UserError
from ashen.core.protocols import Transitions

NUM_ENVS = 3
SMALL_DQN = DQNConfig(
    width=8,
    depth=1,
    batch_size=16,
    replay_capacity=400,
    learning_starts=30,
    updates_per_step=0.25,
    target_period_steps=20,
    epsilon_steps=300,
)
SMALL_PPO = PPOConfig(width=8, depth=1, rollout_steps=32, minibatch_size=40)
EVERYTHING = replace(SMALL_DQN, dueling="enhanced", prioritised=True, n_step=3, noisy=True, normalise_obs=True)
CASES = {"dqn": SMALL_DQN, "dqn_everything": EVERYTHING, "ppo": SMALL_PPO}


def agent_of(config, num_envs=NUM_ENVS, seed=1, total_steps=600, obs_dim=4, num_actions=5):
    """A small agent of the algorithm the config belongs to."""
    algorithm = next(name for name, (kind, _) in ALGORITHMS.items() if isinstance(config, kind))
    return make_agent(algorithm, config, obs_dim, num_actions, num_envs, seed, total_steps)


def saved_and_loaded(state):
    """Through bytes and back, as a checkpoint goes, with nothing but plain data allowed."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def flat(tree, path=""):
    """All leaves of a state tree with their paths."""
    if isinstance(tree, dict):
        return [leaf for key, value in tree.items() for leaf in flat(value, f"{path}/{key}")]
    if isinstance(tree, list | tuple):
        return [leaf for i, value in enumerate(tree) for leaf in flat(value, f"{path}/{i}")]
    return [(path, tree)]


def assert_same_state(one, other):
    """Both states hold the same leaves, bit for bit."""
    for (path, a), (other_path, b) in zip(flat(one), flat(other), strict=True):
        assert path == other_path
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b, path


@pytest.mark.parametrize("case", list(CASES))
def test_stopping_and_going_on_changes_nothing(case):
    """Fails if anything a learner depends on is missing from its state: 100 + save + load + 100 steps against 200."""
    world, agent = worlds.Walk(NUM_ENVS), agent_of(CASES[case])
    worlds.play(agent, world, 100)
    resumed = agent_of(CASES[case], seed=99)
    resumed.load_state_dict(saved_and_loaded(agent.state_dict(with_replay=True)))
    other_world = worlds.Walk(NUM_ENVS)
    other_world.__dict__.update({k: v.copy() for k, v in world.__dict__.items() if isinstance(v, np.ndarray)})
    other_world.rng.bit_generator.state = world.rng.bit_generator.state
    metrics = [worlds.play(one, its_world, 100) for one, its_world in ((agent, world), (resumed, other_world))]
    assert metrics[0] == metrics[1]
    assert metrics[0]
    assert_same_state(agent.state_dict(with_replay=True), resumed.state_dict(with_replay=True))


@pytest.mark.parametrize("case", list(CASES))
def test_evaluation_leaves_no_trace(case):
    """Fails if acting greedily, on any number of observations, draws random numbers or changes the network."""
    runs = []
    for evaluate in (False, True):
        world, agent = worlds.Walk(NUM_ENVS), agent_of(CASES[case])
        for _ in range(60):
            if evaluate:
                for count in (1, 7):
                    obs, mask = np.ones((count, 4), np.float32), np.ones((count, 5), np.bool_)
                    decisions = [agent.act(obs, mask, explore=False) for _ in range(2)]
                    assert np.array_equal(decisions[0].scores, decisions[1].scores)
            worlds.play(agent, world, 1)
        runs.append(agent.state_dict(with_replay=True))
    assert_same_state(*runs)


@pytest.mark.parametrize("case", list(CASES))
def test_another_number_of_environments_may_load(case):
    """Fails if an agent cannot be evaluated or continued with another N."""
    world, agent = worlds.Walk(NUM_ENVS), agent_of(CASES[case])
    worlds.play(agent, world, 50)
    other = agent_of(CASES[case], num_envs=5)
    other.load_state_dict(saved_and_loaded(agent.state_dict()))
    obs, mask = world.obs(), world.mask()
    np.testing.assert_array_equal(other.act(obs, mask, False).scores, agent.act(obs, mask, False).scores)
    assert worlds.play(other, worlds.Walk(5), 60)


@pytest.mark.parametrize("config", [SMALL_DQN, SMALL_PPO])
def test_a_checkpoint_that_does_not_fit_is_refused_with_its_reason(config):
    """Fails if the user gets a torch traceback, or garbage, for a checkpoint of another shape."""
    state = agent_of(config).state_dict()
    for other, words in (
        (agent_of(config, obs_dim=26), "checkpoint expects 4 observations, this run gives 26"),
        (agent_of(config, num_actions=20), "among 5 actions, this run offers 20"),
        (agent_of(replace(config, width=16)), "another network"),
        (agent_of(SMALL_PPO if config is SMALL_DQN else SMALL_DQN), "agent, this run wants"),
    ):
        with pytest.raises(UserError, match=words):
            other.load_state_dict(state)


def test_bad_settings_are_refused():
    """Fails if a setting that cannot work is taken silently."""
    with pytest.raises(UserError, match="did you mean 'dueling'"):
        DQNConfig(dueling="duelling")
    with pytest.raises(UserError, match="discount"):
        DQNConfig(discount=1.5)
    with pytest.raises(UserError, match="never reaches 0"):
        DQNConfig(epsilon_schedule="exponential", epsilon_end=0.0)
    with pytest.raises(UserError, match="relu"):
        PPOConfig(activation="rely")
    with pytest.raises(UserError, match="replay_capacity"):
        DQNAgent(DQNConfig(replay_capacity=10, n_step=3), 4, 5, 4, 0, 100)
    with pytest.raises(UserError, match="did you mean 'dqn'"):
        make_agent("dqnn", SMALL_DQN, 4, 5, 1, 0, 100)


def test_every_setting_is_documented():
    """Fails if a field of a config has no docstring under it."""
    import inspect

    for config_class, _ in ALGORITHMS.values():
        source = inspect.getsource(config_class)
        for field in fields(config_class):
            after = source.split(f"    {field.name}:", 1)[1].split("\n", 2)[1]
            assert after.strip().startswith('"""'), field.name


def learned(config, steps=60):
    """Weights after a little training in the same world with the same seed."""
    agent = agent_of(config)
    worlds.play(agent, worlds.Walk(NUM_ENVS), steps)
    network = agent.online if isinstance(agent, DQNAgent) else agent.network
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize(
    "switch",
    [
        {"learning_rate": 1e-3},
        {"learning_rate_final_share": 0.1},
        {"discount": 0.5},
        {"batch_size": 8},
        {"layer_norm": True},
        {"normalise_obs": True},
        {"replay_capacity": 40},
        {"learning_starts": 60},
        {"updates_per_step": 0.5},
        {"update_period_steps": 50},
        {"target_tau": 0.1},
        {"target_period_steps": 8},
        {"double": False},
        {"dueling": "dueling"},
        {"dueling": "enhanced"},
        {"prioritised": True},
        {"prioritised": True, "priority_alpha": 0.9},
        {"prioritised": True, "priority_beta": 0.9},
        {"n_step": 3},
        {"noisy": True},
        {"epsilon_schedule": "constant"},
        {"epsilon_schedule": "exponential"},
        {"epsilon_start": 0.5},
        {"epsilon_end": 0.5},
        {"epsilon_steps": 50},
        {"grad_clip_norm": 0.05},
        {"weight_decay": 0.5},
        {"use_mask": False},
        {"reward_scale": 0.1},
        {"loss": "mse", "reward_scale": 10.0},
    ],
    ids=str,
)
def test_every_dqn_switch_changes_what_is_learned(switch):
    """Fails if a setting is read by nobody, as the diary's enhanced network was."""
    base = {name: value for name, value in switch.items() if name in ("prioritised", "reward_scale")}
    if switch.keys() == base.keys():
        base = {}
    assert not torch.equal(*_padded(learned(replace(SMALL_DQN, **base)), learned(replace(SMALL_DQN, **switch))))


@pytest.mark.parametrize(
    "switch",
    [
        {"rollout_steps": 16},
        {"epochs": 2},
        {"minibatch_size": 96},
        {"learning_rate": 1e-3},
        {"learning_rate_final_share": 1.0},
        {"discount": 0.5},
        {"gae_lambda": 0.5},
        {"clip": 0.001},
        {"value_coef": 1.0},
        {"entropy_coef": 0.2},
        {"entropy_coef_final": 0.2},
        {"max_grad_norm": 0.05},
        {"target_kl": 1e-9},
        {"activation": "tanh"},
        {"normalise_obs": False},
        {"normalise_reward": False},
    ],
    ids=str,
)
def test_every_ppo_switch_changes_what_is_learned(switch):
    """Fails if a setting is read by nobody."""
    assert not torch.equal(*_padded(learned(SMALL_PPO, 70), learned(replace(SMALL_PPO, **switch), 70)))


def _padded(one, other):
    size = max(len(one), len(other))
    return [torch.nn.functional.pad(weights, (0, size - len(weights))) for weights in (one, other)]


def test_dqn_schedules_at_given_steps():
    """Fails if epsilon, learning rate or beta are off at a step; epsilon starts to fall when learning starts."""
    config = replace(SMALL_DQN, learning_starts=100, epsilon_start=0.9, epsilon_end=0.1, epsilon_steps=200)
    agent = agent_of(replace(config, learning_rate=1e-3, learning_rate_final_share=0.5), total_steps=1_000)
    seen = {}
    for steps in (0, 99, 100, 200, 300, 1_000, 2_000):
        agent.steps = steps
        status = agent.status()
        seen[steps] = (status["epsilon"], status["learning_rate"], status["priority_beta"])
    expected = {
        0: (1.0, 1e-3, 0.4),
        99: (1.0, 1e-3 * (1 - 0.5 * 0.099), 0.4 + 0.6 * 0.099),
        100: (0.9, 0.95e-3, 0.46),
        200: (0.5, 0.9e-3, 0.52),
        300: (0.1, 0.85e-3, 0.58),
        1_000: (0.1, 0.5e-3, 1.0),
        2_000: (0.1, 0.5e-3, 1.0),
    }
    for steps, values in expected.items():
        assert seen[steps] == pytest.approx(values), steps


def test_updates_come_when_they_are_due():
    """Fails if N environments make N times too many or too few updates, or the target is copied off its period."""
    config = replace(SMALL_DQN, updates_per_step=0.25, learning_starts=32, batch_size=4, target_period_steps=24)
    agent = agent_of(config, num_envs=4)
    assert agent.target_period_updates == 6
    worlds.play(agent, worlds.Walk(4), 7)
    assert agent.updates == 0
    worlds.play(agent, worlds.Walk(4), 20)
    assert agent.updates == 20
    bursts = agent_of(replace(config, update_period_steps=40), num_envs=4)
    made = [0]
    for _ in range(40):
        worlds.play(bursts, worlds.Walk(4), 1)
        made.append(bursts.updates)
    assert np.diff(made)[np.diff(made) > 0].tolist() == [3, 10, 10, 10]  # of steps 32-40, then every 40


def test_the_target_network_moves_only_at_its_period():
    """Fails if the target follows at every update, or never."""
    agent = agent_of(replace(SMALL_DQN, target_period_steps=40))
    worlds.play(agent, worlds.Walk(NUM_ENVS), 200)
    assert agent.updates % agent.target_period_updates != 0
    assert not torch.equal(agent.target.head.weight, agent.online.head.weight)
    while agent.updates % agent.target_period_updates:
        agent._update_once(1.0)
    assert torch.equal(agent.target.head.weight, agent.online.head.weight)


def constant_step(num_envs, faulted):
    """A step in which nothing differs between environments but the fault."""
    obs, mask = np.ones((num_envs, 4), np.float32), np.ones((num_envs, 5), np.bool_)
    none = np.zeros(num_envs, np.bool_)
    return Transitions(
        obs, mask, np.zeros(num_envs, np.int64), np.ones(num_envs, np.float32), obs, mask, none, none, faulted
    )


def test_ppo_leaves_faulted_steps_out():
    """Fails if a step in which the game broke is among the samples, or a rollout of nothing else crashes."""
    agent = agent_of(replace(SMALL_PPO, rollout_steps=4))
    for t in range(4):
        agent.observe(constant_step(NUM_ENVS, np.array([t == 2, False, False])))
    data, _ = agent._prepare()
    assert len(data["actions"]) == 4 * NUM_ENVS - 1
    agent.rollout.faulted[:] = True
    assert agent.update() == {}
    assert agent.rollout.length == 0


def test_ppo_compares_with_the_probabilities_it_acted_with():
    """Fails if the observation statistics move between acting and learning: the first ratio must be 1."""
    world, agent = worlds.Walk(NUM_ENVS), agent_of(replace(SMALL_PPO, epochs=1, minibatch_size=10_000))
    acted = []
    for _ in range(96):
        decision = agent.act(world.obs(), world.mask(), explore=True)
        acted.append(np.take_along_axis(decision.scores, decision.actions[:, None], 1)[:, 0])
        agent.observe(world.step(decision.actions))
        if agent.rollout.is_full:
            data, _ = agent._prepare()
            np.testing.assert_allclose(data["log_probs"].exp(), np.concatenate(acted), rtol=1e-5)
            acted.clear()
            agent.update()
    assert agent.updates == 3


def test_leaving_out_forced_steps_changes_no_gradient():
    """Fails if skipping the policy where there is no choice is not exact: compared with autograd over all samples."""
    from ashen.agents import losses

    agent = agent_of(replace(SMALL_PPO, max_grad_norm=0.0, entropy_coef=0.1))
    worlds.play(agent, worlds.Walk(NUM_ENVS), 32)  # the policy is no longer uniform
    rng = torch.Generator().manual_seed(0)
    mask = torch.rand(40, 5, generator=rng) < 0.3
    mask[:4] = False
    mask[0, 2] = True
    batch = {
        "obs": torch.randn(40, 4, generator=rng),
        "mask": mask,
        "actions": mask.float().argmax(-1),
        "log_probs": -torch.rand(40, generator=rng),
        "advantages": torch.randn(40, generator=rng),
        "returns": torch.randn(40, generator=rng),
    }
    all_log_probs = losses.masked_log_probs(agent.network.policy(batch["obs"]), mask)
    log_probs = all_log_probs.gather(-1, batch["actions"][:, None]).squeeze(-1)
    policy = losses.ppo_policy_loss(log_probs, batch["log_probs"], batch["advantages"], 0.2)
    loss = policy.loss - 0.1 * losses.masked_entropy(all_log_probs).mean()
    expected = torch.autograd.grad(loss, list(agent.network.policy.parameters()))
    agent._learn(batch, 0.1)
    for parameter, gradient in zip(agent.network.policy.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_reward_scale_is_the_deviation_of_discounted_returns():
    """Fails if rewards are not divided by the running deviation of returns, worked here by hand for gamma 0."""
    agent = agent_of(replace(SMALL_PPO, rollout_steps=2, discount=0.0), num_envs=2)
    rollout = agent.rollout
    rollout.rewards[:] = [[1.0, 3.0], [5.0, 7.0]]
    np.testing.assert_allclose(agent.reward_scaler(rollout), rollout.rewards / np.sqrt(5.0), rtol=1e-6)
    rollout.rewards[:] = [[4.0, 4.0], [4.0, 4.0]]
    np.testing.assert_allclose(agent.reward_scaler(rollout), rollout.rewards / np.sqrt(2.5), rtol=1e-6)


@pytest.mark.parametrize("where", ["middle", "last"])
def test_ppo_bootstraps_truncated_steps_from_their_own_last_observation(where):
    """Fails if a cut fight is valued by the next fight's first observation."""
    agent = agent_of(replace(SMALL_PPO, rollout_steps=3, normalise_obs=False, normalise_reward=False))
    cut_at = {"middle": 1, "last": 2}[where]
    rng = np.random.default_rng(0)
    steps = []
    for t in range(3):
        step = constant_step(NUM_ENVS, np.zeros(NUM_ENVS, np.bool_))
        obs, next_obs = (rng.normal(size=(NUM_ENVS, 4)).astype(np.float32) for _ in range(2))
        step = step._replace(obs=obs, next_obs=next_obs, truncated=np.array([False, t == cut_at, t == cut_at]))
        steps.append(step)
        agent.observe(step)
    where_cut, reached = agent.rollout.bootstraps()
    expected = np.zeros((3, NUM_ENVS), np.bool_)
    expected[cut_at, 1:] = True
    expected[2] = True
    assert np.array_equal(where_cut, expected)
    last = steps[2].next_obs
    assert np.array_equal(reached, last if where == "last" else np.concatenate([steps[1].next_obs[1:], last]))
    loaded = agent_of(agent.config)
    loaded.load_state_dict(saved_and_loaded(agent.state_dict()))
    assert np.array_equal(loaded.rollout.bootstraps()[1], reached)
    assert isinstance(loaded, PPOAgent)


def test_tuning_the_process_sets_threads_and_never_fails():
    """Fails if the memory setting breaks on a system without it, or threads are not set."""
    from ashen.agents.runtime import tune_process

    before = torch.get_num_threads()
    tune_process(2)
    assert torch.get_num_threads() == 2
    tune_process(before)
    tune_process()
    assert torch.get_num_threads() == before

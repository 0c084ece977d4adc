import math

import numpy as np
import pytest
import torch
from torch import tensor

from ashen.agents import losses

INF = math.inf
TRUE = [[True, True]] * 2


def test_td_targets_by_hand():
    """Fails if plain or double Q-learning picks or values the wrong action, or goes on after an end."""
    returns, discounts = tensor([1.0, 2.0, 3.0]), tensor([0.9, 0.9, 0.0])
    target_q = tensor([[1.0, 4.0], [3.0, 2.0], [50.0, 60.0]])
    online_q = tensor([[9.0, 0.0], [9.0, 0.0], [9.0, 0.0]])
    mask = torch.ones(3, 2, dtype=torch.bool)
    assert losses.td_targets(returns, discounts, target_q, mask).tolist() == pytest.approx([4.6, 4.7, 3.0])
    assert losses.td_targets(returns, discounts, target_q, mask, online_q).tolist() == pytest.approx([1.9, 4.7, 3.0])


def test_invalid_actions_do_not_count_in_targets():
    """Fails if the best action is sought among invalid ones, by either network; no valid action must not give NaN."""
    returns, discounts = torch.zeros(3), tensor([1.0, 1.0, 0.0])
    target_q = tensor([[1.0, 4.0], [3.0, 2.0], [5.0, 6.0]])
    online_q = tensor([[0.0, 9.0], [0.0, 9.0], [0.0, 9.0]])
    mask = tensor([[True, False], [True, True], [False, False]])
    assert losses.td_targets(returns, discounts, target_q, mask).tolist() == [1.0, 3.0, 0.0]
    assert losses.td_targets(returns, discounts, target_q, mask, online_q).tolist() == [1.0, 2.0, 0.0]
    assert losses.masked_q(target_q, mask).tolist() == [[1.0, -INF], [3.0, 2.0], [5.0, 6.0]]


def test_importance_weights_belong_to_their_samples():
    """Fails if [B] weights meet [B, 1] losses and every weight multiplies every sample's loss."""
    prediction, target, weights = tensor([0.0, 0.0]), tensor([1.0, 3.0]), tensor([1.0, 0.5])
    squared = losses.td_loss(prediction, target, "mse")
    assert squared.tolist() == [1.0, 9.0]
    assert losses.td_loss(prediction, target, "smooth_l1").tolist() == [0.5, 2.5]
    assert losses.weighted_mean(squared, weights).item() == pytest.approx((1 + 4.5) / 2)
    for wrong in (
        lambda: losses.weighted_mean(squared[:, None], weights),
        lambda: losses.weighted_mean(squared, weights[:, None]),
        lambda: losses.td_loss(prediction, target[:, None], "mse"),
        lambda: losses.td_loss(prediction[:, None], target[:, None], "mse"),
    ):
        with pytest.raises(AssertionError):
            wrong()


def test_outputs_of_the_actions_taken():
    """Breaks if an action's value, or its distribution, is read from another action or another sample."""
    q = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    actions = tensor([2, 0], dtype=torch.int32)
    assert losses.of_actions(q, actions).tolist() == [3.0, 4.0]
    both = torch.stack([q, 10.0 * q], -1)  # [B, A, K]
    assert losses.of_actions(both, actions).tolist() == [[3.0, 30.0], [4.0, 40.0]]


def test_ppo_loss_by_hand():
    """Fails if the ratio is clipped on the wrong side. Ratios 1.5, 1.5, 0.5, 0.5 with advantages +, -, +, -."""
    old = torch.zeros(4)
    new = tensor([1.5, 1.5, 0.5, 0.5]).log().requires_grad_()
    result = losses.ppo_policy_loss(new, old, tensor([1.0, -1.0, 1.0, -1.0]), clip=0.2)
    assert result.loss.item() == pytest.approx(-(1.2 - 1.5 + 0.5 - 0.8) / 4)
    assert result.clip_fraction.item() == 1.0
    expected_kl = np.mean([0.5 - math.log(1.5)] * 2 + [-0.5 - math.log(0.5)] * 2)
    assert result.approx_kl.item() == pytest.approx(expected_kl)
    result.loss.backward()
    assert new.grad.tolist() == pytest.approx([0.0, 1.5 / 4, -0.5 / 4, 0.0])


def test_value_loss_by_hand():
    """Fails if the half or the mean is lost."""
    assert losses.value_loss(tensor([1.0, 2.0]), tensor([2.0, 5.0])).item() == pytest.approx(0.5 * (1 + 9) / 2)
    with pytest.raises(AssertionError):
        losses.value_loss(torch.zeros(2, 1), torch.zeros(2))


def test_masked_probabilities_and_entropy_by_hand():
    """Fails if an invalid action has a share, or its entropy or gradient is NaN."""
    logits = tensor([[0.0, math.log(3.0), 7.0], [1.0, 2.0, 3.0]], requires_grad=True)
    mask = tensor([[True, True, False], [False, False, False]])
    log_probs = losses.masked_log_probs(logits, mask)
    np.testing.assert_allclose(log_probs.exp().detach(), [[0.25, 0.75, 0.0], [1 / 3] * 3], rtol=1e-6)
    entropy = losses.masked_entropy(log_probs)
    expected = [-(0.25 * math.log(0.25) + 0.75 * math.log(0.75)), math.log(3.0)]
    assert entropy.tolist() == pytest.approx(expected)
    entropy.sum().backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0, 2] == 0.0
    assert (logits.grad[1] == 0.0).all()


def column(*values):
    """Numbers over time for one environment, [T, 1]."""
    return tensor(values, dtype=torch.float32)[:, None]


def flags(*values):
    """Booleans over time for one environment, [T, 1]."""
    return tensor([bool(v) for v in values])[:, None]


def test_gae_by_hand():
    """Fails if an end or a cut is treated as the other. Discount and lambda one half.

    Without ends: delta = 1 + .5 * 2 - 2 = 0, 1 + .5 * 4 - 2 = 1, 1 + .5 * 6 - 4 = 0; advantages .25, 1, 0.
    """
    rewards, values, next_values = column(1, 1, 1), column(2, 2, 4), column(2, 4, 6)
    none = flags(0, 0, 0)
    advantages, returns = losses.gae(rewards, values, next_values, none, none, none, 0.5, 0.5)
    assert advantages[:, 0].tolist() == [0.25, 1.0, 0.0]
    assert returns[:, 0].tolist() == [2.25, 3.0, 4.0]

    middle = flags(0, 1, 0)
    terminated, _ = losses.gae(rewards, values, next_values, middle, none, none, 0.5, 0.5)
    assert terminated[:, 0].tolist() == [-0.25, -1.0, 0.0]

    reached = column(2, 10, 6)  # the true last observation is worth 10, the next fight's first 4
    truncated, _ = losses.gae(rewards, values, reached, none, middle, none, 0.5, 0.5)
    assert truncated[:, 0].tolist() == [1.0, 4.0, 0.0]

    faulted, _ = losses.gae(rewards, values, next_values, middle, none, middle, 0.5, 0.5)
    assert faulted[:, 0].tolist() == [0.0, 0.0, 0.0]


def test_gae_agrees_with_torchrl():
    """Fails if our recursion differs from TorchRL's on random data with both kinds of ends."""
    functional = pytest.importorskip("torchrl.objectives.value.functional")
    generator = torch.Generator().manual_seed(0)
    shape = (50, 7)
    rewards, values, next_values = (torch.randn(shape, generator=generator) for _ in range(3))
    terminated, truncated = (torch.rand(shape, generator=generator) < 0.1 for _ in range(2))
    ours = losses.gae(
        rewards, values, next_values, terminated, truncated, torch.zeros(shape, dtype=torch.bool), 0.97, 0.9
    )
    done = terminated | truncated

    def batched(x):
        return x.T[..., None]  # [N, T, 1]

    theirs = functional.generalized_advantage_estimate(
        0.97, 0.9, *(batched(x) for x in (values, next_values, rewards, done, terminated))
    )
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(batched(one), other)


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_dqn_loss_agrees_with_torchrl(double):
    """Fails if our DQN or double-DQN loss differs from TorchRL's on the same two networks and batch."""
    torchrl = pytest.importorskip("torchrl")
    from tensordict import TensorDict
    from torchrl.data import OneHot
    from torchrl.modules import QValueActor
    from torchrl.objectives import DQNLoss

    assert torchrl.__version__
    torch.manual_seed(0)
    network = torch.nn.Linear(4, 3)
    actor = QValueActor(network, spec=OneHot(3), action_space="one-hot")
    module = DQNLoss(actor, loss_function="smooth_l1", delay_value=True, double_dqn=double, action_space="one-hot")
    module.make_value_estimator(gamma=0.9)
    with torch.no_grad():  # the target differs from the online network
        for parameter in module.target_value_network_params.values(True, True):
            parameter.data.add_(0.3 * torch.randn(parameter.shape))
    target = torch.nn.Linear(4, 3)
    target.load_state_dict({
        name.split(".")[-1]: p.data for name, p in module.target_value_network_params.flatten_keys(".").items()
    })
    obs, next_obs, rewards = torch.randn(32, 4), torch.randn(32, 4), 3 * torch.randn(32)
    actions, terminated = torch.randint(3, (32,)), torch.rand(32) < 0.3
    batch = TensorDict(
        {
            "observation": obs,
            "action": torch.nn.functional.one_hot(actions, 3),
            "next": {
                "observation": next_obs,
                "reward": rewards[:, None],
                "done": terminated[:, None],
                "terminated": terminated[:, None],
            },
        },
        batch_size=[32],
    )
    theirs = module(batch)["loss"]
    mask = torch.ones(32, 3, dtype=torch.bool)
    with torch.no_grad():
        online = network(next_obs) if double else None
        targets = losses.td_targets(rewards, 0.9 * ~terminated, target(next_obs), mask, online)
    chosen = network(obs).gather(1, actions[:, None]).squeeze(1)
    ours = losses.weighted_mean(losses.td_loss(chosen, targets, "smooth_l1"), torch.ones(32))
    torch.testing.assert_close(ours, theirs)


@pytest.mark.filterwarnings("ignore")
def test_ppo_loss_agrees_with_torchrl():
    """Fails if our clipped loss, entropy, divergence or clip fraction differs from TorchRL's ClipPPOLoss."""
    pytest.importorskip("torchrl")
    from tensordict import TensorDict
    from tensordict.nn import TensorDictModule
    from torchrl.modules import ProbabilisticActor, ValueOperator
    from torchrl.objectives import ClipPPOLoss

    torch.manual_seed(1)
    policy, critic = torch.nn.Linear(4, 3), torch.nn.Linear(4, 1)
    actor = ProbabilisticActor(
        TensorDictModule(policy, in_keys=["observation"], out_keys=["logits"]),
        in_keys=["logits"],
        distribution_class=torch.distributions.Categorical,
        return_log_prob=True,
    )
    module = ClipPPOLoss(
        actor, ValueOperator(critic), clip_epsilon=0.2, entropy_coeff=0.01, critic_coeff=0.5, loss_critic_type="l2"
    )
    obs, actions, advantages, returns = torch.randn(64, 4), torch.randint(3, (64,)), torch.randn(64), torch.randn(64)
    old = torch.distributions.Categorical(logits=policy(obs) + 0.5 * torch.randn(64, 3)).log_prob(actions).detach()
    batch = TensorDict(
        {
            "observation": obs,
            "action": actions,
            "action_log_prob": old,
            "advantage": advantages[:, None],
            "value_target": returns[:, None],
        },
        batch_size=[64],
    )
    theirs = module(batch)
    log_probs = losses.masked_log_probs(policy(obs), torch.ones(64, 3, dtype=torch.bool))
    ours = losses.ppo_policy_loss(log_probs.gather(1, actions[:, None]).squeeze(1), old, advantages, 0.2)
    torch.testing.assert_close(ours.loss, theirs["loss_objective"])
    torch.testing.assert_close(ours.clip_fraction, theirs["clip_fraction"])
    torch.testing.assert_close(losses.masked_entropy(log_probs).mean(), theirs["entropy"])
    # TorchRL's critic loss has no half: ours at weight 1 is theirs at weight one half.
    torch.testing.assert_close(losses.value_loss(critic(obs).squeeze(-1), returns), theirs["loss_critic"])


def test_divergence_from_a_teacher_by_hand():
    """Breaks if the divergence is the other way round, not 0 between equals, or NaN where an action is invalid."""
    mask = tensor([[True, True, False], [True, True, True]])
    teacher = losses.masked_log_probs(tensor([[math.log(3.0), 0.0, 5.0], [0.0, 0.0, 0.0]]), mask)
    student = losses.masked_log_probs(tensor([[0.0, 0.0, -5.0], [0.0, 0.0, 0.0]]), mask)
    hand = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    assert losses.masked_kl(teacher, student).tolist() == pytest.approx([hand, 0.0], abs=1e-6)


def test_large_margin_by_hand():
    """Breaks if an invalid action or the demonstrator's own counts as a rival, or if a clear lead still costs."""
    q = tensor([[1.0, 0.5, 9.0], [1.0, 3.0, 0.0], [2.0, 0.0, 0.0]])
    mask = tensor([[True, True, False], [True, True, True], [True, True, True]])
    loss = losses.large_margin(q, mask, tensor([0, 0, 0]), 0.8)
    assert loss.tolist() == pytest.approx([0.3, 2.8, 0.0])  # 0.5 + 0.8 - 1; 3 + 0.8 - 1; others end 1.2 below

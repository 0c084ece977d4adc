"""The mathematics of learning: pure functions of tensors, without state, config or network.

Shapes: B samples, A actions, T steps, N environments. Every function checks that its arguments have the shapes it
names, since a [B] against a [B, 1] would silently become a [B, B].
"""

from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

INVALID_LOGIT: Final = -1e9
"""Finite, so that an impossible action has probability 0 and its entropy is 0 instead of 0 times infinity."""


def masked_q(q: Tensor, mask: Tensor | None) -> Tensor:
    """Q-values [B, A] with invalid actions at -inf; without a mask all are valid.

    A row without any valid action stays whole: it is either terminal, where its value does not count, or a moment in
    which no input has an effect, so that any will do.
    """
    if mask is None:
        return q
    assert q.shape == mask.shape, (q.shape, mask.shape)
    usable = mask | ~mask.any(-1, keepdim=True)
    return q.masked_fill(~usable, -torch.inf)


def of_actions(outputs: Tensor, actions: Tensor) -> Tensor:
    """What ``outputs`` [B, A, ...] say of ``actions`` [B]: [B, ...]."""
    assert outputs.shape[:1] == actions.shape, (outputs.shape, actions.shape)
    index = actions.long().view(-1, *[1] * (outputs.ndim - 1))
    return outputs.gather(1, index.expand(-1, 1, *outputs.shape[2:])).squeeze(1)


def td_targets(
    returns: Tensor,  # [B]
    discounts: Tensor,  # [B]; 0 after termination
    next_q: Tensor,  # [B, A] of the network that values the next action
    next_mask: Tensor | None,  # [B, A]; None: all are valid
    next_q_chooser: Tensor | None = None,  # [B, A] of another one that chooses it
) -> Tensor:
    """Targets [B] of Q-learning: ``return + discount * Q(next, best valid action)``.

    Valued and chosen by the same network (Mnih et al. 2015), or by two: double Q-learning, with a network and its
    target (van Hasselt et al. 2016, arXiv:1509.06461) or with two that learn (van Hasselt 2010).
    """
    assert returns.shape == discounts.shape == next_q.shape[:1], (returns.shape, discounts.shape, next_q.shape)
    if next_q_chooser is None:
        return returns + discounts * masked_q(next_q, next_mask).amax(-1)
    best = masked_q(next_q_chooser, next_mask).argmax(-1)  # [B]
    return returns + discounts * of_actions(next_q, best)


def td_loss(prediction: Tensor, target: Tensor, kind: str) -> Tensor:
    """Loss [B] of the Q-values [B] of the actions taken against what they should be, without gradient.

    Args:
        prediction: of the network that learns.
        target: from :func:`td_targets`.
        kind: ``"smooth_l1"`` (quadratic within 1, linear beyond) or ``"mse"``.
    """
    assert prediction.shape == target.shape and prediction.ndim == 1, (prediction.shape, target.shape)
    loss = {"smooth_l1": functional.smooth_l1_loss, "mse": functional.mse_loss}[kind]
    return loss(prediction, target, reduction="none")


def weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    """Mean of ``losses`` [B], each times its own importance weight [B] (Schaul et al. 2016); all 1 if uniform."""
    assert losses.shape == weights.shape and losses.ndim == 1, (losses.shape, weights.shape)
    return (weights * losses).mean()


def masked_log_probs(logits: Tensor, mask: Tensor) -> Tensor:
    """Log-probabilities [B, A] over the valid actions; uniform where none is valid.

    Source: Huang and Ontanon 2022, A Closer Look at Invalid Action Masking (arXiv:2006.14171).
    """
    assert logits.shape == mask.shape, (logits.shape, mask.shape)
    return functional.log_softmax(logits.masked_fill(~mask, INVALID_LOGIT), dim=-1)


def masked_entropy(log_probs: Tensor) -> Tensor:
    """Entropy [B] in nats of distributions from :func:`masked_log_probs` [B, A]."""
    return -(log_probs.exp() * log_probs).sum(-1)


def masked_kl(teacher: Tensor, student: Tensor) -> Tensor:
    """Divergence [B] in nats of a student's policy from a teacher's: log-probabilities [B, A] under the same mask.

    Source: Schmitt et al. 2018, Kickstarting Deep Reinforcement Learning, equation 3 (arXiv:1803.03835), whose
    cross-entropy differs from it by the teacher's own entropy, which has no gradient.
    """
    assert teacher.shape == student.shape, (teacher.shape, student.shape)
    return (teacher.exp() * (teacher - student)).sum(-1)


def large_margin(q: Tensor, mask: Tensor, actions: Tensor, margin: float) -> Tensor:
    """How far valid actions other than a demonstrator's come within ``margin`` of his, in Q-values: loss [B].

    Source: Hester et al. 2018, Deep Q-learning from Demonstrations, equation 2 (arXiv:1704.03732).

    Args:
        q: [B, A].
        mask: valid actions [B, A]; the demonstrator's is one of them.
        actions: the demonstrator's [B].
        margin: by how much his shall be above every other.
    """
    assert q.shape == mask.shape and actions.shape == q.shape[:1], (q.shape, mask.shape, actions.shape)
    chosen = actions.unsqueeze(-1)
    raised = (q + margin).scatter(-1, chosen, q.gather(-1, chosen))
    return masked_q(raised, mask).amax(-1) - q.gather(-1, chosen).squeeze(-1)


class PolicyLoss(NamedTuple):
    """The clipped loss and what to watch about it, all scalars."""

    loss: Tensor
    approx_kl: Tensor  # mean of r - 1 - log r, an estimate of the divergence that is never negative
    clip_fraction: Tensor  # share of samples whose ratio lies outside the clip range


def ppo_policy_loss(log_probs: Tensor, old_log_probs: Tensor, advantages: Tensor, clip: float) -> PolicyLoss:
    """Clipped surrogate loss of log-probabilities [B] of the actions taken, against those they were drawn with.

    Source: Schulman et al. 2017, Proximal Policy Optimization, equation 7 (arXiv:1707.06347); the divergence estimate
    is k3 of http://joschu.net/blog/kl-approx.html.
    """
    assert log_probs.shape == old_log_probs.shape == advantages.shape, (log_probs.shape, advantages.shape)
    assert log_probs.ndim == 1, log_probs.shape
    log_ratio = log_probs - old_log_probs
    ratio = log_ratio.exp()
    gain = torch.minimum(ratio * advantages, ratio.clamp(1.0 - clip, 1.0 + clip) * advantages)
    with torch.no_grad():
        approx_kl = (ratio - 1.0 - log_ratio).mean()
        clip_fraction = ((ratio - 1.0).abs() > clip).float().mean()
    return PolicyLoss(-gain.mean(), approx_kl, clip_fraction)


def value_loss(values: Tensor, returns: Tensor) -> Tensor:
    """Half the mean squared error of values [B] against returns [B]."""
    assert values.shape == returns.shape and values.ndim == 1, (values.shape, returns.shape)
    return 0.5 * (values - returns).square().mean()


def gae(
    rewards: Tensor,  # [T, N]
    values: Tensor,  # [T, N] of the observations acted on
    next_values: Tensor,  # [T, N] of the observations reached: the true last one where a fight ended
    terminated: Tensor,  # [T, N] bool
    truncated: Tensor,  # [T, N] bool
    faulted: Tensor,  # [T, N] bool
    discount: float,
    gae_lambda: float,
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimates and value targets, both [T, N].

    A termination has no next value; a truncation bootstraps from the value of the last observation; neither lets
    anything flow back from the fight that follows. A faulted step gets advantage 0 and must be left out of the loss;
    the step before it bootstraps from the value of the observation in which the fault came.

    Source: Schulman et al. 2016, equation 16 (arXiv:1506.02438).
    """
    shape = rewards.shape
    for tensor in (values, next_values, terminated, truncated, faulted):
        assert tensor.shape == shape, (tensor.shape, shape)
    delta = rewards + discount * next_values * ~terminated - values
    delta = delta.masked_fill(faulted, 0.0)
    decay = discount * gae_lambda * ~(terminated | truncated | faulted)
    advantages = torch.empty_like(delta)
    later = torch.zeros_like(delta[0])
    for t in reversed(range(shape[0])):
        later = delta[t] + decay[t] * later
        advantages[t] = later
    return advantages, advantages + values

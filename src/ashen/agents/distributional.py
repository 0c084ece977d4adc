"""Distributional Q-learning (C51): pure functions of tensors, beside losses.py because the loss differs.

A Q-value is the mean of a distribution over K fixed returns, the atoms of its support. Atoms, not the quantiles of
Dabney et al. 2018 (arXiv:1710.10044): they are what Rainbow uses, the loss compares [B, K] numbers instead of
[B, K, K], and their weakness, that returns must lie within bounds, is none here: a reward tells what a fight can pay.

Source: Bellemare, Dabney and Munos 2017 (arXiv:1707.06887).
"""

import torch
from torch import Tensor
from torch.nn import functional

from ashen.agents.losses import masked_q, of_actions


def project(probs: Tensor, returns: Tensor, discounts: Tensor, support: Tensor) -> Tensor:
    """The distribution of ``return + discount * Z`` on the same atoms as Z's.

    Each moved atom's probability goes to its two neighbours, the nearer one getting more, so that the mean stays; what
    is moved past an end of the support goes to that end.

    Args:
        probs: of Z, [B, K].
        returns: rewards on the way, [B].
        discounts: [B]; gamma^n after n steps, 0 after termination.
        support: evenly spaced returns [K], ascending.

    Returns:
        Probabilities [B, K]. Source: algorithm 1 of the paper.
    """
    assert returns.shape == discounts.shape == probs.shape[:1], (returns.shape, discounts.shape, probs.shape)
    assert probs.shape[1:] == support.shape, (probs.shape, support.shape)
    low, high, last = support[0], support[-1], len(support) - 1
    moved = (returns[:, None] + discounts[:, None] * support).clamp(low, high)  # [B, K]
    place = (moved - low) * (last / (high - low))  # 0 .. K - 1, in atoms
    below = place.floor().clamp(max=last)
    above_share = place - below
    index = below.long()
    projected = torch.zeros_like(probs).scatter_add_(1, index, probs * (1.0 - above_share))
    return projected.scatter_add_(1, (index + 1).clamp(max=last), probs * above_share)


def target_distributions(
    returns: Tensor,  # [B]
    discounts: Tensor,  # [B]; 0 after termination
    next_logits: Tensor,  # [B, A, K] of the network that values the next action
    next_mask: Tensor | None,  # [B, A]; None: all are valid
    support: Tensor,  # [K]
    next_q_chooser: Tensor | None = None,  # [B, A] of another one that chooses it
) -> Tensor:
    """Distributions [B, K] that those of the actions taken should be: as td_targets, of the best valid next action."""
    next_probs = next_logits.softmax(-1)
    chooser = next_probs @ support if next_q_chooser is None else next_q_chooser
    best = masked_q(chooser, next_mask).argmax(-1)  # [B]
    return project(of_actions(next_probs, best), returns, discounts, support)


def divergence(logits: Tensor, target: Tensor) -> Tensor:
    """Kullback-Leibler divergence [B] in nats of distributions, given by ``logits`` [B, K], from ``target`` [B, K].

    Its gradient is that of the paper's cross-entropy; unlike it, it is 0 where nothing is left to learn, so that it can
    also serve as a priority, as in Rainbow (Hessel et al. 2018, arXiv:1710.02298).
    """
    assert logits.shape == target.shape and logits.ndim == 2, (logits.shape, target.shape)
    return functional.kl_div(logits.log_softmax(-1), target, reduction="none").sum(-1)

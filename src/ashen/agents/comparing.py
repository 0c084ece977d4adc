"""A DQN's outputs against what they should be: losses, priorities, and what to watch."""

from torch import Tensor

from ashen.agents import distributional, losses
from ashen.agents.dqn_config import DQNConfig


def compared(
    outputs: Tensor, targets: Tensor, config: DQNConfig, support: Tensor | None
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Losses [B] of outputs against targets, priorities [B], and what to watch.

    Args:
        outputs, targets: values [B], or of distributions logits and probabilities [B, K].
        config: the learner's.
        support: returns [K] that distributions give a probability each; None without.
    """
    q, metrics = outputs.detach(), {}
    if config.distributional:
        each = distributional.divergence(outputs, targets)
        # Where much of it lies at the ends, value_range is too narrow.
        metrics["range_end_share"] = targets[:, [0, -1]].sum(-1).mean()
        q, targets = q.softmax(-1) @ support, targets @ support
    else:
        each = losses.td_loss(outputs, targets, config.loss)
    errors = (targets - q).abs()
    metrics |= {"q_mean": q.mean(), "target_mean": targets.mean(), "td_error": errors.mean()}
    return each, each.detach() if config.distributional else errors, metrics

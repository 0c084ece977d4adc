"""AdamW on networks whose parameters lie end to end in memory: one operation where torch has one for every tensor.

A learner's networks are small, and many small operations cost more than what they compute.
"""

from typing import Any

import torch
from torch import Tensor, nn


class FlatAdamW(torch.optim.AdamW):
    """Torch's AdamW with the same result and the same ``state_dict``; without weight decay it is Adam.

    A network moved to another device leaves the memory it was given here: make a new optimiser then.

    Args:
        networks: what may learn; each step moves the one that :meth:`differentiate` was last called for.
        learning_rate: Adam's step size.
        eps: added to the root of the mean square.
        weight_decay: share of the weights taken off per step and unit of learning rate.
    """

    def __init__(self, networks: list[nn.Module], learning_rate: float, eps: float = 1e-8, weight_decay: float = 0.0):
        parameters = [parameter for network in networks for parameter in network.parameters()]
        super().__init__(parameters, lr=learning_rate, eps=eps, weight_decay=weight_decay, fused=True)
        self._blocks = {network: _Block(list(network.parameters())) for network in networks}
        for block in self._blocks.values():
            self.state.update(block.states())

    def differentiate(self, loss: Tensor, network: nn.Module) -> Tensor:
        """The gradient [P] of a network's parameters, end to end, which the next step will take; may be changed."""
        self._learner = self._blocks[network]
        parts = torch.autograd.grad(loss, self._learner.parameters)
        self.gradient = torch.cat([part.flatten() for part in parts])
        return self.gradient

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move the parameters along the gradient last computed."""
        block, group = self._learner, self.param_groups[0]
        block.steps += 1.0
        torch._fused_adamw_(
            [block.values],
            [self.gradient],
            [block.mean],
            [block.square],
            [],
            [block.steps],
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what ``state_dict`` gave, here or of torch's own Adam or AdamW."""
        super().load_state_dict(state_dict)
        for block in self._blocks.values():
            saved = {parameter: self.state[parameter] for parameter in block.parameters}
            for parameter, state in block.states().items():
                for name, value in state.items():
                    value.copy_(saved[parameter].get(name, torch.zeros(())))  # nothing is saved before the first step
                self.state[parameter] = state


class _Block:
    """A network's parameters as one vector of P numbers, and Adam's two averages of their gradient."""

    def __init__(self, parameters: list[nn.Parameter]):
        self.parameters = parameters
        self.values = torch.cat([parameter.detach().flatten() for parameter in parameters])
        self.mean, self.square = torch.zeros_like(self.values), torch.zeros_like(self.values)
        self.steps = torch.zeros((), device=self.values.device)
        for parameter, view in zip(parameters, self._views(self.values), strict=True):
            parameter.data = view

    def _views(self, vector: Tensor) -> list[Tensor]:
        parts = vector.split([parameter.numel() for parameter in self.parameters])
        return [part.view_as(parameter) for part, parameter in zip(parts, self.parameters, strict=True)]

    def states(self) -> dict[nn.Parameter, dict[str, Tensor]]:
        """What torch's own AdamW keeps of each parameter, as views."""
        averages = zip(self.parameters, self._views(self.mean), self._views(self.square), strict=True)
        return {
            parameter: {"step": self.steps, "exp_avg": mean, "exp_avg_sq": square}
            for parameter, mean, square in averages
        }


def clip_(gradient: Tensor, max_norm: float, max_value: float = 0.0) -> Tensor:
    """Bound a gradient [P] in place, by its norm and then number by number, 0 not at all; its norm before that."""
    norm = torch.linalg.vector_norm(gradient)
    if 0.0 < max_norm < float(norm):
        gradient.mul_(max_norm / (norm + 1e-6))
    if max_value > 0.0:
        gradient.clamp_(-max_value, max_value)
    return norm

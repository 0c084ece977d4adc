"""AdamW on networks whose parameters lie end to end in memory: one operation where torch has one for every tensor.

A learner's networks are small, and many small operations cost more than what they compute.
"""

from typing import Any, Final

import torch
from torch import Tensor, nn


class FlatAdamW:
    """AdamW with torch's results and torch's ``state_dict``; without weight decay it is Adam.

    It is none of torch's optimisers, whose first one loads torch's compiler: 3 s that every command would wait for.
    A network moved to another device leaves the memory it was given here: make a new optimiser then.

    Args:
        networks: what may learn; each step moves the one that :meth:`differentiate` was last called for.
        learning_rate: Adam's step size.
        eps: added to the root of the mean square.
        weight_decay: share of the weights taken off per step and unit of learning rate.
    """

    def __init__(self, networks: list[nn.Module], learning_rate: float, eps: float = 1e-8, weight_decay: float = 0.0):
        parameters = [parameter for network in networks for parameter in network.parameters()]
        settings = {"lr": learning_rate, "betas": (0.9, 0.999), "eps": eps, "weight_decay": weight_decay}
        self.param_groups: list[dict[str, Any]] = [settings | _FIXED | {"params": parameters}]
        self._blocks = {network: _Block(list(network.parameters())) for network in networks}

    def differentiate(self, loss: Tensor, network: nn.Module) -> Tensor:
        """The gradient [P] of a network's parameters, end to end, which the next step will take; may be changed."""
        self._learner = self._blocks[network]
        parts = torch.autograd.grad(loss, self._learner.parameters)
        self.gradient = torch.cat([part.flatten() for part in parts])
        return self.gradient

    @torch.no_grad()
    def step(self) -> None:
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

    def state_dict(self) -> dict[str, Any]:
        """As torch's own AdamW gives it. Tensors are live: save or copy before going on."""
        group = self.param_groups[0]
        numbered = {"params": list(range(len(group["params"])))}
        return {"state": dict(enumerate(self._states())), "param_groups": [group | numbered]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what ``state_dict`` gave, here or of torch's own Adam or AdamW.

        Raises:
            ValueError: it is of another number of parameters.
        """
        group, saved = self.param_groups[0], state_dict["param_groups"][0]
        if len(saved["params"]) != len(group["params"]):
            raise ValueError(f"the saved optimiser has {len(saved['params'])} parameters, not {len(group['params'])}")
        group.update({name: value for name, value in saved.items() if name in group and name != "params"})
        for number, state in enumerate(self._states()):
            kept = state_dict["state"].get(number, {})
            for name, value in state.items():
                value.copy_(kept.get(name, torch.zeros(())))  # nothing is saved before the first step

    def _states(self) -> list[dict[str, Tensor]]:
        return [state for block in self._blocks.values() for state in block.states()]


_FIXED: Final = {"amsgrad": False, "maximize": False, "foreach": None, "capturable": False, "differentiable": False}
"""Settings that torch's own AdamW wants to find in a ``state_dict``; they stay as they are."""


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

    def states(self) -> list[dict[str, Tensor]]:
        """What torch's own AdamW keeps of each parameter, as views."""
        averages = zip(self._views(self.mean), self._views(self.square), strict=True)
        return [{"step": self.steps, "exp_avg": mean, "exp_avg_sq": square} for mean, square in averages]


def clip_(gradient: Tensor, max_norm: float, max_value: float = 0.0) -> Tensor:
    """Bound a gradient [P] in place, by its norm and then number by number, 0 not at all; its norm before that."""
    norm = torch.linalg.vector_norm(gradient)
    if 0.0 < max_norm < float(norm):
        gradient.mul_(max_norm / (norm + 1e-6))
    if max_value > 0.0:
        gradient.clamp_(-max_value, max_value)
    return norm

"""What an agent has learned, as safetensors: named tensors and nothing else. What it needs to go on is left behind."""

from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ashen.core.errors import UserError
from ashen.core.protocols import Agent
from ashen.env.view import View
from ashen.training.recipe import Recipe, make_agent_for

_SCALER: Final = "reward_scaler"
_SCALER_NUMBERS: Final = ("mean", "squares", "count")
_PICKLES: Final = (b"\x80", b"PK")
"""How a pickle begins, and the zip around one that torch writes."""


def weights_of(state: dict[str, Any], *, half: bool) -> bytes:
    """The learned part of an agent's state.

    Args:
        state: of :meth:`ashen.core.protocols.Agent.state_dict`.
        half: keep weight matrices in 16 bits, which halves the size and rounds them to 3 digits; all else stays exact.

    Raises:
        UserError: a weight is too large for 16 bits, or no finite number.
    """
    tensors = {
        f"{group}.{name}": _as_kept(tensor, half)
        for group in _networks(state["algorithm"], state["config"].get("double"))
        for name, tensor in state[group].items()
    }
    if _SCALER in state:
        numbers = {name: state[_SCALER][name] for name in _SCALER_NUMBERS}
        tensors |= {f"{_SCALER}.{name}": torch.tensor(float(n), dtype=torch.float64) for name, n in numbers.items()}
    return save(tensors)


def agent_with(recipe: Recipe, view: View, weights: bytes, where: str) -> Agent:
    """A new agent that has learned what weights hold.

    Args:
        recipe: of the agent.
        view: what it sees and may do.
        weights: of :func:`weights_of`.
        where: what they are called in errors.

    Raises:
        UserError: they are damaged, hold other numbers than finite ones, or do not fit the recipe.
    """
    tensors = _tensors(weights, where)
    _check_size(recipe, tensors, where)
    try:
        agent = make_agent_for(recipe, view)
        agent.load_state_dict(_state_with(agent.state_dict(), tensors))
    except UserError as error:
        raise UserError(f"{where} does not fit its own recipe: {error}") from None
    except (MemoryError, KeyError) as error:
        raise UserError(f"{where} does not fit its own recipe ({error!r}); get another pack") from None
    return agent


def _networks(algorithm: str, double: str | None) -> tuple[str, ...]:
    """The parts of an agent's state that play; a target network does so only where two networks learn."""
    if algorithm == "ppo":
        return ("network",)
    return ("online", "target") if double == "two_networks" else ("online",)


def _as_kept(tensor: Tensor, half: bool) -> Tensor:
    tensor = tensor.detach().clone().contiguous()
    if half and tensor.ndim > 1:
        tensor = tensor.half()
    if not torch.isfinite(tensor).all():
        raise UserError("a weight is no finite number, or too large for 16 bits; leave out --half, or pack another run")
    return tensor


def _tensors(weights: bytes, where: str) -> dict[str, Tensor]:
    is_safetensors = weights[8:9] == b"{"  # safetensors begin with the length of a header, which may be any number
    if not is_safetensors and weights.startswith(_PICKLES):
        raise UserError(f"{where} is a pickle, which could run code; it was not opened, get another pack")
    try:
        tensors = load(weights)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise UserError(f"{where} is damaged ({error}); copy the pack again, or get another one") from None
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise UserError(f"{where}: {name} holds numbers that are not finite; get another pack")
    return {name: tensor.float() if tensor.dtype == torch.float16 else tensor for name, tensor in tensors.items()}


def _check_size(recipe: Recipe, tensors: dict[str, Tensor], where: str) -> None:
    """Refuse a recipe of far larger networks before they are built: it may be anybody's."""
    config, numbers = recipe.config, sum(tensor.numel() for tensor in tensors.values())
    if config.width * (1 + config.width * (config.depth - 1)) > numbers:
        size = f"{config.depth} layers of {config.width} units"
        raise UserError(f"{where} does not fit its own recipe: {size} have more than its {numbers} numbers")


def _state_with(state: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, Any]:
    """The state of a new agent with its learned part replaced."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        group, _, rest = name.partition(".")
        groups.setdefault(group, {})[rest] = tensor
    networks = _networks(state["algorithm"], state["config"].get("double"))
    wanted = {*networks, *([_SCALER] if _SCALER in state else [])}
    if groups.keys() != wanted:
        raise UserError(f"it holds {', '.join(sorted(groups)) or 'nothing'} in place of {', '.join(sorted(wanted))}")
    learned: dict[str, Any] = {network: groups[network] for network in networks}
    if networks == ("online",):
        learned["target"] = groups["online"]
    if _SCALER in state:
        mean, squares, count = (float(groups[_SCALER][name]) for name in _SCALER_NUMBERS)
        learned[_SCALER] = state[_SCALER] | {"mean": mean, "squares": squares, "count": int(count)}
    return state | learned

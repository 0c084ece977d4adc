"""What may stand in an agent's config, and whether a checkpoint fits the agent it is loaded into."""

from math import inf
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from ashen.core.errors import SettingError, UserError, unknown

if TYPE_CHECKING:  # settings are checked before torch is loaded, which takes seconds
    import torch


def check_range(config: Any, low: float, high: float, *names: str) -> None:
    """Require fields of a config dataclass to lie within [low, high].

    Raises:
        UserError: one does not.
    """
    for name in names:
        value = getattr(config, name)
        if not low <= value <= high:
            rule = f"must be at least {low:g}" if high == inf else f"must lie within {low:g} .. {high:g}"
            raise SettingError(type(config), name, f"{value:g}", rule)


def check_choices(config: Any) -> None:
    """Require the fields of a config dataclass that are one of several words to be one of them.

    Raises:
        UserError: one is not.
    """
    for name, hint in get_type_hints(type(config)).items():
        if get_origin(hint) is Literal and getattr(config, name) not in get_args(hint):
            raise unknown(name, getattr(config, name), get_args(hint), type(config).__name__)


def check_fits(state: dict[str, Any], algorithm: str, obs_dim: int, num_actions: int) -> None:
    """Require a checkpoint to come from the same algorithm and the same observation and action sizes.

    Raises:
        UserError: it does not.
    """
    if state.get("algorithm") != algorithm:
        raise UserError(f"checkpoint holds a {state.get('algorithm', 'foreign')} agent, this run wants {algorithm}")
    if state["obs_dim"] != obs_dim:
        raise UserError(
            f"checkpoint expects {state['obs_dim']} observations, this run gives {obs_dim}; "
            "choose the encoder it was trained with, or train it anew if that has changed since"
        )
    if state["num_actions"] != num_actions:
        raise UserError(
            f"checkpoint chooses among {state['num_actions']} actions, this run offers {num_actions}; "
            "choose the action set it was trained with"
        )


def load_network(network: "torch.nn.Module", saved: "dict[str, torch.Tensor]") -> None:
    """Load a network's parameters and buffers.

    Raises:
        UserError: names or shapes differ; the first difference is named.
    """
    own = network.state_dict()
    for name in sorted(own.keys() | saved.keys()):
        here = list(own[name].shape) if name in own else "absent"
        there = list(saved[name].shape) if name in saved else "absent"
        if here != there:
            raise UserError(
                f"checkpoint holds another network: {name} is {there}, in this config {here}; "
                "take width, depth and switches from the run it belongs to"
            )
    network.load_state_dict(saved)

"""What an agent needs to act as one elsewhere has learned to: its networks and how far it has come."""

from typing import Any, NamedTuple

from torch import Tensor

from ashen.agents.checks import load_network


class ActingState(NamedTuple):
    """Enough to act and explore, not to learn. The tensors are live: copy them before going on."""

    tensors: dict[str, Tensor]
    counters: dict[str, int]


def acting_state(agent: Any) -> ActingState:
    """What one agent of this shape acts by."""
    networks = enumerate(agent.learners)
    tensors = {f"{place}/{name}": value for place, net in networks for name, value in net.state_dict().items()}
    return ActingState(tensors, {name: getattr(agent, name) for name in _COUNTERS if hasattr(agent, name)})


def load_acting_state(agent: Any, state: ActingState) -> None:
    """Act by it from now on; steps that another agent of this shape has begun to gather stay.

    Raises:
        UserError: it is of another shape.
    """
    for place, network in enumerate(agent.learners):
        own = {name.partition("/")[2]: value for name, value in state.tensors.items() if name.startswith(f"{place}/")}
        load_network(network, own)
    for name, value in state.counters.items():
        setattr(agent, name, value)


_COUNTERS = ("steps", "fights")

"""The learner's networks as bytes that execute nothing: safetensors."""

import json

import safetensors.torch
from safetensors import SafetensorError

from ashen.agents.acting import ActingState
from ashen.core.errors import UserError
from ashen.training.fleet.batch import Tag


def packed(state: ActingState, tag: Tag) -> bytes:
    """Networks and counters with their tag."""
    about = {"session": tag.session, "version": str(tag.version), "counters": json.dumps(state.counters)}
    tensors = {name: tensor.contiguous() for name, tensor in state.tensors.items()}
    return safetensors.torch.save(tensors, metadata=about)


def unpacked(data: bytes) -> tuple[ActingState, Tag]:
    """What :func:`packed` was given.

    Raises:
        UserError: it is nothing of the kind.
    """
    try:
        size = int.from_bytes(data[:8], "little")
        about = json.loads(data[8 : 8 + size])["__metadata__"]
        tensors = safetensors.torch.load(data)
        tag = Tag(about["session"], int(about["version"]))
        counters = {name: int(value) for name, value in json.loads(about["counters"]).items()}
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"the learner sent no networks that this ashen can read ({error})") from None
    return ActingState(tensors, counters), tag

"""Agents of RL-Souls, the diary's project, as run folders: checkpoints with the parameters of a ReLU network.

Such a file is a dictionary with ``model_state_dict``, the parameters of TorchRL's ``MLP`` under whatever wrapped it,
beside ``optimizer_state_dict`` and ``step``. It comes from elsewhere, so nothing in it is ever executed.
"""

import hashlib
import io
import re
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ashen.agents import DQNAgent
from ashen.agents.networks import sync_target
from ashen.core.errors import UserError
from ashen.runs.folder import RunFolder, create_run
from ashen.training.checkpoints import save_best
from ashen.training.code_version import code_versions
from ashen.training.recipe import load_recipe, make_agent_for, run_label, view_of
from ashen.training.tables import to_table

KEY = "model_state_dict"
SAVE_ANEW = f"save the tensors alone: torch.save({{'{KEY}': policy.state_dict()}}, FILE)"

Layers = list[tuple[Tensor, Tensor]]
"""Weight [outputs, inputs] and bias [outputs] of each linear layer, first to last."""


def import_checkpoint(
    file: Path, encoder: str, actions: str, fight: str, runs_dir: Path, name: str | None
) -> RunFolder:
    """Make a run of a checkpoint, by the recipe ``diary``.

    Args:
        file: the checkpoint.
        encoder: what its network sees.
        actions: set of actions that it chooses among.
        fight: what it was trained for.
        runs_dir: where the run goes.
        name: the run's name; None makes one.

    Raises:
        UserError: the file cannot be read or holds anything but a network of that encoder and those actions; or the
            name is taken.
        OSError: the disk is full.
    """
    data = _bytes(file)
    checkpoint = _checkpoint(data, file)
    layers = _layers(checkpoint[KEY], file)
    sizes = [layers[0][0].shape[1], *(len(bias) for _, bias in layers)]
    diary = load_recipe("diary")
    network = replace(diary.dqn, width=max(sizes[1:-1]), depth=len(layers) - 1)
    recipe = replace(diary, encoder=encoder, actions=actions, fight=fight, dqn=network)
    agent = make_agent_for(recipe, view_of(recipe, recipe.boss))
    if (sizes[0], sizes[-1]) != (agent.obs_dim, agent.num_actions):
        shape, wanted = "-".join(map(str, sizes)), f"{agent.obs_dim}-...-{agent.num_actions}"
        raise UserError(
            f"{file} holds a network of {shape}, but encoder {encoder} and actions {actions} want {wanted}; "
            "give the --encoder and --actions it was trained with"
        )
    _fill(agent, layers)
    run = create_run(runs_dir, name, run_label(recipe))
    step = checkpoint.get("step")
    save_best(run, step if isinstance(step, int) else 0, {"agent": agent.state_dict()})
    modified_at = datetime.fromtimestamp(file.stat().st_mtime).astimezone().isoformat(timespec="seconds")
    source = {"file": file.name, "sha256": hashlib.sha256(data).hexdigest(), "modified_at": modified_at}
    config = {"recipe": to_table(recipe), "imported": source, "trained_here": False, "versions": code_versions()}
    run.write_config(config)
    run.log(f"imported: {file}")
    return run


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}; give the path of a checkpoint") from None


def _checkpoint(data: bytes, file: Path) -> dict[str, Any]:
    """What torch saved; only tensors and plain data are read, and code is refused unread."""
    try:
        checkpoint = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # what is foreign or damaged can fail anywhere in the reader
        if code := re.search(r"GLOBAL (\S+)", str(error)):
            raise UserError(f"{file} holds code, {code[1]}, which is never run here; {SAVE_ANEW}") from None
        raise UserError(f"{file} is no whole file of torch.save; copy it again, or give another one") from None
    if not isinstance(checkpoint, dict):
        raise UserError(f"{file} holds a {type(checkpoint).__name__}, no dictionary with {KEY}; {SAVE_ANEW}")
    if not isinstance(checkpoint.get(KEY), dict):
        keys = ", ".join(map(str, checkpoint)) or "nothing"
        raise UserError(f"{file} has no parameters under {KEY}, it has {keys}; {SAVE_ANEW}")
    return checkpoint


def _layers(parameters: dict[str, Any], file: Path) -> Layers:
    """The linear layers among parameters, whatever stands before ``.weight`` and ``.bias``, in their order.

    Single numbers are passed over: TorchRL's module for exploration keeps its epsilon so.
    """
    tensors = {str(name): value for name, value in parameters.items() if isinstance(value, Tensor) and value.ndim > 0}
    stems = [name.removesuffix(".weight") for name in tensors if name.endswith(".weight") and tensors[name].ndim == 2]
    wanted = [f"{stem}.{part}" for stem in stems for part in ("weight", "bias")]
    found = ", ".join(f"{name} {list(value.shape)}" for name, value in tensors.items()) or "no tensors"
    if len(stems) < 2 or tensors.keys() != set(wanted):
        odd = sorted(tensors.keys() ^ set(wanted))
        raise UserError(
            f"{file} is no network of at least two linear layers with biases"
            f"{f' ({odd[0]})' if odd else ''}: it has {found}; only a plain ReLU network can be imported"
        )
    layers = [(tensors[f"{stem}.weight"], tensors[f"{stem}.bias"]) for stem in stems]
    follows = all(first[0].shape[0] == second[0].shape[1] for first, second in pairwise(layers))
    if not follows or any(bias.shape != weight.shape[:1] for weight, bias in layers):
        raise UserError(
            f"{file}: its layers do not follow one another, {found}; only a plain ReLU network can be imported"
        )
    if not all(map(_is_sound, tensors.values())):
        raise UserError(
            f"{file} holds parameters that are no plain finite numbers; give a checkpoint from before it diverged"
        )
    return layers


def _is_sound(tensor: Tensor) -> bool:
    """Whether a tensor is finite numbers in memory of its own, as parameters are: a file may claim any other kind."""
    is_dense = tensor.layout == torch.strided and tensor.device.type == "cpu" and tensor.is_contiguous()
    return is_dense and tensor.is_floating_point() and bool(torch.isfinite(tensor).all())


@torch.no_grad()
def _fill(agent: DQNAgent, layers: Layers) -> None:
    """Give an agent's networks the layers; where a hidden layer is narrower, the units beyond it are always 0."""
    own = [module for module in agent.online.modules() if isinstance(module, nn.Linear)]
    for module, (weight, bias) in zip(own, layers, strict=True):
        module.weight.zero_()
        module.bias.zero_()
        module.weight[: weight.shape[0], : weight.shape[1]] = weight
        module.bias[: len(bias)] = bias
    sync_target(agent.target, agent.online, 1.0)

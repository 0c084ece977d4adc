"""Networks: from observations [B, D] to Q-values [B, A], or to action logits [B, A] and values [B].

Every random number a network draws in use (dropout, noisy layers) comes from a generator it is given, so that an
agent can save it and go on exactly where it stopped.
"""

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn

ACTIVATIONS: Final = {"relu": partial(nn.ReLU, inplace=True), "tanh": nn.Tanh}
ENHANCED_DROPOUT: Final = 0.5

Linear = Callable[[int, int], nn.Module]


class Normaliser(nn.Module):
    """Scales observations by their running mean and standard deviation, and clips them at ``limit`` deviations.

    The statistics are buffers: saved with the network and copied to a target network. Until the first
    :meth:`update` observations pass unscaled.
    """

    def __init__(self, obs_dim: int, limit: float = 10.0):
        super().__init__()
        self.limit = limit
        self.register_buffer("mean", torch.zeros(obs_dim, dtype=torch.float64))
        self.register_buffer("var", torch.ones(obs_dim, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))

    @torch.no_grad()
    def update(self, obs: Tensor) -> None:
        """Take in a batch [B, D]. Source: Chan, Golub and LeVeque 1979, combining means and variances."""
        var, mean = torch.var_mean(obs.double(), dim=0, correction=0)
        count = float(len(obs))
        total = self.count + count
        delta = mean - self.mean
        squares = self.var * self.count + var * count + delta.square() * (self.count * count / total)
        self.mean += delta * (count / total)
        self.var.copy_(squares / total)
        self.count.copy_(total)

    def forward(self, obs: Tensor) -> Tensor:
        scale = (self.var + 1e-8).rsqrt().float()
        return ((obs - self.mean.float()) * scale).clamp(-self.limit, self.limit)


class NoisyLinear(nn.Module):
    """Linear layer with learned, factorised Gaussian noise on its weights: exploration that depends on the state.

    Source: Fortunato et al. 2018, Noisy Networks for Exploration, equations 9 to 11 (arXiv:1706.10295).
    """

    def __init__(self, inputs: int, outputs: int, sigma: float = 0.5):
        super().__init__()
        bound = 1.0 / math.sqrt(inputs)
        self.weight_mu = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.bias_mu = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))
        self.weight_sigma = nn.Parameter(torch.full((outputs, inputs), sigma * bound))
        self.bias_sigma = nn.Parameter(torch.full((outputs,), sigma * bound))
        # Drawn anew before each use, so not worth saving.
        self.register_buffer("noise_in", torch.zeros(inputs), persistent=False)
        self.register_buffer("noise_out", torch.zeros(outputs), persistent=False)

    def set_noise(self, generator: torch.Generator | None) -> None:
        """Draw new noise, or without a generator set it to zero."""
        for noise in (self.noise_in, self.noise_out):
            if generator is None:
                noise.zero_()
            else:
                noise.normal_(generator=generator)
                noise.copy_(noise.sign() * noise.abs().sqrt())

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight_mu + self.weight_sigma * torch.outer(self.noise_out, self.noise_in)
        bias = self.bias_mu + self.bias_sigma * self.noise_out
        return nn.functional.linear(x, weight, bias)


class Dropout(nn.Module):
    """Dropout that draws from a given generator. Source: Srivastava et al. 2014."""

    def __init__(self, rate: float, generator: torch.Generator):
        super().__init__()
        self.rate, self.generator = rate, generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * torch.empty_like(x).bernoulli_(1.0 - self.rate, generator=self.generator) / (1.0 - self.rate)


class DuelingHead(nn.Module):
    """Q-values [B, A] as a state value [B, 1] plus advantages [B, A] of mean zero; with atoms the same for each of K.

    Source: Wang et al. 2016, equation 9 (arXiv:1511.06581).
    """

    def __init__(self, value: nn.Module, advantage: nn.Module):
        super().__init__()
        self.value, self.advantage = value, advantage

    def forward(self, features: Tensor) -> Tensor:
        advantage = self.advantage(features)  # [B, A] or [B, A, K]
        return self.value(features) + advantage - advantage.mean(1, keepdim=True)


def mlp(
    sizes: list[int], activation: str = "relu", layer_norm: bool = False, linear: Linear = nn.Linear
) -> list[nn.Module]:
    """Layers from ``sizes[0]`` to ``sizes[-1]`` numbers, each linear one followed by its activation."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers.append(linear(inputs, outputs))
        if layer_norm:
            layers.append(nn.LayerNorm(outputs))
        layers.append(ACTIVATIONS[activation]())
    return layers


class QNetwork(nn.Module):
    """Observations [B, D] to Q-values [B, A], learned as such or as means of distributions over K atoms.

    Args:
        obs_dim: D.
        num_actions: A.
        width: units in each hidden layer.
        depth: hidden layers before the head.
        dueling: ``"none"``: a linear head; ``"dueling"``: linear value and advantage streams; ``"enhanced"``: the
            diary's bigger net, batch norm and dropout of one half after every hidden layer and one more hidden layer
            in each stream.
        noisy: noisy layers in place of linear ones.
        layer_norm: normalise within each hidden layer, before its activation.
        normalise_obs: scale observations by running statistics.
        generator: source of dropout's randomness.
        support: returns [K] that a distribution gives a probability each; None for plain values.
    """

    def __init__(
        self,
        obs_dim: int,
        num_actions: int,
        width: int,
        depth: int,
        dueling: str,
        noisy: bool,
        layer_norm: bool,
        normalise_obs: bool,
        generator: torch.Generator,
        support: Tensor | None = None,
    ):
        super().__init__()
        linear = NoisyLinear if noisy else nn.Linear
        self.register_buffer("support", support)
        self.normaliser = Normaliser(obs_dim) if normalise_obs else None
        trunk = mlp([obs_dim, *[width] * depth], "relu", layer_norm, linear)
        if dueling == "enhanced":
            trunk = _with_batch_norm_and_dropout(trunk, width, generator)
        self.trunk = nn.Sequential(*trunk)
        if dueling == "none":
            self.head = self._outputs(linear, width, num_actions)
        else:
            hidden = [width, width] if dueling == "enhanced" else [width]
            streams = [
                nn.Sequential(*mlp(hidden, linear=linear), self._outputs(linear, width, count))
                for count in (1, num_actions)
            ]
            self.head = DuelingHead(*streams)
        self._learn_otherwise = [module for module in self.modules() if isinstance(module, (nn.BatchNorm1d, Dropout))]

    def train(self, mode: bool = True) -> "QNetwork":
        """Switch what works otherwise in learning. Torch would visit every module, twice in each update."""
        for module in (self, *self._learn_otherwise):
            module.training = mode
        return self

    def _outputs(self, linear: Linear, width: int, count: int) -> nn.Module:
        """Last layer: ``count`` numbers, or as many for each atom."""
        if self.support is None:
            return linear(width, count)
        atoms = len(self.support)
        return nn.Sequential(linear(width, count * atoms), nn.Unflatten(-1, (count, atoms)))

    def set_noise(self, generator: torch.Generator | None) -> None:
        """Draw new noise for every noisy layer, or without a generator set it to zero."""
        for module in self.modules():
            if isinstance(module, NoisyLinear):
                module.set_noise(generator)

    def outputs(self, obs: Tensor) -> Tensor:
        """What is learned: Q-values [B, A], or logits [B, A, K] of their distributions."""
        if self.normaliser is not None:
            obs = self.normaliser(obs)
        return self.head(self.trunk(obs))

    def forward(self, obs: Tensor) -> Tensor:
        outputs = self.outputs(obs)
        return outputs if self.support is None else outputs.softmax(-1) @ self.support


class ActorCritic(nn.Module):
    """Two separate networks: action logits [B, A] and values [B], on observations scaled alike.

    Orthogonal initialisation with a policy close to uniform at the start, as Andrychowicz et al. 2021 recommend, and
    separate networks, which they found better than a shared one (arXiv:2006.05990).
    """

    def __init__(self, obs_dim: int, num_actions: int, width: int, depth: int, activation: str, normalise_obs: bool):
        super().__init__()
        self.normaliser = Normaliser(obs_dim) if normalise_obs else None
        sizes = [obs_dim, *[width] * depth]
        self.policy = nn.Sequential(*mlp(sizes, activation), nn.Linear(width, num_actions))
        self.value = nn.Sequential(*mlp(sizes, activation), nn.Linear(width, 1))
        for network, last_gain in ((self.policy, 0.01), (self.value, 1.0)):
            orthogonal_(network, nn.init.calculate_gain(activation), last_gain)

    def normalise(self, obs: Tensor) -> Tensor:
        """Observations [B, D] as both networks take them."""
        return obs if self.normaliser is None else self.normaliser(obs)

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        scaled = self.normalise(obs)
        return self.policy(scaled), self.value(scaled).squeeze(-1)


def orthogonal_(network: nn.Sequential, gain: float, last_gain: float) -> None:
    """Initialise linear layers orthogonally, biases with 0; the last one has a gain of its own."""
    layers = [module for module in network if isinstance(module, nn.Linear)]
    for layer in layers:
        nn.init.orthogonal_(layer.weight, last_gain if layer is layers[-1] else gain)
        nn.init.zeros_(layer.bias)


@torch.no_grad()
def sync_target(target: nn.Module, online: nn.Module, tau: float) -> None:
    """Move a target network's parameters by ``tau`` towards the online ones (1 copies them), and copy its buffers.

    Buffers (batch-norm and observation statistics) are already averages; left behind, the target would judge with
    statistics of its first moment.
    """
    torch._foreach_lerp_(list(target.parameters()), list(online.parameters()), tau)
    for there, here in zip(target.buffers(), online.buffers(), strict=True):
        there.copy_(here)


def _with_batch_norm_and_dropout(trunk: list[nn.Module], width: int, generator: torch.Generator) -> list[nn.Module]:
    layers = []
    for module in trunk:
        layers.append(module)
        if isinstance(module, nn.ReLU):
            layers += [nn.BatchNorm1d(width), Dropout(ENHANCED_DROPOUT, generator)]
    return layers

"""What networks are built from, how their weights begin, and how batch norm's statistics are measured.

All layers are twice differentiable, also by reverse over forward mode, and can be vmapped over weights.

All norms go through torch.group_norm: the forward-mode derivatives of PyTorch's own batch, instance and layer norm take
the saved mean and variance as constants, so that a reverse pass over them (∇_x⟨∇_θ ℓ, v⟩) is silently wrong.
"""

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias, final

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from limbeck.errors import OptionError, unknown
from limbeck.shapes import Params

__all__ = [
    "ACTIVATIONS",
    "NORMS",
    "BatchNorm",
    "Classifier",
    "Convolution",
    "Embedding",
    "InstanceNorm",
    "LayerNorm",
    "Statistics",
    "collect",
    "fresh",
    "normalisation",
]

Statistics: TypeAlias = Mapping[str, Tensor]  # running mean and variance of every batch norm layer, by buffer name

CHUNK = 2048  # inputs that batch norm's statistics are measured on at once

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "leaky": F.leaky_relu,  # slope 0.01
    "sigmoid": torch.sigmoid,
    "swish": F.silu,
    "gelu": F.gelu,
}


@final
class InstanceNorm(nn.Module):
    """y = γ (x − mean) / √(var + eps) + β; mean, biased variance of each image and channel [ulyanov2016instancenorm].

    γ, β have shape (c,). Written as group norm with one channel a group, as in the field.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.group_norm(inputs, inputs.shape[1], self.weight, self.bias, self.eps)


@final
class BatchNorm(nn.Module):
    """y = γ (x − mean) / √(var + eps) + β a channel; nothing is ever updated here [ioffe2015batchnorm].

    In training, mean and biased variance are the batch's own; in evaluation they are the buffers ``running_mean``
    and ``running_var`` (c,), which the caller gives (:func:`collect` measures them). A single value has variance 0.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training:
            given = (self.weight, self.bias, self.running_mean, self.running_var)
            return torch.batch_norm(inputs, *given, False, 0.0, self.eps, False)
        swapped = inputs.transpose(0, 1)  # channels first, so that the whole batch is one "image"
        flat = torch.group_norm(swapped.reshape(1, len(swapped), -1), len(swapped), self.weight, self.bias, self.eps)
        return flat.view(swapped.shape).transpose(0, 1)


@final
class LayerNorm(nn.Module):
    """y = γ (x − mean) / √(var + eps) + β over the last axes of each example; γ, β have their shape."""

    def __init__(self, *shape: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight, self.bias = nn.Parameter(torch.ones(shape)), nn.Parameter(torch.zeros(shape))

    def forward(self, inputs: Tensor) -> Tensor:
        flat = inputs.reshape(-1, self.weight.numel())
        return torch.group_norm(flat, 1, self.weight.flatten(), self.bias.flatten(), self.eps).view(inputs.shape)


@final
class Classifier(nn.Linear):
    """A linear layer whose product is taken in at least float32: logits in bfloat16 would tie."""

    def forward(self, inputs: Tensor) -> Tensor:
        if inputs.dtype != torch.bfloat16:
            return super().forward(inputs)
        return F.linear(inputs.float(), self.weight.float(), self.bias.float())


@final
class Convolution(nn.Conv2d):
    """A convolution that keeps to what CPU kernels are fast at; its values are those of ``nn.Conv2d``.

    Padding as wide as the kernel is added apart: kernels that take it are ten times as slow. In compiled passes images
    of one channel get a second one of zeros, weights included: (n, 1, h, w) is the same bytes in both memory formats,
    so the compiler, which gives all other maps the channel as the fastest axis, leaves these as they are, and their
    convolution takes ten times as long.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        weight, (rows, columns) = self.weight, self._padding()
        if rows >= weight.shape[2] or columns >= weight.shape[3]:
            inputs, rows, columns = F.pad(inputs, (columns, columns, rows, rows)), 0, 0
        if weight.shape[1] == 1 and inputs.device.type == "cpu" and torch.compiler.is_compiling():
            inputs = torch.cat([inputs, torch.zeros_like(inputs)], 1)
            weight = torch.cat([weight, torch.zeros_like(weight)], 1)
        return F.conv2d(inputs, weight, self.bias, self.stride, (rows, columns), self.dilation)

    def _padding(self) -> tuple[int, int]:
        assert not isinstance(self.padding, str)
        return self.padding[0], self.padding[1]


@final
class Embedding(nn.Module):
    """``count`` learned vectors of ``width``, starting from a normal law of standard deviation 0.02 cut at ±2."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(count, width))

    def forward(self) -> Tensor:
        return self.weight


NORMS: Mapping[str, Callable[[int, int, int], nn.Module]] = {
    "instance": lambda channels, height, width: InstanceNorm(channels),
    "batch": lambda channels, height, width: BatchNorm(channels),
    "layer": lambda channels, height, width: LayerNorm(channels, height, width),
    "group": lambda channels, height, width: nn.GroupNorm(4, channels),
    "none": lambda channels, height, width: nn.Identity(),
}


def normalisation(name: str, channels: int, height: int, width: int) -> nn.Module:
    """The norm layer called ``name`` for maps (channels, height, width); OptionError for an unknown name."""
    if name not in NORMS:
        raise unknown("normalisation", name, NORMS)
    if name == "group" and channels % 4:
        raise OptionError(
            f"group norm has 4 groups, which {channels} channels do not divide into: use {4 * max(1, channels // 4)}."
        )
    return NORMS[name](channels, height, width)


def fresh(module: nn.Module, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Params:
    """New weights for ``module`` (on "meta"), on the generator's device, drawn as PyTorch's layers draw them.

    Convolution and linear: weight and bias ~ U(±1/√fan_in) (Kaiming uniform with a = √5); norms: 1 and 0.
    Numbers are drawn in float32 and then converted, so every ``dtype`` begins at the same place.
    """
    params: Params = {}
    for prefix, layer in module.named_modules():
        for name, weight in layer.named_parameters(recurse=False):
            drawn = torch.empty(weight.shape, device=generator.device, dtype=torch.float32)
            _begin(layer, name, drawn, generator)
            params[f"{prefix}.{name}" if prefix else name] = drawn.to(dtype)
    return params


def _begin(layer: nn.Module, name: str, weight: Tensor, generator: torch.Generator) -> None:
    """Fills one weight of one layer."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        bound = 1 / math.sqrt(layer.weight[0].numel())
        weight.uniform_(-bound, bound, generator=generator)
    elif isinstance(layer, Embedding):
        nn.init.trunc_normal_(weight, std=0.02, a=-0.04, b=0.04, generator=generator)
    elif isinstance(layer, InstanceNorm | BatchNorm | LayerNorm | nn.GroupNorm):
        weight.fill_(1.0 if name == "weight" else 0.0)
    else:
        raise TypeError(f"{type(layer).__name__} has weights, but fresh() does not know how they begin")


def collect(module: nn.Module, params: Params, inputs: Tensor) -> Statistics:
    """Mean and biased variance that each BatchNorm layer of ``module`` sees over all ``inputs`` at ``params``.

    Up to 2048 inputs are one batch, so that evaluating them with these statistics repeats the training pass exactly.
    More go in chunks: each is normalised by its own statistics on the way to the deeper layers, and means and
    variances are pooled, var = Σ n_i (var_i + (mean_i − mean)²) / n (equal chunks: E[x²] − E[x]²).
    """
    names = {layer: prefix for prefix, layer in module.named_modules() if isinstance(layer, BatchNorm)}
    seen: dict[str, list[tuple[Tensor, Tensor]]] = {prefix: [] for prefix in names.values()}

    def record(layer: nn.Module, given: tuple[Tensor]) -> None:
        variance, mean = torch.var_mean(given[0], (0, *range(2, given[0].ndim)), correction=0)
        seen[names[layer]].append((mean, variance))  # type: ignore[index]

    chunks = inputs.chunk(-(-len(inputs) // CHUNK))
    shares = [len(chunk) / len(inputs) for chunk in chunks]
    hooks = [layer.register_forward_pre_hook(record) for layer in names]
    try:
        module.train(True)
        with torch.no_grad():
            for chunk in chunks:
                functional_call(module, params, (chunk,))
    finally:
        for hook in hooks:
            hook.remove()
    found: dict[str, Tensor] = {}
    for prefix, parts in seen.items():
        mean, variance = _pool(parts, shares)
        found |= {f"{prefix}.running_mean": mean, f"{prefix}.running_var": variance}
    return found


def _pool(parts: list[tuple[Tensor, Tensor]], shares: list[float]) -> tuple[Tensor, Tensor]:
    """Mean and variance of all, from those of disjoint parts."""
    if len(parts) == 1:
        return parts[0]
    mean = torch.stack([share * m for share, (m, _) in zip(shares, parts, strict=True)]).sum(0)
    spread = [share * (v + (m - mean) ** 2) for share, (m, v) in zip(shares, parts, strict=True)]
    return mean, torch.stack(spread).sum(0)

"""The contract of a network: an Architecture is a frozen value; built for a task's shape it is a pure function.

``network = architecture.build((3, 32, 32), 10)`` · ``params = network.init(generator)`` ·
``outputs = network(params, inputs)``. Nothing is stored in a network: weights are given at every call.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple, final

import torch
from torch import Tensor, nn
from torch.func import functional_call

from limbeck.networks.layers import Statistics, collect, fresh
from limbeck.shapes import Params

__all__ = ["Architecture", "Network", "Outputs", "Statistics"]


class Outputs(NamedTuple):
    """What a network shows of ``n`` inputs."""

    logits: Tensor  # (n, k)
    embedding: Tensor  # (n, d): the flattened features that the classifier sees
    maps: tuple[Tensor, ...]  # after the non-linearity of each stage: (n, c, h, w), or (n, d) for an MLP


class Architecture(ABC):
    """A frozen value (``@value``): what kind of network, for no particular data yet."""

    @abstractmethod
    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A module whose ``forward(inputs) -> Outputs``; FitError says what fits when ``shape`` does not.

        Batch normalisation layers are :class:`limbeck.networks.layers.BatchNorm`; no other layer has buffers or
        behaves differently in training and evaluation (no dropout).
        """

    @final
    def build(self, shape: tuple[int, ...], classes: int) -> "Network":
        """The network for inputs of ``shape`` ((c, h, w) or (d,)) and ``classes`` ≥ 2."""
        return Network(self, shape, classes)


@final
class Network:
    """A pure function of weights and inputs. Two networks of one architecture, shape and class count are alike."""

    def __init__(self, architecture: Architecture, shape: tuple[int, ...], classes: int) -> None:
        self.architecture, self.shape, self.classes = architecture, shape, classes
        with torch.device("meta"):
            self._module = architecture.module(shape, classes)
        self._module.requires_grad_(False)

    def __repr__(self) -> str:
        return f"Network({self.architecture!r}, shape={self.shape}, classes={self.classes})"

    @property
    def key(self) -> tuple[Architecture, tuple[int, ...], int]:
        """Two networks with equal keys are the same function."""
        return self.architecture, tuple(self.shape), self.classes

    @property
    def uses_batch_statistics(self) -> bool:
        """True where a normalisation layer looks at the whole batch (batch norm)."""
        return any(True for _ in self._module.buffers())

    def init(self, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Params:
        """Fresh weights on the generator's device, PyTorch's default initialisation of each layer."""
        return fresh(self._module, generator, dtype)

    def __call__(self, params: Params, inputs: Tensor, statistics: Statistics | None = None) -> Outputs:
        """Outputs for ``inputs`` (n, *shape). Batch norm uses ``statistics`` where given, else the batch's own."""
        self._module.train(statistics is None)
        state = params if statistics is None else {**params, **statistics}
        outputs: Outputs = functional_call(self._module, state, (inputs,))
        return outputs

    def statistics(self, params: Params, inputs: Tensor) -> Statistics:
        """Batch norm's mean and variance over all ``inputs`` at the given weights; {} without batch norm.

        Recomputed after training from the training inputs themselves, because a running average over the few
        updates of a tiny synthetic set lags behind the weights (the collapse that the field reports).
        """
        return collect(self._module, params, inputs) if self.uses_batch_statistics else {}

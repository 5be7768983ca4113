"""MLP: the network for tables, and the simplest one for images."""

import itertools
import math
from typing import final

from torch import Tensor, nn

from limbeck.errors import unknown
from limbeck.networks import fit
from limbeck.networks.layers import ACTIVATIONS, Classifier
from limbeck.networks.network import Architecture, Outputs
from limbeck.values import value

__all__ = ["MLP"]


@final
@value
class MLP(Architecture):
    """``depth`` hidden layers of ``width`` units, then one linear layer; images are flattened."""

    width: int = 128
    depth: int = 2
    activation: str = "relu"

    def __post_init__(self) -> None:
        fit.at_least("MLP", 1, width=self.width, depth=self.depth)
        if self.activation not in ACTIVATIONS:
            raise unknown("activation", self.activation, ACTIVATIONS)

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        return _MLP(self, math.prod(shape), classes)


class _MLP(nn.Module):
    def __init__(self, values: MLP, features: int, classes: int) -> None:
        super().__init__()
        sizes = [features] + [values.width] * values.depth
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.activation = ACTIVATIONS[values.activation]
        self.classifier = Classifier(values.width, classes)

    def forward(self, inputs: Tensor) -> Outputs:
        hidden = inputs.flatten(1)
        maps: list[Tensor] = []
        for layer in self.hidden:
            hidden = self.activation(layer(hidden))
            maps.append(hidden)
        return Outputs(self.classifier(hidden), hidden, tuple(maps))

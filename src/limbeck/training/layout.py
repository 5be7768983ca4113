"""Weights of a network as one flat vector: an optimizer step is then a handful of operations, whatever the depth."""

import math
from typing import final

import torch
from torch import Tensor

from limbeck.shapes import Params

__all__ = ["Layout"]


@final
class Layout:
    """Names and shapes of the weights of one network, in their order; ``split(join(params))`` equals ``params``."""

    def __init__(self, params: Params) -> None:
        self.shapes = {name: tuple(weight.shape) for name, weight in params.items()}
        self.sizes = [math.prod(shape) for shape in self.shapes.values()]

    def join(self, params: Params) -> Tensor:
        """One vector (p,) of all weights."""
        return torch.cat([params[name].flatten() for name in self.shapes])

    def split(self, flat: Tensor) -> Params:
        """Named views of a vector (p,)."""
        parts = torch.split(flat, self.sizes)
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def copy(self, flat: Tensor) -> Params:
        """Named weights that own their memory."""
        return {name: part.detach().clone() for name, part in self.split(flat).items()}

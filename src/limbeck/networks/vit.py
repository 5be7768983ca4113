"""A small vision transformer: patches as tokens, pre-norm blocks, a class token."""

import math
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.errors import FitError, OptionError
from limbeck.networks import fit
from limbeck.networks.layers import Classifier, Convolution, Embedding, LayerNorm
from limbeck.networks.network import Architecture, Outputs
from limbeck.values import value

__all__ = ["ViT"]


@final
@value
class ViT(Architecture):
    """``depth`` blocks of ``heads``-head attention and a GELU layer on tokens of ``width`` [dosovitskiy2021vit].

    patch:     side of the square patches, pixels; it must divide both sides of the image (else FitError).
    expansion: hidden units of a block's second half, in multiples of ``width``.
    """

    patch: int = 4
    width: int = 64
    depth: int = 4
    heads: int = 4
    expansion: int = 2

    def __post_init__(self) -> None:
        numbers = {"patch": self.patch, "width": self.width, "depth": self.depth}
        fit.at_least("ViT", 1, **numbers, heads=self.heads, expansion=self.expansion)
        if self.width % self.heads:
            raise OptionError(f"ViT has width {self.width} and {self.heads} heads: the heads must divide the width.")

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        channels, height, width = fit.image(shape, "ViT")
        if height % self.patch or width % self.patch:
            common = math.gcd(height, width)
            fitting = ", ".join(str(p) for p in range(1, common + 1) if common % p == 0)
            raise FitError(f"ViT cannot cut {height}×{width} into patches of side {self.patch}: use patch {fitting}.")
        return _ViT(self, channels, (height // self.patch, width // self.patch), classes)


class _ViT(nn.Module):
    def __init__(self, values: ViT, channels: int, grid: tuple[int, int], classes: int) -> None:
        super().__init__()
        self.grid = grid
        self.patches = Convolution(channels, values.width, values.patch, values.patch)
        self.first = Embedding(1, values.width)
        self.positions = Embedding(1 + grid[0] * grid[1], values.width)
        self.blocks = nn.ModuleList(_Block(values) for _ in range(values.depth))
        self.norm = LayerNorm(values.width)
        self.classifier = Classifier(values.width, classes)

    def forward(self, inputs: Tensor) -> Outputs:
        patches = self.patches(inputs).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.first().expand(len(inputs), 1, -1), patches], 1) + self.positions()
        maps: list[Tensor] = []
        for block in self.blocks:
            tokens = block(tokens)
            maps.append(tokens[:, 1:].transpose(1, 2).unflatten(2, self.grid))
        embedding = self.norm(tokens[:, 0])
        return Outputs(self.classifier(embedding), embedding, tuple(maps))


class _Block(nn.Module):
    """x + attention(norm(x)), then x + linear(gelu(linear(norm(x))))."""

    def __init__(self, values: ViT) -> None:
        super().__init__()
        width, self.heads = values.width, values.heads
        self.norm1, self.norm2 = LayerNorm(width), LayerNorm(width)
        self.keys, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.linear1 = nn.Linear(width, values.expansion * width)
        self.linear2 = nn.Linear(values.expansion * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self._attend(self.norm1(tokens))
        change: Tensor = self.linear2(F.gelu(self.linear1(self.norm2(tokens))))
        return tokens + change

    def _attend(self, tokens: Tensor) -> Tensor:
        """Softmax attention, written out because the fused kernel has no forward-mode derivative."""
        query, key, given = self.keys(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        weights = (query @ key.mT / math.sqrt(query.shape[-1])).softmax(-1)
        attended: Tensor = self.output((weights @ given).transpose(1, 2).flatten(2))
        return attended

"""Tiny data for the room ``training``."""

import torch
from torch import Tensor

from limbeck.data.examples import Examples
from limbeck.seeds import generator


def tiny(
    n: int = 20, shape: tuple[int, ...] = (1, 8, 8), classes: int = 3, dtype: torch.dtype = torch.float32
) -> Examples:
    """Random images whose class shifts their mean."""
    g = generator(5, "tiny")
    labels = torch.arange(n) % classes
    noise = torch.randn(n, *shape, generator=g).to(dtype)
    return Examples(noise + labels.view(-1, *[1] * len(shape)).to(dtype), labels)


def soften(labels: Tensor, classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    g = generator(6, "soft")
    raw = torch.rand(len(labels), classes, generator=g).to(dtype) + torch.eye(classes, dtype=dtype)[labels]
    return raw / raw.sum(1, keepdim=True)

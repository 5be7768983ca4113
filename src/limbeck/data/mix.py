"""Mixing examples with each other, and their targets in the same proportion: mixup and CutMix.

A draw of one (shared by batches of any size) pairs each example with the one a random share of the batch further on.
"""

import math
from typing import final

import torch
from torch import Tensor

from limbeck.data.augmentation import Augmentation, Draw
from limbeck.data.geometry import check_image
from limbeck.errors import OptionError
from limbeck.values import value

__all__ = ["CutMix", "Mixup"]


@final
@value
class Mixup(Augmentation):
    """λ x + (1 − λ) x′ with a random other example x′; one λ ~ Beta(alpha, alpha) a call [zhang2018mixup].

    alpha: > 0; 1 makes λ uniform. Images or tables.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        _positive("Mixup", "alpha", self.alpha)

    def draw(self, n: int, shape: tuple[int, ...], generator: torch.Generator) -> Draw:
        del shape
        return {"kept": _beta(self.alpha, generator), **_partners(n, generator)}

    def apply(self, inputs: Tensor, draw: Draw) -> Tensor:
        return _blend(inputs, draw)

    def mix(self, targets: Tensor, draw: Draw) -> Tensor:
        return _blend(targets, draw)

    @property
    def mixes_labels(self) -> bool:
        return True


@final
@value
class CutMix(Augmentation):
    """A rectangle of another example is pasted in; targets mix by its exact area [yun2019cutmix].

    beta: the rectangle covers 1 − λ of the image before it is cut at the border, λ ~ Beta(beta, beta), beta > 0.
    p:    probability that a call mixes at all.
    One rectangle a call, with a uniform centre. FitError for tables.
    """

    beta: float = 1.0
    p: float = 0.5

    def __post_init__(self) -> None:
        _positive("CutMix", "beta", self.beta)
        if not 0 <= self.p <= 1:
            raise OptionError(f"CutMix has p {self.p}: it is a probability and must be in [0, 1].")

    def draw(self, n: int, shape: tuple[int, ...], generator: torch.Generator) -> Draw:
        size = check_image(shape, "CutMix")
        mixes = torch.rand(1, generator=generator, device=generator.device) < self.p
        share = (1 - _beta(self.beta, generator)).sqrt()
        edges, area = [], torch.ones_like(share)
        for side in size:
            length = (side * share).long() * mixes
            centre = torch.randint(side, (1,), generator=generator, device=generator.device)
            first, last = (centre - length // 2).clamp(0, side), (centre + length // 2).clamp(0, side)
            edges += [first, last]
            area = area * (last - first) / side
        return {"box": torch.stack(edges, 1), "kept": 1 - area, **_partners(n, generator)}

    def apply(self, inputs: Tensor, draw: Draw) -> Tensor:
        top, bottom, left, right = draw["box"].to(inputs.device).unbind(1)
        row = torch.arange(inputs.shape[2], device=inputs.device)
        column = torch.arange(inputs.shape[3], device=inputs.device)
        inside = ((row >= top) & (row < bottom))[:, None] & ((column >= left) & (column < right))
        return torch.where(inside, inputs[_partner(draw, inputs)], inputs)

    def mix(self, targets: Tensor, draw: Draw) -> Tensor:
        return _blend(targets, draw)

    @property
    def mixes_labels(self) -> bool:
        return True


def _positive(kind: str, name: str, number: float) -> None:
    if not 0 < number < math.inf:
        raise OptionError(f"{kind} has {name} {number}: it must be positive and finite.")


def _beta(alpha: float, generator: torch.Generator) -> Tensor:
    """λ ~ Beta(alpha, alpha), (1,) float64, as the quantile of a uniform number."""
    uniform = torch.rand(1, generator=generator, device=generator.device, dtype=torch.float64)
    if alpha == 1:
        return uniform
    from scipy.special import betaincinv

    return torch.as_tensor(betaincinv(alpha, alpha, uniform.cpu().numpy()), device=generator.device)


def _partners(n: int, generator: torch.Generator) -> dict[str, Tensor]:
    """A permutation (n,), or for n = 1 the share of the batch that lies between partners."""
    if n == 1:
        return {"further": torch.rand(1, generator=generator, device=generator.device)}
    return {"partner": torch.randperm(n, generator=generator, device=generator.device)}


def _partner(draw: Draw, batch: Tensor) -> Tensor:
    """Index of each example's partner in ``batch``."""
    if "partner" in draw:
        return draw["partner"].to(batch.device)
    n = len(batch)
    step = 1 + (draw["further"].to(batch.device) * (n - 1)).long()
    return (torch.arange(n, device=batch.device) + step) % n


def _blend(batch: Tensor, draw: Draw) -> Tensor:
    """kept · batch + (1 − kept) · its partners."""
    kept = draw["kept"].to(batch.device, batch.dtype).view(1, *[1] * (batch.ndim - 1))
    return kept * batch + (1 - kept) * batch[_partner(draw, batch)]

"""The view of channel statistics: means and variances of a class's maps, stage by stage."""

from typing import ClassVar, final

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.matching.batch import Batch
from limbeck.matching.cloud import Cloud
from limbeck.matching.per_example import PerExample
from limbeck.matching.view import Cotangents, Glimpse, View
from limbeck.networks.network import Network, Outputs
from limbeck.shapes import Params
from limbeck.values import value

__all__ = ["BatchStatistics"]


@final
@value
class BatchStatistics(View):
    """Channel means and variances of every stage's maps over each class: one point (mean ‖ variance) a class and stage.

    μ = E F, σ² = E F² − μ², over the class's weighted examples and all positions [yin2020dreaming].
    """

    paired: ClassVar[bool] = True

    def open(self, network: Network, params: Params, batch: Batch, *, compute: Compute, pull: bool) -> Glimpse:
        inner = _PowerMeans().open(network, params, batch, compute=compute, pull=pull)
        leaves = [c.with_points(c.points.requires_grad_(pull)) for c in inner.clouds]
        with torch.set_grad_enabled(pull):
            points = tuple(_mean_and_variance(c.means()) for c in leaves)
        groups = torch.arange(len(batch.sizes), device=batch.inputs.device)
        clouds = tuple(Cloud(p.detach(), groups, len(batch.sizes), paired=True) for p in points)
        pullback = inner.pull
        if pullback is None:
            return Glimpse(clouds, None)

        def back(cotangents: tuple[Tensor, ...]) -> Cotangents:
            return pullback(torch.autograd.grad(points, [c.points for c in leaves], cotangents))

        return Glimpse(clouds, back)


@final
@value
class _PowerMeans(PerExample):
    """Spatial means of F and F² of each example and channel, (n, 2c) a stage."""

    def look(self, outputs: Outputs, batch: Batch) -> tuple[Tensor, ...]:
        del batch
        flat = [m.reshape(*m.shape[:2], -1) for m in outputs.maps]
        return tuple(torch.cat([m.mean(2), m.square().mean(2)], 1) for m in flat)


def _mean_and_variance(powers: Tensor) -> Tensor:
    first, second = powers.chunk(2, 1)
    return torch.cat([first, second - first.square()], 1)

"""The view of the inputs themselves."""

from typing import final

from limbeck.compute import Compute
from limbeck.matching.batch import Batch
from limbeck.matching.cloud import Cloud
from limbeck.matching.view import Cotangents, Glimpse, View
from limbeck.networks.network import Network
from limbeck.shapes import Params
from limbeck.values import value

__all__ = ["PixelValues"]


@final
@value
class PixelValues(View):
    """The inputs themselves, flattened: (n, c·h·w), or (n, d) for tables. No network is used."""

    def open(self, network: Network, params: Params, batch: Batch, *, compute: Compute, pull: bool) -> Glimpse:
        del network, params, compute
        shape = batch.inputs.shape
        cloud = Cloud(batch.inputs.detach().flatten(1), batch.groups, len(batch.sizes), batch.weights)
        return Glimpse((cloud,), (lambda v: Cotangents(v[0].view(shape), None)) if pull else None)

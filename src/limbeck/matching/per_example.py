"""Views that look at each example by itself: a point an example, grouped by class, pulled back by autograd."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, final

import torch
from torch import Tensor

from limbeck.compilation import compiled
from limbeck.compute import Compute
from limbeck.matching.batch import Batch
from limbeck.matching.cloud import Cloud
from limbeck.matching.view import Cotangents, Glimpse, View
from limbeck.networks.network import Network, Outputs
from limbeck.shapes import Params
from limbeck.training.cost import chunk_for, even

__all__ = ["PerExample", "chunks", "lowered"]


class PerExample(View):
    """A frozen value that names what it shows of each example."""

    @abstractmethod
    def look(self, outputs: Outputs, batch: Batch) -> tuple[Tensor, ...]:
        """One (n, d) tensor a layer, differentiable in ``batch.inputs`` and, where they matter, ``batch.targets``."""

    @final
    def open(self, network: Network, params: Params, batch: Batch, *, compute: Compute, pull: bool) -> Glimpse:
        if not pull:
            return Glimpse(_clouds(_look_in_chunks(self, network, params, batch, compute), batch), None)
        # In chunks, because maps that stay in cache cost less on the way forward and on the way back.
        parts = chunks(len(batch), network, compute)
        opened = [self._opened(network, params, _piece(batch, part), compute) for part in parts]
        points = tuple(torch.cat(layer) for layer in zip(*(piece.points for piece in opened), strict=True))

        def back(cotangents: tuple[Tensor, ...]) -> Cotangents:
            sizes = [len(piece.points[0]) for piece in opened]
            parts = zip(*(torch.split(v, sizes) for v in cotangents), strict=True)
            pulled = [piece.pull(part) for piece, part in zip(opened, parts, strict=True)]
            targets = [p.targets for p in pulled if p.targets is not None]
            return Cotangents(torch.cat([p.inputs for p in pulled]), torch.cat(targets) if targets else None)

        return Glimpse(_clouds(points, batch), back)

    @final
    def _opened(self, network: Network, params: Params, piece: Batch, compute: Compute) -> "_Opened":
        inputs = piece.inputs.detach().requires_grad_()
        targets = None if piece.targets is None else piece.targets.detach().requires_grad_()
        with torch.enable_grad():
            points = _seen(self, network, params, replace(piece, inputs=inputs, targets=targets), compute)

        def pull(cotangents: tuple[Tensor, ...]) -> Cotangents:
            leaves = (inputs,) if targets is None else (inputs, targets)
            alive = [(p, v) for p, v in zip(points, cotangents, strict=True) if p.requires_grad]
            if not alive:
                return Cotangents(torch.zeros_like(inputs), None if targets is None else torch.zeros_like(targets))
            outputs, vectors = zip(*alive, strict=True)
            grads = torch.autograd.grad(outputs, leaves, vectors, materialize_grads=True)
            return Cotangents(grads[0], grads[1] if targets is not None else None)

        return _Opened(tuple(p.detach() for p in points), pull)


class _Opened(NamedTuple):
    """What was seen of a chunk of the synthetic side, and the way back to it."""

    points: tuple[Tensor, ...]
    pull: Callable[[tuple[Tensor, ...]], Cotangents]


def _piece(batch: Batch, part: slice) -> Batch:
    """Some rows. Groups play no part in what a view shows of one example, so a chunk need not keep them."""
    targets = None if batch.targets is None else batch.targets[part]
    weights = None if batch.weights is None else batch.weights[part]
    return Batch(batch.inputs[part], batch.labels[part], batch.classes, batch.sizes, targets, weights)


def chunks(n: int, network: Network, compute: Compute) -> list[slice]:
    """Consecutive slices of ``n`` examples that go through together; one slice where batch norm sees them all."""
    return even(n, n if network.uses_batch_statistics else chunk_for(network, compute))


def lowered(params: Params, inputs: Tensor, compute: Compute) -> tuple[Params, Tensor]:
    """Weights and inputs in the type of the large passes: ``compute.dtype``, but never more than what was given."""
    if inputs.dtype != torch.float32 or compute.dtype == torch.float32:
        return params, inputs
    return {name: p.to(compute.dtype) for name, p in params.items()}, inputs.to(compute.dtype)


def _look_in_chunks(
    view: PerExample, network: Network, params: Params, batch: Batch, compute: Compute
) -> tuple[Tensor, ...]:
    low, inputs = lowered(params, batch.inputs, compute)
    seen = []
    with torch.no_grad():
        for part in chunks(len(batch), network, compute):
            piece = replace(_piece(batch, part), inputs=inputs[part])
            points = _seen(view, network, low, piece, compute)
            seen.append(tuple(p.to(batch.inputs.dtype) for p in points))
    return tuple(torch.cat(layer) for layer in zip(*seen, strict=True))


def _seen(view: PerExample, network: Network, params: Params, piece: Batch, compute: Compute) -> tuple[Tensor, ...]:
    """What the view shows of a piece; compiled where ``compute`` says so, differentiable where gradients are on."""
    if compute.compilation != "on":
        return view.look(network(params, piece.inputs), piece)

    def points(params: Params, inputs: Tensor, labels: Tensor, targets: Tensor | None) -> tuple[Tensor, ...]:
        return view.look(network(params, inputs), Batch(inputs, labels, (), (), targets))

    inputs, soft = piece.inputs, piece.targets is not None
    shapes = tuple(inputs.shape), inputs.dtype, str(inputs.device), soft, torch.is_grad_enabled()
    return compiled(points, view, network.key, shapes)(params, inputs, piece.labels, piece.targets)


def _clouds(points: tuple[Tensor, ...], batch: Batch) -> tuple[Cloud, ...]:
    return tuple(Cloud(p, batch.groups, len(batch.sizes), batch.weights) for p in points)

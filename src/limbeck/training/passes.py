"""Loss and gradient of one network, or of many alike, in the weights: chunked, in low precision where asked for."""

from typing import final

import torch
from torch import Tensor

from limbeck.compilation import compiled
from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.networks.network import Network
from limbeck.training.cost import chunk_for, even
from limbeck.training.layout import Layout
from limbeck.training.loss import LossKind, example_losses, weighted_mean

__all__ = ["Passes"]


@final
class Passes:
    """Forward and backward passes of ``network`` over flat weights.

    Weights stay in their own precision; a pass in bfloat16 casts them and the inputs, and takes the loss in float32.
    Passes are compiled where ``compute`` says "on".
    """

    def __init__(self, network: Network, layout: Layout, *, kind: LossKind, compute: Compute) -> None:
        self.network, self.layout, self.kind = network, layout, kind
        self.compute = compute.resolve()
        # Batch norm sees the whole batch, or it would be another network.
        self._chunk = None if network.uses_batch_statistics else chunk_for(network, self.compute)
        self._low = torch.bfloat16 if self.compute.precision == "bfloat16" else None

    def loss(self, flat: Tensor, inputs: Tensor, targets: Tensor, weights: Tensor | None, count: int) -> Tensor:
        """Σ w_i ℓ_i / count over the given examples, at flat weights (p,); differentiable."""
        if self.compute.compilation != "on":
            return self.plain_loss(flat, inputs, targets, weights, count)

        def training_loss(flat: Tensor, inputs: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
            return self.plain_loss(flat, inputs, targets, weights, count)

        shapes = tuple(inputs.shape), targets.ndim, weights is None, count, flat.dtype
        names = tuple(self.layout.shapes), self.network.key, self.kind, self._low, str(flat.device)
        return compiled(training_loss, "training", names, shapes)(flat, inputs, targets, weights)

    def plain_loss(self, flat: Tensor, inputs: Tensor, targets: Tensor, weights: Tensor | None, count: int) -> Tensor:
        """The loss, never compiled."""
        if self._low is not None and flat.dtype == torch.float32:
            flat, inputs = flat.to(self._low), inputs.to(self._low)
        logits = self.network(self.layout.split(flat), inputs).logits
        return weighted_mean(example_losses(logits, targets, self.kind), weights, count)

    def gradient(self, flat: Tensor, batch: Examples) -> tuple[Tensor, Tensor]:
        """Loss (scalar) and gradient (p,) of a batch, accumulated over chunks."""
        leaf = flat.detach().requires_grad_()
        count, loss, grad = len(batch), None, None
        for rows in even(count, self._chunk or count):
            weights = None if batch.weights is None else batch.weights[rows]
            part = self.loss(leaf, batch.inputs[rows], batch.targets[rows], weights, count)
            (piece,) = torch.autograd.grad(part, leaf)
            loss = part.detach() if loss is None else loss + part.detach()
            grad = piece if grad is None else grad.add_(piece)
        assert loss is not None and grad is not None
        return loss, grad

    def gradients(self, flats: Tensor, batch: Examples) -> tuple[Tensor, Tensor]:
        """Losses (m,) and gradients (m, p) of ``m`` networks, each on its own batch: tensors (m, n, …), one pass."""
        leaf, count = flats.detach().requires_grad_(), batch.inputs.shape[1]
        with_weights = None if batch.weights is None else 0

        def one(flat: Tensor, inputs: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
            return self.plain_loss(flat, inputs, targets, weights, count)

        many = torch.func.vmap(one, in_dims=(0, 0, 0, with_weights))
        losses = many(leaf, batch.inputs, batch.targets, batch.weights)
        (grads,) = torch.autograd.grad(losses.sum(), leaf)
        return losses.detach(), grads

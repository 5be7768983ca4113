"""Test passes: logits in large chunks, and the batch statistics that a trained network is evaluated with."""

from collections.abc import Sequence

import torch
from torch import Tensor

from limbeck.compilation import compiled, settled
from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.data.task import Pool
from limbeck.networks.network import Network, Statistics
from limbeck.shapes import Params
from limbeck.training.cost import chunk_for, even, forward_seconds

__all__ = ["fitted", "fitted_along", "predict"]

_MOST = 4096  # examples that batch statistics are taken over: their means are then known to 1.6 % of a deviation


def predict(
    network: Network, params: Params, inputs: Tensor | Pool, *, statistics: Statistics | None, compute: Compute
) -> Tensor:
    """Logits (n, k), float32 and on the device, of ``inputs`` (n, *shape) or of a whole pool, drawn chunk by chunk.

    compute: "auto" compiles where this call alone is worth it; who calls often decides for all calls (``settled``).

    statistics: of batch norm (see :func:`fitted`); without batch norm {} or None.
    """
    compute = settled(compute, work_seconds=forward_seconds(network, len(inputs)))
    device, dtype = compute.torch_device, compute.dtype
    ready = _on(params, device, dtype)
    held = None if statistics is None or not network.uses_batch_statistics else _on(dict(statistics), device, dtype)
    # Without fitted statistics batch norm takes the batch's own: that of all inputs.
    size = max(1, len(inputs)) if network.uses_batch_statistics and held is None else chunk_for(network, compute)
    parts = [torch.zeros(0, network.classes, device=device)]
    with torch.no_grad():
        for rows in even(len(inputs), size):
            piece = inputs.take(torch.arange(rows.start, rows.stop)) if isinstance(inputs, Pool) else inputs[rows]
            parts.append(_logits(network, ready, piece.to(device, dtype), held, compute).float())
    return torch.cat(parts)


def _logits(network: Network, params: Params, inputs: Tensor, held: Statistics | None, compute: Compute) -> Tensor:
    def logits(params: Params, inputs: Tensor, held: Statistics | None) -> Tensor:
        return network(params, inputs, held).logits

    if compute.compilation != "on":
        return logits(params, inputs, held)
    fast = compiled(logits, "logits", network.key, tuple(inputs.shape), inputs.dtype, str(inputs.device), held is None)
    return fast(params, inputs, held)


def fitted(network: Network, params: Params, examples: Examples | Pool, compute: Compute) -> Statistics:
    """Batch norm's statistics at the given weights over the training inputs, not augmented; {} without batch norm.

    Of more than 4096 inputs, 4096 at equal distances are used.
    """
    return fitted_along(network, [params], examples, compute)[0]


def fitted_along(
    network: Network, path: Sequence[Params], examples: Examples | Pool, compute: Compute
) -> tuple[Statistics, ...]:
    """The same at each of several weights; the inputs are drawn once."""
    if not network.uses_batch_statistics:
        return tuple({} for _ in path)
    device = compute.torch_device
    count = len(examples)
    index = torch.arange(count) if count <= _MOST else torch.linspace(0, count - 1, _MOST).long()
    inputs = examples.take(index) if isinstance(examples, Pool) else examples.inputs[index.to(examples.inputs.device)]
    shown = inputs.to(device, torch.float32)
    with torch.no_grad():
        return tuple(network.statistics(_on(params, device, torch.float32), shown) for params in path)


def _on(params: Params, device: torch.device, dtype: torch.dtype) -> Params:
    return {name: weight.detach().to(device, dtype) for name, weight in params.items()}

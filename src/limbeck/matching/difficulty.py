"""How hard examples are: scores of real or synthetic examples at given weights, one number an example.

``ensemble`` is a sequence of weights of one network: independently trained ones, or one network along its training.
``statistics`` are batch norm's, one for each of these weights, measured on real training inputs (``training.fitted``);
without them, (), batch norm takes those of the examples given, which is right for no batch of one class. Networks
without batch norm need none.

The norm of a batch's gradient is no mean of its examples' norms (their gradients cancel), so the two are named apart:
:func:`gradn` and :func:`batch_gradient_norm`. [wang2024sdc]
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.errors import EvidenceError
from limbeck.matching.per_example import chunks
from limbeck.networks.network import Network, Statistics
from limbeck.shapes import Params, Points, Scalar
from limbeck.training.loss import example_losses
from limbeck.training.predict import predict

__all__ = [
    "batch_gradient_norm",
    "el2n",
    "forgetting",
    "gradient_norms",
    "gradn",
    "misclassification",
    "one_by_one",
    "sample_gradient_norms",
]

CHUNK = 32  # examples whose whole gradients are in memory together


def misclassification(
    network: Network,
    ensemble: Sequence[Params],
    examples: Examples,
    compute: Compute,
    statistics: Sequence[Statistics] = (),
) -> Tensor:
    """χ(x, y): the share of the ensemble that is wrong on each example, (n,) in [0, 1] [wang2024sdc]."""
    seen = _predictions(network, ensemble, examples, compute, statistics)
    return torch.stack([logits.argmax(1) != examples.labels for logits in seen]).to(examples.inputs.dtype).mean(0)


def el2n(
    network: Network,
    ensemble: Sequence[Params],
    examples: Examples,
    compute: Compute,
    statistics: Sequence[Statistics] = (),
) -> Tensor:
    """E_θ ‖softmax f_θ(x) − y‖₂ of each example, (n,) in [0, √2] [paul2021diet]."""
    target = examples.probabilities(network.classes)
    gaps = [logits.softmax(1) - target for logits in _predictions(network, ensemble, examples, compute, statistics)]
    return torch.stack([torch.linalg.vector_norm(gap, dim=1) for gap in gaps]).mean(0)


def forgetting(
    network: Network,
    path: Sequence[Params],
    examples: Examples,
    compute: Compute,
    statistics: Sequence[Statistics] = (),
) -> Tensor:
    """How often each example turns from right to wrong along a training path, (n,) [toneva2019forgetting].

    path: the weights in the order of training. An example that is never right counts as often as the path is long, so
    that it ranks hardest.
    """
    seen = _predictions(network, path, examples, compute, statistics)
    right = torch.stack([logits.argmax(1) == examples.labels for logits in seen])
    events = (right[:-1] & ~right[1:]).sum(0).to(examples.inputs.dtype)
    return torch.where(right.any(0), events, float(len(path)))


def gradn(
    network: Network,
    ensemble: Sequence[Params],
    examples: Examples,
    compute: Compute,
    statistics: Sequence[Statistics] = (),
) -> Tensor:
    """GraDN: E_θ ‖∇_θ ℓ(f_θ(x), y)‖₂ of each example, (n,) ≥ 0 [wang2024sdc] [paul2021diet]."""
    pairs = _paired(ensemble, statistics)
    return torch.stack([gradient_norms(network, p, examples, compute, held) for p, held in pairs]).mean(0)


def gradient_norms(
    network: Network, params: Params, examples: Examples, compute: Compute, statistics: Statistics | None = None
) -> Tensor:
    """‖∇_θ ℓ(f_θ(x), y)‖₂ over all weights, (n,); every example is alone.

    statistics: of batch norm, constant in the gradient, so that the loss is that of the trained network. None: batch
    norm sees the one example, whose own mean it takes away: of feature rows nothing is left.
    """
    targets = examples.probabilities(network.classes)
    held = _held(network, statistics, examples.inputs)
    found = []
    with torch.no_grad():
        for rows in one_by_one(len(examples), compute):
            found.append(sample_gradient_norms(network, params, examples.inputs[rows], targets[rows], held))
    return torch.cat(found)


def one_by_one(n: int, compute: Compute) -> list[slice]:
    """Consecutive slices of ``n`` examples, so few each that the gradients of all of them fit into memory."""
    size = min(CHUNK, compute.chunk or CHUNK)
    return [slice(start, min(start + size, n)) for start in range(0, max(n, 1), size)]


def batch_gradient_norm(network: Network, params: Params, examples: Examples, compute: Compute) -> Scalar:
    """‖∇_θ (weighted) mean loss of all examples together‖₂: gradients of different examples cancel in it.

    Batch norm takes the batch's own statistics and is differentiated through them, as in a step of training on it.
    """
    leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
    weights = torch.ones_like(examples.inputs.flatten(1)[:, 0]) if examples.weights is None else examples.weights
    shares = weights / weights.sum()
    total = [torch.zeros_like(leaf) for leaf in leaves.values()]
    for rows in chunks(len(examples), network, compute):
        with torch.enable_grad():
            logits = network(leaves, examples.inputs[rows].detach()).logits
            loss = (example_losses(logits, examples.targets[rows], "cross_entropy") * shares[rows]).sum()
        grads = torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True)
        total = [a + g for a, g in zip(total, grads, strict=True)]
    norm: Tensor = torch.linalg.vector_norm(torch.cat([g.flatten() for g in total]))
    return norm


def sample_gradient_norms(
    network: Network, params: Params, inputs: Tensor, targets: Points, statistics: Statistics | None = None
) -> Tensor:
    """‖∇_θ ℓ_i‖₂ of each example, (n,), differentiable in inputs and targets (n, k): all gradients in one vectorised
    pass, as many weights in memory as there are examples times the network's. statistics: of batch norm, in the inputs'
    type; None: it sees each example alone."""

    def loss(weights: Params, x: Tensor, t: Tensor) -> Scalar:
        return example_losses(network(weights, x[None], statistics).logits, t[None], "cross_entropy").sum()

    fixed = {name: p.detach() for name, p in params.items()}
    gradients: Params = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(fixed, inputs, targets)
    squares = [g.flatten(1).square().sum(1) for _, g in sorted(gradients.items())]
    # The root has no derivative at 0, where an example is learned to the last bit; 1e-12 keeps it finite there.
    total = torch.stack(squares).sum(0)
    norms: Tensor = (total + 1e-24).sqrt()
    return norms


def _predictions(
    network: Network,
    ensemble: Sequence[Params],
    examples: Examples,
    compute: Compute,
    statistics: Sequence[Statistics],
) -> Iterator[Tensor]:
    """Logits (n, k) of the examples at each of the ensemble's weights."""
    for params, held in _paired(ensemble, statistics):
        if examples.inputs.dtype == torch.float32:
            yield predict(network, params, examples.inputs, statistics=held, compute=compute)
            continue
        held = _held(network, held, examples.inputs)
        with torch.no_grad():
            rows = chunks(len(examples), network, compute)
            yield torch.cat([network(params, examples.inputs[r], held).logits for r in rows])


def _paired(ensemble: Sequence[Params], statistics: Sequence[Statistics]) -> list[tuple[Params, Statistics | None]]:
    """Weights with their statistics, None where there are none. EvidenceError without weights."""
    if not ensemble:
        raise EvidenceError("difficulty is measured with trained networks, and none was given: give at least one.")
    if not statistics:
        return [(params, None) for params in ensemble]
    return list(zip(ensemble, statistics, strict=True))


def _held(network: Network, statistics: Statistics | None, inputs: Tensor) -> Statistics | None:
    """Statistics in the inputs' type and place; None where the network needs none."""
    if statistics is None or not network.uses_batch_statistics:
        return None
    return {name: s.to(inputs) for name, s in statistics.items()}

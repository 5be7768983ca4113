"""How hard examples are: scores of real or synthetic examples at given weights, one number an example.

``ensemble`` is a sequence of weights of one network: independently trained ones, or one network along its training.
The norm of a batch's gradient is no mean of its examples' norms (their gradients cancel), so the two are named apart:
:func:`gradn` and :func:`batch_gradient_norm`. [wang2024sdc]
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.errors import EvidenceError
from limbeck.matching.per_example import chunks
from limbeck.networks.network import Network
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
    "sample_gradient_norms",
]

CHUNK = 32  # examples whose whole gradients are in memory together


def misclassification(network: Network, ensemble: Sequence[Params], examples: Examples, compute: Compute) -> Tensor:
    """χ(x, y): the share of the ensemble that is wrong on each example, (n,) in [0, 1] [wang2024sdc]."""
    wrong = [(_logits(network, p, examples, compute).argmax(1) != examples.labels) for p in _some(ensemble)]
    return torch.stack(wrong).to(examples.inputs.dtype).mean(0)


def el2n(network: Network, ensemble: Sequence[Params], examples: Examples, compute: Compute) -> Tensor:
    """E_θ ‖softmax f_θ(x) − y‖₂ of each example, (n,) in [0, √2] [paul2021diet]."""
    target = examples.probabilities(network.classes)
    gaps = [_logits(network, p, examples, compute).softmax(1) - target for p in _some(ensemble)]
    return torch.stack([torch.linalg.vector_norm(gap, dim=1) for gap in gaps]).mean(0)


def forgetting(network: Network, path: Sequence[Params], examples: Examples, compute: Compute) -> Tensor:
    """How often each example turns from right to wrong along a training path, (n,) [toneva2019forgetting].

    path: the weights in the order of training. An example that is never right counts as often as the path is long, so
    that it ranks hardest.
    """
    right = torch.stack([_logits(network, p, examples, compute).argmax(1) == examples.labels for p in _some(path)])
    events = (right[:-1] & ~right[1:]).sum(0).to(examples.inputs.dtype)
    return torch.where(right.any(0), events, float(len(path)))


def gradn(network: Network, ensemble: Sequence[Params], examples: Examples, compute: Compute) -> Tensor:
    """GraDN: E_θ ‖∇_θ ℓ(f_θ(x), y)‖₂ of each example, (n,) ≥ 0 [wang2024sdc] [paul2021diet]."""
    return torch.stack([gradient_norms(network, p, examples, compute) for p in _some(ensemble)]).mean(0)


def gradient_norms(network: Network, params: Params, examples: Examples, compute: Compute) -> Tensor:
    """‖∇_θ ℓ(f_θ(x), y)‖₂ over all weights, (n,). Every example is alone: batch norm sees only it."""
    size = min(CHUNK, compute.chunk or CHUNK)
    targets = examples.probabilities(network.classes)
    parts = zip(torch.split(examples.inputs, size), torch.split(targets, size), strict=True)
    with torch.no_grad():
        return torch.cat([sample_gradient_norms(network, params, x, t) for x, t in parts])


def batch_gradient_norm(network: Network, params: Params, examples: Examples, compute: Compute) -> Scalar:
    """‖∇_θ (weighted) mean loss of all examples together‖₂: gradients of different examples cancel in it."""
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


def sample_gradient_norms(network: Network, params: Params, inputs: Tensor, targets: Points) -> Tensor:
    """‖∇_θ ℓ_i‖₂ of each example, (n,), differentiable in inputs and targets (n, k): all gradients in one vectorised
    pass, as many weights in memory as there are examples times the network's."""

    def loss(weights: Params, x: Tensor, t: Tensor) -> Scalar:
        return example_losses(network(weights, x[None]).logits, t[None], "cross_entropy").sum()

    fixed = {name: p.detach() for name, p in params.items()}
    gradients: Params = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(fixed, inputs, targets)
    squares = [g.flatten(1).square().sum(1) for _, g in sorted(gradients.items())]
    # The root has no derivative at 0, where an example is learned to the last bit; 1e-12 keeps it finite there.
    total = torch.stack(squares).sum(0)
    norms: Tensor = (total + 1e-24).sqrt()
    return norms


def _logits(network: Network, params: Params, examples: Examples, compute: Compute) -> Tensor:
    if examples.inputs.dtype == torch.float32:
        return predict(network, params, examples.inputs, statistics=None, compute=compute)
    with torch.no_grad():
        rows = chunks(len(examples), network, compute)
        return torch.cat([network(params, examples.inputs[r]).logits for r in rows])


def _some(ensemble: Sequence[Params]) -> Sequence[Params]:
    if not ensemble:
        raise EvidenceError("difficulty is measured with trained networks, and none was given: give at least one.")
    return ensemble

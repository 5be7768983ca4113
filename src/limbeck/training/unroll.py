"""The exact gradient of an outcome of training in the examples, soft labels and step size, in memory that does not grow
with the number of steps.

With θ_0, m_0 = 0, one step of SGD with momentum μ, decay ω, step size β and schedule s_i is

    g_i = ∇_θ ℓ_i(θ_i) + ω θ_i,   m_{i+1} = μ m_i + β g_i,
    θ_{i+1} = θ_i − s_i m_{i+1}          (Nesterov: θ_i − s_i (β g_i + μ m_{i+1})),

which is PyTorch's own rule with β drawn into the momentum, as β does not change. From λ = ∂L/∂θ_N and
κ = ∂L/∂m_N = 0 walk back:

    κ ← κ − s_i c λ,  c = 1 (Nesterov: μ);   γ = κ (Nesterov: κ − s_i λ);
    d(θ, x, t) = ⟨∇_θ ℓ_i(θ; x, t), γ⟩, a directional derivative whose gradient is a Hessian–vector product;
    ∂L/∂x_i += β ∇_x d,   ∂L/∂t_i += β ∇_t d,   ∂L/∂β += d + ω⟨θ_i, γ⟩,
    λ ← λ + β (∇_θ d + ω γ),   κ ← μ κ.

Only weights are kept, and the graph of one chunk of one step lives at a time. The product is taken by double backward:
measured eagerly on a CPU it needs less time and memory than reverse over forward (1.1 to 1.2 of the time of autograd
through the unroll, ConvNet-3-32 and -128, 50 images a step).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, final

import torch
from torch import Tensor

from limbeck.data.augmentation import Augmentation, Draw
from limbeck.data.examples import Examples
from limbeck.data.nothing import Nothing
from limbeck.errors import FitError, OptionError
from limbeck.networks.network import Network
from limbeck.shapes import Params, Scalar
from limbeck.training.feed import augmented, normalised
from limbeck.training.layout import Layout
from limbeck.training.loss import LossKind, example_losses, weighted_mean
from limbeck.training.optimizer import SGD, OptimizerState

__all__ = ["UnrollSteps", "UnrolledGradient", "unrolled_gradient"]

ALLOWANCE = 128 * 2**20  # bytes of weights that may be kept; the graph of one step usually takes more


@dataclass(frozen=True, eq=False)
class UnrollSteps:
    """The fixed steps that are differentiated: everything but the examples, the step size and the first weights.

    batches: indices (b_i,) int64 into the examples, one tensor a step.  draws: one augmentation draw a step ({} each
    where empty).  optimizer: its momentum, decay and Nesterov; its ``lr`` is not used.  factors: the schedule s_i > 0
    (all 1 where empty).  stride: every so many steps the weights are kept, those between are computed again on the
    way back (√N: at most 2√N instead of N weights in memory, for at most one more training pass); None keeps as many as
    fit in 128 MiB, and every √N-th at least.
    chunk: examples a pass at most, to save memory; None takes a batch whole, the faster way.
    """

    batches: tuple[Tensor, ...]
    draws: tuple[Draw, ...] = ()
    augmentation: Augmentation = field(default_factory=Nothing)
    optimizer: SGD = field(default_factory=lambda: SGD(momentum=0.0, weight_decay=0.0))
    factors: tuple[float, ...] = ()
    loss: LossKind = "cross_entropy"
    stride: int | None = None
    chunk: int | None = None

    def __post_init__(self) -> None:
        for what, length in (("draws", len(self.draws)), ("factors", len(self.factors))):
            if length not in (0, len(self.batches)):
                raise FitError(f"{length} {what} were given for {len(self.batches)} steps: give one for each, or none.")
        if not self.batches or (self.stride is not None and self.stride < 1):
            raise OptionError("an unroll needs at least one step and a stride of at least 1.")

    def factor(self, step: int) -> float:
        """s_i."""
        return self.factors[step] if self.factors else 1.0


def _stride(steps: int, size: int) -> int:
    """The least stride of which every kept state of ``size`` bytes fits in the allowance; √steps where none does."""
    most = max(1, ALLOWANCE // max(1, size))
    fitting = (s for s in range(1, steps + 1) if (1 if s == 1 else 2) * -(-steps // s) + s <= most)
    return min(next(fitting, steps), max(1, round(steps**0.5)))


class UnrolledGradient(NamedTuple):
    """L = outer(θ_N) and its derivatives; all detached."""

    loss: Scalar
    inputs: Tensor  # like the examples' inputs
    targets: Tensor | None  # like soft targets; None where labels are hard
    step_size: Scalar


def unrolled_gradient(
    network: Network,
    start: Params,
    *,
    examples: Examples,
    step_size: float | Tensor,
    steps: UnrollSteps,
    outer: Callable[[Params], Tensor],
) -> UnrolledGradient:
    """Gradient of ``outer(θ_N)``, θ_N the weights after training from ``start`` on ``examples`` with ``step_size``.

    outer: a differentiable scalar function of the last weights. Equal to autograd through the unrolled loop.
    """
    walk = _Walk(network, start, examples, step_size, steps)
    with torch.no_grad():
        kept = walk.forward()
    last = kept[-1][0].requires_grad_()
    loss = outer(walk.layout.split(last))
    (adjoint,) = torch.autograd.grad(loss, last)
    for low in reversed(range(0, len(steps.batches), walk.stride)):
        with torch.no_grad():
            weights = walk.segment(kept[low // walk.stride], low)
        for step, theta in reversed(weights):
            adjoint = walk.back(step, theta, adjoint)
    targets = walk.targets_grad if examples.targets.is_floating_point() else None
    return UnrolledGradient(loss.detach(), walk.inputs_grad, targets, walk.rate_grad)


@final
class _Walk:
    """Forward and back along the steps; the gradients gathered so far."""

    def __init__(
        self, network: Network, start: Params, examples: Examples, step_size: float | Tensor, steps: UnrollSteps
    ) -> None:
        self.network, self.steps, self.layout = network, steps, Layout(start)
        self.examples = normalised(Examples(examples.inputs.detach(), examples.targets.detach(), examples.weights))
        longest = max(len(batch) for batch in steps.batches)
        self.chunk = longest if network.uses_batch_statistics or steps.chunk is None else steps.chunk
        self.first = self.layout.join(start).detach()
        self.stride = steps.stride or _stride(len(steps.batches), self.first.nbytes)
        self.rate = torch.as_tensor(step_size, dtype=self.first.dtype, device=self.first.device).detach()
        self.inputs_grad = torch.zeros_like(examples.inputs)
        self.targets_grad = torch.zeros_like(examples.targets, dtype=self.first.dtype)
        self.rate_grad = torch.zeros_like(self.rate)
        self.kappa = torch.zeros_like(self.first)

    def forward(self) -> list[tuple[Tensor, OptimizerState]]:
        """(θ, optimizer state) at every ``stride``-th step, and after the last one."""
        theta, state = self.first, self.steps.optimizer.init([self.first])
        kept = []
        for step in range(len(self.steps.batches)):
            if step % self.stride == 0:
                kept.append((theta, state if self.stride > 1 else {}))
            theta, state = self._step(theta, state, step)
        return [*kept, (theta, {})]

    def segment(self, kept: tuple[Tensor, OptimizerState], low: int) -> list[tuple[int, Tensor]]:
        """The weights before each step from ``low`` up to the next kept ones."""
        theta, state = kept
        weights = [(low, theta)]
        for step in range(low + 1, min(low + self.stride, len(self.steps.batches))):
            theta, state = self._step(theta, state, step - 1)
            weights.append((step, theta))
        return weights

    def _step(self, theta: Tensor, state: OptimizerState, step: int) -> tuple[Tensor, OptimizerState]:
        with torch.enable_grad():
            leaf, grad = theta.detach().requires_grad_(), torch.zeros_like(theta)
            batch = self._augmented(self._batch(step), step)
            for piece in self._pieces(batch):
                grad += torch.autograd.grad(self._loss(leaf, piece, len(batch)), leaf)[0]
        (new,), state = self.steps.optimizer.step([theta], [grad], state, self.rate * self.steps.factor(step))
        return new, state

    def back(self, step: int, theta: Tensor, adjoint: Tensor) -> Tensor:
        """λ_i from λ_{i+1}; gathers this step's share of the gradients."""
        optimizer, factor = self.steps.optimizer, self.steps.factor(step)
        kappa = self.kappa - factor * (optimizer.momentum if optimizer.nesterov else 1.0) * adjoint
        gamma = kappa - factor * adjoint if optimizer.nesterov else kappa
        self.kappa = optimizer.momentum * kappa
        batch, soft = self._batch(step), self.examples.targets.is_floating_point()
        leaves = [batch.inputs.requires_grad_(), *([batch.targets.requires_grad_()] if soft else [])]
        augmented = self._augmented(batch, step)
        slope, weights, grads = self._pull(theta.detach(), augmented, gamma)
        ends = [augmented.inputs, *([augmented.targets] if soft else [])]
        pulled = torch.autograd.grad(ends, leaves, grads[: len(ends)])
        rows = self.steps.batches[step]
        self.inputs_grad.index_add_(0, rows, self.rate * pulled[0])
        if soft:
            self.targets_grad.index_add_(0, rows, self.rate * pulled[1])
        self.rate_grad = self.rate_grad + slope + optimizer.weight_decay * (theta.detach() @ gamma)
        return adjoint + self.rate * (weights + optimizer.weight_decay * gamma)

    def _pull(self, theta: Tensor, batch: Examples, gamma: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """d = ⟨∇_θ ℓ, γ⟩ of an augmented batch, ∇_θ d, and ∇ of d in its inputs and (soft) targets."""
        theta, weights, slope = theta.requires_grad_(), torch.zeros_like(gamma), torch.zeros_like(self.rate)
        inputs: list[Tensor] = []
        targets: list[Tensor] = []
        for piece in self._pieces(batch):
            soft = [piece.targets.requires_grad_()] if piece.targets.is_floating_point() else []
            leaves = [theta, piece.inputs.requires_grad_(), *soft]
            (grad,) = torch.autograd.grad(self._loss(theta, piece, len(batch)), theta, create_graph=True)
            slope = slope + grad.detach() @ gamma
            pulled = torch.autograd.grad(grad, leaves, gamma)
            weights += pulled[0]
            inputs.append(pulled[1])
            targets += pulled[2:]
        return slope, weights, [torch.cat(inputs), *([torch.cat(targets)] if targets else [])]

    def _pieces(self, batch: Examples) -> Iterator[Examples]:
        """The batch in chunks, without a graph; batch norm sees it whole."""
        for low in range(0, len(batch), self.chunk):
            rows = slice(low, low + self.chunk)
            weights = None if batch.weights is None else batch.weights[rows]
            yield Examples(batch.inputs[rows].detach(), batch.targets[rows].detach(), weights)

    def _batch(self, step: int) -> Examples:
        return self.examples.take(self.steps.batches[step])

    def _augmented(self, batch: Examples, step: int) -> Examples:
        draw = self.steps.draws[step] if self.steps.draws else {}
        return augmented(self.steps.augmentation, batch, draw, classes=self.network.classes)

    def _loss(self, flat: Tensor, piece: Examples, count: int) -> Tensor:
        logits = self.network(self.layout.split(flat), piece.inputs).logits
        return weighted_mean(example_losses(logits, piece.targets, self.steps.loss), piece.weights, count)

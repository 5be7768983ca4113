"""Optimizers as pure functions of (weights, gradients, state), so that many networks step at once and unrolled steps
are the same steps. Update rules are PyTorch's own, to the order of operations."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from limbeck.errors import OptionError
from limbeck.values import value

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "OptimizerState", "RMSprop"]

OptimizerState: TypeAlias = dict[
    str, list[Tensor]
]  # moments by name, one tensor a weight; "step": [0-d float64 on the CPU]


class Optimizer(ABC):
    """A frozen value (``@value``) with a learning rate ``lr`` > 0.

    OptionError where a number is outside its domain: ``lr`` and ``eps`` above 0, ``weight_decay`` at least 0, momentum
    and the factors of moving averages in [0, 1).
    """

    lr: float

    def __post_init__(self) -> None:
        for name, number in vars(self).items():
            if isinstance(number, bool):
                continue
            if name in ("lr", "eps"):
                known, domain = 0 < number < math.inf, "above 0"
            elif name == "weight_decay":
                known, domain = 0 <= number < math.inf, "at least 0"
            else:
                known, domain = 0 <= number < 1, "at least 0 and below 1"
            if not known:
                raise OptionError(f"{type(self).__name__} has the {name} {number:g}: it must be {domain}.")

    @abstractmethod
    def init(self, weights: Sequence[Tensor]) -> OptimizerState:
        """Moments before the first step."""

    @abstractmethod
    def step(
        self, weights: Sequence[Tensor], grads: Sequence[Tensor], state: OptimizerState, lr: float | Tensor
    ) -> tuple[list[Tensor], OptimizerState]:
        """Weights and moments after one step at ``lr`` (the schedule's value now)."""


@value
class SGD(Optimizer):
    """v ← μ v + g + λ w;  w ← w − lr·v  (Nesterov: w ← w − lr·(g + λ w + μ v))."""

    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 5e-4
    nesterov: bool = False

    def init(self, weights: Sequence[Tensor]) -> OptimizerState:
        return {"momentum": [torch.zeros_like(w) for w in weights]} if self.momentum else {}

    def step(
        self, weights: Sequence[Tensor], grads: Sequence[Tensor], state: OptimizerState, lr: float | Tensor
    ) -> tuple[list[Tensor], OptimizerState]:
        g = _decayed(grads, weights, self.weight_decay)
        if not self.momentum:
            return [w - lr * d for w, d in zip(weights, g, strict=True)], {}
        v = [self.momentum * m + d for m, d in zip(state["momentum"], g, strict=True)]
        move = [d + self.momentum * m for d, m in zip(g, v, strict=True)] if self.nesterov else v
        return [w - lr * m for w, m in zip(weights, move, strict=True)], {"momentum": v}


@value
class Adam(Optimizer):
    """Adam with bias correction; weight decay is added to the gradient (L2)."""

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def init(self, weights: Sequence[Tensor]) -> OptimizerState:
        return _adam_init(weights)

    def step(
        self, weights: Sequence[Tensor], grads: Sequence[Tensor], state: OptimizerState, lr: float | Tensor
    ) -> tuple[list[Tensor], OptimizerState]:
        g = _decayed(grads, weights, self.weight_decay)
        return _adam_step(weights, g, state, lr, (self.beta1, self.beta2, self.eps))


@value
class AdamW(Optimizer):
    """Adam with decoupled weight decay: w ← (1 − lr·λ) w before the step."""

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.01

    def init(self, weights: Sequence[Tensor]) -> OptimizerState:
        return _adam_init(weights)

    def step(
        self, weights: Sequence[Tensor], grads: Sequence[Tensor], state: OptimizerState, lr: float | Tensor
    ) -> tuple[list[Tensor], OptimizerState]:
        decayed = [w * (1 - lr * self.weight_decay) for w in weights]
        return _adam_step(decayed, grads, state, lr, (self.beta1, self.beta2, self.eps))


@value
class RMSprop(Optimizer):
    """s ← α s + (1 − α) g²;  w ← w − lr·g / (√s + eps)."""

    lr: float = 1e-3
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0

    def init(self, weights: Sequence[Tensor]) -> OptimizerState:
        return {"square": [torch.zeros_like(w) for w in weights]}

    def step(
        self, weights: Sequence[Tensor], grads: Sequence[Tensor], state: OptimizerState, lr: float | Tensor
    ) -> tuple[list[Tensor], OptimizerState]:
        g = _decayed(grads, weights, self.weight_decay)
        s = [self.alpha * q + (1 - self.alpha) * d * d for q, d in zip(state["square"], g, strict=True)]
        moved = [w - lr * d / (q.sqrt() + self.eps) for w, d, q in zip(weights, g, s, strict=True)]
        return moved, {"square": s}


def _decayed(grads: Sequence[Tensor], weights: Sequence[Tensor], decay: float) -> list[Tensor]:
    return [g + decay * w for g, w in zip(grads, weights, strict=True)] if decay else list(grads)


def _adam_init(weights: Sequence[Tensor]) -> OptimizerState:
    # The step counts in float64: in float32, 1 − 0.999 keeps four digits of the bias correction.
    zeros = [torch.zeros_like(w) for w in weights]
    return {"mean": zeros, "square": [z.clone() for z in zeros], "step": [torch.zeros((), dtype=torch.float64)]}


def _adam_step(
    weights: Sequence[Tensor],
    grads: Sequence[Tensor],
    state: OptimizerState,
    lr: float | Tensor,
    constants: tuple[float, float, float],
) -> tuple[list[Tensor], OptimizerState]:
    beta1, beta2, eps = constants
    step = state["step"][0] + 1
    mean = [beta1 * m + (1 - beta1) * d for m, d in zip(state["mean"], grads, strict=True)]
    square = [beta2 * s + (1 - beta2) * d * d for s, d in zip(state["square"], grads, strict=True)]
    first, second = 1 - beta1**step, (1 - beta2**step) ** 0.5
    moved = [w - (lr / first) * m / (s.sqrt() / second + eps) for w, m, s in zip(weights, mean, square, strict=True)]
    return moved, {"mean": mean, "square": square, "step": [step]}

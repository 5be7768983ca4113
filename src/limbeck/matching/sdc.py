"""Sample difficulty correction: a term that prefers easier synthetic examples, and its schedules [wang2024sdc].

The paper's formula and schedules are not public; both readings of "gradient norm" are here under their own names.
"""

import math
from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor

from limbeck.compute import Compute
from limbeck.errors import FitError, OptionError
from limbeck.matching.batch import Batch
from limbeck.matching.cloud import Cloud
from limbeck.matching.difficulty import sample_gradient_norms
from limbeck.matching.discrepancy import Context
from limbeck.matching.gradients import Gradients
from limbeck.matching.surrogate import Term
from limbeck.matching.view import Cotangents, Glimpse, View
from limbeck.networks.network import Network
from limbeck.shapes import Params, Scalar
from limbeck.values import value

__all__ = [
    "AdaptivePace",
    "BatchGradientNorm",
    "GradientNorms",
    "LinearPace",
    "LogarithmicPace",
    "Pace",
    "SampleGradientNorm",
    "SteadyPace",
]


class Pace(ABC):
    """A frozen value: the factor on λ in the course of a run."""

    compares: bool = False  # True where the real side's gradient norm is needed

    @abstractmethod
    def factor(self, progress: float, ratio: float) -> float:
        """Factor ≥ 0 at ``progress`` in [0, 1]; ``ratio`` is the synthetic gradient norm over the real one."""


@final
@value
class SteadyPace(Pace):
    """1 throughout."""

    def factor(self, progress: float, ratio: float) -> float:
        return 1.0


@final
@value
class LinearPace(Pace):
    """From ``start`` to ``end`` in a straight line."""

    start: float = 1.0
    end: float = 0.0

    def factor(self, progress: float, ratio: float) -> float:
        return self.start + (self.end - self.start) * progress


@final
@value
class LogarithmicPace(Pace):
    """From ``start`` to ``end`` as log(1 + (e^sharpness − 1)·progress)/sharpness: fast at first, slow at the end."""

    start: float = 1.0
    end: float = 0.0
    sharpness: float = 3.0

    def __post_init__(self) -> None:
        if self.sharpness <= 0:
            raise OptionError(f"the sharpness of a logarithmic pace is {self.sharpness}: it must be above 0.")

    def factor(self, progress: float, ratio: float) -> float:
        bent = math.log1p(math.expm1(self.sharpness) * progress) / self.sharpness
        return self.start + (self.end - self.start) * bent


@final
@value
class AdaptivePace(Pace):
    """min(ceiling, ‖g_synthetic‖ / ‖g_real‖): strong where the synthetic examples are harder than the real ones."""

    ceiling: float = 2.0
    compares = True

    def factor(self, progress: float, ratio: float) -> float:
        return min(self.ceiling, ratio)


@final
@value
class BatchGradientNorm(Term):
    """weight · pace · Σ_c ‖∇_θ ℓ(S_c)‖₂ on the method's own view of gradients, so that it costs a norm.

    weight:   λ ≥ 0.
    relative: the term's size is λ times the value of the terms before it in the sum, and its direction that of
              ∇ log Σ_c ‖∇_θ ℓ(S_c)‖, so that one λ serves all methods; otherwise λ is absolute.
    view:     over which weights the norm goes; give the view of the matching term to share its opening.
    """

    weight: float = 0.05
    pace: Pace = SteadyPace()
    relative: bool = True
    view: View = Gradients()

    def __post_init__(self) -> None:
        _not_negative(self.weight)
        if not self.view.of_gradients:
            raise FitError("the batch's gradient norm looks at gradients: give it a Gradients view.")

    @property
    def remark(self) -> str:
        return _drowning(self)

    @property
    def uses_real(self) -> bool:
        return self.pace.compares

    def value(self, real: tuple[Cloud, ...] | None, synthetic: tuple[Cloud, ...], context: Context) -> Scalar:
        here = _norms(synthetic).sum()
        return _scaled(self, here, None if real is None else _norms(real).sum(), context)


@final
@value
class GradientNorms(View):
    """‖∇_θ ℓ(x, y)‖₂ of each example by itself over all weights, (n, 1). Costs a vectorised double backward pass."""

    def open(self, network: Network, params: Params, batch: Batch, *, compute: Compute, pull: bool) -> Glimpse:
        del compute
        soft = batch.targets
        inputs = batch.inputs.detach().requires_grad_(pull)
        if soft is None:
            goal = torch.nn.functional.one_hot(batch.labels, network.classes).to(inputs.dtype)
        else:
            goal = soft.detach().requires_grad_(pull)
        with torch.set_grad_enabled(pull):
            points = sample_gradient_norms(network, params, inputs, goal)[:, None]
        cloud = Cloud(points.detach(), batch.groups, len(batch.sizes), batch.weights)
        if not pull:
            return Glimpse((cloud,), None)

        def back(cotangents: tuple[Tensor, ...]) -> Cotangents:
            leaves = (inputs,) if soft is None else (inputs, goal)
            grads = torch.autograd.grad(points, leaves, cotangents[0], materialize_grads=True)
            return Cotangents(grads[0], None if soft is None else grads[1])

        return Glimpse((cloud,), back)


@final
@value
class SampleGradientNorm(Term):
    """weight · pace · Σ_c mean_{x ∈ S_c} ‖∇_θ ℓ(x)‖₂: the GraDN reading, example by example.

    weight, relative: as in :class:`BatchGradientNorm`.
    """

    weight: float = 0.05
    pace: Pace = SteadyPace()
    relative: bool = True
    view: View = GradientNorms()

    def __post_init__(self) -> None:
        _not_negative(self.weight)

    @property
    def remark(self) -> str:
        return _drowning(self)

    @property
    def uses_real(self) -> bool:
        return self.pace.compares

    def value(self, real: tuple[Cloud, ...] | None, synthetic: tuple[Cloud, ...], context: Context) -> Scalar:
        here = synthetic[0].means().sum()
        return _scaled(self, here, None if real is None else real[0].means().sum(), context)


def _norms(clouds: tuple[Cloud, ...]) -> Tensor:
    """(count,) Euclidean norm of each group's gradient over all layers."""
    squares = [
        torch.zeros(c.count, dtype=c.points.dtype, device=c.points.device).index_add(
            0, c.groups, c.points.square().sum(1)
        )
        for c in clouds
    ]
    return (torch.stack(squares).sum(0) + 1e-24).sqrt()  # finite derivative where a gradient is exactly 0


def _scaled(
    term: BatchGradientNorm | SampleGradientNorm, here: Tensor, there: Tensor | None, context: Context
) -> Scalar:
    norm = float(here.detach())
    ratio = 1.0 if there is None else norm / max(float(there), 1e-12)
    size = term.weight * term.pace.factor(context.progress, ratio)
    if term.relative:
        size *= abs(context.matched) / max(norm, 1e-12)
    return here * size


def _drowning(term: BatchGradientNorm | SampleGradientNorm) -> str:
    if not term.relative or term.weight <= 1:
        return ""
    return (
        f"The difficulty term is {term.weight:g} times as large as the matching loss and drowns it: the set will be "
        "easy and hardly matched; weights below 1, e.g. 0.05, are meant."
    )


def _not_negative(weight: float) -> None:
    if weight < 0:
        raise OptionError(f"the weight of the difficulty term is {weight}: it must not be negative.")
